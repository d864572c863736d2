"""Tables of formats that keep few types, read with the types that a specification says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.errors import InputError
from simulacra.core.protocols import BLOCK_ROWS, BatchSource
from simulacra.core.schema import TableSpec
from simulacra.pipeline.plain import plain_type


class TypedSource:
    """A source whose columns become of the types of a specification.

    Columns that can't become so stay as they are.

    Args:
        source: The rows.
        table: What they are.
        where: The table's name, for messages.
    """

    def __init__(self, source: BatchSource, table: TableSpec, where: str) -> None:
        self._source = source
        self._where = where
        wanted = {name: column.arrow_type() for name, column in table.columns.items()}
        fields = [
            field.with_type(wanted[field.name])
            if field.name in wanted and _can_become(field.type, wanted[field.name])
            else field
            for field in source.schema
        ]
        self.schema: pa.Schema = pa.schema(fields, metadata=source.schema.metadata)

    def rows(self) -> int | None:
        """Return the number of rows, if known."""
        return self._source.rows()

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order.

        Raises:
            InputError: A value is none of the specification's type; names the column.
        """
        names = self.schema.names if columns is None else list(columns)
        schema = pa.schema([self.schema.field(name) for name in names], self.schema.metadata)
        for batch in self._source.batches(columns, batch_rows=batch_rows):
            arrays = [
                self._cast(name, values, kind)
                for name, values, kind in zip(names, batch.columns, schema.types, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _cast(self, name: str, values: pa.Array, kind: pa.DataType) -> pa.Array:
        if values.type == kind:
            return values
        try:
            return _become(values, kind)
        except pa.ArrowException as error:
            raise InputError(
                f"a value of {values.type} is no {kind}, which the specification says",
                where=f"{self._where}.{name}",
                why=str(error).splitlines()[0],
                mend="Correct the value, or the specification beside the tables",
            ) from error


def typed(source: BatchSource, table: TableSpec | None, where: str) -> BatchSource:
    """Return the source itself, or one whose columns are of the types that a specification says."""
    if table is None:
        return source
    made = TypedSource(source, table, where)
    is_plain = [plain_type(kind) for kind in source.schema.types] == made.schema.types
    return source if is_plain or made.schema.types == source.schema.types else made


def _can_become(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Say whether values can become of a type without losing what they say."""
    if pa.types.is_temporal(found) and found.id != wanted.id:
        return False
    if pa.types.is_boolean(wanted) and not _is_loose(found):
        return False
    try:
        _become(pa.array([], found), wanted)
    except (pa.ArrowException, TypeError):
        return False
    return True


def _is_loose(kind: pa.DataType) -> bool:
    tests = (pa.types.is_null, pa.types.is_string, pa.types.is_large_string)
    return any(test(kind) for test in tests)


def _become(values: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pc.dictionary_encode(_become(values, kind.value_type)).cast(kind)
    if pa.types.is_time(kind) and not (pa.types.is_time(values.type) or values.type == pa.null()):
        day = pa.scalar("1970-01-01", pa.large_string())
        moments = pc.binary_join_element_wise(
            day, values.cast(pa.large_string()), pa.scalar(" ", pa.large_string())
        )
        return moments.cast(pa.timestamp(kind.unit)).cast(kind)
    if pa.types.is_decimal(kind) and pa.types.is_integer(values.type):
        # Arrow wants room for every number of the type, not only for those that are there.
        return values.cast(pa.string()).cast(kind)
    if pa.types.is_floating(kind) and pa.types.is_decimal(values.type):
        return values.cast(pa.string()).cast(kind)
    return values.cast(kind)
