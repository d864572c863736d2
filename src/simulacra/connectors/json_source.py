"""Reads JSON lines out of core: once to learn the columns' types, then typed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pyarrow as pa
from pyarrow import json

from simulacra.connectors.files import Place, first_line, reading
from simulacra.connectors.text_writer import compression_of
from simulacra.core.batches import check_names
from simulacra.core.context import RunContext
from simulacra.core.errors import InputError
from simulacra.core.protocols import BLOCK_ROWS

_BLOCK_BYTES = 8 << 20
_BLOCK_MEMORY_SHARE = 0.1
_ROW_OF_MESSAGE = re.compile(r" in row (\d+)")


class JsonSource:
    """A table in a file that holds a JSON object a line.

    Opening it reads the file once, in bounded memory, and unites the types of all rows: integers
    and floats make a float; a key that is missing is null; objects and lists stay nested; texts
    stay texts, dates too.

    Args:
        place: The file.
        ctx: Limits and progress.

    Raises:
        InputError: A line is no JSON object, or a key's values are of types that can't be united.
    """

    def __init__(self, place: Place, ctx: RunContext) -> None:
        self._place = place
        self._compression = compression_of(place.name)
        self._most_line = int(ctx.limits.memory * _BLOCK_MEMORY_SHARE)
        self._version = place.version()
        self._schema, self._rows = self._look_through(ctx)
        check_names(self._schema, place.uri)

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns, in the order in which they first occur."""
        return self._schema

    def rows(self) -> int:
        """Return the number of rows."""
        return self._rows

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
        schema = pa.schema([self._schema.field(name) for name in names])
        options = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
        for line, block in self._blocks():
            rows = self._parse(block, options, line).select(names)
            yield from rows.to_batches(max_chunksize=batch_rows)

    def _look_through(self, ctx: RunContext) -> tuple[pa.Schema, int]:
        schema, rows = pa.schema([]), 0
        title = f"Finding the types of {self._place.name}"
        with ctx.progress.task(title) as task:
            for line, block in self._blocks():
                found = self._parse(block, json.ParseOptions(), line)
                self._check_utf8(found, line)
                schema = self._united(schema, _with_texts(found.schema))
                rows += found.num_rows
                task.advance(found.num_rows)
        if not rows:
            raise InputError("the file is empty", where=self._place.uri)
        return schema, rows

    def _check_utf8(self, rows: pa.Table, line: int) -> None:
        try:
            rows.validate(full=True)
        except pa.ArrowException as error:
            raise InputError(
                f"a text after line {line:,} is not UTF-8",
                where=self._place.uri,
                mend="JSON is UTF-8; convert the file",
            ) from error

    def _united(self, known: pa.Schema, found: pa.Schema) -> pa.Schema:
        try:
            return pa.unify_schemas([known, found], promote_options="permissive")
        except pa.ArrowException:
            for field in found:
                if field.name in known.names:
                    self._check_unites(known.field(field.name), field)
            raise

    def _check_unites(self, known: pa.Field, found: pa.Field) -> None:
        try:
            pa.unify_schemas([pa.schema([known]), pa.schema([found])], promote_options="permissive")
        except pa.ArrowException as error:
            raise InputError(
                "the column mixes types",
                where=f"{self._place.uri}.{found.name}",
                why=f"{known.type} and {found.type}",
                mend="Write all its values as one type",
            ) from error

    def _parse(self, block: pa.Buffer, options: json.ParseOptions, line: int) -> pa.Table:
        read = json.ReadOptions(block_size=max(len(block), 1))
        try:
            return json.read_json(pa.BufferReader(block), read, options)
        except pa.ArrowException as error:
            message = first_line(error)
            row = _ROW_OF_MESSAGE.search(message)
            where = f" at line {line + int(row[1]):,}" if row else f" after line {line:,}"
            raise InputError(
                f"the file can't be read{where}",
                where=self._place.uri,
                why=_ROW_OF_MESSAGE.sub("", message).rstrip("."),
                mend="Each line must be one JSON object, each key's values of one type",
            ) from error

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield blocks of whole lines, each with the number of its first line."""
        line, rest = 1, b""
        with reading(self._place.uri), self._place.stream(self._compression) as stream:
            while more := stream.read(_BLOCK_BYTES):
                data = rest + more
                end = data.rfind(b"\n") + 1
                block, rest = data[:end], data[end:]
                if len(rest) > self._most_line:
                    raise InputError(
                        f"line {line:,} is longer than {self._most_line / 2**20:.0f} MiB",
                        where=self._place.uri,
                        mend="Write one object a line, not one list",
                    )
                if block.strip():
                    yield line, block
                line += block.count(b"\n")
            if rest.strip():
                yield line, rest


def _with_texts(schema: pa.Schema) -> pa.Schema:
    """Take back Arrow's guess that a text is a time: a datatype finds its format, all rows seen."""
    return pa.schema([field.with_type(_with_text(field.type)) for field in schema])


def _with_text(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_with_text(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(_with_text(kind.value_type))
    return kind
