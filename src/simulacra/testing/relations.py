"""What must hold of a synthetic database, checked without the code that makes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.schema import DatasetSpec, ForeignKey, Orphans, TableSpec

Tables = Mapping[str, pa.Table]
"""The rows of every table, by name."""
_NONE, _STRANGER = -1, -2


def problems(
    spec: DatasetSpec,
    made: Tables,
    *,
    real: Tables,
    rows: Mapping[str, int],
    keep_orphans: bool = False,
) -> list[str]:
    """Return everything that is wrong with a synthetic database, each as table.column and what.

    Args:
        spec: What its tables are.
        made: Its rows.
        real: The rows it was learned from.
        rows: How many rows there should be of each table.
        keep_orphans: Whether keys that name no row are allowed where real ones do so.
    """
    found: list[str] = []
    for name, table in spec.tables.items():
        if name not in made:
            found.append(f"{name}: there is no such table")
            continue
        found += [f"{name}{problem}" for problem in _of_table(table, made[name], real[name])]
        if made[name].num_rows != rows[name]:
            found.append(f"{name}: {made[name].num_rows:,} rows where {rows[name]:,} were planned")
        for key in table.foreign_keys:
            orphans = int((parents_of(made, name, key) == _STRANGER).sum())
            allowed = key.orphans is Orphans.KEEP or (key.orphans is None and keep_orphans)
            if orphans and not allowed:
                where = f"{name}.{','.join(key.columns)}"
                found.append(f"{where}: {orphans:,} rows name no row of {key.parent}")
    return found


def _of_table(table: TableSpec, made: pa.Table, real: pa.Table) -> Iterator[str]:
    if made.schema != real.schema:
        yield f": its schema is {made.schema.to_string()}, not {real.schema.to_string()}"
        return
    made.validate(full=True)
    if table.keep and not made.equals(real):
        yield ": it is to be kept, but isn't equal"
    for name, column in table.columns.items():
        nulls = made.column(name).null_count
        if nulls and not column.nullable:
            yield f".{name}: {nulls:,} nulls"
    keys = [table.primary_key, *table.unique]
    keys += [[name] for name, column in table.columns.items() if column.unique]
    for key in [key for key in keys if key]:
        if any(None in value for value in _tuples(made, key)) and key == table.primary_key:
            yield f".{','.join(key)}: nulls in the primary key"
        known = [value for value in _tuples(made, key) if None not in value]
        if len(set(known)) < len(known):
            value, times = Counter(known).most_common(1)[0]
            repeated = len(known) - len(set(known))
            yield f".{','.join(key)}: {repeated:,} of {len(known):,} repeat, as {value} {times} ×"


def _tuples(table: pa.Table, columns: Sequence[str]) -> list[tuple[object, ...]]:
    return list(zip(*[table.column(name).to_pylist() for name in columns], strict=True))


def parents_of(tables: Tables, name: str, key: ForeignKey) -> NDArray[np.int64]:
    """Return the row of the parent that each row of a table refers to, shape ``(rows,)``.

    -1 for those that refer to nothing, -2 for those whose key names no row.
    """
    table, parent = tables[name], tables[key.parent]
    known: dict[tuple[object, ...], int] = {}
    for row, value in enumerate(_tuples(parent, key.parent_columns)):
        known.setdefault(value, row)
    meant = [True] * table.num_rows
    for column, kind in (key.when or {}).items():
        meant = [str(found) == kind for found in table.column(column).to_pylist()]
    rows = [
        known.get(value, _STRANGER) if None not in value and counts else _NONE
        for value, counts in zip(_tuples(table, key.columns), meant, strict=True)
    ]
    return np.array(rows, np.int64)


def children_of(tables: Tables, name: str, key: ForeignKey) -> NDArray[np.int64]:
    """Return how many rows of a table refer to each row of a parent, shape ``(parents,)``."""
    rows = parents_of(tables, name, key)
    return np.bincount(rows[rows >= 0], minlength=tables[key.parent].num_rows)


def null_share(tables: Tables, name: str, key: ForeignKey) -> float:
    """Return the share of a table's rows that refer to nothing."""
    rows = parents_of(tables, name, key)
    return float((rows == _NONE).mean()) if len(rows) else 0.0


def depths_of(tables: Tables, name: str, key: ForeignKey) -> NDArray[np.int64]:
    """Return how many rows are above each in a table that refers to itself, shape ``(rows,)``.

    Raises:
        ValueError: Rows go round in a circle.
    """
    above = parents_of(tables, name, key)
    # A row that refers to itself is a root.
    above = np.where(above == np.arange(len(above)), _NONE, above)
    depth, at = np.zeros(len(above), np.int64), above.copy()
    for _ in range(len(above) + 1):
        if not (at >= 0).any():
            return depth
        depth += at >= 0
        at = np.where(at >= 0, above[np.maximum(at, 0)], -1)
    msg = f"{name}.{','.join(key.columns)}: rows go round in a circle"
    raise ValueError(msg)


def distance(one: NDArray[np.integer], other: NDArray[np.integer]) -> float:
    """Return how far the distributions of two samples of numbers are apart (Kolmogorov-Smirnov)."""
    if not len(one) or not len(other):
        return 0.0 if len(one) == len(other) else 1.0
    values = np.union1d(one, other)
    shares = [
        np.searchsorted(np.sort(side), values, side="right") / len(side) for side in (one, other)
    ]
    return float(np.abs(shares[0] - shares[1]).max())
