"""The commands, put together."""

from __future__ import annotations

import sys

import click
import typer

from simulacra.cli import about, demo, evaluation, learning
from simulacra.cli.failures import exit_code_of

app = typer.Typer(
    name="simulacra",
    help="Learn real data and write a synthetic copy of it, with none of its people.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (learning, evaluation, about, demo):
    module.register(app)


def main() -> None:
    """Run the command that the arguments name, and exit."""
    sys.exit(exit_code_of(_run))


def _run() -> None:
    try:
        app(standalone_mode=False)
    except click.exceptions.Abort as error:
        raise KeyboardInterrupt from error
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
