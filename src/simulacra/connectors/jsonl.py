"""JSON lines: one object a line, nested or not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.connectors.files import parse_options, place_of, split_suffix
from simulacra.connectors.text_writer import (
    TextWriter,
    around,
    as_text,
    holds_any,
    joined,
    with_compressions,
)
from simulacra.core.batches import check_names
from simulacra.core.context import RunContext
from simulacra.core.errors import OutputError
from simulacra.core.protocols import BatchSource, Config, TableWriter

_NULL = pa.scalar("null", pa.large_string())
_NOTHING = pa.scalar("", pa.large_string())
_QUOTE = pa.scalar('"', pa.large_string())
_SPECIAL = "".join(map(chr, range(32))) + '"\\'


class JsonLinesOptions(Config):
    """JSON lines have no options."""


class JsonLines:
    """Reads and writes JSON lines."""

    name: ClassVar[str] = "jsonl"
    suffixes: ClassVar[tuple[str, ...]] = with_compressions(".jsonl", ".ndjson")
    schemes: ClassVar[tuple[str, ...]] = ()

    def read(
        self, uri: str, options: Mapping[str, Any], ctx: RunContext
    ) -> Mapping[str, BatchSource]:
        """Open a file, reading it once to find out its columns' types.

        Raises:
            InputError: A line is no object, or a key's values are of types that can't be united.
        """
        from simulacra.connectors.json_source import JsonSource

        parse_options(JsonLinesOptions, options, self.name)
        place = place_of(uri)
        stem, _ = split_suffix(place.name, self.suffixes)
        return {stem: JsonSource(place, ctx)}

    def writer(
        self, uri: str, table: str, schema: pa.Schema, options: Mapping[str, Any], ctx: RunContext
    ) -> TableWriter:
        """Return a writer of one file; nulls are written, NaN and infinities become null.

        Raises:
            OutputError: A column is binary.
        """
        parse_options(JsonLinesOptions, options, self.name)
        check_names(schema, table)
        for field in schema:
            _check_type(field.type, f"{table}.{field.name}")
        return TextWriter(place_of(uri), b"", partial(_render, schema), ctx)


def _check_type(kind: pa.DataType, where: str) -> None:
    if pa.types.is_dictionary(kind):
        _check_type(kind.value_type, where)
    elif pa.types.is_struct(kind):
        for field in kind:
            _check_type(field.type, f"{where}.{field.name}")
    elif _is_list(kind):
        _check_type(kind.value_type, f"{where}[]")
    elif not (pa.types.is_primitive(kind) or _is_text(kind) or pa.types.is_null(kind)) and not (
        pa.types.is_decimal(kind)
    ):
        raise OutputError(
            f"JSON can't hold a column of {kind}",
            where=where,
            mend="Write Parquet, which keeps all types",
        )


def _render(schema: pa.Schema, batch: pa.RecordBatch) -> pa.Buffer:
    cells = []
    for i, (name, column) in enumerate(zip(schema.names, batch.columns, strict=True)):
        key = json.dumps(name, ensure_ascii=False)
        before = pa.scalar(f"{'{' if i == 0 else ', '}{key}: ", pa.large_string())
        cells.append(around(before, _as_json(column), _NOTHING))
    return joined(cells, "", "}\n")


def _as_json(values: pa.Array) -> pa.Array:
    """Return each value as JSON, of type ``large_string``, without nulls."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _as_json(values.dictionary_decode())
    if pa.types.is_nested(kind):
        return _nested(values)
    text = as_text(values)
    if pa.types.is_floating(kind):
        text = pc.if_else(pc.is_finite(values), text, _NULL)
    elif not (_is_number(kind) or pa.types.is_boolean(kind)):
        text = _quoted(text)
    return pc.fill_null(text, _NULL)


def _nested(values: pa.Array) -> pa.Array:
    if pa.types.is_struct(values.type):
        fields = [
            around(
                pa.scalar(
                    f"{', ' if i else ''}{json.dumps(field.name, ensure_ascii=False)}: ",
                    pa.large_string(),
                ),
                _as_json(column),
                _NOTHING,
            )
            for i, (field, column) in enumerate(zip(values.type, values.flatten(), strict=True))
        ]
        inside = pc.binary_join_element_wise(*fields, _NOTHING) if len(fields) > 1 else fields[0]
        text = around(pa.scalar("{", pa.large_string()), inside, pa.scalar("}", pa.large_string()))
    else:
        lists = values.cast(pa.large_list(values.type.value_type))
        starts = pc.subtract(lists.offsets, lists.offsets[0])
        items = pa.LargeListArray.from_arrays(starts, _as_json(lists.flatten()))
        inside = pc.binary_join(items, pa.scalar(", ", pa.large_string()))
        text = around(pa.scalar("[", pa.large_string()), inside, pa.scalar("]", pa.large_string()))
    return pc.if_else(pc.is_valid(values), text, _NULL)


def _quoted(text: pa.Array) -> pa.Array:
    """Put quotes around texts; the few that need it are escaped one by one."""
    plain = around(_QUOTE, text, _QUOTE)
    if not holds_any(text, _SPECIAL):
        return plain
    needs = pc.fill_null(pc.match_substring_regex(text, '[\\x00-\\x1f"\\\\]'), False)  # noqa: FBT003
    escaped = [json.dumps(value, ensure_ascii=False) for value in text.filter(needs).to_pylist()]
    return pc.replace_with_mask(plain, needs, pa.array(escaped, pa.large_string()))


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_duration(kind)
    )


def _is_text(kind: pa.DataType) -> bool:
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(check(kind) for check in checks)


def _is_list(kind: pa.DataType) -> bool:
    checks = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(check(kind) for check in checks)
