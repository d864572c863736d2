"""The command that shows what the program does, on real data that comes with it."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulacra.cli.settings import Memory, Quiet, Seed, Threads, run_context

if TYPE_CHECKING:
    import pyarrow as pa

HELD_OUT_TABLES = ("flights",)
"""Tables large enough to keep half of the rows back, so that scores have a floor."""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(demo)


def demo(
    directory: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write.")] = Path(
        "simulacra-demo"
    ),
    *,
    seed: Seed = 0,
    threads: Threads = None,
    memory: Memory = None,
    quiet: Quiet = False,
) -> None:
    """Learn real flights (five shipped tables, CC0), write a synthetic copy and a report to DIR."""
    from simulacra.api import Metadata, Synthesizer, evaluate

    ctx = run_context(quiet=quiet, threads=threads, memory=memory)
    with as_file(files("simulacra") / "demo" / "nycflights") as folder:
        metadata = Metadata.load(folder / "spec.yaml")
        real, holdout = _halves(folder)
    synthesizer = Synthesizer(seed=seed, ctx=ctx).fit(real, metadata)
    synthetic = synthesizer.sample()
    synthesizer.write(directory / "synthetic", overwrite=True)
    synthesizer.save(directory / "model.sim")
    synthesizer.metadata.save(directory / "spec.yaml")
    report = evaluate(
        real, synthetic, holdout=holdout, metadata=synthesizer.metadata, seed=seed, ctx=ctx
    )
    report.to_json(directory / "report.json")
    text = report.summary()
    (directory / "report.txt").write_text(text, encoding="utf-8")
    typer.echo(text, nl=False)
    typer.echo(
        f"\n{directory}/: synthetic/ holds the tables, report.json all scores, model.sim what was "
        "learned.\nHalf of the real flights was kept back: its scores are the floor."
    )


def _halves(folder: Path) -> tuple[dict[str, pa.Table], dict[str, pa.Table]]:
    """Return the tables to learn from, and the same with the rows kept back of the larger ones."""
    import pyarrow.parquet as pq

    real, holdout = {}, {}
    for path in sorted(folder.glob("*.parquet")):
        table = pq.read_table(path)
        real[path.stem] = holdout[path.stem] = table
        if path.stem in HELD_OUT_TABLES:
            # The shipped rows were drawn at random: every second one is a random half.
            holdout[path.stem] = table.take(list(range(1, table.num_rows, 2)))
            real[path.stem] = table.take(list(range(0, table.num_rows, 2)))
    return real, holdout
