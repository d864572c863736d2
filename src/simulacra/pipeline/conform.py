"""Bringing tables that should be alike to the types of their specification, in plain layouts."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
from pyarrow import types

from simulacra.core.errors import SpecError
from simulacra.core.protocols import BatchSource
from simulacra.core.schema import TableSpec
from simulacra.pipeline.plain import plain_type

_FAMILIES: tuple[tuple[str, tuple[Callable[[pa.DataType], bool], ...]], ...] = (
    ("number", (types.is_integer, types.is_floating, types.is_decimal)),
    ("text", (types.is_string, types.is_large_string)),
    ("truth value", (types.is_boolean,)),
    ("date", (types.is_date, types.is_timestamp)),
    ("time of day", (types.is_time,)),
    ("duration", (types.is_duration,)),
    (
        "binary value",
        (types.is_binary, types.is_large_binary, types.is_fixed_size_binary),
    ),
    ("struct", (types.is_struct,)),
    ("list", (types.is_list, types.is_large_list, types.is_fixed_size_list)),
)


def check_columns(source: BatchSource, table: TableSpec, name: str, side: str) -> list[str]:
    """Refuse a source that lacks a column or has one of another kind, before it is read.

    Args:
        source: The source, of plain layouts.
        table: What it should look like.
        name: The table's name, for messages.
        side: What the source is, as ``synthetic``, for messages.

    Returns:
        Notes on columns that will be ignored.

    Raises:
        SpecError: Names the column.
    """
    found = dict(zip(source.schema.names, source.schema.types, strict=True))
    for column, spec in table.columns.items():
        where = f"{name}.{column}"
        if column not in found:
            raise SpecError(
                f"the {side} data has no such column",
                where=where,
                mend=f"It has {', '.join(found) or 'none'}",
            )
        wanted = plain_type(spec.arrow_type())
        if not _alike(found[column], wanted):
            raise _other_type(side, where, found[column], wanted)
    extra = [column for column in found if column not in table.columns]
    if not extra:
        return []
    return [f"{side}: columns that the specification lacks are ignored: {', '.join(extra)}"]


def conform(rows: pa.Table, table: TableSpec, name: str, side: str) -> pa.Table:
    """Return the rows with the columns and types of the specification.

    Values are never changed: whole floats become integers, other floats raise.

    Args:
        rows: Rows that :func:`check_columns` found fit.
        table: What they should look like.
        name: The table's name, for messages.
        side: What the rows are, as ``synthetic``, for messages.

    Raises:
        SpecError: A column holds a value that its type can't; names it.
    """
    columns: dict[str, pa.ChunkedArray] = {}
    for column, spec in table.columns.items():
        values, wanted = rows.column(column), plain_type(spec.arrow_type())
        if not values.type.equals(wanted):
            try:
                values = values.cast(wanted)
            except pa.ArrowException as error:
                where = f"{name}.{column}"
                raise _other_type(side, where, values.type, wanted, str(error)) from error
        columns[column] = values
    return pa.table(columns)


def _alike(found: pa.DataType, wanted: pa.DataType) -> bool:
    found, wanted = _value_type(found), _value_type(wanted)
    if found.equals(wanted) or types.is_null(found) or types.is_null(wanted):
        return True
    family = _family(found)
    return family is not None and family == _family(wanted)


def _value_type(arrow_type: pa.DataType) -> pa.DataType:
    return arrow_type.value_type if types.is_dictionary(arrow_type) else arrow_type


def _family(arrow_type: pa.DataType) -> str | None:
    for family, members in _FAMILIES:
        if any(member(arrow_type) for member in members):
            return family
    return None


def _other_type(
    side: str, where: str, found: pa.DataType, wanted: pa.DataType, why: str = ""
) -> SpecError:
    return SpecError(
        f"the {side} data has {found}, the specification {wanted}",
        where=where,
        why=why,
        mend="Give both as the same type, or detect the specification from the real data anew",
    )
