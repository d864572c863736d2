"""Foreign keys as ways between tables, and what dataset metrics are told along them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.protocols import BatchSource
from simulacra.core.schema import DatasetSpec, ForeignKey, Orphans


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key of a dataset.

    Attributes:
        table: The table that refers.
        columns: Its columns.
        parent: The table referred to.
        parent_columns: The key referred to.
        when: Only rows with this text in this column refer to the parent.
        keeps_orphans: Whether rows that name no parent belong to the data.
    """

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    when: tuple[str, str] | None = None
    keeps_orphans: bool = False

    @classmethod
    def of(cls, table: str, key: ForeignKey) -> Reference:
        """Return the reference that a foreign key of a table is."""
        return cls(
            table,
            tuple(key.columns),
            key.parent,
            tuple(key.parent_columns),
            next(iter(key.when.items())) if key.when else None,
            key.orphans is Orphans.KEEP,
        )

    @property
    def where(self) -> str:
        """The table and its columns, as ``orders(customer_id)``."""
        when = "" if self.when is None else f", {self.when[0]} = {self.when[1]}"
        return f"{self.table}({', '.join(self.columns)}{when})"

    @property
    def label(self) -> str:
        """The reference in words, as ``orders(customer_id) → customers``."""
        return f"{self.where} → {self.parent}"


Path = tuple[Reference, ...]
"""One reference after the other: each leaves the table that the one before leads to."""


def references_of(spec: DatasetSpec) -> list[Reference]:
    """Return the foreign keys of all tables, in their order; each once."""
    found = [
        Reference.of(name, key) for name, table in spec.tables.items() for key in table.foreign_keys
    ]
    return list(dict.fromkeys(found))


def paths_of(spec: DatasetSpec, hops: int) -> list[Path]:
    """Return every way of so many references from a table to an ancestor."""
    references = references_of(spec)
    paths: list[Path] = [(reference,) for reference in references]
    for _ in range(hops - 1):
        paths = [
            (*path, onward)
            for path in paths
            for onward in references
            if onward.table == path[-1].parent
        ]
    return paths


def label_of(path: Path) -> str:
    """Return a path in words, as ``items(order_id) → orders(customer_id) → customers``."""
    return " → ".join([*(reference.where for reference in path), path[-1].parent])


@dataclass(frozen=True, slots=True)
class KeyCounts:
    """What all rows of a table tell of a key of one or more columns.

    Attributes:
        rows: Rows of the table.
        nulls: Rows with a null in a column of the key.
        repeats: Rows whose key an earlier row has.
    """

    rows: int
    nulls: int
    repeats: int


@dataclass(frozen=True, slots=True)
class ReferenceCounts:
    """What all rows of two tables tell of the reference between them.

    Attributes:
        rows: Rows that the reference is about: all, or those for which its ``when`` holds.
        nulls: Those of them with a null in a column of the key.
        orphans: Those of them whose key names no row of the parent.
        children: The different numbers of children that a parent has, rising, shape ``(n,)``,
            dtype int64; parents without children have 0.
        parents: How many parents have each of them, shape ``(n,)``, dtype int64.
    """

    rows: int
    nulls: int
    orphans: int
    children: NDArray[np.int64]
    parents: NDArray[np.int64]

    @property
    def valid_share(self) -> float | None:
        """The share of keys without nulls that name a parent; None where there are none."""
        keys = self.rows - self.nulls
        return 1.0 - self.orphans / keys if keys else None

    @property
    def null_share(self) -> float | None:
        """The share of rows with a null in the key; None where there are no rows."""
        return self.nulls / self.rows if self.rows else None


@dataclass(frozen=True, slots=True)
class JoinedRows:
    """A sample of a table's rows and, row by row, something that belongs to each.

    Attributes:
        rows: The sample: the columns that can be compared.
        others: The ancestor of each (null without one), or aggregates of its children.
        applies: Which rows the reference is about; None if it is about all.
        places: Which ancestor it is, shape ``(rows,)``, dtype int64: rows with the same number have
            the same one, those with a negative number none. None where each row has its own.
    """

    rows: pa.Table
    others: pa.Table
    applies: NDArray[np.bool_] | None = None
    places: NDArray[np.int64] | None = None


class DatasetView(Protocol):
    """The tables of one side, real or synthetic, as dataset metrics see them.

    What is counted is counted over all rows; what is joined are rows drawn uniformly, joined
    exactly. Everything is done when first asked for, in bounded memory, and kept.
    """

    @property
    def sources(self) -> Mapping[str, BatchSource]:
        """All rows of each table."""
        ...

    def rows(self, table: str) -> int:
        """Return the number of rows of a table."""
        ...

    def key(self, table: str, columns: tuple[str, ...]) -> KeyCounts:
        """Count nulls and repetitions in a key."""
        ...

    def reference(self, reference: Reference) -> ReferenceCounts:
        """Count orphans, and children per parent."""
        ...

    def collect(self, paths: Sequence[Path]) -> None:
        """Fetch what ``joined`` will be asked for, reading tables as few times as possible."""
        ...

    def joined(self, path: Path) -> JoinedRows:
        """Return rows of the first table with their ancestors at the end of the path.

        Every path from one table gives the same rows, in the same order.
        """
        ...

    def aggregated(self, reference: Reference) -> JoinedRows:
        """Return rows of the parent with aggregates of their children, all of them float64."""
        ...
