"""Rows drawn uniformly, joined exactly with their ancestors by way of keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.protocols import BatchSource
from simulacra.core.references import JoinedRows, Path
from simulacra.pipeline.conform import conform
from simulacra.pipeline.measuring.counts import meant
from simulacra.pipeline.measuring.plan import Plan, prefixes_of
from simulacra.pipeline.relations.keys.index import KeyIndex

_BATCH_ROWS = 1 << 17


class Joins:
    """The samples of one side and their ancestors.

    An ancestor's table is read once a hop, for all that refer to it; rows that none of the samples
    refers to are passed over.

    Args:
        side: What the side is called.
        sources: The tables, of plain layouts.
        plan: What is drawn.
    """

    def __init__(self, side: str, sources: Mapping[str, BatchSource], plan: Plan) -> None:
        self._side = side
        self._sources = sources
        self._plan = plan
        self._samples: dict[str, pa.Table] = {}
        self._found: dict[Path, tuple[pa.Table, NDArray[np.int64]]] = {}

    def sample(self, table: str) -> pa.Table:
        """Return rows of a table, with the columns of ``Plan.read``."""
        if table not in self._samples:
            self._samples[table] = self._plan.sample(table, self._sources[table], self._side)
        return self._samples[table]

    def collect(self, paths: Sequence[Path]) -> None:
        """Fetch the ancestors at the end of each path, and those on the way."""
        missing = [path for path in prefixes_of(paths) if path not in self._found]
        for hops in sorted({len(path) for path in missing}):
            nearest = [path for path in missing if len(path) == hops]
            for parent in dict.fromkeys(path[-1].parent for path in nearest):
                self._fetch(parent, [path for path in nearest if path[-1].parent == parent])

    def joined(self, path: Path) -> JoinedRows:
        """Return the sample of the path's first table and the ancestors at its end."""
        self.collect([path])
        rows = self.sample(path[0].table)
        found, places = self._found[path]
        others = found.select(self._plan.compared(path[-1].parent))
        when = path[0].when
        return JoinedRows(
            rows.select(self._plan.compared(path[0].table)),
            others.take(pa.array(places, mask=places < 0)),
            None if when is None else meant(rows, when).to_numpy(),
            places,
        )

    def _fetch(self, parent: str, paths: Sequence[Path]) -> None:
        """Find the rows of one table that lie at the end of some paths."""
        wanted = {path: self._keys(path) for path in paths}
        rows = self._rows_of(parent, wanted)
        indexes = {
            columns: _index(rows, columns, parent)
            for columns in dict.fromkeys(path[-1].parent_columns for path in paths)
        }
        for path, keys in wanted.items():
            columns = path[-1].parent_columns
            places = [
                indexes[columns].rows_of(batch, columns, where=path[-1].where)
                for batch in keys.to_batches()
            ]
            self._found[path] = rows, np.concatenate([np.empty(0, np.int64), *places])

    def _keys(self, path: Path) -> pa.Table:
        """Return the keys at the end of a path by the parent's names, null where they mean none."""
        last = path[-1]
        if len(path) == 1:
            rows = self.sample(last.table)
        else:
            found, places = self._found[path[:-1]]
            names = [*last.columns, *([last.when[0]] if last.when else [])]
            taken = found.select(list(dict.fromkeys(names)))
            rows = taken.take(pa.array(places, mask=places < 0))
        columns = [rows.column(name) for name in last.columns]
        if last.when is not None:
            refers = meant(rows, last.when)
            columns = [pa.compute.if_else(refers, c, pa.scalar(None, c.type)) for c in columns]
        return pa.table(columns, names=list(last.parent_columns))

    def _rows_of(self, parent: str, wanted: Mapping[Path, pa.Table]) -> pa.Table:
        """Return the rows of a table that have one of the keys wanted, reading it once."""
        sample = self._samples.get(parent)
        if sample is not None and sample.num_rows < self._plan.rows:
            return sample  # it holds all rows
        spec, source = self._plan.read(parent), self._sources[parent]
        asked = {path[-1].parent_columns: [] for path in wanted}  # type: dict[tuple[str, ...], list[pa.Table]]
        for path, keys in wanted.items():
            asked[path[-1].parent_columns].append(keys)
        indexes = {
            columns: KeyIndex.build(_keys_by_schema(source, columns, keys), columns, where=parent)
            for columns, keys in asked.items()
        }
        taken = []
        names = list(spec.columns)
        with self._plan.ctx.progress.task(
            f"Joining {self._side} rows with {parent}", source.rows()
        ) as task:
            for batch in source.batches(names, batch_rows=_BATCH_ROWS):
                task.advance(batch.num_rows)
                hit = np.zeros(batch.num_rows, bool)
                for columns, index in indexes.items():
                    hit |= index.rows_of(batch, columns, where=parent) >= 0
                if hit.any():
                    taken.append(batch.filter(pa.array(hit)))
        schema = pa.schema([source.schema.field(name) for name in names])
        return conform(pa.Table.from_batches(taken, schema), spec, parent, self._side)


def _keys_by_schema(
    source: BatchSource, columns: Sequence[str], keys: Sequence[pa.Table]
) -> Iterator[pa.RecordBatch]:
    """Yield keys that are wanted; first none of them, in the types of the parent that has them."""
    schema = pa.schema([source.schema.field(name) for name in columns])
    yield pa.RecordBatch.from_pylist([], schema=schema)
    for table in keys:
        yield from table.to_batches()


def _index(rows: pa.Table, columns: Sequence[str], where: str) -> KeyIndex:
    batches = rows.select(list(columns)).to_batches()
    return KeyIndex.build(iter(batches), columns, where=where, rows=rows.num_rows)
