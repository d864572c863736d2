"""What is wanted of rows: fixed values, any of several, ranges, or rows known in part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.errors import SpecError, UsageError


@dataclass(frozen=True, slots=True)
class Between:
    """A range of values; null is outside.

    Attributes:
        least: The least value; no bound when None.
        most: The greatest value; no bound when None.
    """

    least: Any = None
    most: Any = None


def between(least: Any = None, most: Any = None) -> Between:
    """Return a range for ``given=``: from ``least`` to ``most``, both included.

    Raises:
        UsageError: Neither is given.
    """
    if least is None and most is None:
        raise UsageError("a range without bounds", mend="Give least, most or both")
    return Between(least, most)


@dataclass(frozen=True, slots=True)
class Condition:
    """What is wanted of the rows of one table.

    Attributes:
        fixed: Values that every row must have, one each, of the column's type.
        sets: Columns of which several values will do.
        rows: Rows of which a part is known: null where it isn't; None if all rows are alike.
        strict: Whether rows that fit must be found; if not, those that are nearest will do.
        complete: Whether what is drawn of the rows known in part must not be null.
    """

    fixed: Mapping[str, pa.Scalar]
    sets: Mapping[str, pa.Array | Between]
    rows: pa.Table | None = None
    strict: bool = True
    complete: bool = False

    @classmethod
    def of(cls, given: Mapping[str, Any] | pa.Table, schema: pa.Schema, where: str) -> Condition:
        """Read what a user gave.

        Args:
            given: By column a value (None: null), a list of values or a :class:`Between`; or rows,
                with null where a value is to be drawn.
            schema: The table's.
            where: Its name, for messages.

        Raises:
            SpecError: There is no such column, or a value is not of its type.
            UsageError: Nothing is given, or a list is empty.
        """
        names = given.column_names if isinstance(given, pa.Table) else list(given)
        for name in names:
            if name not in schema.names:
                raise SpecError(
                    "there is no such column to give",
                    where=f"{where}.{name}",
                    mend=f"Choose from {', '.join(schema.names)}",
                )
        if isinstance(given, pa.Table):
            return cls({}, {}, _cast_rows(given, schema, where))
        fixed: dict[str, pa.Scalar] = {}
        sets: dict[str, pa.Array | Between] = {}
        for name, value in given.items():
            kind, place = schema.field(name).type, f"{where}.{name}"
            if isinstance(value, Between):
                sets[name] = Between(
                    *(
                        None if bound is None else _cast([bound], kind, place)[0]
                        for bound in (value.least, value.most)
                    )
                )
            elif isinstance(value, Sequence | set | frozenset) and not isinstance(
                value, str | bytes
            ):
                if not value:
                    raise UsageError(f"{place}: no value of none", mend="Give one value or more")
                sets[name] = _cast(list(value), kind, place)
            else:
                fixed[name] = _cast([value], kind, place)[0]
        return cls(fixed, sets)

    @property
    def columns(self) -> frozenset[str]:
        """The columns that something is wanted of."""
        return frozenset((*self.fixed, *self.sets, *self.known))

    @property
    def known(self) -> list[str]:
        """The columns of the rows known in part, in their order."""
        return [] if self.rows is None else list(self.rows.column_names)

    @property
    def count(self) -> int:
        """How many rows are known in part."""
        return 0 if self.rows is None else int(self.rows.num_rows)

    def part(self, start: int, rows: int) -> dict[str, pa.Array]:
        """Return the known values of some rows, null where a value is to be drawn.

        Columns that are to be null are not among them: see ``fixed``.
        """
        known = {name: pa.repeat(v, rows) for name, v in self.fixed.items() if v.is_valid}
        if self.rows is not None:
            part = self.rows.slice(start, rows).combine_chunks()
            known |= {name: _whole(part.column(name)) for name in part.column_names}
        return known

    def accepts(self, batch: pa.RecordBatch, known: Mapping[str, pa.Array]) -> pa.BooleanArray:
        """Say which drawn rows are as wanted.

        Args:
            batch: Drawn rows.
            known: What is known of each, null where a value was to be drawn.
        """
        fits = pa.repeat(pa.scalar(value=True), batch.num_rows)
        for name, wanted in known.items():
            same = pc.fill_null(_equal(batch.column(name), wanted), fill_value=False)
            to_draw = batch.column(name).is_valid() if self.complete else wanted.is_null()
            fits = pc.and_(fits, pc.if_else(wanted.is_null(), to_draw, same))
        for name, value in self.fixed.items():
            if not value.is_valid:
                fits = pc.and_(fits, batch.column(name).is_null())
        for name, some in self.sets.items():
            fits = pc.and_(fits, _inside(batch.column(name), some))
        return fits


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _inside(values: pa.Array, some: pa.Array | Between) -> pa.BooleanArray:
    if isinstance(some, Between):
        found = values.is_valid()
        if some.least is not None:
            found = pc.and_(found, pc.greater_equal(values, some.least))
        if some.most is not None:
            found = pc.and_(found, pc.less_equal(values, some.most))
        return pc.fill_null(found, fill_value=False)
    return pc.is_in(values, value_set=some)


def _equal(values: pa.Array, wanted: pa.Array) -> pa.BooleanArray:
    if pa.types.is_dictionary(values.type):
        values, wanted = values.dictionary_decode(), wanted.cast(values.type).dictionary_decode()
    return pc.equal(values, wanted)


def _cast(values: list[Any], kind: pa.DataType, where: str) -> pa.Array:
    try:
        if all(value is None for value in values):
            return pa.nulls(len(values), kind)
        if pa.types.is_dictionary(kind):
            return pa.array(values).cast(kind.value_type).dictionary_encode().cast(kind)
        if any(isinstance(value, str) for value in values):
            return pa.array(values, pa.string()).cast(kind)
        return pa.array(values).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise SpecError(
            f"a value that is not of type {kind}",
            where=where,
            why=str(error).splitlines()[0],
        ) from error


def _cast_rows(rows: pa.Table, schema: pa.Schema, where: str) -> pa.Table:
    columns = {}
    for name in rows.column_names:
        kind = schema.field(name).type
        try:
            columns[name] = rows.column(name).cast(kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise SpecError(
                f"values that are not of type {kind}",
                where=f"{where}.{name}",
                why=str(error).splitlines()[0],
            ) from error
    return pa.table(columns)
