"""The commands, put together."""

from __future__ import annotations

import sys

import typer

from simulacra.cli import (
    about,
    anonymizing,
    conditions,
    demo,
    detecting,
    evaluation,
    learning,
    subsetting,
)
from simulacra.cli.failures import CANCELLED, exit_code_of
from simulacra.core.errors import UsageError

app = typer.Typer(
    name="simulacra",
    help="Learn real data and write a synthetic copy of it, with none of its people.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    learning, detecting, conditions, evaluation, subsetting, anonymizing, about, demo,
):  # fmt: skip
    module.register(app)


def main() -> None:
    """Run the command that the arguments name, and exit."""
    sys.exit(exit_code_of(_run))


def _run() -> None:
    try:
        code = app(standalone_mode=False)
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except typer.TyperException as error:
        raise UsageError(error.format_message().rstrip("."), mend="See simulacra --help") from error
    if code == CANCELLED:
        # Typer turns Ctrl-C into an exit code of its own.
        raise KeyboardInterrupt
    if isinstance(code, int):
        sys.exit(code)
