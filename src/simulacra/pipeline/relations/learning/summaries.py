"""What parents know of their children: how many there are, and of which kind they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.pipeline.relations.columns import as_numbers
from simulacra.pipeline.relations.fitted_relation import count_column, kind_column
from simulacra.pipeline.relations.graph import KNOWN_FIRST, Graph, Relation, Role
from simulacra.pipeline.relations.keys.resolve import LinkedTable
from simulacra.pipeline.relations.learning.ascending import SortedWatch
from simulacra.pipeline.relations.learning.channels import TAIL, Channel, choose_channels
from simulacra.pipeline.relations.learning.child_sums import ChildSums
from simulacra.pipeline.relations.learning.kinds import fit_kinds
from simulacra.pipeline.relations.parent_rows import Rows

MOST_KINDS = 64
ROWS_OF_A_KIND = 20
"""Parents of one kind, at least: a kind of few would tell of them."""
WHOLE_NUMBER = ColumnSpec(type="integer", arrow="int32", nullable=False)
"""What a column is that says how many children rows have, or of which kind."""
_FEW_CHANNELS = 3
"""Tables of fewer tell too little by themselves: those they lead to are looked at as well."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the parents of one relation know of their children.

    Attributes:
        counts: Children of each parent, shape ``(parents,)``.
        kinds: The kind of each parent's children, shape ``(parents,)``; the last if it has none.
        kinds_known: How many kinds there are, without "none".
        sorted_by: Columns in which the children of every parent ascend.
    """

    counts: NDArray[np.int32]
    kinds: NDArray[np.uint16]
    kinds_known: int
    sorted_by: tuple[str, ...] = ()


def summarize(
    linked: Mapping[str, LinkedTable],
    tables: Mapping[str, TableSpec],
    samples: Mapping[str, pa.Table],
    graph: Graph,
    ctx: RunContext,
) -> dict[str, Summary]:
    """Read every table with parents once, children first.

    Args:
        linked: The tables and the parents of their rows.
        tables: Their specifications.
        samples: A uniform sample of each table.
        graph: The relations.
        ctx: Limits and progress.

    Returns:
        For each relation, by its full name, what its parents know.
    """
    kept = {name for name, table in tables.items() if table.keep}
    channels = {name: choose_channels(tables[name], samples[name], kept) for name in tables}
    reading = _Reading(linked, tables, channels, graph, ctx)
    for name in reversed(graph.order):
        reading.summarize(name)
    return reading.found


def relation_rows(table: LinkedTable, relation: Relation, graph: Graph) -> Rows:
    """Return the parents of a table's rows in one of its relations."""
    place = graph.relations[relation.child].index(relation)
    return table.parents[graph.places[relation.child][place]]


def child_columns(
    name: str, summaries: Mapping[str, Summary], graph: Graph
) -> dict[str, NDArray[np.int32]]:
    """Return the columns in which a table's rows know of their children, by name."""
    found: dict[str, NDArray[np.int32]] = {}
    for relation in graph.children(name):
        summary = summaries.get(relation.full_name)
        if summary is None:
            continue
        found[count_column(relation)] = summary.counts
        if summary.kinds_known > 1:
            found[kind_column(relation)] = summary.kinds.astype(np.int32)
    return found


@dataclass(frozen=True, slots=True)
class _OfRelative:
    """A number of a relative of each row.

    Attributes:
        numbers: The numbers of the relative's rows, shape ``(relatives,)``.
        rows: The relative's row for each of the table's; None if they are the same.
    """

    numbers: NDArray[np.float64]
    rows: Rows | None = None

    def read(self, part: slice) -> NDArray[np.float64]:
        """Return the numbers of some of the table's rows, NaN where there is none."""
        if self.rows is None:
            return self.numbers[part]
        rows = self.rows[part]
        if not len(self.numbers):
            return np.full(len(rows), np.nan)
        return np.where(rows >= 0, self.numbers[np.maximum(rows, 0)], np.nan)


class _Children:
    """What the parents of one relation learn of their children, batch by batch.

    Args:
        relation: The relation.
        rows: The parents of all children.
        parents: How many parents there are.
        channels: How many numbers a child has.
        times: The columns in which children may ascend.
    """

    def __init__(
        self, relation: Relation, rows: Rows, parents: int, channels: int, times: Sequence[str]
    ) -> None:
        self._rows = rows
        self._parents = parents
        self._times = times if relation.role is Role.OWNER else ()
        self._sums = ChildSums(parents, channels)
        self._watch = SortedWatch(parents, len(self._times))

    def add(self, part: slice, numbers: NDArray[np.float64]) -> None:
        """Take the numbers of some rows, shape ``(rows, channels)``."""
        self._sums.add(self._rows[part].astype(np.int64), numbers)

    def watch(self, part: slice, batch: pa.RecordBatch) -> None:
        """Look in which columns some rows ascend."""
        if self._times:
            moments = [as_numbers(batch.column(time)) for time in self._times]
            self._watch.add(self._rows[part], np.column_stack(moments))

    def summary(self) -> Summary:
        """Return what the parents know."""
        counts = np.bincount(self._rows[self._rows >= 0], minlength=self._parents)
        kinds = fit_kinds(self._sums, most=MOST_KINDS, min_rows=ROWS_OF_A_KIND)
        codes = np.where(counts > 0, kinds.codes, kinds.count - 1).astype(np.uint16)
        ascending = zip(self._times, self._watch.ascending(), strict=True)
        return Summary(
            counts.astype(np.int32),
            codes,
            kinds.count - 1,
            tuple(time for time, ascends in ascending if ascends),
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The reading of all tables, children first.

    Attributes:
        linked: The tables and the parents of their rows.
        tables: Their specifications.
        channels: The numbers of their rows that siblings may share.
        graph: The relations.
        ctx: Limits and progress.
        found: For each relation read, by its full name, what its parents know.
    """

    linked: Mapping[str, LinkedTable]
    tables: Mapping[str, TableSpec]
    channels: Mapping[str, Sequence[Channel]]
    graph: Graph
    ctx: RunContext
    found: dict[str, Summary] = field(default_factory=dict)

    def summarize(self, name: str) -> None:
        """Read a table, and learn what the parents of its rows know of them."""
        relations = [r for r in self.graph.relations[name] if r.role is not Role.KEPT]
        if not relations:
            return
        own = self.channels[name]
        others = [*self._below(name), *self._beside(name)]
        times = [n for n, c in self.tables[name].columns.items() if c.type in {"date", "datetime"}]
        children = [
            _Children(
                relation,
                relation_rows(self.linked[name], relation, self.graph),
                self.linked[relation.key.parent].rows,
                len(own) + len(others),
                times,
            )
            for relation in relations
        ]
        columns = list(dict.fromkeys([*(channel.column for channel in own), *times]))
        if columns or others:
            self._read(name, columns, others, children)
        for relation, known in zip(relations, children, strict=True):
            self.found[relation.full_name] = known.summary()

    def _read(
        self,
        name: str,
        columns: Sequence[str],
        others: Sequence[_OfRelative],
        children: Sequence[_Children],
    ) -> None:
        """Let parents see all rows of a table."""
        table, own = self.linked[name], self.channels[name]
        start = 0
        with self.ctx.progress.task(f"Summing up {name}", table.rows) as task:
            for batch in table.source.batches(columns or table.source.schema.names[:1]):
                part = slice(start, start + batch.num_rows)
                numbers = np.empty((batch.num_rows, len(own) + len(others)))
                for place, channel in enumerate(own):
                    numbers[:, place] = channel.read(batch)
                for place, other in enumerate(others, len(own)):
                    numbers[:, place] = other.read(part)
                for _ in self.ctx.map(partial(_add, part, numbers), children):
                    pass
                for known in children:
                    known.watch(part, batch)
                start = part.stop
                task.advance(batch.num_rows)

    def _below(self, name: str) -> Iterator[_OfRelative]:
        """Yield what a table's rows know of their own children, as numbers."""
        for relation in self.graph.children(name):
            summary = self.found.get(relation.full_name)
            if summary is None:
                continue
            high = np.quantile(summary.counts, 1 - TAIL) if len(summary.counts) else 0
            yield _OfRelative(np.minimum(summary.counts, high).astype(np.float64))
            if summary.kinds_known > 1:
                kinds = np.where(summary.counts > 0, summary.kinds, np.nan)
                yield _OfRelative(kinds.astype(np.float64))

    def _beside(self, name: str) -> Iterator[_OfRelative]:
        """Yield what the parents of a table of few columns are like, as numbers."""
        if len(self.channels[name]) >= _FEW_CHANNELS:
            return
        for relation in self.graph.relations[name]:
            wanted = self.channels[relation.key.parent][:_FEW_CHANNELS]
            if relation.role not in KNOWN_FIRST or not wanted:
                continue
            source = self.linked[relation.key.parent].source
            columns = list(dict.fromkeys(channel.column for channel in wanted))
            read = [[c.read(batch) for c in wanted] for batch in source.batches(columns)]
            rows = relation_rows(self.linked[name], relation, self.graph)
            for place in range(len(wanted)):
                yield _OfRelative(np.concatenate([numbers[place] for numbers in read]), rows)


def _add(part: slice, numbers: NDArray[np.float64], children: _Children) -> None:
    children.add(part, numbers)
