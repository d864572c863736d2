"""How many rows hold a key of another table: counted exactly over all rows, out of core."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any, Self

import pyarrow as pa

from simulacra.core.context import RunContext
from simulacra.core.progress import Task
from simulacra.core.protocols import BatchSource
from simulacra.core.references import Reference
from simulacra.pipeline.aggregates import connect, registered

_AT_ONCE = 16
"""Keys asked of one table in one pass: each holds a hash table of the parent's keys."""

_ALIKE_TYPES = (
    (pa.types.is_integer, pa.types.is_decimal, pa.types.is_floating),
    (pa.types.is_string, pa.types.is_large_string),
    (pa.types.is_date,),
    (pa.types.is_timestamp,),
    (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary),
)


@dataclass(frozen=True, slots=True)
class Inclusion:
    """What was counted of one reference.

    Attributes:
        rows: Rows in which no column of the key is null.
        contained: Those of them whose values are a key of the parent.
        own: Those of them that refer to themselves, where both tables are one.
        keys: The parent's rows without a null in the key.
        distinct: Its distinct keys.
    """

    rows: int
    contained: int
    own: int
    keys: int
    distinct: int

    @property
    def share(self) -> float:
        """The share of rows contained; 0 if there are none."""
        return self.contained / self.rows if self.rows else 0.0

    @property
    def is_whole(self) -> bool:
        """Whether every row is contained, and there is one."""
        return 0 < self.rows == self.contained

    @property
    def is_key(self) -> bool:
        """Whether no key of the parent occurs twice."""
        return self.keys == self.distinct


def can_refer(own: pa.DataType, other: pa.DataType) -> bool:
    """Say whether values of one type can be compared with those of another."""
    own, other = (k.value_type if pa.types.is_dictionary(k) else k for k in (own, other))
    return own == other or any(
        any(test(own) for test in tests) and any(test(other) for test in tests)
        for tests in _ALIKE_TYPES
    )


def count_inclusions(
    references: Iterable[Reference], sources: Mapping[str, BatchSource], ctx: RunContext
) -> dict[Reference, Inclusion]:
    """Count each reference over all rows.

    Every parent is read once and its keys are kept (on disk, where memory is short); then each
    table that refers is streamed past them, once for all its references.

    Args:
        references: What to count; the columns are leaves, of types that can be compared.
        sources: The tables' rows; of plain layouts (see ``pipeline.plain``).
        ctx: Limits and progress.

    Raises:
        InputError: A source can't be read.
    """
    wanted = list(dict.fromkeys(references))
    if not wanted:
        return {}
    found: dict[Reference, Inclusion] = {}
    with ctx.progress.task("Comparing keys") as task, _Database(sources, task, ctx) as database:
        for parent in dict.fromkeys(reference.parent for reference in wanted):
            database.keep_keys(parent, [r.parent_columns for r in wanted if r.parent == parent])
        for table in dict.fromkeys(reference.table for reference in wanted):
            asked = [reference for reference in wanted if reference.table == table]
            for start in range(0, len(asked), _AT_ONCE):
                found |= database.count(asked[start : start + _AT_ONCE])
    return {reference: found[reference] for reference in wanted}


@dataclass(frozen=True, slots=True)
class _Keys:
    """The distinct keys of a parent, in a table of the database."""

    name: str
    rows: int
    distinct: int


class _Database:
    """A database that holds keys. Queries are made of numbered names and bound values alone."""

    def __init__(self, sources: Mapping[str, BatchSource], task: Task, ctx: RunContext) -> None:
        self._sources = sources
        self._task = task
        self._folder = TemporaryDirectory(prefix="simulacra-")
        self._connection = connect(ctx, spill=self._folder.name)
        # Keys are what is hashed, rows what streams by, whatever DuckDB guesses of their numbers.
        self._run("SET disabled_optimizers = 'join_order,build_side_probe_side'")
        self._kept: dict[tuple[str, tuple[str, ...]], _Keys] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._connection.close()
        self._folder.cleanup()

    def keep_keys(self, parent: str, keys: Iterable[tuple[str, ...]]) -> None:
        """Read a table once and keep the distinct values of its keys."""
        wanted = list(dict.fromkeys(keys))
        columns = list(dict.fromkeys(column for key in wanted for column in key))
        with self._streamed(parent, columns):
            self._run("CREATE TEMP TABLE parent AS SELECT * FROM source")
        for key in wanted:
            name = f"k{len(self._kept)}"
            places = [f"c{columns.index(column)}" for column in key]
            terms = ", ".join(f"{place} AS d{i}" for i, place in enumerate(places))
            filled = " AND ".join(f"{place} IS NOT NULL" for place in places)
            self._run(
                f"CREATE TEMP TABLE {name} AS SELECT DISTINCT {terms} FROM parent WHERE {filled}"  # noqa: S608 - see the class
            )
            ((rows,),) = self._run(f"SELECT count(*) FROM parent WHERE {filled}")  # noqa: S608 - see the class
            ((distinct,),) = self._run(f"SELECT count(*) FROM {name}")  # noqa: S608 - see the class
            self._kept[parent, key] = _Keys(name, rows, distinct)
        self._run("DROP TABLE parent")

    def count(self, references: Sequence[Reference]) -> dict[Reference, Inclusion]:
        """Read the one table that refers, past the keys it refers to."""
        table = references[0].table
        columns = list(dict.fromkeys(name for ref in references for name in _columns_read(ref)))
        terms: list[str] = []
        joins: list[str] = []
        values: dict[str, str] = {}
        for i, reference in enumerate(references):
            kept = self._kept[reference.parent, reference.parent_columns]
            places = [f"s.c{columns.index(name)}" for name in reference.columns]
            counts = " AND ".join(f"{place} IS NOT NULL" for place in places)
            if reference.when is not None:
                column, values[f"w{i}"] = reference.when
                counts += f" AND CAST(s.c{columns.index(column)} AS VARCHAR) = $w{i}"
            is_own = "false"
            if reference.parent == table:
                own = [f"s.c{columns.index(name)}" for name in reference.parent_columns]
                is_own = " AND ".join(f"{x} = {y}" for x, y in zip(places, own, strict=True))
            terms += [
                f"count(*) FILTER (WHERE {counts} AND {also})"
                for also in ("true", f"j{i}.d0 IS NOT NULL", is_own)
            ]
            match = " AND ".join(f"{place} = j{i}.d{k}" for k, place in enumerate(places))
            joins.append(f"LEFT JOIN {kept.name} j{i} ON {match}")
        query = f"SELECT {', '.join(terms)} FROM source s {' '.join(joins)}"  # noqa: S608 - see the class
        with self._streamed(table, columns):
            (row,) = self._run(query, values)
        counted = {}
        for i, reference in enumerate(references):
            kept = self._kept[reference.parent, reference.parent_columns]
            rows, contained, own_rows = row[3 * i : 3 * i + 3]
            counted[reference] = Inclusion(rows, contained, own_rows, kept.rows, kept.distinct)
        return counted

    def _run(self, query: str, values: Mapping[str, str] | None = None) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._connection.execute(query, values or None).fetchall()
        return found

    @contextmanager
    def _streamed(self, table: str, columns: list[str]) -> Iterator[None]:
        source = self._sources[table]
        kinds = [_comparable(source.schema.field(name).type) for name in columns]
        schema = pa.schema(list(zip(columns, kinds, strict=True)))

        def read() -> Iterator[pa.RecordBatch]:
            for batch in source.batches(columns):
                self._task.advance(batch.num_rows)
                arrays = [
                    column if column.type == kind else column.cast(kind, safe=False)
                    for column, kind in zip(batch.columns, kinds, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

        with registered(self._connection, "source", read(), schema):
            yield


def _columns_read(reference: Reference) -> tuple[str, ...]:
    own = reference.parent_columns if reference.parent == reference.table else ()
    return (*reference.columns, *own, *((reference.when[0],) if reference.when else ()))


def _comparable(kind: pa.DataType) -> pa.DataType:
    """Return the type in which moments and days of any unit are equal if they are."""
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    return pa.date32() if pa.types.is_date64(kind) else kind
