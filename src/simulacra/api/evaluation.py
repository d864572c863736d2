"""Measure a synthetic copy against the real data."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.api.inputs import Inputs, Source, inputs_of
from simulacra.api.metadata import Metadata
from simulacra.api.provenance import model_line
from simulacra.connectors.secret import shown
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.protocols import BatchSource
from simulacra.pipeline.evaluate import ROWS, evaluate_dataset
from simulacra.pipeline.plain import plain
from simulacra.pipeline.reports.report import Report

if TYPE_CHECKING:
    from simulacra.api.synthesizer import Synthesizer


def evaluate(  # noqa: PLR0913 - all but the two sides are keyword-only options
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    metadata: Metadata | None = None,
    target: str | None = None,
    model: Synthesizer | str | Path | None = None,
    metrics: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    rows: int = ROWS,
    seed: int = 0,
    ctx: RunContext | None = None,
) -> Report:
    """Measure synthetic tables against real ones.

    With a hold-out (real rows that were not learned from) the synthetic rows are compared with
    it, and every score stands beside its floor: what the learned real rows themselves score.

    Tables with foreign keys are measured together as well: validity of all keys, children per
    parent, trends between rows and their ancestors, and classifiers that see rows with their
    parents and parents with their children. For these the hold-out must be whole in itself, a
    second sample of the same kind: two calls of :func:`subset` with different seeds give a sample
    to learn from and one to hold out. Tables that the hold-out lacks are taken to be those of
    ``real``.

    Args:
        real: The data that was learned: a frame, a dict of them by table name, a path or URL.
        synthetic: The synthetic data, likewise.
        holdout: Real rows that were not learned from, likewise.
        metadata: What the columns and keys are; when None, what a specification beside ``real``
            says, or what is detected.
        target: The column that models learn to predict, for the utility metric; when None, up to
            eight of each table that are worth predicting.
        model: What the synthetic data were drawn from, or the bundle of that: the data sheet tells
            of it. Nothing is measured by it.
        metrics: Registry names of the metrics wanted; all that apply when None. Of those of whole
            databases ``key_validity`` and ``cardinality`` are cheap.
        options: Options of some metrics. ``quasi_identifiers`` (columns that others may know of a
            person) asks for the metric ``k_anonymity``; ``generator`` (see
            :func:`simulacra.api.shadowing.generator`) for ``shadow_membership``; ``fair``, as
            ``{"target": "income", "sensitive": "sex"}``, for ``demographic_parity``.
        rows: The most rows of each table that costly metrics look at.
        seed: Decides which.
        ctx: Limits and progress.

    Raises:
        InputError: Something can't be read.
        SpecError: The tables are not alike; names the column.
    """
    ctx = ctx or RunContext()
    made_by = {} if model is None else {"model": model_line(model)}
    known = inputs_of(real, ctx)
    if metadata is None:
        beside = known.spec
        metadata = (
            Metadata(beside) if beside is not None else Metadata.detect(real, seed=seed, ctx=ctx)
        )
    names = list(known.sources)
    report = evaluate_dataset(
        {name: plain(source) for name, source in known.sources.items()},
        _alike(inputs_of(synthetic, ctx), known, "the synthetic data"),
        holdout=None
        if holdout is None
        else _alike(inputs_of(holdout, ctx), known, "the hold-out", partial=True),
        spec=metadata.renamed(names[0]).spec
        if known.is_single
        else known.narrowed(metadata.spec, ctx),
        target=target,
        metrics=metrics,
        options=options,
        rows=rows,
        seed=seed,
        ctx=ctx,
    )
    sides = {"real": real, "synthetic": synthetic, "holdout": holdout}
    return replace(report, about=_about(sides, metrics, rows) | made_by)


def _about(sides: Mapping[str, Any], metrics: Sequence[str] | None, rows: int) -> dict[str, Any]:
    """Return where the data came from, without passwords, and what measured them."""
    named = {side: _named(data) for side, data in sides.items() if data is not None}
    return {
        **named,
        "metrics": "all that apply" if metrics is None else list(metrics),
        "rows compared at most": rows,
        "simulacra": version("simulacra"),
        "python": platform.python_version(),
    }


def _named(data: Any) -> str:
    if isinstance(data, str | Path | Source):
        return shown(data.uri if isinstance(data, Source) else str(data))
    if isinstance(data, Mapping):
        return f"{len(data)} tables in memory"
    return f"a {type(data).__name__} in memory"


def _alike(
    inputs: Inputs, known: Inputs, what: str, *, partial: bool = False
) -> dict[str, BatchSource]:
    """Return tables under the names of the real ones; a single table needs no name."""
    sources = {name: plain(source) for name, source in inputs.sources.items()}
    if inputs.is_single and known.is_single:
        return dict(zip(known.sources, sources.values(), strict=True))
    missing = known.sources.keys() - sources.keys()
    if missing and not partial:
        raise SpecError(f"{what} lacks the table", where=min(missing))
    return {name: source for name, source in sources.items() if name in known.sources}
