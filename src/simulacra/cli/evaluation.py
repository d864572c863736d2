"""The commands that measure: evaluate and compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from simulacra.cli.conditions import fairness
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

Real = Annotated[str, typer.Argument(metavar="REAL", help="The data that was learned.")]
Holdout = Annotated[
    str | None, typer.Option("--holdout", help="Real rows that were not learned from.")
]
PredictedColumn = Annotated[
    str | None,
    typer.Option("--target", help="The column to predict, for utility; else some are found."),
]
Metrics = Annotated[
    list[str] | None, typer.Option("--metric", help="Only this metric; repeatable.")
]
RowsCompared = Annotated[
    int, typer.Option("--rows", min=1, help="Most rows that costly metrics look at.")
]
JsonFile = Annotated[
    str | None, typer.Option("--json", metavar="FILE", help="Write all scores here; - prints.")
]
MarkdownFile = Annotated[
    str | None, typer.Option("--markdown", metavar="FILE", help="Write the report as Markdown.")
]

ReportFile = Annotated[
    str | None,
    typer.Option(
        "--report", metavar="FILE", help="Write the report with charts, as one HTML page."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(evaluate)
    app.command()(compare)


def evaluate(
    real: Real,
    synthetic: Annotated[str, typer.Argument(metavar="SYN", help="The synthetic data.")],
    *,
    holdout: Holdout = None,
    target: PredictedColumn = None,
    metrics: Metrics = None,
    quasi_identifiers: Annotated[
        str | None,
        typer.Option(
            "--quasi-identifiers",
            metavar="COLUMNS",
            help="Columns that others may know of a person, parted by commas: k-anonymity.",
        ),
    ] = None,
    fair: Annotated[
        str | None,
        typer.Option(
            "--fair",
            metavar="TARGET=SENSITIVE",
            help="How much TARGET depends on SENSITIVE (or several, parted by commas): "
            "demographic parity.",
        ),
    ] = None,
    rows: RowsCompared = 50_000,
    json_file: JsonFile = None,
    markdown_file: MarkdownFile = None,
    report_file: ReportFile = None,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-under",
            metavar="NAME=VALUE",
            help="Exit code 1 if quality, validity, utility, privacy or a measure is worse; "
            "repeatable.",
        ),
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
    model_file: Annotated[
        str | None,
        typer.Option(
            "--model-file",
            metavar="BUNDLE",
            help="What SYN was drawn from, for the report's data sheet.",
        ),
    ] = None,
    seed: Seed = 0,
    spec: Spec = None,
    threads: Threads = None,
    memory: Memory = None,
    quiet: Quiet = False,
) -> None:
    """Measure SYN against REAL: fidelity, validity, utility and privacy.

    Of databases also keys, children per parent, and tables joined by their keys.
    """
    from simulacra.api.evaluation import evaluate as measure
    from simulacra.api.metadata import Metadata
    from simulacra.core.errors import CheckFailed
    from simulacra.pipeline.reports.chart_style import altair
    from simulacra.pipeline.reports.thresholds import Threshold, failures

    thresholds = [Threshold.parse(text) for text in fail_under or []]
    if json_file == "-" and (diagram or details):
        raise UsageError(
            "--json - prints nothing but JSON",
            mend="Leave out --details and --diagram, or name a file",
        )
    _check_products([json_file, markdown_file, report_file], [real, synthetic, holdout])
    if report_file is not None:
        altair()  # what is missing is said before anything is measured
    report = measure(
        reading(real, read, include, exclude),
        reading(synthetic, read),
        holdout=None if holdout is None else reading(holdout, read),
        metadata=Metadata.load(spec) if spec is not None else None,
        target=target,
        model=model_file,
        metrics=metrics,
        options=_options(quasi_identifiers) | _fairness(fair),
        rows=rows,
        seed=seed,
        ctx=run_context(quiet=quiet or json_file == "-", threads=threads, memory=memory),
    )
    if markdown_file is not None:
        report.to_markdown(markdown_file)
    if report_file is not None:
        report.to_html(report_file)
    if json_file == "-":
        typer.echo(report.to_json())
    elif json_file is not None:
        report.to_json(json_file)
    if json_file != "-":
        typer.echo(report.summary(details=details), nl=False)
    if diagram:
        typer.echo(report.diagram(), nl=False)
    if wrong := failures(report, thresholds):
        raise CheckFailed("; ".join(wrong))


def _options(quasi_identifiers: str | None) -> dict[str, Any]:
    if quasi_identifiers is None:
        return {}
    names = [name.strip() for name in quasi_identifiers.split(",")]
    if not all(names):
        raise UsageError(
            f"--quasi-identifiers {quasi_identifiers!r} names no column between two commas",
            mend="Write age,sex,postcode",
        )
    return {"quasi_identifiers": names}


def _fairness(fair: str | None) -> dict[str, Any]:
    wanted = fairness(fair)
    return {} if wanted is None else {"fair": wanted}


def compare(
    real: Real,
    copies: Annotated[
        list[str],
        typer.Argument(metavar="SYN…", help="Synthetic data, or bundles (.sim) to draw from."),
    ],
    *,
    holdout: Holdout = None,
    target: PredictedColumn = None,
    metrics: Metrics = None,
    rows: RowsCompared = 50_000,
    json_file: JsonFile = None,
    markdown_file: MarkdownFile = None,
    read: Read = None,
    include: Include = None,
    exclude: Exclude = None,
    seed: Seed = 0,
    spec: Spec = None,
    threads: Threads = None,
    memory: Memory = None,
    quiet: Quiet = False,
) -> None:
    """Measure several synthetic copies against REAL, side by side."""
    from simulacra.api.comparing import compare as measure
    from simulacra.api.metadata import Metadata

    _check_products([json_file, markdown_file], [real, *copies, holdout])
    comparison = measure(
        reading(real, read, include, exclude),
        {copy: copy if copy.endswith(".sim") else reading(copy, read) for copy in copies},
        holdout=None if holdout is None else reading(holdout, read),
        metadata=Metadata.load(spec) if spec is not None else None,
        target=target,
        metrics=metrics,
        rows=rows,
        seed=seed,
        ctx=run_context(quiet=quiet or json_file == "-", threads=threads, memory=memory),
    )
    if markdown_file is not None:
        comparison.to_markdown(markdown_file)
    if json_file == "-":
        typer.echo(comparison.to_json())
        return
    if json_file is not None:
        comparison.to_json(json_file)
    typer.echo(comparison.summary(), nl=False)


def _check_products(products: Sequence[str | None], sources: Sequence[str | None]) -> None:
    """Refuse to write over what is read."""
    from simulacra.connectors.targets import check_product

    read = [source for source in sources if source is not None]
    for product in products:
        if product not in {None, "-"}:
            check_product(str(product), *read)
