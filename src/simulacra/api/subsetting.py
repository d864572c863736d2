"""Take a sample of a database in which every row finds what it refers to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulacra.api.inputs import inputs_of
from simulacra.api.metadata import Metadata
from simulacra.api.real_rows import RealRows
from simulacra.connectors.frames import FrameKind
from simulacra.core.context import RunContext
from simulacra.pipeline.subset import SubsetDataset, subset_dataset
from simulacra.pipeline.wanted_rows import Wanted


class Subset(RealRows):
    """Rows that were chosen; they are read when they are asked for."""

    def __init__(
        self,
        chosen: SubsetDataset,
        kinds: Mapping[str, FrameKind],
        *,
        is_single: bool,
        ctx: RunContext,
    ) -> None:
        super().__init__(chosen, kinds, is_single=is_single, ctx=ctx)
        self._chosen = chosen

    @property
    def rows(self) -> dict[str, int]:
        """How many rows of each table are in it."""
        return {name: self._chosen.tables[name].rows() for name in self._chosen.spec.tables}

    def __repr__(self) -> str:
        return f"Subset({', '.join(f'{name} {rows:,}' for name, rows in self.rows.items())})"


def subset(  # noqa: PLR0913 - all but the data and the rows are keyword-only options
    data: Any,
    rows: int | Mapping[str, int] | None = None,
    *,
    scale: float | None = None,
    keep: Sequence[str] = (),
    keep_orphans: bool = True,
    infer_keys: bool = True,
    metadata: Metadata | None = None,
    seed: int = 0,
    ctx: RunContext | None = None,
) -> Subset:
    """Choose a seeded, referentially whole sample of a database.

    Rows are drawn uniformly from a table. The rows below them (the lines of an order) come along,
    whole or as many as are wanted, and every row that a chosen one refers to, over any number of
    steps: no foreign key is left dangling.

    Args:
        data: Frames by table name, or a path or URL.
        rows: About how many rows of the largest table (drawn are the orders that its lines are
            parts of, and of tables that this doesn't reach as large a share), or how many of which
            tables. A table below another that is named gives so many of its rows at most.
        scale: The share of all rows, from 0 to 1, in place of ``rows``.
        keep: Tables that come whole, beside those that the metadata keeps.
        keep_orphans: Whether rows whose foreign key names no row stay as they are, unless the key
            says otherwise. Else the key becomes null if it can, or the row is left out.
        infer_keys: Whether to look for foreign keys where the data declares none.
        metadata: What the tables are; when None, what lies beside them in a folder as
            ``spec.yaml`` says, else what a database declares, else what is detected.
        seed: Decides which rows are drawn.
        ctx: Limits and progress.

    Raises:
        InputError: The data can't be read.
        SpecError: The metadata doesn't fit the data.
        UsageError: The arguments make no sense.

    Example:
        >>> simulacra.subset("postgresql://localhost/shop", {"orders": 1000}).write("shop.duckdb")
    """
    wanted = Wanted(rows, scale)
    ctx = ctx or RunContext()
    inputs = inputs_of(data, ctx)
    if metadata is not None and inputs.is_single:
        metadata = metadata.renamed(next(iter(inputs.sources)))
    spec = metadata.spec if metadata is not None else inputs.spec
    chosen = subset_dataset(
        inputs.sources,
        None if spec is None else inputs.narrowed(spec, ctx),
        declared=inputs.declared if spec is None else None,
        wanted=wanted,
        keep=keep,
        keep_orphans=keep_orphans,
        infer_keys=infer_keys,
        seed=seed,
        ctx=ctx,
    )
    return Subset(chosen, inputs.kinds, is_single=inputs.is_single, ctx=ctx)
