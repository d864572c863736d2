"""The command that measures: evaluate."""

from __future__ import annotations

from typing import Annotated

import typer

from simulacra.cli.settings import (
    Exclude,
    Include,
    Memory,
    Quiet,
    Read,
    Seed,
    Spec,
    Threads,
    reading,
    run_context,
)
from simulacra.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(evaluate)


def evaluate(
    real: Annotated[str, typer.Argument(metavar="REAL", help="The data that was learned.")],
    synthetic: Annotated[str, typer.Argument(metavar="SYN", help="The synthetic data.")],
    *,
    holdout: Annotated[
        str | None, typer.Option("--holdout", help="Real rows that were not learned from.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="A column to predict, for utility.")
    ] = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="Only this metric; repeatable.")
    ] = None,
    rows: Annotated[
        int, typer.Option("--rows", min=1, help="Most rows that costly metrics look at.")
    ] = 50_000,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write all scores here; - prints.")
    ] = None,
    details: Annotated[
        bool, typer.Option("--details", help="Show what stands out in each table of several.")
    ] = False,
    diagram: Annotated[
        bool, typer.Option("--diagram", help="Print tables and keys as a Mermaid diagram, too.")
    ] = False,
    read: Read = None,
    include: Include = None,
    exclude: Exclude = None,
    seed: Seed = 0,
    spec: Spec = None,
    threads: Threads = None,
    memory: Memory = None,
    quiet: Quiet = False,
) -> None:
    """Measure SYN against REAL: shapes, trends, detection, validity, closest records.

    Of databases also keys, children per parent, and tables joined by their keys.
    """
    from simulacra.api.evaluation import evaluate as measure
    from simulacra.api.metadata import Metadata
    from simulacra.connectors.targets import check_product

    if json_file == "-" and (diagram or details):
        raise UsageError(
            "--json - prints nothing but JSON",
            mend="Leave out --details and --diagram, or name a file",
        )
    if json_file not in {None, "-"}:
        check_product(json_file, real, synthetic, *([holdout] if holdout is not None else []))
    report = measure(
        reading(real, read, include, exclude),
        reading(synthetic, read),
        holdout=None if holdout is None else reading(holdout, read),
        metadata=Metadata.load(spec) if spec is not None else None,
        target=target,
        metrics=metrics,
        rows=rows,
        seed=seed,
        ctx=run_context(quiet=quiet or json_file == "-", threads=threads, memory=memory),
    )
    if json_file == "-":
        typer.echo(report.to_json())
        return
    if json_file is not None:
        report.to_json(json_file)
    typer.echo(report.summary(details=details), nl=False)
    if diagram:
        typer.echo(report.diagram(), nl=False)
