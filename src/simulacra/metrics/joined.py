"""Rows of one table and what belongs to each, as one table that other metrics can measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.references import Path, Reference, label_of, references_of
from simulacra.core.schema import ColumnSpec, DatasetSpec, TableSpec
from simulacra.core.scores import Score
from simulacra.metrics.columns import compared

_AGGREGATE = ColumnSpec(type="float", arrow="double")


@dataclass(frozen=True, slots=True)
class Join:
    """How two tables of as many rows become one.

    Attributes:
        table: The specification of the joined table.
        names: For each of the two what its columns are called in it.
    """

    table: TableSpec
    names: tuple[Mapping[str, str], Mapping[str, str]]

    @classmethod
    def of_path(cls, spec: DatasetSpec, path: Path) -> Join:
        """Return the join of a table with its ancestors at the end of a path."""
        prefix = f"{path[-1].parent}."
        return _join(("", _own(spec, path[0].table)), (prefix, _ancestor(spec, path[-1])))

    @classmethod
    def of_parents(cls, spec: DatasetSpec, one: Reference, other: Reference) -> Join:
        """Return the join of two parents of one row."""
        both = [f"{one.parent}.", f"{other.parent}."]
        if one.parent == other.parent:
            both = [f"{ref.parent} by {', '.join(ref.columns)}." for ref in (one, other)]
        return _join((both[0], _ancestor(spec, one)), (both[1], _ancestor(spec, other)))

    @classmethod
    def of_children(cls, spec: DatasetSpec, reference: Reference, aggregates: pa.Schema) -> Join:
        """Return the join of a parent with aggregates of its children."""
        columns = dict.fromkeys(aggregates.names, _AGGREGATE)
        return _join(("", _own(spec, reference.parent)), (f"{reference.table}: ", columns))

    def merged(
        self, one: pa.Table, other: pa.Table, applies: NDArray[np.bool_] | None = None
    ) -> pa.Table:
        """Return the columns of both under their new names.

        Args:
            one: The first table.
            other: The second, with as many rows.
            applies: Which rows to take; all when None.
        """
        merged = pa.table(
            {
                name: table.column(column)
                for table, names in zip((one, other), self.names, strict=True)
                for column, name in names.items()
            }
        )
        return merged if applies is None else merged.filter(pa.array(applies))


def _own(spec: DatasetSpec, table: str) -> dict[str, ColumnSpec]:
    columns = spec.tables[table].columns
    return {name: columns[name] for name in compared(spec.tables[table])}


def _ancestor(spec: DatasetSpec, reference: Reference) -> dict[str, ColumnSpec]:
    """Return an ancestor's columns without the key, which the row that refers has as well."""
    columns = _own(spec, reference.parent)
    return {name: c for name, c in columns.items() if name not in reference.parent_columns}


def _join(*parts: tuple[str, Mapping[str, ColumnSpec]]) -> Join:
    columns: dict[str, ColumnSpec] = {}
    names: list[dict[str, str]] = []
    for prefix, part in parts:
        named = {}
        for column, spec in part.items():
            name = f"{prefix}{column}"
            while name in columns:
                name += "'"
            columns[name], named[column] = spec, name
        names.append(named)
    return Join(TableSpec(columns=columns), (names[0], names[1]))


def about(*references: Reference, siblings: bool = False) -> dict[str, Any]:
    """Return the details of a score about references.

    Args:
        references: One, or several that follow each other.
        siblings: Whether they are two of one table instead.
    """
    if siblings:
        what = " × ".join(reference.where for reference in references)
    else:
        what = references[0].where if len(references) == 1 else label_of(references)
    return {
        "table": references[0].table,
        "references": [reference.label for reference in references],
        "what": what,
    }


def qualified(references: Sequence[Reference]) -> tuple[str, ...]:
    """Return the columns that refer, as ``orders.customer_id``, for ``Score.columns``."""
    return tuple(f"{ref.table}.{column}" for ref in references for column in ref.columns)


def unjoined(metric: str, references: Sequence[Reference], why: str) -> Score:
    """Return the score of references of which nothing can be measured."""
    return Score(metric, None, qualified(references), details={"why": why, **about(*references)})


def siblings_of(spec: DatasetSpec) -> list[tuple[Reference, Reference]]:
    """Return every two references of one table."""
    found = references_of(spec)
    return [
        (one, other)
        for i, one in enumerate(found)
        for other in found[i + 1 :]
        if one.table == other.table
    ]
