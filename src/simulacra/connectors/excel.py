"""Excel workbooks: every sheet a table, its first row the names."""

from __future__ import annotations

import datetime as dt
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pyarrow as pa

from simulacra.connectors.files import Place, parse_options, place_of
from simulacra.connectors.publish import staged, sync, writing
from simulacra.core.batches import check_names
from simulacra.core.context import RunContext
from simulacra.core.errors import OutputError
from simulacra.core.protocols import BatchSource, Config, TableWriter
from simulacra.core.schema import DatasetSpec

if TYPE_CHECKING:
    from openpyxl import Workbook

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MOST_ROWS = 1_048_576
_MOST_COLUMNS = 16_384
_MOST_CHARACTERS = 32_767
_MOST_WHOLE = 2**53
_MOST_SHEET_NAME = 31


class ExcelOptions(Config):
    """Excel workbooks have no options."""


class Excel:
    """Reads and writes Excel workbooks."""

    name: ClassVar[str] = "excel"
    suffixes: ClassVar[tuple[str, ...]] = (".xlsx", ".xlsm")
    schemes: ClassVar[tuple[str, ...]] = ()

    def read(
        self, uri: str, options: Mapping[str, Any], ctx: RunContext
    ) -> Mapping[str, BatchSource]:
        """Open every sheet that is not empty, reading each once to find out its columns' types.

        Raises:
            InputError: It is no workbook, or a column mixes types.
        """
        from simulacra.connectors.excel_source import open_sheets

        parse_options(ExcelOptions, options, self.name)
        return open_sheets(place_of(uri), ctx)

    def writer(
        self, uri: str, table: str, schema: pa.Schema, options: Mapping[str, Any], ctx: RunContext
    ) -> TableWriter:
        """Return a writer of a workbook with one sheet.

        Raises:
            OutputError: A type can't be kept, or there are too many columns.
        """
        del ctx
        parse_options(ExcelOptions, options, self.name)
        return BookWriter(place_of(uri), table, schema)

    @contextmanager
    def publish(
        self,
        uri: str,
        tables: Mapping[str, pa.Schema],
        spec: DatasetSpec | None,
        options: Mapping[str, Any],
        ctx: RunContext,
    ) -> Iterator[Mapping[str, TableWriter]]:
        """Give writers of the sheets of one workbook, which appears when all are done.

        Raises:
            OutputError: A type can't be kept, or there are too many columns.
        """
        del ctx, spec
        parse_options(ExcelOptions, options, self.name)
        with _open_book(place_of(uri)) as book:
            yield {name: SheetWriter(book, name, schema, uri) for name, schema in tables.items()}


@contextmanager
def _open_book(place: Place) -> Iterator[Workbook]:
    from openpyxl import Workbook

    with writing(place.uri), staged(place) as path:
        book = Workbook(write_only=True)
        try:
            yield book
            _save(book, path)
        except BaseException:
            _drop_sheets(book)
            raise
        sync(path)


def _save(book: Workbook, path: Path) -> None:
    from openpyxl.writer.excel import ExcelWriter

    with path.open("wb") as file:
        archive = _Archive(file, "w", zipfile.ZIP_DEFLATED)
        book.properties.created = book.properties.modified = dt.datetime(*_EPOCH)  # noqa: DTZ001 - Excel has no zones
        try:
            ExcelWriter(book, archive).save()
        except BaseException:
            archive.fp = None  # else it writes once more when it is collected
            raise


class _Archive(zipfile.ZipFile):
    """A zip file that doesn't say when it was made: the same rows give the same bytes."""

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        info = zipfile.ZipInfo(str(zinfo_or_arcname), _EPOCH)
        super().writestr(info, data, zipfile.ZIP_DEFLATED)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        info = zipfile.ZipInfo(str(arcname), _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        with Path(filename).open("rb") as source, self.open(info, "w", force_zip64=True) as member:
            shutil.copyfileobj(source, member)


def _drop_sheets(book: Workbook) -> None:
    """Delete the temporary files in which openpyxl keeps the sheets until it saves them."""
    from openpyxl.utils.exceptions import WorkbookAlreadySaved

    for sheet in book.worksheets:
        writer = getattr(sheet, "_writer", None)
        if writer is not None:
            # The disk may be full, or some sheets saved before another failed.
            with suppress(OSError, WorkbookAlreadySaved):
                sheet.close()
            with suppress(FileNotFoundError):
                writer.cleanup()


class SheetWriter:
    """Writes one sheet of a workbook that somebody else saves.

    Args:
        book: The workbook.
        table: The table's name, which the sheet takes.
        schema: Its columns.
        where: The workbook's place, for messages.
    """

    def __init__(self, book: Workbook, table: str, schema: pa.Schema, where: str) -> None:
        check_names(schema, table)
        _check_sheet(table, schema, where)
        self._where = where
        self._table = table
        self._schema = schema
        self._rows = 1
        self._sheet = book.create_sheet(table)
        self._sheet.append(schema.names)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows.

        Raises:
            OutputError: There are more than Excel holds, or a value is beyond what a cell holds.
        """
        from openpyxl.utils.exceptions import IllegalCharacterError

        self._rows += batch.num_rows
        if self._rows > _MOST_ROWS:
            raise OutputError(
                f"Excel holds {_MOST_ROWS - 1:,} rows a sheet",
                where=f"{self._where}.{self._table}",
                mend="Draw fewer rows, or write CSV or Parquet",
            )
        columns = [
            self._cells(name, column)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        with writing(self._where):
            try:
                for row in zip(*columns, strict=True):
                    self._sheet.append(row)
            except IllegalCharacterError as error:
                raise self._refusal(
                    f"Excel can't hold the control character in {str(error)!r}"
                ) from None

    def _cells(self, name: str, values: pa.Array) -> list[Any]:
        kind = values.type
        cells: list[Any] = values.to_pylist()
        if pa.types.is_integer(kind):
            if any(cell is not None and abs(cell) > _MOST_WHOLE for cell in cells):
                raise self._refusal("Excel rounds whole numbers beyond 2^53", name)
        elif pa.types.is_floating(kind):
            cells = [None if cell is None or cell != cell else cell for cell in cells]  # noqa: PLR0124
            if any(cell in {float("inf"), float("-inf")} for cell in cells):
                raise self._refusal("Excel has no infinity", name)
        elif pa.types.is_timestamp(kind):
            cells = [None if cell is None else _excel_time(cell) for cell in cells]
        else:
            for cell in cells:
                if isinstance(cell, str) and len(cell) > _MOST_CHARACTERS:
                    raise self._refusal(f"a text has {len(cell):,} characters", name)
            cells = [self._as_text(cell) if _looks_special(cell) else cell for cell in cells]
        return cells

    def _as_text(self, text: str) -> Any:
        from openpyxl.cell import WriteOnlyCell

        cell = WriteOnlyCell(self._sheet, text)
        cell.data_type = "s"
        return cell

    def _refusal(self, what: str, column: str | None = None) -> OutputError:
        where = f"{self._table}.{column}" if column is not None else self._table
        return OutputError(what, where=where, mend="Write CSV or Parquet")

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End; the workbook is saved by who opened it."""


class BookWriter:
    """Writes a workbook with one sheet.

    Args:
        place: Where it shall appear.
        table: The sheet's name.
        schema: Its columns.
    """

    def __init__(self, place: Place, table: str, schema: pa.Schema) -> None:
        _check_sheet(table, schema, place.uri)
        self._place = place
        self._how = (table, schema, place.uri)
        self._stack = ExitStack()

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        self._sheet.write(batch)

    def __enter__(self) -> Self:
        """Open the workbook."""
        with ExitStack() as stack:
            book = stack.enter_context(_open_book(self._place))
            self._sheet = SheetWriter(book, *self._how)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Publish the output, or drop it after an exception."""
        self._stack.__exit__(*exc_info)  # type: ignore[arg-type]


def _looks_special(cell: Any) -> bool:
    """Say whether openpyxl would take a text for a formula or an error."""
    return isinstance(cell, str) and cell.startswith(("=", "#"))


def _excel_time(moment: Any) -> Any:
    """Return a moment without its zone: Excel has none, the wall clock stays."""
    plain = moment if isinstance(moment, dt.datetime) else moment.to_pydatetime()
    return plain.replace(tzinfo=None)


def _check_sheet(table: str, schema: pa.Schema, where: str) -> None:
    if len(schema) > _MOST_COLUMNS:
        raise OutputError(
            f"Excel holds {_MOST_COLUMNS:,} columns, the table has {len(schema):,}",
            where=f"{where}.{table}",
            mend="Write CSV or Parquet",
        )
    if len(table) > _MOST_SHEET_NAME or set(table) & set(r"\/*?:[]") or not table:
        raise OutputError(
            f"a sheet can't be called {table!r}",
            where=where,
            why=f"Excel wants 1 to {_MOST_SHEET_NAME} characters, none of \\ / * ? : [ ]",
            mend="Rename the table",
        )
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if not _fits_cell(kind):
            raise OutputError(
                f"Excel can't hold a column of {field.type}",
                where=f"{table}.{field.name}",
                mend="Write Parquet, which keeps all types",
            )


def _fits_cell(kind: pa.DataType) -> bool:
    checks = (
        pa.types.is_null,
        pa.types.is_boolean,
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_temporal,
    )
    return any(check(kind) for check in checks)
