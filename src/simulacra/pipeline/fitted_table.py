"""A learned table: what it is, how it lies flat, what was learned of it and of its relations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core import registry
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.context import RunContext
from simulacra.core.protocols import BLOCK_ROWS
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import TableSpec
from simulacra.pipeline.conditions import holding
from simulacra.pipeline.conditions.drawing import Drawn, Tally, draw_given
from simulacra.pipeline.conditions.wanted import Condition
from simulacra.pipeline.flat_model import FlatModel, load_flat_model
from simulacra.pipeline.journal_parts import Record
from simulacra.pipeline.keys import CompositeKey, KeyNumbering
from simulacra.pipeline.nesting import Layout
from simulacra.pipeline.relations.family import Family
from simulacra.pipeline.uniqueness import Uniqueness
from simulacra.pipeline.uniques import UniqueKey

ENGINE = "threads"
_TRIED = 256
"""Rows drawn to see what rules change."""


@dataclass(frozen=True, slots=True)
class FittedTable:
    """A learned table.

    Attributes:
        spec: Its specification.
        schema: The schema as found, metadata included; that of the rows drawn.
        layout: How its columns lie flat.
        rows: How many rows it had.
        model: What was learned of its columns; None if foreign keys are all it has, or it is kept.
        key: How its primary key is made anew, if that numbers the rows of groups.
        uniques: How its other keys are kept unique.
        family: Its place among other tables; None if it stands alone.
        kept: Its rows, and what they know of their children, if it is written as it is.
    """

    spec: TableSpec
    schema: pa.Schema
    layout: Layout
    rows: int
    model: FlatModel | None
    key: CompositeKey | None = None
    uniques: tuple[UniqueKey, ...] = ()
    family: Family | None = None
    kept: pa.Table | None = None

    def draw(
        self,
        rows: int,
        *,
        where: str,
        rng: RngKey,
        record: Record,
        ctx: RunContext,
        condition: Condition | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield ``rows`` new rows of a table that stands alone, in blocks.

        The same key gives the same rows, whatever the number of threads.

        Args:
            rows: How many.
            where: The table's name, for messages.
            rng: The key of the table in this run.
            record: Where blocks are kept.
            ctx: Limits and progress.
            condition: What is wanted of the rows.

        Raises:
            UsageError: The condition, or rows that keep the rules, are too rare.
        """
        model = self.model
        assert model is not None  # noqa: S101 - a table that stands alone has columns of its own
        keys = KeptKeys(self, self.uniques, where)

        if condition is not None and condition.strict:
            holding.check_seen(model, condition.part(0, rows))
        effects = None if condition is None else self._effects(rng)
        tally = Tally()

        def block(number: int) -> pa.RecordBatch:
            start = number * BLOCK_ROWS
            size, key = min(BLOCK_ROWS, rows - start), rng.child("block", number)
            if condition is None and not model.redraws:
                flat = model.draw(size, context=None, rng=key, start=start)
                return self.layout.unflatten(flat)

            def draw(
                places: NDArray[np.int64], known: Mapping[str, pa.Array], key: RngKey
            ) -> Drawn:
                held = None if effects is None else holding.held(model, known, effects)
                flat = model.draw(len(places), context=None, rng=key, start=start, held=held)
                return Drawn(flat, model.kept(flat))

            flat = draw_given(condition, size, start=start, draw=draw, rng=key, tally=tally)
            given = frozenset() if condition is None else condition.columns
            flat = holding.renumbered(model, flat, rng=key, start=start, but=given)
            return self.layout.unflatten(flat)

        engine = registry.load(Kind.ENGINE, ENGINE)
        blocks = range(-(-rows // BLOCK_ROWS))
        for batch in record.through(blocks, lambda missing: engine.map(block, missing, ctx=ctx)):
            yield keys.apply(batch).cast(self.schema)
        tally.tell(where, ctx.progress)

    def _effects(self, rng: RngKey) -> list[frozenset[str]]:
        """Return what each rule changes, by what it does to some drawn rows."""
        assert self.model is not None  # noqa: S101 - it has columns of its own
        some = self.model.draw(_TRIED, context=None, rng=rng.child("tried"), start=0)
        return holding.effects(self.model, some.batch)

    def kept_values(self) -> dict[str, list[str]]:
        """Return, for each column, the real values that are part of what was learned."""
        found: dict[str, dict[str, None]] = {}
        if self.model is not None:
            for name, values in self.model.kept_values():
                found.setdefault(name, {}).update(dict.fromkeys(values))
        if self.kept is not None:
            for name in self.spec.columns:
                values = [str(value) for value in self.kept.column(name).unique().to_pylist()]
                found.setdefault(name, {}).update(dict.fromkeys(values))
        if self.family is not None:
            early = self.family.early
            for columns in (self.family.view.codecs, early.columns if early else {}):
                for name, named in columns.items():
                    found.setdefault(name, {}).update(dict.fromkeys(named.codec.kept_values()))
        return {name: list(values) for name, values in found.items()}

    def save(self, out: ArtifactWriter) -> None:
        """Write everything :func:`load_table` needs but the specification."""
        out.table("schema", self.schema.empty_table())
        out.table("plain_schema", self.layout.schema.empty_table())
        out.json(
            "facts",
            {
                "rows": self.rows,
                "key": self.key.to_json() if self.key else None,
                "uniques": [unique.to_json() for unique in self.uniques],
                "has_model": self.model is not None,
                "has_family": self.family is not None,
            },
        )
        if self.model is not None:
            self.model.save(out)
        if self.family is not None:
            self.family.save(out.child("family"))
        if self.kept is not None:
            out.table("kept", self.kept)


def load_table(spec: TableSpec, src: ArtifactReader) -> FittedTable:
    """Read what :meth:`FittedTable.save` wrote."""
    facts = src.json("facts")
    return FittedTable(
        spec=spec,
        schema=src.table("schema").schema,
        layout=Layout.of(src.table("plain_schema").schema),
        rows=int(facts["rows"]),
        model=load_flat_model(src) if facts["has_model"] else None,
        key=CompositeKey.from_json(facts["key"]) if facts["key"] else None,
        uniques=tuple(map(UniqueKey.from_json, facts["uniques"])),
        family=Family.load(src.child("family")) if facts["has_family"] else None,
        kept=src.table("kept") if src.has("kept") else None,
    )


class KeptKeys:
    """Keeps the keys of a table's rows, in the order in which they are drawn.

    Args:
        table: The table.
        uniques: The keys to keep unique.
        where: Its name, for messages.
    """

    def __init__(self, table: FittedTable, uniques: Sequence[UniqueKey], where: str) -> None:
        self._table = table
        self._numbering = KeyNumbering(table.key) if table.key else None
        self._uniqueness = Uniqueness(uniques, where) if uniques else None

    def apply(
        self, batch: pa.RecordBatch, beside: Callable[[], Mapping[str, pa.Array]] = dict
    ) -> pa.RecordBatch:
        """Return the next rows with no key twice.

        Args:
            batch: The rows.
            beside: Gives other columns of the rows that rules use.

        Raises:
            LimitError: A key has no value left.
        """
        if self._numbering is not None:
            batch = self._numbering.apply(batch)
        if self._uniqueness is None:
            return batch

        def moved(
            batch: pa.RecordBatch, rows: NDArray[np.intp], values: Mapping[str, pa.Array]
        ) -> pa.RecordBatch:
            changed = dict(values)
            if self._table.model is not None:
                taken = pa.array(rows)
                flat = self._table.layout.flatten(batch.take(taken)).batch
                columns = dict(zip(flat.schema.names, flat.columns, strict=True))
                columns |= {name: array.take(taken) for name, array in beside().items()}
                changed = self._table.model.with_values(columns, values)
            return put_values(batch, rows, changed)

        return self._uniqueness.apply(batch, moved)


def put_values(
    batch: pa.RecordBatch, rows: NDArray[np.intp], values: Mapping[str, pa.Array]
) -> pa.RecordBatch:
    """Put values into some rows (rising) of a batch; columns that it lacks are passed over."""
    places = np.arange(batch.num_rows)
    places[rows] = batch.num_rows + np.arange(len(rows))
    for name, array in values.items():
        place = batch.schema.get_field_index(name)
        if place >= 0:
            field = batch.schema.field(place)
            both = pa.concat_arrays([batch.column(place), array.cast(field.type)])
            batch = batch.set_column(place, field, both.take(pa.array(places)))
    return batch
