"""Reads CSV out of core: once to learn the types of the columns, then typed, as often as wanted."""

from __future__ import annotations

import csv as stdlib_csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from simulacra.connectors import csv_sniff
from simulacra.connectors.csv_sniff import HEAD_BYTES, UTF_8, Dialect
from simulacra.connectors.csv_style import CsvOptions, CsvStyle
from simulacra.connectors.csv_types import NULL_TOKENS, TRUTHS, ColumnType, TypeTally
from simulacra.connectors.files import Place, first_line, reading
from simulacra.connectors.text_writer import compression_of
from simulacra.core.batches import check_names
from simulacra.core.context import RunContext
from simulacra.core.errors import InputError
from simulacra.core.protocols import BLOCK_ROWS

_BLOCK_BYTES = 4 << 20
_BLOCK_MEMORY_SHARE = 0.1
_TAIL_BYTES = 64


@dataclass(frozen=True, slots=True)
class _Survey:
    types: tuple[ColumnType, ...]
    rows: int
    block_bytes: int


class _NotUtf8(Exception):  # noqa: N818 - a finding, answered by another encoding
    """The file is not in the encoding that its first megabyte is in."""


class CsvSource:
    """A table in a CSV file.

    Opening it reads the file once, in bounded memory, and decides each column's type over all rows
    (see :mod:`simulacra.connectors.csv_types`). Every later pass parses only the columns wanted.

    Args:
        place: The file.
        options: What is known of how it is written; the rest is sniffed.
        ctx: Limits and progress.

    Raises:
        InputError: The file is empty, ragged, not in its encoding, or names a column twice.
    """

    def __init__(self, place: Place, options: CsvOptions, ctx: RunContext) -> None:
        self._place = place
        self._compression = compression_of(place.name)
        self._most_block = int(ctx.limits.memory * _BLOCK_MEMORY_SHARE)
        self._version = place.version()
        self._dialect = self._sniff(options)
        check_names(pa.schema([(name, pa.null()) for name in self._dialect.names]), place.uri)
        try:
            self._survey = self._look_through(ctx)
        except _NotUtf8:
            options = options.model_copy(update={"encoding": self._other_encoding()})
            ctx.progress.note(f"{place.uri}: not UTF-8, read as {options.encoding}")
            self._dialect = self._sniff(options)
            self._survey = self._look_through(ctx)
        if self._dialect.encoding in {"cp1252", "latin-1"} and options.encoding is None:
            ctx.progress.note(f"{place.uri}: not UTF-8, read as {self._dialect.encoding}")
        style = CsvStyle.of(self._dialect, self._survey.types)
        self._schema = pa.schema(
            [
                pa.field(name, column.type)
                for name, column in zip(self._dialect.names, self._survey.types, strict=True)
            ],
            {CsvStyle.KEY: json.dumps(style.to_json())},
        )

    def _sniff(self, options: CsvOptions) -> Dialect:
        with reading(self._place.uri), self._place.stream(self._compression) as stream:
            head = stream.read(HEAD_BYTES)
            is_whole = not stream.read(1)
        return csv_sniff.sniff(
            head,
            where=self._place.uri,
            is_whole=is_whole,
            delimiter=options.delimiter,
            quote=options.quote,
            encoding=options.encoding,
            has_header=options.header,
        )

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns; the metadata says how the file is written."""
        return self._schema

    def rows(self) -> int:
        """Return the number of rows."""
        return self._survey.rows

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order, parsing only the columns wanted.

        Raises:
            InputError: The file was changed since it was opened.
        """
        if self._place.version() != self._version:
            raise InputError(
                "the file was changed while it was read", where=self._place.uri, mend="Start again"
            )
        names = self._schema.names if columns is None else list(columns)
        schema = pa.schema([self._schema.field(name) for name in names], self._schema.metadata)
        positions = [self._schema.names.index(name) for name in names]
        types = [self._survey.types[i] for i in positions]
        parsed = {i: _parsed_type(self._survey.types[i]) for i in positions}
        with reading(self._place.uri):
            for block in self._blocks(parsed, self._survey.block_bytes):
                arrays = [
                    _clean(block.column(str(i)), kind)
                    for i, kind in zip(positions, types, strict=True)
                ]
                batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
                for start in range(0, batch.num_rows, batch_rows):
                    yield batch.slice(start, batch_rows)

    def _blocks(self, types: dict[int, pa.DataType], block_bytes: int) -> Iterator[pa.RecordBatch]:
        """Yield the file's blocks; columns are called by their position."""
        dialect = self._dialect
        if dialect.is_bare_header:
            return  # Arrow takes it for a row without an end
        read = csv.ReadOptions(
            column_names=[str(i) for i in range(len(dialect.names))],
            skip_rows_after_names=int(dialect.has_header),
            block_size=block_bytes,
        )
        parse = csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote,
            newlines_in_values=True,
            # An empty line is a null in a table of one column, nothing in others.
            ignore_empty_lines=len(dialect.names) > 1,
        )
        convert = csv.ConvertOptions(
            column_types={str(i): kind for i, kind in types.items()},
            include_columns=[str(i) for i in types],
            null_values=[""],
            true_values=[true for true, _ in TRUTHS],
            false_values=[false for _, false in TRUTHS],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )
        with self._utf8() as stream, csv.open_csv(stream, read, parse, convert) as blocks:
            yield from blocks

    @contextmanager
    def _utf8(self) -> Iterator[pa.NativeFile]:
        """Open the file's text from its start."""
        with self._place.stream(self._compression) as stream:
            if self._dialect.encoding in {UTF_8, "utf-8-sig"}:
                yield stream
            else:
                yield pa.transcoding_input_stream(stream, self._dialect.encoding, UTF_8)

    def _look_through(self, ctx: RunContext) -> _Survey:
        block_bytes = min(_BLOCK_BYTES, self._most_block)
        while True:
            try:
                return self._survey_with(block_bytes, ctx)
            except pa.ArrowInvalid as error:
                message = first_line(error)
                if "straddling" in message:  # a row is longer than a block
                    block_bytes = self._larger(block_bytes)
                    continue
                if "UTF8" in message:
                    raise _NotUtf8 from error
                raise self._unparseable(message) from error
            except UnicodeError as error:
                raise self._undecodable() from error
            except OSError as error:
                why = error.strerror or first_line(error)
                raise InputError("can't read", where=self._place.uri, why=why) from error

    def _larger(self, block_bytes: int) -> int:
        if 2 * block_bytes > self._most_block:
            raise InputError(
                f"a row is longer than {block_bytes / 2**20:.0f} MiB",
                where=self._place.uri,
                why="a quote may not be closed",
                mend="Mend the file, or raise the memory budget",
            )
        return 2 * block_bytes

    def _survey_with(self, block_bytes: int, ctx: RunContext) -> _Survey:
        tallies = [TypeTally() for _ in self._dialect.names]
        rows, last = 0, None
        types = dict.fromkeys(range(len(tallies)), pa.string())
        title = f"Finding the types of {self._place.name}"
        with ctx.progress.task(title) as task:
            for block in self._blocks(types, block_bytes):
                rows += block.num_rows
                for tally, cells in zip(tallies, block.columns, strict=True):
                    tally.update(cells)
                    last = cells
                task.advance(block.num_rows)
        if last is not None and len(last) and set(last[-1].as_py() or "") & set("\r\n"):
            self._check_end()
        return _Survey(tuple(tally.finish() for tally in tallies), rows, block_bytes)

    def _check_end(self) -> None:
        """Refuse a file whose last cell holds line breaks, so opened a quote, but closed none."""
        tail = b""
        with self._utf8() as stream:
            while more := stream.read(_BLOCK_BYTES):
                tail = (tail + more)[-_TAIL_BYTES:]
        if not tail.rstrip(b"\r\n").endswith(self._dialect.quote.encode()):
            raise InputError(
                "a quote is not closed",
                where=self._place.uri,
                mend=f"Close it, or double {self._dialect.quote} where it stands in a text",
            )

    def _unparseable(self, message: str) -> InputError:
        wanted = len(self._dialect.names)
        for line, row in self._text_rows():
            if row and len(row) != wanted:
                return InputError(
                    f"line {line:,} has {len(row)} cells, the first line has {wanted}",
                    where=self._place.uri,
                    mend="Mend the line, or give the options delimiter and quote",
                )
        return InputError("the file can't be parsed", where=self._place.uri, why=message)

    def _text_rows(self) -> Iterator[tuple[int, list[str]]]:
        with (
            self._place.stream(self._compression) as stream,
            io.TextIOWrapper(stream, self._dialect.encoding, errors="replace", newline="") as text,
        ):
            reader = csv_sniff.reader_of(text, self._dialect.delimiter, self._dialect.quote)
            line = 1
            try:
                for row in reader:
                    yield line, row
                    line = reader.line_num + 1
            except stdlib_csv.Error:
                return  # a cell beyond all measure: what Arrow said must do

    def _other_encoding(self) -> str:
        """Return a western encoding if nothing before the first bad byte was beyond ASCII.

        Raises:
            InputError: Something was, in UTF-8: the file is damaged, not in another encoding.
        """
        bad, line = self._first_bad_line()
        if bad is None:
            raise csv_sniff.bad_bytes(self._place.uri, line, self._dialect.encoding)
        return csv_sniff.western(bad)

    def _undecodable(self) -> InputError:
        _, line = self._first_bad_line()
        return csv_sniff.bad_bytes(self._place.uri, line, self._dialect.encoding)

    def _first_bad_line(self) -> tuple[bytes | None, int]:
        """Return the first line that is not in the encoding, None if non-ASCII came before it."""
        with self._place.stream(self._compression) as stream:
            is_ascii = True
            for line, text in enumerate(io.BufferedReader(stream), start=1):
                try:
                    text.decode(self._dialect.encoding)
                except UnicodeDecodeError:
                    return (text if is_ascii else None), line
                is_ascii = is_ascii and text.isascii()
        return None, 1


def _parsed_type(column: ColumnType) -> pa.DataType:
    return pa.string() if column.needs_cleaning else column.type


def _clean(cells: pa.Array, column: ColumnType) -> pa.Array:
    """Turn null tokens and quoted empty cells among numbers into nulls, the rest into numbers."""
    if not column.needs_cleaning:
        return cells
    trimmed = pc.utf8_trim_whitespace(cells)
    is_null = pc.is_in(trimmed, pa.array(["", *NULL_TOKENS]))
    kept = pc.if_else(is_null, pa.scalar(None, pa.string()), trimmed)
    if pa.types.is_boolean(column.type):
        return pc.equal(kept, column.truth[0])
    return kept.cast(column.type)
