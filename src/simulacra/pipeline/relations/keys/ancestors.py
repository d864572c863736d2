"""The ancestors of some rows, found by the values of their keys: of tables as they are read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from simulacra.core.compiled import Ints
from simulacra.core.protocols import BatchSource
from simulacra.pipeline.relations.columns import one_array
from simulacra.pipeline.relations.given_columns import GivenColumn, by_path
from simulacra.pipeline.relations.graph import Graph
from simulacra.pipeline.relations.keys.index import KeyIndex
from simulacra.pipeline.relations.keys.resolve import meant
from simulacra.pipeline.relations.parent_rows import NULL
from simulacra.pipeline.relations.sources import values_of

_Path = tuple[int, ...]


@dataclass(slots=True)
class AncestorLookup:
    """Looks up values of ancestors for rows that are held.

    Every key that is followed is indexed once, some 24 bytes for each of the parent's rows. For the
    rows of one table each other one is read once for every number of keys that lead to it.

    Attributes:
        sources: The tables, of plain layouts.
        graph: The relations that paths are made of.
    """

    sources: Mapping[str, BatchSource]
    graph: Graph
    _indexes: dict[tuple[str, tuple[str, ...]], KeyIndex] = field(default_factory=dict)

    def values(
        self, table: str, rows: pa.Table, wanted: Mapping[str, GivenColumn]
    ) -> dict[str, pa.Array]:
        """Return columns of some rows' ancestors, null where there is none, by their given names.

        Args:
            table: The table.
            rows: Some of its rows, with the columns of its keys.
            wanted: The columns.

        Raises:
            SpecError: A key's values are of another family than those it refers to.
        """
        named = by_path(wanted)
        ways = sorted({path[:end] for path in named for end in range(1, len(path) + 1)})
        keys = {path: self._keys_from(path, ways, table) for path in [(), *ways]}
        held: dict[_Path, tuple[str, Mapping[str, pa.Array]]] = {
            (): (table, {name: one_array(rows.column(name)) for name in keys[()]})
        }
        for length in range(1, max(map(len, ways), default=0) + 1):
            asked: dict[str, dict[_Path, Ints]] = {}
            for path in (path for path in ways if len(path) == length):
                parent, numbers = self._parents(*held[path[:-1]], path[-1])
                asked.setdefault(parent, {})[path] = numbers
            for parent, parts in asked.items():
                columns = [{*named.get(path, {}).values(), *keys[path]} for path in parts]
                rows_asked = list(zip(parts.values(), columns, strict=True))
                for path, values in zip(
                    parts, values_of(self.sources[parent], rows_asked), strict=True
                ):
                    held[path] = parent, values
        return {name: held[given.path][1][given.column] for name, given in wanted.items()}

    def _keys_from(self, path: _Path, ways: Collection[_Path], table: str) -> set[str]:
        """Return the columns of the keys by which paths go on from the end of one."""
        for place in path:
            table = self.graph.relations[table][place].key.parent
        keys = [self.graph.relations[table][way[-1]].key for way in ways if way[:-1] == path]
        return {column for key in keys for column in (*key.columns, *(key.when or ()))}

    def _parents(self, table: str, values: Mapping[str, pa.Array], place: int) -> tuple[str, Ints]:
        """Return the table that a key leads to and the rows there, negative for none.

        Args:
            table: The table that has the key.
            values: Columns of some of its rows.
            place: The place of the key among its relations.
        """
        key = self.graph.relations[table][place].key
        batch = pa.RecordBatch.from_pydict({name: values[name] for name in key.columns})
        index = self._index(key.parent, tuple(key.parent_columns))
        found = index.rows_of(batch, key.columns, where=table)
        return key.parent, np.where(meant(key, values, batch.num_rows), found, NULL)

    def _index(self, table: str, columns: tuple[str, ...]) -> KeyIndex:
        if (table, columns) not in self._indexes:
            source = self.sources[table]
            self._indexes[table, columns] = KeyIndex.build(
                source.batches(list(columns)), columns, where=table, rows=source.rows()
            )
        return self._indexes[table, columns]
