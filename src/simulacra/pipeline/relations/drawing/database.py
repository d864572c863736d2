"""Draws related tables one after the other, each given what is kept of those before."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa

from simulacra.core.context import RunContext
from simulacra.core.protocols import BLOCK_ROWS
from simulacra.core.random import RngKey
from simulacra.pipeline.conditions.checks import check_drawable
from simulacra.pipeline.conditions.wanted import Condition
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.journal import Journal
from simulacra.pipeline.journal_parts import Record, Unrecorded
from simulacra.pipeline.relations.columns import as_counts, one_large_array
from simulacra.pipeline.relations.drawing.drawn_table import DrawnTable, wanted_values
from simulacra.pipeline.relations.drawing.finishing import Finishing
from simulacra.pipeline.relations.drawing.key_maker import KeyMaker
from simulacra.pipeline.relations.drawing.table import TableDrawing
from simulacra.pipeline.relations.drawing.table_run import TableRun
from simulacra.pipeline.relations.drawing.waiting_table import WaitingTable
from simulacra.pipeline.relations.family import Family
from simulacra.pipeline.relations.fitted_relation import parent_column
from simulacra.pipeline.relations.given_columns import GivenColumn, given_columns
from simulacra.pipeline.relations.graph import Graph, Role


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
        given: What is wanted of the rows, by table.
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
        given: Mapping[str, Condition] | None = None,
    ) -> None:
        self._tables = tables
        self._given = given or {}
        for name, condition in self._given.items():
            check_drawable(condition, tables[name], name)
        self._graph = graph_of(tables, order)
        self._of_ancestors = {name: _used(name, tables, self._graph) for name in tables}
        self._rows = rows
        self._seed = seed
        self._ctx = ctx
        self._journal = journal
        final = set(tables) if only is None else _final(only, tables)
        self._finishing = Finishing(tables, rows, final)
        self._needed = set().union(*(_needed(table, self._graph) for table in final))
        self._drawn: dict[str, DrawnTable] = {}
        self._folder: Path | None = None
        self._makers = {
            name: KeyMaker(table, RngKey(seed, ("sample", name))) for name, table in tables.items()
        }

    def __iter__(self) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
        """Yield each table's name and rows; a table's rows must be taken before the next one's.

        Tables with keys to tables drawn later come after those, and tables with columns worked out
        of their children's rows after the children.
        """
        waiting: dict[str, WaitingTable] = {}
        with ExitStack() as stack:
            for place, name in enumerate(self._graph.order):
                if name not in self._needed:
                    continue
                batches, drawing = self._draw(name)
                if drawing is not None and self._must_wait(name):
                    path = self._spooled(stack) / f"{place}.arrow"
                    waiting[name] = WaitingTable.of(drawing, self._counted(name, batches), path)
                else:
                    yield from self._watched(name, self._counted(name, batches))
                while ready := [other for other in waiting if self._is_ready(other)]:
                    yield from self._watched(ready[0], self._completed(waiting.pop(ready[0])))

    def _watched(
        self, name: str, batches: Iterator[pa.RecordBatch]
    ) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
        """Yield a table with its rows as they are in the end, and see that all are taken."""
        watched = self._finishing.watched(name, self._drawn.get(name), batches)
        yield name, watched
        for _ in watched:
            pass

    def _completed(self, waiting: WaitingTable) -> Iterator[pa.RecordBatch]:
        """Return the rows of a table that waited, with all that it waited for."""
        rows, drawing = waiting.filled(), waiting.drawing
        if not self._finishing.is_needed(drawing.run.name):
            return rows
        return self._finishing.finished(drawing.run, drawing.drawn, rows)

    def _spooled(self, stack: ExitStack) -> Path:
        """Return a folder for tables that wait for others."""
        if self._folder is None:
            spool = None if self._journal is None else self._journal.spool()
            made = tempfile.TemporaryDirectory(prefix="simulacra-", dir=spool)
            self._folder = Path(stack.enter_context(made))
        return self._folder

    def _must_wait(self, name: str) -> bool:
        is_late = any(relation.role is Role.LATE for relation in self._graph.relations[name])
        return is_late or self._finishing.is_needed(name)

    def _is_ready(self, name: str) -> bool:
        return self._finishing.is_ready(name) and all(
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
            condition = self._given.get(name)
            batches = fitted.draw(
                rows, where=name, rng=rng, record=record, ctx=self._ctx, condition=condition
            )
            return batches, None
        if fitted.kept is not None:
            self._drawn[name] = _as_drawn(fitted, fitted.kept, fitted.family)
            return iter(_kept_batches(fitted, fitted.kept)), None
        run = TableRun(
            name,
            fitted,
            fitted.family,
            self._rows[name],
            self._graph,
            self._drawn,
            self._of_ancestors[name],
            self._makers,
            rng,
            self._ctx,
            self._given.get(name),
        )
        drawing = TableDrawing(
            run, wanted_values(name, self._tables, self._of_ancestors), self._record(name)
        )
        self._drawn[name] = drawing.drawn
        return drawing.batches(), drawing

    def _record(self, name: str) -> Record:
        if self._journal is None:
            return Unrecorded()
        return self._journal.table(self._graph.order.index(name))


def _final(table: str, tables: Mapping[str, FittedTable]) -> set[str]:
    """Return a table with those whose rows decide what its own are in the end."""
    final: set[str] = set()
    ahead = [table]
    while ahead:
        name = ahead.pop()
        if name not in final:
            final.add(name)
            family = tables[name].family
            ahead += [rule.values.table for rule in family.from_children] if family else []
    return final


def _used(table: str, tables: Mapping[str, FittedTable], graph: Graph) -> dict[str, GivenColumn]:
    """Return the columns of a table's ancestors that its rules use, by their given names."""
    model = tables[table].model
    if model is None or not model.given:
        return {}
    known = given_columns(table, graph, {name: learned.spec for name, learned in tables.items()})
    return {name: known[name] for name in sorted(model.given & known.keys())}


def _needed(table: str, graph: Graph) -> set[str]:
    needed: set[str] = set()
    ahead = [table]
    while ahead:
        name = ahead.pop()
        if name not in needed:
            needed.add(name)
            ahead += [relation.key.parent for relation in graph.relations[name]]
    return needed


def _kept_batches(fitted: FittedTable, kept: pa.Table) -> Iterator[pa.RecordBatch]:
    rows = kept.select(fitted.layout.schema.names)
    for batch in rows.to_batches(max_chunksize=BLOCK_ROWS):
        yield batch.cast(fitted.schema)


def _as_drawn(fitted: FittedTable, kept: pa.Table, family: Family) -> DrawnTable:
    """Return a kept table as others need it."""
    whole = {name: one_large_array(kept.column(name)) for name in kept.column_names}
    return DrawnTable(
        kept.num_rows,
        [as_counts(whole[parent_column(place)]) for place in range(len(family.relations))],
        codes=family.view.encode(whole, family.view.codecs),
        values={name: whole[name] for name in fitted.spec.columns},
        below={name: as_counts(whole[name]) for name in family.below},
    )
