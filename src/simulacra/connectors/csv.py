"""CSV: read with whatever delimiter, quotes and encoding it has, written the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.connectors.csv_sniff import UTF_8
from simulacra.connectors.csv_style import CsvOptions, CsvStyle
from simulacra.connectors.files import parse_options, place_of, split_suffix
from simulacra.connectors.text_writer import (
    TextWriter,
    around,
    as_text,
    check_flat,
    holds_any,
    joined,
    with_compressions,
)
from simulacra.core.batches import check_names
from simulacra.core.context import RunContext
from simulacra.core.errors import OutputError
from simulacra.core.protocols import BatchSource, TableWriter


class Csv:
    """Reads and writes CSV."""

    name: ClassVar[str] = "csv"
    suffixes: ClassVar[tuple[str, ...]] = with_compressions(".csv", ".tsv")
    schemes: ClassVar[tuple[str, ...]] = ()

    def read(
        self, uri: str, options: Mapping[str, Any], ctx: RunContext
    ) -> Mapping[str, BatchSource]:
        """Open a file, reading it once to find out its columns' types.

        Raises:
            InputError: It is empty, ragged, not in its encoding, or names a column twice.
        """
        from simulacra.connectors.csv_source import CsvSource

        place = place_of(uri)
        chosen = parse_options(CsvOptions, options, self.name)
        stem, _ = split_suffix(place.name, self.suffixes)
        return {stem: CsvSource(place, chosen, ctx)}

    def writer(
        self, uri: str, table: str, schema: pa.Schema, options: Mapping[str, Any], ctx: RunContext
    ) -> TableWriter:
        """Return a writer of one file.

        Raises:
            OutputError: A column is nested or binary.
        """
        check_names(schema, table)
        check_flat(schema, "CSV", table)
        place = place_of(uri)
        chosen = parse_options(CsvOptions, options, self.name)
        delimiter = "\t" if ".tsv" in split_suffix(place.name, self.suffixes)[1] else None
        style = CsvStyle.for_writing(schema, chosen, delimiter=delimiter)
        encode = _encoder(style, table)
        head = pa.py_buffer(b"")
        if style.has_header:
            names = pa.array(schema.names, pa.large_string())
            cells = [_quoted(names.slice(i, 1), style) for i in range(len(names))]
            head = joined(cells, style.delimiter, style.line_end)
        mark = _MARKS.get(style.encoding, b"")
        return TextWriter(
            place, mark + bytes(encode(head)), lambda batch: encode(_render(batch, style)), ctx
        )


_MARKS = {"utf-8-sig": b"\xef\xbb\xbf", "utf-16": b"\xff\xfe", "utf-32": b"\xff\xfe\0\0"}
_UNMARKED = {"utf-8-sig": UTF_8, "utf-16": "utf-16-le", "utf-32": "utf-32-le"}


def _encoder(style: CsvStyle, table: str) -> Callable[[pa.Buffer], pa.Buffer]:
    encoding = _UNMARKED.get(style.encoding, style.encoding)

    def encode(text: pa.Buffer) -> pa.Buffer:
        if encoding == UTF_8:
            return text
        try:
            return pa.py_buffer(bytes(text).decode().encode(encoding))
        except UnicodeEncodeError as error:
            raise OutputError(
                f"{error.object[error.start : error.end]!r} can't be written in {encoding}",
                where=table,
                mend="Choose another encoding (option encoding, as utf-8)",
            ) from error

    return encode


def _render(batch: pa.RecordBatch, style: CsvStyle) -> pa.Buffer:
    cells = [
        _cells(name, column, style)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return joined(cells, style.delimiter, style.line_end)


def _cells(name: str, values: pa.Array, style: CsvStyle) -> pa.Array:
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if pa.types.is_boolean(kind) and name in style.truths:
        true, false = style.truths[name]
        text = pc.if_else(
            values, pa.scalar(true, pa.large_string()), pa.scalar(false, pa.large_string())
        )
    else:
        text = as_text(values, whole_bare=name in style.bare)
    if style.quoting == "all":
        return _quoted(pc.fill_null(text, style.nulls.get(name, "")), style)
    if _is_text(kind) or style.delimiter in _IN_NUMBERS:
        text = _quoted(text, style)
    return pc.fill_null(text, style.nulls.get(name, ""))


_IN_NUMBERS = "0123456789.-+: "


def _is_text(kind: pa.DataType) -> bool:
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(check(kind) for check in checks)


def _quoted(text: pa.Array, style: CsvStyle) -> pa.Array:
    """Quote the texts that would be read as something else: with delimiters, quotes, or empty."""
    special = f"{style.delimiter}{style.quote}\r\n"
    if style.quoting != "needed":
        needs = pc.is_valid(text)
    elif holds_any(text, special):
        pattern = "".join(f"\\x{{{ord(character):x}}}" for character in special)
        needs = pc.or_(pc.match_substring_regex(text, f"[{pattern}]"), pc.equal(text, ""))
    else:
        needs = pc.equal(text, "")
    needs = pc.fill_null(needs, False)  # noqa: FBT003 - a value, no flag
    if not pc.any(needs).as_py():
        return text
    quote = pa.scalar(style.quote, pa.large_string())
    doubled = pc.replace_substring(text.filter(needs), style.quote, style.quote * 2)
    return pc.replace_with_mask(text, needs, around(quote, doubled, quote))
