"""What parents know of their children: how many there are, and of which kind they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.pipeline.relations.graph import Graph, Relation, Role
from simulacra.pipeline.relations.kinds import ChildSums, fit_kinds
from simulacra.pipeline.relations.resolve import LinkedTable, Rows
from simulacra.pipeline.relations.view import is_telling
from simulacra.pipeline.relations.within_parent import SortedWatch

MOST_KINDS = 64
ROWS_OF_A_KIND = 20
"""Parents of one kind, at least: a kind of few would tell of them."""
_MOST_CHANNELS = 16
_FEW_CHANNELS = 3
"""Tables of fewer tell too little by themselves: those they lead to are looked at as well."""
_INDICATORS = 2
_KEPT_INDICATORS = 6
_MOST_VALUES = 30
_TAIL = 0.005


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


@dataclass(frozen=True, slots=True)
class _Channel:
    """A number a row that siblings may share.

    Attributes:
        column: The column it is read from.
        value: The number is 1 where the column equals this; None if it is the column's own.
        low: Smaller values count as this.
        high: Larger values count as this.
    """

    column: str
    value: Any
    low: float
    high: float

    def read(self, batch: pa.RecordBatch | pa.Table) -> NDArray[np.float64]:
        """Return the numbers of rows, NaN where there is none."""
        values = batch.column(self.column)
        if self.value is not None:
            values = pc.equal(values, pa.scalar(self.value, values.type))
        return np.clip(as_numbers(values), self.low, self.high)


def as_numbers(values: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """Return numbers, times and truth values as float64, NaN for null."""
    kind = values.type
    if pa.types.is_temporal(kind):
        whole = pa.int32() if kind.bit_width == 32 else pa.int64()
        values = values.cast(whole)
    elif pa.types.is_boolean(kind):
        values = values.cast(pa.uint8())
    if not pa.types.is_float64(values.type):
        values = pc.cast(values, pa.float64(), safe=False)
    numbers: NDArray[np.float64] = values.to_numpy(**_copying(values))
    return numbers


def _copying(values: pa.Array | pa.ChunkedArray) -> dict[str, bool]:
    return {} if isinstance(values, pa.ChunkedArray) else {"zero_copy_only": False}


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
    found: dict[str, Summary] = {}
    kept = {name for name, table in tables.items() if table.keep}
    channels = {name: _channels(tables[name], samples[name], kept) for name in tables}
    for name in reversed(graph.order):
        relations = [r for r in graph.relations[name] if r.role is not Role.KEPT]
        if relations:
            found |= _summarize(name, relations, linked, tables, channels, found, graph, ctx)
    return found


def _summarize(
    name: str,
    relations: Sequence[Relation],
    linked: Mapping[str, LinkedTable],
    tables: Mapping[str, TableSpec],
    channels: Mapping[str, Sequence[_Channel]],
    found: Mapping[str, Summary],
    graph: Graph,
    ctx: RunContext,
) -> dict[str, Summary]:
    table = linked[name]
    own = list(channels[name])
    arrays = _below(name, found, graph) + _beside(name, linked, channels, graph, len(own))
    sizes = [linked[relation.key.parent].rows for relation in relations]
    parents = [relation_rows(table, relation, graph) for relation in relations]
    sums = [ChildSums(size, len(own) + len(arrays)) for size in sizes]
    times = [n for n, c in tables[name].columns.items() if c.type in {"date", "datetime"}]
    places = [place for place, relation in enumerate(relations) if relation.role is Role.OWNER]
    watch = {place: SortedWatch(sizes[place], len(times)) for place in places if times}
    columns = list(dict.fromkeys([*(channel.column for channel in own), *times]))
    start = 0
    if columns or arrays:
        with ctx.progress.task(f"Summing up {name}", table.rows) as task:
            for batch in table.source.batches(columns or table.source.schema.names[:1]):
                end = start + batch.num_rows
                values = np.empty((batch.num_rows, len(own) + len(arrays)))
                for place, channel in enumerate(own):
                    values[:, place] = channel.read(batch)
                for place, (array, rows) in enumerate(arrays, len(own)):
                    values[:, place] = _taken(array, rows, start, end)

                def add(
                    place: int, values: Any = values, start: int = start, end: int = end
                ) -> None:
                    sums[place].add(parents[place][start:end].astype(np.int64), values)

                for _ in ctx.map(add, range(len(relations))):
                    pass
                for place, watched in watch.items():
                    moments = [as_numbers(batch.column(time)) for time in times]
                    watched.add(parents[place][start:end], np.column_stack(moments))
                start = end
                task.advance(batch.num_rows)
    summaries = {}
    for place, relation in enumerate(relations):
        counts = np.bincount(parents[place][parents[place] >= 0], minlength=sizes[place])
        kinds = fit_kinds(sums[place], most=MOST_KINDS, min_rows=ROWS_OF_A_KIND)
        codes = np.where(counts > 0, kinds.codes, kinds.count - 1).astype(np.uint16)
        ascending = watch[place].ascending() if place in watch else []
        summaries[relation.full_name] = Summary(
            counts.astype(np.int32),
            codes,
            kinds.count - 1,
            tuple(time for time, ascends in zip(times, ascending, strict=False) if ascends),
        )
    return summaries


_Array = tuple[NDArray[np.float64], Rows | None]


def _below(name: str, found: Mapping[str, Summary], graph: Graph) -> list[_Array]:
    """Return what a table's rows know of their own children, as numbers."""
    arrays: list[_Array] = []
    for relation in graph.children(name):
        summary = found.get(relation.full_name)
        if summary is None:
            continue
        high = np.quantile(summary.counts, 1 - _TAIL) if len(summary.counts) else 0
        arrays.append((np.minimum(summary.counts, high).astype(np.float64), None))
        if summary.kinds_known > 1:
            kinds = np.where(summary.counts > 0, summary.kinds, np.nan).astype(np.float64)
            arrays.append((kinds, None))
    return arrays


def _beside(
    name: str,
    linked: Mapping[str, LinkedTable],
    channels: Mapping[str, Sequence[_Channel]],
    graph: Graph,
    own: int,
) -> list[_Array]:
    """Return what the parents of a table of few columns are like, as numbers a parent."""
    arrays: list[_Array] = []
    if own >= _FEW_CHANNELS:
        return arrays
    for relation in graph.relations[name]:
        wanted = channels[relation.key.parent][:_FEW_CHANNELS]
        if relation.role not in {Role.OWNER, Role.LINK, Role.KEPT} or not wanted:
            continue
        source = linked[relation.key.parent].source
        columns = list(dict.fromkeys(channel.column for channel in wanted))
        read = [[c.read(batch) for c in wanted] for batch in source.batches(columns)]
        rows = relation_rows(linked[name], relation, graph)
        arrays += [
            (np.concatenate([numbers[n] for numbers in read]), rows) for n in range(len(wanted))
        ]
    return arrays


def relation_rows(table: LinkedTable, relation: Relation, graph: Graph) -> Rows:
    """Return the parents of a table's rows in one of its relations."""
    place = graph.relations[relation.child].index(relation)
    return table.parents[graph.places[relation.child][place]]


def _taken(
    array: NDArray[np.float64], rows: Rows | None, start: int, end: int
) -> NDArray[np.float64]:
    if rows is None:
        return array[start:end]
    if not len(array):
        return np.full(end - start, np.nan)
    part = rows[start:end]
    return np.where(part >= 0, array[np.maximum(part, 0)], np.nan)


def _channels(table: TableSpec, sample: pa.Table, kept: Collection[str]) -> list[_Channel]:
    """Choose the numbers of a table's rows that siblings may share.

    A key to a kept table is as good as a category: a plane flies for one of the airlines.
    """
    keys = {*table.primary_key, *(c for key in table.foreign_keys for c in key.columns)}
    channels: list[_Channel] = []
    for key in table.foreign_keys:
        if key.parent in kept and len(key.columns) == 1:
            (name,) = key.columns
            channels += _indicators(name, sample.column(name).drop_null(), _KEPT_INDICATORS)
    for name, column in table.columns.items():
        if name in keys or column.unique or not is_telling(column):
            continue
        channels += _channels_of(name, column, sample.column(name))
    return channels[:_MOST_CHANNELS]


def _channels_of(name: str, column: ColumnSpec, values: pa.ChunkedArray) -> list[_Channel]:
    kind = column.arrow_type()
    known = values.drop_null()
    if not len(known):
        return []
    measures = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_temporal,
        pa.types.is_boolean,
    )
    if any(belongs(kind) for belongs in measures):
        numbers = as_numbers(known)
        numbers = numbers[np.isfinite(numbers)]
        if not len(numbers) or numbers.min() == numbers.max():
            return []
        low, high = np.quantile(numbers, [_TAIL, 1 - _TAIL])
        if low == high:
            low, high = numbers.min(), numbers.max()
        return [_Channel(name, None, float(low), float(high))]
    return _indicators(name, known, _INDICATORS) if _is_few(known) else []


def _is_few(values: pa.ChunkedArray) -> bool:
    return 1 < len(pc.unique(values)) <= _MOST_VALUES


def _indicators(name: str, values: pa.ChunkedArray, most: int) -> list[_Channel]:
    """Return whether a row has each of the most frequent values of a column."""
    counts = pc.value_counts(values.combine_chunks())
    order = np.argsort(-counts.field(1).to_numpy(), kind="stable")[:most]
    return [_Channel(name, counts.field(0)[int(place)].as_py(), 0.0, 1.0) for place in order]
