"""The command that finds out what data are: detect."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from simulacra.cli.settings import (
    AsJson,
    Exclude,
    Include,
    Memory,
    NoInferKeys,
    Quiet,
    Read,
    Seed,
    Source,
    Threads,
    reading,
    run_context,
)


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(detect)


def detect(
    src: Source,
    *,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="Specification file to write (default: print it)."),
    ] = None,
    diagram: Annotated[
        bool, typer.Option("--diagram", help="Print a Mermaid diagram of the tables.")
    ] = False,
    sdv: Annotated[
        str | None, typer.Option("--sdv", help="Take over an SDV metadata JSON file (V1).")
    ] = None,
    check: Annotated[
        str | None, typer.Option("--check", help="Compare SRC with a specification file instead.")
    ] = None,
    json_schema: Annotated[
        bool, typer.Option("--json-schema", help="Print the JSON Schema of specifications.")
    ] = False,
    read: Read = None,
    include: Include = None,
    exclude: Exclude = None,
    no_infer_keys: NoInferKeys = False,
    seed: Seed = 0,
    threads: Threads = None,
    memory: Memory = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Find out the types and keys of SRC's columns, and what its tables refer to."""
    from simulacra.api.metadata import Metadata
    from simulacra.connectors.targets import check_product
    from simulacra.core.errors import CheckFailed

    ctx = run_context(quiet=quiet or as_json, threads=threads, memory=memory)
    if json_schema:
        typer.echo(json.dumps(Metadata.json_schema(), indent=2))
        return
    data = reading(src, read, include, exclude)
    if check is not None:
        wrong = Metadata.load(check).validate(data, ctx=ctx)
        for mismatch in wrong:
            typer.echo(str(mismatch))
        if wrong:
            raise CheckFailed(f"{len(wrong)} mismatches", where=check)
        return
    if output is not None:
        check_product(output, src)
    metadata = (
        Metadata.from_sdv(sdv, data, ctx=ctx)
        if sdv is not None
        else Metadata.detect(data, infer_keys=not no_infer_keys, seed=seed, ctx=ctx)
    )
    if output is not None:
        metadata.save(output)
    if diagram:
        typer.echo(metadata.diagram(), nl=False)
    elif as_json:
        typer.echo(metadata.to_json(), nl=False)
    elif output is None:
        typer.echo(metadata.to_yaml(), nl=False)
