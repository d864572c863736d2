"""Databases to try things on: tables, and what a store would declare of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.batches import TableSource
from simulacra.core.declared import DeclaredTable
from simulacra.core.random import RngKey
from simulacra.core.schema import DatasetSpec, ForeignKey, Orphans
from simulacra.pipeline.dataset import FittedDataset, fit_dataset
from simulacra.pipeline.detect_dataset import detect_dataset
from simulacra.pipeline.options import FitOptions
from simulacra.testing.guards import quiet

_SAMPLE_ROWS = 20_000
NO_PARENT = -1
"""The row number of a parent that there is not: the key is null."""


Columns = dict[str, Any]
"""Columns by name: Arrow arrays, or what becomes one."""


@dataclass(frozen=True, slots=True)
class Database:
    """A small database.

    Attributes:
        tables: The rows of each table.
        declared: What a store would say of each.
        keep: Tables that are to be written as they are.
        keep_orphans: Whether rows whose key names no row are to be drawn too.
    """

    tables: Mapping[str, pa.Table]
    declared: Mapping[str, DeclaredTable]
    keep: tuple[str, ...] = ()
    keep_orphans: bool = False

    @property
    def spec(self) -> DatasetSpec:
        """What is detected of its tables, with what is declared."""
        sources = {name: TableSource(table) for name, table in self.tables.items()}
        return detect_dataset(
            sources,
            declared=self.declared,
            sample_rows=_SAMPLE_ROWS,
            rng=lambda name: RngKey(0, ("detect", name)),
            infer_keys=False,
            ctx=quiet(),
        ).spec

    def learn(
        self,
        model: str = "independent",
        *,
        seed: int = 0,
        threads: int = 1,
        **model_options: Any,
    ) -> FittedDataset:
        """Learn it.

        Args:
            model: The registry name of the model.
            seed: Decides everything random.
            threads: How many threads to use.
            model_options: Options of the model.
        """
        options = FitOptions(
            model, model_options, keep=self.keep, keep_orphans=self.keep_orphans, infer_keys=False
        )
        sources = {name: TableSource(table) for name, table in self.tables.items()}
        return fit_dataset(
            sources, None, options, declared=self.declared, seed=seed, about={}, ctx=quiet(threads)
        )


@dataclass(slots=True)
class Maker:
    """Makes a database table by table; as :mod:`simulacra.testing.shapes` does.

    Attributes:
        generator: Decides everything random.
        tables: The tables so far.
        declared: What is declared of them.
    """

    generator: np.random.Generator
    tables: dict[str, pa.Table] = field(default_factory=dict)
    declared: dict[str, DeclaredTable] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, seed: int = 0) -> Maker:
        """Return one whose randomness depends on a name and a seed."""
        return cls(RngKey(seed, ("database", name)).generator())

    def add(
        self,
        name: str,
        columns: Columns,
        *,
        key: Sequence[str] = (),
        unique: Sequence[Sequence[str]] = (),
        refers: Sequence[ForeignKey] = (),
    ) -> pa.Table:
        """Add a table; columns without nulls are declared as such.

        Args:
            name: Its name.
            columns: Its columns.
            key: Its primary key.
            unique: Further unique keys.
            refers: Its foreign keys.
        """
        table = pa.table({n: pa.array(values) for n, values in columns.items()})
        self.tables[name] = table
        self.declared[name] = DeclaredTable(
            primary_key=tuple(key),
            unique=tuple(tuple(one) for one in unique),
            foreign_keys=tuple(refers),
            not_null=frozenset(n for n in table.column_names if not table[n].null_count),
        )
        return table

    def refer(self, name: str, *keys: ForeignKey) -> None:
        """Add foreign keys to a table that was added before the one they refer to."""
        old = self.declared[name]
        self.declared[name] = replace(old, foreign_keys=(*old.foreign_keys, *keys))

    def made(self, **options: Any) -> Database:
        """Return the database; ``options`` are its further attributes."""
        return Database(self.tables, self.declared, **options)

    # --- values ----------------------------------------------------------------------------

    def numbers(self, rows: int, base: Any = 0.0) -> NDArray[np.float64]:
        """Return amounts that depend on ``base``, to two decimals."""
        made: NDArray[np.float64] = np.round(base + self.generator.normal(0, 1, rows), 2)
        return made

    def words(self, rows: int, *, of: Sequence[str] = ("red", "green", "blue")) -> list[str]:
        """Return words."""
        return [of[int(n)] for n in self.generator.integers(0, len(of), rows)]

    def children(self, parents: int, mean: float = 3.0, *, most: int = 40) -> NDArray[np.int64]:
        """Return the parent of each child, rising: their numbers are skewed, and often 0."""
        counts = np.minimum(self.generator.geometric(1 / (mean + 1), parents) - 1, most)
        return np.repeat(np.arange(parents), counts)

    def linked(self, rows: int, parents: int, nulls: Any = 0.0) -> NDArray[np.int64]:
        """Return a parent for each row, some far more often than others, and some none."""
        chosen = (self.generator.random(rows) ** 2 * parents).astype(np.int64)
        return np.where(self.generator.random(rows) < nulls, NO_PARENT, chosen)


def keys_of(table: pa.Table, column: str, rows: NDArray[np.integer]) -> pa.Array:
    """Return the keys of some rows, null where a row number is negative."""
    values = table.column(column).combine_chunks()
    return values.take(pa.array(np.maximum(rows, 0), mask=rows < 0))


def to(
    parent: str,
    columns: Mapping[str, str],
    *,
    when: Mapping[str, str] | None = None,
    orphans: Orphans | None = None,
) -> ForeignKey:
    """Return a foreign key.

    Args:
        parent: The table referred to.
        columns: The parent's column for each column.
        when: See :class:`ForeignKey`.
        orphans: See :class:`ForeignKey`.
    """
    return ForeignKey(
        columns=list(columns),
        parent=parent,
        parent_columns=list(columns.values()),
        when=None if when is None else dict(when),
        orphans=orphans,
    )
