"""The command that takes a sample of a database: subset."""

from __future__ import annotations

from typing import Annotated

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
    Seed,
    Source,
    Spec,
    Target,
    Threads,
    WhatIfExists,
    metadata_of,
    reading,
    rows_wanted,
    run_context,
)
from simulacra.connectors.replacing import IfExists


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(subset)


def subset(
    src: Source,
    dest: Target,
    *,
    rows: Annotated[
        list[str] | None,
        typer.Option(
            "--rows",
            metavar="[TABLE=]N",
            help="About N rows of the largest table, or N of TABLE; repeatable.",
        ),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option("--scale", min=0, max=1, help="The share of all rows, from 0 to 1."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="TABLE", help="Take this table whole; repeatable."),
    ] = None,
    mend_orphans: Annotated[
        bool,
        typer.Option(
            "--mend-orphans",
            help="Make foreign keys null that name no row, or leave the row out if it can't be "
            "null (default: they stay as they are).",
        ),
    ] = False,
    read: Read = None,
    include: Include = None,
    exclude: Exclude = None,
    no_infer_keys: NoInferKeys = False,
    seed: Seed = 0,
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
    """Write a sample of SRC to DEST in which every row finds what it refers to.

    Rows are drawn at random from one table; the rows below them come along, and every row that one
    of those refers to.
    """
    from simulacra.api.subsetting import subset as choose

    to = Destination(dest, file_format, partitioned, overwrite, if_exists)
    to.check(src)
    chosen = choose(
        reading(src, read, include, exclude),
        rows_wanted(rows),
        scale=scale,
        keep=keep or (),
        keep_orphans=not mend_orphans,
        infer_keys=not no_infer_keys,
        metadata=metadata_of(spec),
        seed=seed,
        ctx=run_context(quiet=quiet or as_json, threads=threads, memory=memory),
    )
    written = chosen.write(dest, **to.options)
    to.say_written(written, as_json=as_json)
