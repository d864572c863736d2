"""What is wanted of rows, on the command line; and the command that fills nulls: impute."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from simulacra.cli.settings import (
    Memory,
    Overwrite,
    Quiet,
    Read,
    Source,
    Target,
    Threads,
    reading,
    run_context,
)
from simulacra.core.errors import UsageError

Given = Annotated[
    list[str] | None,
    typer.Option(
        "--given",
        metavar="[TABLE.]COLUMN=VALUE",
        help="Rows with this value; or VALUE,VALUE or LOW..HIGH; repeatable.",
    ),
]
Balance = Annotated[
    list[str] | None,
    typer.Option(
        "--balance",
        metavar="COLUMN=VALUE:SHARE",
        help="Give a value this share of the rows; VALUE:SHARE,… for several; repeatable.",
    ),
]
FairTo = Annotated[
    str | None,
    typer.Option(
        "--fair",
        metavar="TARGET=SENSITIVE",
        help="Make TARGET independent of SENSITIVE, or of several columns parted by commas.",
    ),
]
Temperature = Annotated[
    float,
    typer.Option(
        "--temperature",
        help="Below 1 what is frequent is drawn more often, above 1 what is rare.",
    ),
]
TopP = Annotated[
    float,
    typer.Option("--top-p", help="Draw only from the likeliest codes that hold this share."),
]
Bundle = Annotated[
    str | None, typer.Option("--model-file", metavar="BUNDLE", help="What fit wrote (.sim).")
]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(impute)


def given_values(texts: Sequence[str] | None, tables: Sequence[str]) -> dict[str, Any] | None:
    """Return what is wanted, as ``Synthesizer.sample`` takes it.

    Args:
        texts: The options, ``[TABLE.]COLUMN=VALUE``.
        tables: The tables that there are.

    Raises:
        UsageError: One is not of that form, or doesn't say of which of several tables.
    """
    if not texts:
        return None
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        place, equals, value = text.partition("=")
        table, column = _placed(place.strip(), tables, text)
        if not equals:
            raise UsageError(f"--given {text}", mend="Write it as COLUMN=VALUE")
        found.setdefault(table, {})[column] = _wanted(value)
    return found if len(tables) > 1 else found[tables[0]]


def balance_shares(texts: Sequence[str] | None) -> dict[str, dict[str, float]] | None:
    """Return the shares asked for, by column and value.

    Raises:
        UsageError: One is not of the form ``COLUMN=VALUE:SHARE,…``.
    """
    if not texts:
        return None
    found: dict[str, dict[str, float]] = {}
    for text in texts:
        column, _, pairs = text.partition("=")
        for pair in pairs.split(","):
            value, colon, share = pair.rpartition(":")
            try:
                found.setdefault(column, {})[value] = float(share)
            except ValueError:
                colon = ""
            if not (column and colon):
                raise UsageError(f"--balance {text}", mend="Write it as COLUMN=VALUE:0.5")
    return found


def fairness(text: str | None) -> dict[str, Any] | None:
    """Return what is to be independent of what, as ``Synthesizer.sample`` takes it.

    Raises:
        UsageError: It is not of the form ``TARGET=SENSITIVE,…``.
    """
    if text is None:
        return None
    target, _, sensitive = text.partition("=")
    names = [name.strip() for name in sensitive.split(",")]
    if not (target.strip() and all(names)):
        raise UsageError(f"--fair {text}", mend="Write it as TARGET=SENSITIVE, as income=sex")
    return {"target": target.strip(), "sensitive": names}


def _placed(place: str, tables: Sequence[str], text: str) -> tuple[str, str]:
    """Return table and column of ``[TABLE.]COLUMN``."""
    table, dot, column = place.partition(".")
    if dot and table in tables:
        return table, column
    if len(tables) == 1:
        return tables[0], place
    raise UsageError(
        f"--given {text} doesn't say of which table",
        mend=f"Write TABLE.COLUMN=VALUE; there are {', '.join(tables)}",
    )


def _wanted(text: str) -> Any:
    """Return a value, a list of them or a range; JSON where it begins as such.

    Raises:
        UsageError: It begins as JSON but is none.
    """
    from simulacra.api import between

    if text == "null" or text[:1] in {"[", '"'}:
        try:
            return json.loads(text)
        except ValueError as error:
            raise UsageError(
                f"--given …={text}", why=f"it is no JSON: {error}", mend="Close what it opens"
            ) from error
    low, dots, high = text.partition("..")
    if dots:
        return between(low or None, high or None)
    return text.split(",") if "," in text else text


def impute(
    src: Source,
    dest: Target,
    *,
    model_file: Bundle = None,
    read: Read = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Decides what is filled in.")] = None,
    overwrite: Overwrite = False,
    threads: Threads = None,
    memory: Memory = None,
    quiet: Quiet = False,
) -> None:
    """Fill the nulls of a table by what it, or what a bundle was learned from, tells of them.

    Values that are there stay as they are.
    """
    from simulacra.api.imputing import impute as fill
    from simulacra.connectors.targets import check_target

    check_target(dest, source=src, overwrite=overwrite)
    filled = fill(
        reading(src, read),
        dest,
        model=model_file,
        seed=seed,
        overwrite=overwrite,
        ctx=run_context(quiet=quiet, threads=threads, memory=memory),
    )
    typer.echo(f"{dest}: {filled:,} values filled in", err=True)
