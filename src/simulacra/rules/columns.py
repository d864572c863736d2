"""Columns of samples and batches, by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated, Protocol, runtime_checkable

import pyarrow as pa
from pydantic import AfterValidator

from simulacra.core.errors import SpecError


def _different(columns: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(columns)) < len(columns):
        msg = "a column is named twice"
        raise ValueError(msg)
    return columns


Names = Annotated[tuple[str, ...], AfterValidator(_different)]
"""Different columns that an option names."""


@runtime_checkable
class KeepsValues(Protocol):
    """A fitted rule that holds real values, as the city of each postcode."""

    def kept_values(self) -> list[tuple[str, pa.Array]]:
        """Return the real values that the rule holds, by column."""
        ...


def column_of(sample: pa.Table, name: str) -> pa.Array:
    """Return a column as one array.

    Raises:
        SpecError: There is no such column.
    """
    index = sample.schema.get_field_index(name)
    if index < 0:
        raise SpecError(
            "there is no such column",
            where=name,
            mend=f"Choose from {', '.join(sample.column_names)}",
        )
    chunked = sample.column(index)
    if chunked.num_chunks == 1:
        return chunked.chunk(0)
    return pa.concat_arrays(chunked.chunks) if chunked.num_chunks else pa.array([], chunked.type)


def replace(batch: pa.RecordBatch, name: str, values: pa.Array) -> pa.RecordBatch:
    """Return the batch with other values, maybe of another type, in one of its columns."""
    index = batch.schema.get_field_index(name)
    field = pa.field(name, values.type, nullable=batch.schema.field(index).nullable)
    return batch.set_column(index, field, values)


def unused_name(name: str, sample: pa.Table) -> str:
    """Return a name for a new column, longer by dashes if the sample has one of that name."""
    while name in sample.column_names:
        name += "-"
    return name


def check_given(
    before: pa.RecordBatch, after: pa.RecordBatch, given: Collection[str], *, where: str
) -> None:
    """Refuse a rule that changes a given column: its value is decided elsewhere.

    Args:
        before: Some rows.
        after: What a rule encoded them as.
        given: The given columns, own ones and those of parents' rows.
        where: The table and the rule, for the message.

    Raises:
        SpecError: A given column was dropped, or isn't the same.
    """
    for name in changed_columns(before, after, given):
        raise SpecError(
            f"a rule can't change {name}, whose values are given",
            where=where,
            mend="Let the rule change a column of the table, and only use the given one",
        )


def changed_columns(
    before: pa.RecordBatch, after: pa.RecordBatch, names: Iterable[str]
) -> list[str]:
    """Return which columns of some rows a rule dropped or changed.

    Args:
        before: The rows.
        after: What the rule encoded them as.
        names: The columns asked about.
    """
    places = {name: after.schema.get_field_index(name) for name in names}
    return [
        name
        for name, place in places.items()
        if place < 0 or not _unchanged(before[name], after.column(place))
    ]


def _unchanged(before: pa.Array, after: pa.Array) -> bool:
    if before.type == after.type and pa.types.is_floating(before.type):
        # As bits NaN equals itself.
        bits = pa.type_for_alias(f"int{before.type.bit_width}")
        before, after = before.view(bits), after.view(bits)
    return bool(before.equals(after))
