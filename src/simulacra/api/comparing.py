"""Measure several synthetic copies of the same data, side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulacra.api.evaluation import evaluate
from simulacra.api.metadata import Metadata
from simulacra.api.synthesizer import Synthesizer
from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.pipeline.evaluate import ROWS
from simulacra.pipeline.reports.comparison import Comparison

_BUNDLE = ".sim"


def compare(  # noqa: PLR0913 - all but the data are keyword-only options
    real: Any,
    copies: Mapping[str, Any],
    *,
    holdout: Any = None,
    metadata: Metadata | None = None,
    target: str | None = None,
    metrics: Sequence[str] | None = None,
    rows: int = ROWS,
    seed: int = 0,
    ctx: RunContext | None = None,
) -> Comparison:
    """Measure several synthetic copies against the same real data, side by side.

    Args:
        real: The data that was learned; see :func:`evaluate`.
        copies: The copies by name: whatever :func:`evaluate` takes, a :class:`Synthesizer` that
            has learned, or the path of a bundle (``.sim``), from which as many rows are drawn as
            were learned.
        holdout: Real rows that were not learned from.
        metadata: What the columns and keys are.
        target: A column to train classifiers for.
        metrics: Names of the metrics wanted; all that apply when None.
        rows: The most rows of each table that costly metrics look at.
        seed: Decides which, and what is drawn from bundles.
        ctx: Limits and progress.

    Raises:
        InputError: Something can't be read.
        SpecError: The tables are not alike; names the column.
        UsageError: There is nothing to compare.
    """
    if not copies:
        raise UsageError("nothing to compare", mend="Name one synthetic copy or more")
    ctx = ctx or RunContext()
    if metadata is None:
        metadata = _known(real, seed, ctx)
    reports = {}
    for name, copy in copies.items():
        with _drawn(copy, seed, ctx) as synthetic:
            reports[name] = evaluate(
                real,
                synthetic,
                holdout=holdout,
                metadata=metadata,
                target=target,
                metrics=metrics,
                rows=rows,
                seed=seed,
                ctx=ctx,
            )
    return Comparison(reports)


def _known(real: Any, seed: int, ctx: RunContext) -> Metadata:
    """Return what ``evaluate`` would find, found once for all copies."""
    from simulacra.api.inputs import inputs_of

    beside = inputs_of(real, ctx).spec
    return Metadata(beside) if beside is not None else Metadata.detect(real, seed=seed, ctx=ctx)


@contextmanager
def _drawn(copy: Any, seed: int, ctx: RunContext) -> Iterator[Any]:
    """Give a copy to read: itself, or what a bundle or a synthesizer draws, in a folder."""
    if isinstance(copy, str | Path) and str(copy).endswith(_BUNDLE):
        copy = Synthesizer.load(copy, ctx=ctx)
    if not isinstance(copy, Synthesizer):
        yield copy
        return
    with tempfile.TemporaryDirectory(prefix="simulacra-") as folder:
        single = len(copy.fitted.tables) == 1
        target = Path(folder, "copy.parquet" if single else "copy")
        copy.write(target, seed=seed)
        yield str(target)
