"""Draws one table among others: first its parents, then its columns, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from simulacra.core import registry
from simulacra.core.features import Codes
from simulacra.core.registry import Kind
from simulacra.pipeline.fitted_table import ENGINE, KeptKeys
from simulacra.pipeline.journal_parts import Record
from simulacra.pipeline.relations.drawing import blocks
from simulacra.pipeline.relations.drawing.block_rows import BlockDrawing
from simulacra.pipeline.relations.drawing.drawn_block import DrawnBlock
from simulacra.pipeline.relations.drawing.drawn_table import DrawnTable, alone_columns
from simulacra.pipeline.relations.drawing.known_rows import no_parents
from simulacra.pipeline.relations.drawing.parents import find_parents
from simulacra.pipeline.relations.drawing.table_run import TableRun
from simulacra.pipeline.relations.graph import Role


class TableDrawing:
    """The drawing of one table in one run.

    Args:
        run: The table.
        wanted: Its columns that others copy.
        record: Where its blocks are kept.

    Attributes:
        drawn: What others need of the table; whole when all rows are drawn.
        late: For each relation to a table drawn later, the codes of the parents wanted.
        late_keys: Keys that are kept unique when those parents are known.
    """

    def __init__(self, run: TableRun, wanted: set[str], record: Record) -> None:
        self.run = run
        self._wanted = wanted
        self._record = record
        self.drawn = DrawnTable(run.rows, [])
        self.late: dict[int, Codes] = {}
        family, uniques = run.family, run.fitted.uniques
        filled_late = {
            column
            for _, relation in family.of_role(Role.LATE)
            for column in {*relation.key.columns} - {*alone_columns(relation, run.fitted)}
        }
        self.late_keys = [key for key in uniques if filled_late & set(key.columns)]
        early = family.early.columns if family.early else {}
        self._early_keys = [key for key in uniques if key.mover in early]
        done = [*self.late_keys, *self._early_keys]
        # Siblings of one block differ already; more rows than that may be of one owner.
        apart = [set(family.columns_of(key)) for key in family.distinct]
        known = apart if run.rows <= blocks.LARGEST_BLOCK else []
        others = [key for key in uniques if key not in done and set(key.columns) not in known]
        self._keys = KeptKeys(run.fitted, others, run.name)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows; ``drawn`` is whole when the last one was yielded."""
        schema, start = self.run.fitted.layout.schema, 0
        for kept in self._kept_or_drawn():
            block = DrawnBlock.of_batch(kept, schema)
            start = self._take_parents(block, start)
            batch = self._keys.apply(block.batch, partial(self._beside, block))
            values = {name: batch.column(name) for name in self._wanted}
            self.drawn.append(block.codes, values, block.below)
            yield batch.cast(self.run.fitted.schema)
        self.run.tally.tell(self.run.name, self.run.ctx.progress)
        self.drawn.finish()

    def _kept_or_drawn(self) -> Iterator[pa.RecordBatch]:
        """Return all blocks; if every one was kept, nothing else need be known."""
        if self._record.is_whole:
            self.drawn.parents = no_parents(self.run)
            return self._record.made()
        known = find_parents(self.run, self._early_keys)
        # The same arrays: a block's part of them takes the order in which its rows come to stand.
        self.drawn.parents, self.late = known.parents, known.late
        owner = self.run.family.owner
        cut = blocks.cut(self.run.rows, None if owner is None else known.parents[owner])
        drawing = BlockDrawing(known)

        def draw(missing: Sequence[blocks.Block]) -> Iterator[pa.RecordBatch]:
            engine = registry.load(Kind.ENGINE, ENGINE)
            for block in engine.map(drawing.draw, missing, ctx=self.run.ctx):
                yield block.as_batch()

        return self._record.through(cut, draw)

    def _take_parents(self, block: DrawnBlock, start: int) -> int:
        """Take over the parents of a block from its first row on; return where the next begins."""
        end: int = start + block.batch.num_rows
        for rows, parents in zip(self.drawn.parents, block.parents, strict=True):
            rows[start:end] = parents
        for place, codes in block.late.items():
            late = self.late.setdefault(place, np.empty(self.run.rows, codes.dtype))
            late[start:end] = codes
        return end

    def _beside(self, block: DrawnBlock) -> dict[str, pa.Array]:
        """Return what rules use of a block's rows besides their own columns."""
        children = {name: pa.array(values) for name, values in block.below.items()}
        return {**children, **self.run.parent_values(block.parents)}
