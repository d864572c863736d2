"""Reads the sheets of Excel workbooks a row at a time."""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from simulacra.connectors.files import Place, reading
from simulacra.core.batches import check_names
from simulacra.core.context import RunContext
from simulacra.core.errors import InputError
from simulacra.core.protocols import BLOCK_ROWS

if TYPE_CHECKING:
    from openpyxl import Workbook

_TYPES: tuple[tuple[frozenset[type], pa.DataType], ...] = (
    (frozenset({bool}), pa.bool_()),
    (frozenset({int}), pa.int64()),
    (frozenset({int, float}), pa.float64()),
    (frozenset({str}), pa.string()),
    (frozenset({dt.date}), pa.date32()),
    (frozenset({dt.date, dt.datetime}), pa.timestamp("us")),
    (frozenset({dt.time}), pa.time64("us")),
    (frozenset({dt.timedelta}), pa.duration("us")),
)
_ERRORS = frozenset(
    ("#N/A", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA")
)


def open_sheets(place: Place, ctx: RunContext) -> Mapping[str, SheetSource]:
    """Open the sheets of a workbook that are not empty.

    Raises:
        InputError: It is no workbook, all its sheets are empty, or a column mixes types.
    """
    with _open_book(place) as book:
        names = [sheet.title for sheet in book.worksheets if _first_row(sheet) is not None]
    if not names:
        raise InputError("the workbook is empty", where=place.uri, mend="Give one with a header")
    return {name: SheetSource(place, name, ctx) for name in names}


class SheetSource:
    """A table in a sheet, with names in its first row.

    Empty cells, and those with an error like ``#N/A``, are null; whole numbers are integers unless
    the column has others; moments at midnight all are dates.

    Args:
        place: The workbook.
        sheet: The sheet's name.
        ctx: Limits and progress.

    Raises:
        InputError: A column mixes types or has no name, or names repeat.
    """

    def __init__(self, place: Place, sheet: str, ctx: RunContext) -> None:
        self._place = place
        self._sheet = sheet
        self._where = f"{place.uri}.{sheet}"
        with _open_book(place) as book:
            first = _first_row(book[sheet]) or ()
            self._names = _names(first, self._where)
            self._types, self._rows = self._look_through(book, ctx)
        self._schema = pa.schema(list(zip(self._names, self._types, strict=True)))
        check_names(self._schema, self._where)

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns."""
        return self._schema

    def rows(self) -> int:
        """Return the number of rows."""
        return self._rows

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order."""
        names = self._schema.names if columns is None else list(columns)
        schema = pa.schema([self._schema.field(name) for name in names])
        places = [self._schema.names.index(name) for name in names]
        with reading(self._place.uri), _open_book(self._place) as book:
            rows = self._body(book)
            while taken := list(islice(rows, batch_rows)):
                arrays = [
                    pa.array([_as_type(row[i], field.type) for row in taken], field.type)
                    for i, field in zip(places, schema, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _body(self, book: Workbook) -> Iterator[tuple[Any, ...]]:
        """Yield the rows below the names, as wide as these, without empty rows at the end."""
        width = len(self._names)
        pending = 0
        for number, cells in enumerate(
            book[self._sheet].iter_rows(min_row=2, values_only=True), start=2
        ):
            row = tuple(_value(cell) for cell in cells[:width])
            if any(cell is not None for cell in cells[width:]):
                raise InputError(
                    f"row {number:,} has more cells than the first row has names",
                    where=self._where,
                    mend="Name every column in the first row",
                )
            if all(cell is None for cell in row):
                pending += 1
                continue
            for _ in range(pending):
                yield (None,) * width
            pending = 0
            yield row + (None,) * (width - len(row))

    def _look_through(self, book: Workbook, ctx: RunContext) -> tuple[list[pa.DataType], int]:
        kinds: list[dict[type, int]] = [{} for _ in self._names]
        rows = 0
        with ctx.progress.task(f"Finding the types of {self._sheet}") as task:
            for row in self._body(book):
                rows += 1
                task.advance()
                for seen, cell in zip(kinds, row, strict=True):
                    if cell is not None:
                        seen.setdefault(_kind(cell), rows + 1)
        types = [self._type(name, seen) for name, seen in zip(self._names, kinds, strict=True)]
        return types, rows

    def _type(self, name: str, seen: Mapping[type, int]) -> pa.DataType:
        if not seen:
            return pa.null()
        for kinds, arrow_type in _TYPES:
            if kinds.issuperset(seen):
                return arrow_type
        found = ", ".join(f"{kind.__name__} in row {row:,}" for kind, row in seen.items())
        raise InputError(
            "the column mixes types",
            where=f"{self._where}.{name}",
            why=found,
            mend="Give all its cells one type",
        )


def _value(cell: Any) -> Any:
    return None if isinstance(cell, str) and cell in _ERRORS else cell


def _kind(cell: Any) -> type:
    if isinstance(cell, dt.datetime):
        return dt.date if cell.time() == dt.time() else dt.datetime
    if isinstance(cell, int) and not isinstance(cell, bool) and not -(2**63) <= cell < 2**63:
        return float
    return type(cell)


def _as_type(cell: Any, wanted: pa.DataType) -> Any:
    if isinstance(cell, dt.datetime) and pa.types.is_date(wanted):
        return cell.date()
    if isinstance(cell, int) and pa.types.is_floating(wanted):
        return float(cell)
    return cell


def _names(cells: Sequence[Any], where: str) -> list[str]:
    names = list(cells)
    while names and names[-1] is None:
        names.pop()
    for i, name in enumerate(names, start=1):
        if name is None:
            raise InputError(
                f"column {i} has no name", where=where, mend="Name every column in the first row"
            )
    return [str(name) for name in names]


def _first_row(sheet: Any) -> tuple[Any, ...] | None:
    row = next(sheet.iter_rows(max_row=1, values_only=True), ())
    return row if any(cell is not None for cell in row) else None


@contextmanager
def _open_book(place: Place) -> Iterator[Workbook]:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    if place.size() == 0:
        raise InputError("the file is empty", where=place.uri)
    with place.open() as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # styles that openpyxl can't keep
                book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError) as error:
            raise InputError(
                "this is no Excel workbook", where=place.uri, why=str(error)
            ) from error
        try:
            yield book
        finally:
            book.close()
