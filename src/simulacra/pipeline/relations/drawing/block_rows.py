"""Draws the rows of one block, once the parents of all rows are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.errors import LimitError
from simulacra.core.random import RngKey
from simulacra.pipeline.conditions import holding
from simulacra.pipeline.conditions.drawing import Drawn, draw_given
from simulacra.pipeline.flat_model import FlatModel
from simulacra.pipeline.made_keys import made_by_row
from simulacra.pipeline.nesting import Flat
from simulacra.pipeline.relations.columns import as_counts, as_numbers
from simulacra.pipeline.relations.drawing.blocks import LARGEST_BLOCK, Block
from simulacra.pipeline.relations.drawing.drawn_block import DrawnBlock
from simulacra.pipeline.relations.drawing.early_features import LAST, last_without
from simulacra.pipeline.relations.drawing.foreign_keys import ForeignKeys
from simulacra.pipeline.relations.drawing.known_rows import KnownRows
from simulacra.pipeline.relations.drawing.sibling_values import Separator
from simulacra.pipeline.relations.parent_rows import NULL, Rows
from simulacra.pipeline.relations.unfilled_keys import with_filled

_TRIED = 256
"""Rows drawn to see what rules change."""


class BlockDrawing:
    """The drawing of a table's blocks, each by itself and in any order.

    Args:
        known: What is known of all rows.
    """

    def __init__(self, known: KnownRows) -> None:
        self._known = known
        self._run = known.run
        self._keys = ForeignKeys(known)

    def draw(self, block: Block) -> DrawnBlock:
        """Draw the rows of a block.

        Raises:
            LimitError: A column has no value left.
        """
        known, family, part = self._known, self._run.family, block.rows
        rng = self._run.rng.child("block", block.number)
        flat = self._drawn_columns(block)
        columns = dict(zip(flat.batch.schema.names, flat.batch.columns, strict=True))
        columns |= {name: values[part] for name, values in known.columns.items()}
        parents = [rows[part] for rows in known.parents]
        late = {place: codes[part] for place, codes in known.late.items()}
        order = None if flat.lists else self._order(columns, part)
        if order is not None:
            parents = [rows[order] for rows in parents]
            columns = self._reordered(columns, order, parents)
            late = {place: codes[order] for place, codes in late.items()}
        columns |= known.numbers(part)
        columns = self._arranged(columns, parents, block)
        columns |= with_filled(
            self._keys.columns(parents, rng),
            columns,
            family.relations,
            parents,
            self._run.fitted.spec,
        )
        layout = self._run.fitted.layout
        batch = pa.RecordBatch.from_pydict({name: columns[name] for name in layout.columns})
        return DrawnBlock(
            layout.unflatten(Flat(batch, flat.lists)),
            family.view.encode(columns, family.view.codecs),
            {name: as_counts(columns[name]) for name in family.below},
            parents,
            late,
        )

    def _arranged(
        self, columns: dict[str, pa.Array], parents: Sequence[Rows], block: Block
    ) -> dict[str, pa.Array]:
        """Return columns in the order that rules want among the rows of one owner.

        Raises:
            LimitError: An owner has more rows than a block holds.
        """
        family, run = self._run.family, self._run
        if not family.among_siblings or family.owner is None:
            return columns
        owners = self._known.parents[family.owner]
        first = owners[block.start] if block.start else NULL
        if first >= 0 and owners[block.start - 1] == first:
            raise LimitError(
                f"a parent has more than {LARGEST_BLOCK:,} rows",
                where=run.name,
                why="so many can't be put in order at once",
                mend="Ask for more rows of the parent, or remove the rule ascending",
            )
        given = run.parent_values(parents)
        for rule in family.among_siblings:
            columns = rule.arranged(columns, parents[family.owner], run.fitted.model, given)
        return columns

    def _drawn_columns(self, block: Block) -> Flat:
        """Draw the columns that the model of the table draws."""
        run, model = self._run, self._run.fitted.model
        if model is None:
            return Flat(pa.RecordBatch.from_pydict({}), {})
        key = run.rng.child("block", block.number)
        rows = np.arange(block.end - block.start)
        if run.condition is None and not model.redraws:
            return self._draw_some(model, block, rows, key).flat

        def draw(places: NDArray[np.int64], known: Mapping[str, pa.Array], key: RngKey) -> Drawn:
            return self._draw_some(model, block, places, key, known)

        flat = draw_given(
            run.condition, len(rows), start=block.start, draw=draw, rng=key, tally=run.tally
        )
        given = frozenset() if run.condition is None else run.condition.columns
        return holding.renumbered(
            model,
            flat,
            rng=key,
            start=block.start,
            but=given,
            given=lambda: self._given(block.rows),
        )

    def _given(self, part: slice) -> dict[str, pa.Array]:
        """Return the columns that the rules of some rows are given."""
        given = self._run.parent_values([places[part] for places in self._known.parents])
        return given | {name: self._known.columns[name][part] for name in self._early}

    def _draw_some(
        self,
        model: FlatModel,
        block: Block,
        rows: NDArray[np.int64],
        key: RngKey,
        known: Mapping[str, pa.Array] | None = None,
    ) -> Drawn:
        """Draw some rows of a block.

        Args:
            model: What draws them.
            block: The block.
            rows: Their places in it; a row may be tried several times.
            key: The key of the draw.
            known: Values that they must have.
        """
        family, part = self._run.family, block.rows
        whole = np.array_equal(rows, np.arange(block.end - block.start))
        parents = [places[part] if whole else places[part][rows] for places in self._known.parents]
        given = self._run.parent_values(parents)
        early = {n: self._known.columns[n][part] for n in sorted(self._early)}
        given |= {n: v if whole else v.take(pa.array(rows)) for n, v in early.items()}
        context = self._known.context(part, family.given)
        separator = Separator(family, parents, without=set(self._known.columns))
        beside = pa.RecordBatch.from_pydict(given) if given else None
        flat = model.draw(
            len(rows),
            context=context if whole or context is None else context.take(rows),
            rng=key,
            start=block.start,
            given=beside,
            adjust=separator.apply if separator.is_needed else None,
            held=holding.held(model, {**given, **known}, self._effects) if known else None,
        )
        return Drawn(flat, model.kept(flat, beside))

    @cached_property
    def _early(self) -> frozenset[str]:
        """The columns drawn before others that rules use."""
        model = self._run.fitted.model
        return frozenset() if model is None else model.given & self._known.columns.keys()

    @cached_property
    def _effects(self) -> list[frozenset[str]]:
        """What each rule changes, by what it does to some drawn rows."""
        model = self._run.fitted.model
        assert model is not None  # noqa: S101 - asked of tables with columns of their own
        block = Block(0, 0, min(_TRIED, self._run.rows))
        rows = np.arange(block.end)
        batch = self._draw_some(model, block, rows, self._run.rng.child("tried")).flat.batch
        parents = [places[block.rows] for places in self._known.parents]
        given = self._run.parent_values(parents)
        given |= {name: self._known.columns[name][block.rows] for name in self._early}
        for name, values in given.items():
            batch = batch.append_column(name, values)
        return holding.effects(model, batch)

    def _order(self, columns: Mapping[str, pa.Array], part: slice) -> NDArray[np.intp] | None:
        """Return the order in which the rows of each owner ascend, None if they do."""
        family = self._run.family
        wanted = [name for name in family.sorted_by if name in columns]
        if not wanted or family.owner is None:
            return None
        keys = [np.nan_to_num(as_numbers(columns[name]), nan=-np.inf) for name in wanted]
        owners = last_without(self._known.parents[family.owner][part])
        order: NDArray[np.intp] = np.lexsort(np.vstack([*reversed(keys), owners]))
        # Rows without an owner are strangers: they stay where they are.
        order[owners[order] == LAST] = np.flatnonzero(owners == LAST)
        return None if (order[1:] > order[:-1]).all() else order

    def _reordered(
        self, columns: Mapping[str, pa.Array], order: NDArray[np.intp], parents: Sequence[Rows]
    ) -> dict[str, pa.Array]:
        """Put rows into an order; keys, which are numbered in theirs, stay.

        Args:
            columns: The columns.
            order: The order.
            parents: The rows of the parents, in that order.
        """
        stays = made_by_row(self._run.fitted.spec)
        take = pa.array(order)
        kept = {n: v for n, v in columns.items() if n in stays}
        moved = {n: v.take(take) for n, v in columns.items()}
        model = self._run.fitted.model
        if model is not None and model.reads(kept):
            own = {n: v for n, v in kept.items() if n in model.names}
            given = self._run.parent_values(parents)
            kept = model.with_values({**moved, **given}, own) | kept
        return moved | kept
