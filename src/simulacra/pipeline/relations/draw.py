"""Draws related tables one after the other, each given what is kept of those before."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.context import RunContext
from simulacra.core.features import Codes
from simulacra.core.protocols import BLOCK_ROWS
from simulacra.core.random import RngKey
from simulacra.pipeline.fitted_table import FittedTable, KeptKeys
from simulacra.pipeline.journal import Journal
from simulacra.pipeline.journal_parts import Record, Unrecorded
from simulacra.pipeline.relations.agreement import shared_columns
from simulacra.pipeline.relations.columns import take_values
from simulacra.pipeline.relations.draw_table import TableDrawing
from simulacra.pipeline.relations.drawn import DrawnTable, alone_columns, wanted_values
from simulacra.pipeline.relations.fitted import Family, parent_column
from simulacra.pipeline.relations.graph import Graph, Role
from simulacra.pipeline.relations.keys_made import KeyMaker
from simulacra.pipeline.relations.parents import matched_rows, require_parents


def graph_of(tables: Mapping[str, FittedTable], order: tuple[str, ...]) -> Graph:
    """Return the relations of learned tables."""
    relations = {
        name: tuple(r.relation for r in table.family.relations) if table.family else ()
        for name, table in tables.items()
    }
    places = {name: tuple(range(len(found))) for name, found in relations.items()}
    return Graph(order, relations, places)


class Drawing:
    """One run over all tables.

    Args:
        tables: The learned tables.
        order: Their names, owners and linked parents first.
        rows: How many rows to draw of each.
        seed: The seed of the run.
        ctx: Limits and progress.
        only: The tables wanted; others are drawn if these need them. All when None.
        journal: Where blocks are kept, and taken from.
    """

    def __init__(
        self,
        tables: Mapping[str, FittedTable],
        order: tuple[str, ...],
        rows: Mapping[str, int],
        *,
        seed: int,
        ctx: RunContext,
        only: str | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._tables = tables
        self._graph = graph_of(tables, order)
        self._rows = rows
        self._seed = seed
        self._ctx = ctx
        self._journal = journal
        self._needed = set(tables) if only is None else _needed(only, self._graph)
        self._drawn: dict[str, DrawnTable] = {}
        self._folder: Path | None = None
        self._makers = {
            name: KeyMaker(table, RngKey(seed, ("sample", name))) for name, table in tables.items()
        }

    def __iter__(self) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
        """Yield each table's name and rows; a table's rows must be taken before the next one's.

        Tables with keys to tables drawn later come after those.
        """
        waiting: dict[str, tuple[TableDrawing, Path]] = {}
        with ExitStack() as stack:
            for place, name in enumerate(self._graph.order):
                if name not in self._needed:
                    continue
                batches, drawing = self._draw(name)
                if drawing is not None and self._is_late(name):
                    path = self._spooled(stack) / f"{place}.arrow"
                    _spool(self._counted(name, batches), self._tables[name].schema, path)
                    waiting[name] = drawing, path
                else:
                    counted = self._counted(name, batches)
                    yield name, counted
                    for _ in counted:
                        pass
                for other in list(waiting):
                    if self._is_ready(other):
                        yield other, self._filled(other, *waiting.pop(other))

    def _spooled(self, stack: ExitStack) -> Path:
        """Return a folder for tables that wait for others."""
        if self._folder is None:
            spool = None if self._journal is None else self._journal.spool()
            made = tempfile.TemporaryDirectory(prefix="simulacra-", dir=spool)
            self._folder = Path(stack.enter_context(made))
        return self._folder

    def _is_late(self, name: str) -> bool:
        return any(relation.role is Role.LATE for relation in self._graph.relations[name])

    def _is_ready(self, name: str) -> bool:
        return all(
            relation.key.parent in self._drawn
            for relation in self._graph.relations[name]
            if relation.role is Role.LATE
        )

    def _counted(self, name: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with self._ctx.progress.task(f"Drawing {name}", self._rows[name]) as task:
            for batch in batches:
                task.advance(batch.num_rows)
                yield batch

    def _draw(self, name: str) -> tuple[Iterator[pa.RecordBatch], TableDrawing | None]:
        fitted, rng = self._tables[name], RngKey(self._seed, ("sample", name))
        if fitted.family is None:
            rows = self._rows[name]
            record = self._record(name)
            return fitted.draw(rows, where=name, rng=rng, record=record, ctx=self._ctx), None
        if fitted.kept is not None:
            self._drawn[name] = _as_drawn(fitted, fitted.kept, fitted.family)
            return iter(_kept_batches(fitted, fitted.kept)), None
        drawing = TableDrawing(
            name,
            fitted,
            self._rows[name],
            self._graph,
            self._drawn,
            wanted_values(name, self._tables),
            self._makers,
            rng=rng,
            record=self._record(name),
            ctx=self._ctx,
        )
        self._drawn[name] = drawing.drawn
        return drawing.batches(), drawing

    def _record(self, name: str) -> Record:
        if self._journal is None:
            return Unrecorded()
        return self._journal.table(self._graph.order.index(name))

    def _filled(self, name: str, drawing: TableDrawing, place: Path) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a table with its keys to tables drawn after it."""
        fitted = self._tables[name]
        assert fitted.family is not None  # noqa: S101 - it has relations
        rng = RngKey(self._seed, ("sample", name)).child("late")
        drawing.drawn.parents = list(drawing.drawn.parents)
        relations = fitted.family.relations
        chosen = [place for place in range(len(relations)) if place not in drawing.late]

        def whole(place: int, column: str) -> pa.Array:
            return self._drawn[relations[place].parent].values[column]

        for number, codes in drawing.late.items():
            relation = relations[number]
            own = {
                column: drawing.drawn.values[column] for column in alone_columns(relation, fitted)
            }
            parents = matched_rows(
                relation,
                codes,
                self._drawn[relation.parent],
                must=shared_columns(number, relations, chosen, drawing.drawn.parents, whole, own),
                rng=rng.child(relation.relation.name),
            )
            require_parents(relation, codes, parents, fitted.spec, where=name)
            drawing.drawn.parents[number] = parents
            chosen.append(number)
        keys = KeptKeys(fitted, drawing.late_keys, name)
        start = 0
        with pa.memory_map(str(place)) as file, pa.ipc.open_file(file) as reader:
            for batch_number in range(reader.num_record_batches):
                batch = reader.get_batch(batch_number)
                part = slice(start, start + batch.num_rows)
                for number in drawing.late:
                    batch = self._with_key(
                        fitted, number, drawing.drawn.parents[number][part], batch
                    )
                if drawing.late_keys:
                    batch = keys.apply(batch.cast(fitted.layout.schema)).cast(fitted.schema)
                yield batch
                start = part.stop

    def _with_key(
        self, fitted: FittedTable, number: int, rows: np.ndarray, batch: pa.RecordBatch
    ) -> pa.RecordBatch:
        assert fitted.family is not None  # noqa: S101 - it has relations
        relation = fitted.family.relations[number]
        key = relation.relation.key
        for own, there in zip(key.columns, key.parent_columns, strict=True):
            place = batch.schema.get_field_index(own)
            field, values = batch.schema.field(place), self._drawn[relation.parent].values[there]
            found = take_values(values, rows).cast(field.type)
            batch = batch.set_column(place, field, pc.coalesce(found, batch.column(place)))
        return batch


def _needed(table: str, graph: Graph) -> set[str]:
    needed: set[str] = set()
    ahead = [table]
    while ahead:
        name = ahead.pop()
        if name not in needed:
            needed.add(name)
            ahead += [relation.key.parent for relation in graph.relations[name]]
    return needed


def _spool(batches: Iterator[pa.RecordBatch], schema: pa.Schema, place: Path) -> None:
    with pa.OSFile(str(place), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _kept_batches(fitted: FittedTable, kept: pa.Table) -> Iterator[pa.RecordBatch]:
    rows = kept.select(fitted.layout.schema.names)
    for batch in rows.to_batches(max_chunksize=BLOCK_ROWS):
        yield batch.cast(fitted.schema)


def _as_drawn(fitted: FittedTable, kept: pa.Table, family: Family) -> DrawnTable:
    """Return a kept table as others need it."""
    whole = {name: _whole(kept.column(name)) for name in kept.column_names}
    parents = [
        whole[parent_column(number)].to_numpy(zero_copy_only=False).astype(np.int32)
        for number in range(len(family.relations))
    ]
    codes: dict[str, Codes] = family.view.encode(whole, family.view.codecs)
    below = {
        name: whole[name].to_numpy(zero_copy_only=False).astype(np.int32) for name in family.below
    }
    values = {name: whole[name] for name in fitted.spec.columns}
    return DrawnTable(kept.num_rows, parents, codes, values, below)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_string(column.type):
        column = column.cast(pa.large_string())
    return column.combine_chunks()
