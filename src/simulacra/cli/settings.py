"""Options that commands share, and what they become."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulacra.connectors.replacing import IfExists
from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.limits import Limits, machine_memory, parse_bytes, usable_cores
from simulacra.core.progress import PlainProgress, Progress, RichProgress, silent

if TYPE_CHECKING:
    from simulacra.api.metadata import Metadata

Source = Annotated[
    str, typer.Argument(metavar="SRC", help="A file, a folder (one table a file) or a URL.")
]
Target = Annotated[str, typer.Argument(metavar="DEST", help="A file, or a folder for tables.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads to use (default: all cores).")
]
Memory = Annotated[
    str | None,
    typer.Option("--memory", help="Memory budget, as 4GB (default: half of the machine's)."),
]
Model = Annotated[str, typer.Option("--model", help="The model: forest, copula, independent, …")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="MODEL.OPTION=VALUE", help="An option of the model; repeatable."),
]
Spec = Annotated[
    str | None, typer.Option("--spec", help="A specification file (default: detected).")
]
StructureRows = Annotated[
    int,
    typer.Option("--structure-rows", min=1, help="Most rows that structure is learned from."),
]
NoRules = Annotated[
    bool, typer.Option("--no-rules", help="Don't look for arithmetic between columns.")
]
Rows = Annotated[
    list[str] | None,
    typer.Option(
        "--rows",
        metavar="[TABLE=]N",
        help="Rows of each table, or of one; repeatable (default: as learned).",
    ),
]
Keep = Annotated[
    list[str] | None,
    typer.Option("--keep", metavar="TABLE", help="Write this table as it is; repeatable."),
]
KeepOrphans = Annotated[
    bool,
    typer.Option("--keep-orphans", help="Draw rows whose foreign key names no row, as found."),
]
Scale = Annotated[
    float | None, typer.Option("--scale", min=0, help="Rows, as a multiple of those learned.")
]
Format = Annotated[
    str | None, typer.Option("--format", help="File format in a folder: parquet, csv, arrow, …")
]
Partitioned = Annotated[
    bool, typer.Option("--partitioned", help="Write each table as a folder of Parquet parts.")
]
Read = Annotated[
    list[str] | None,
    typer.Option(
        "--read", metavar="OPTION=VALUE", help="How to read files, as delimiter=; repeatable."
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        "--include", metavar="PATTERN", help="Only tables called so, as order*; repeatable."
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="PATTERN", help="No tables called so; repeatable."),
]
NoInferKeys = Annotated[
    bool,
    typer.Option("--no-infer-keys", help="Don't look for foreign keys where none is declared."),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Keep a journal beside DEST, and go on from it if it is there."),
]
JournalFolder = Annotated[
    str | None,
    typer.Option("--journal", metavar="DIR", help="Keep the journal of --resume in this folder."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace DEST if it exists.")]
WhatIfExists = Annotated[
    IfExists,
    typer.Option("--if-exists", help="If DEST is a database and its tables hold rows."),
]


def run_context(*, quiet: bool, threads: int | None, memory: str | None) -> RunContext:
    """Build what a run is given from the shared options."""
    limits = Limits(
        memory=parse_bytes(memory) if memory else machine_memory() // 2,
        threads=threads or usable_cores(),
    )
    return RunContext(limits=limits, progress=_progress(quiet=quiet))


def _progress(*, quiet: bool) -> Progress:
    if quiet:
        return silent()
    return RichProgress() if sys.stderr.isatty() else PlainProgress()


def model_options(model: str, settings: Sequence[str] | None) -> dict[str, Any]:
    """Parse ``--set`` values: ``trees=8``, ``forest.trees=8`` or ``model.trees=8``.

    Raises:
        UsageError: One is not of that form, or is of another model.
    """
    options = {}
    for setting in settings or []:
        name, value = _setting(setting, "--set", f"{model}.OPTION=VALUE; see simulacra plugins")
        owner, dot, option = name.rpartition(".")
        if dot and owner not in {model, "model"}:
            raise UsageError(f"--set {setting}", why=f"the model is {model}")
        options[option] = value
    return options


def reading(
    uri: str,
    settings: Sequence[str] | None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
) -> Any:
    """Return data to read, with the options of ``--read`` and the tables chosen.

    Raises:
        UsageError: One is not of the form ``OPTION=VALUE``.
    """
    from simulacra.api.inputs import source

    options = dict(_setting(s, "--read", "OPTION=VALUE") for s in settings or [])
    chosen = {"include": include, "exclude": exclude}
    return source(uri, **options, **{name: some for name, some in chosen.items() if some})


def metadata_of(spec: str | None) -> Metadata | None:
    """Return the specification that ``--spec`` names, None without one."""
    from simulacra.api.metadata import Metadata

    return Metadata.load(spec) if spec is not None else None


def _setting(setting: str, flag: str, form: str) -> tuple[str, Any]:
    """Return name and value; the value is JSON, or else the text itself."""
    name, equals, text = setting.partition("=")
    if not equals or not name.rpartition(".")[2]:
        raise UsageError(f"{flag} {setting}", mend=f"Write it as {flag} {form}")
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text


def rows_wanted(texts: Sequence[str] | None) -> int | dict[str, int] | None:
    """Return the rows asked for: of every table, or by table.

    Raises:
        UsageError: A text is neither ``N`` nor ``TABLE=N``, or both forms are given.
    """
    if not texts:
        return None
    wanted: dict[str, int] = {}
    for text in texts:
        table, by_table, number = text.rpartition("=")
        if not by_table and len(texts) > 1:
            raise UsageError(
                "--rows is given several times", mend="Write --rows TABLE=N for each table"
            )
        wanted[table] = _whole_number(number, text)
    return wanted.get("") if "" in wanted else wanted


def _whole_number(number: str, text: str) -> int:
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if value < 0 or value != int(value):
        raise UsageError(
            f"--rows {text}", why="it is no number of rows", mend="Write --rows 1000 or TABLE=1e6"
        )
    return int(value)
