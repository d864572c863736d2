"""The command that masks a table or a database: anonymize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulacra.cli.destination import Destination
from simulacra.cli.settings import (
    AsJson,
    Exclude,
    Format,
    Include,
    Memory,
    NoInferKeys,
    Overwrite,
    Partitioned,
    Quiet,
    Read,
    Source,
    Spec,
    Target,
    Threads,
    WhatIfExists,
    metadata_of,
    reading,
    run_context,
)
from simulacra.connectors.replacing import IfExists
from simulacra.connectors.secret import ENV
from simulacra.core.errors import UsageError

if TYPE_CHECKING:
    from simulacra.api.anonymizing import Anonymized


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(anonymize)


def anonymize(
    src: Source,
    dest: Target,
    *,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="env:NAME",
            help="The environment variable with the secret that pseudonyms are made by: the same "
            "secret gives the same ones (default: a random one, forgotten).",
        ),
    ] = None,
    mask: Annotated[
        list[str] | None,
        typer.Option(
            "--mask",
            metavar="TABLE.COLUMN[=KIND]",
            help="Mask this column too, as email, phone, … or code; repeatable.",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep",
            metavar="TABLE[.COLUMN]",
            help="Leave this column, or table, as it is; repeatable.",
        ),
    ] = None,
    keep_keys: Annotated[
        bool, typer.Option("--keep-keys", help="Leave keys as they are that are no personal data.")
    ] = False,
    read: Read = None,
    include: Include = None,
    exclude: Exclude = None,
    no_infer_keys: NoInferKeys = False,
    spec: Spec = None,
    file_format: Format = None,
    partitioned: Partitioned = False,
    overwrite: Overwrite = False,
    if_exists: WhatIfExists = IfExists.FAIL,
    threads: Threads = None,
    memory: Memory = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write the rows of SRC to DEST, with pseudonyms for whatever leads to people.

    The same value becomes the same everywhere, and keys agree. All other columns stay: rows are
    still those of real people. Use synth where you can.
    """
    from simulacra.api.anonymizing import anonymize as anonymized

    if key is not None and not key.startswith(ENV):
        raise UsageError(
            "--key is not the name of a variable",
            why="a secret in a command is seen by others, and kept in its history",
            mend=f"Write --key {ENV}NAME",
        )
    to = Destination(dest, file_format, partitioned, overwrite, if_exists)
    to.check(src)
    masked = anonymized(
        reading(src, read, include, exclude),
        key=key,
        mask=mask or (),
        keep=keep or (),
        keep_keys=keep_keys,
        infer_keys=not no_infer_keys,
        metadata=metadata_of(spec),
        ctx=run_context(quiet=quiet or as_json, threads=threads, memory=memory),
    )
    written = masked.write(dest, **to.options)
    if not as_json:
        _say_masked(masked)
    to.say_written(written, as_json=as_json, masked=masked.columns)


def _say_masked(masked: Anonymized) -> None:
    for column, kind in masked.columns.items():
        typer.echo(f"masked {column} as {kind}: {masked.reasons[column]}", err=True)
    if not masked.columns:
        typer.echo(
            "No column is masked: none leads to people, and no key is an identifier", err=True
        )
