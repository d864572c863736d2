"""Writes formats made of lines of text: batches are rendered in threads, written in order."""

from __future__ import annotations

import gzip
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.connectors.files import Place
from simulacra.connectors.publish import staged, sync, writing
from simulacra.core.context import RunContext
from simulacra.core.errors import OutputError

COMPRESSIONS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
"""File endings that add a compression, and Arrow's names for them."""


def with_compressions(*suffixes: str) -> tuple[str, ...]:
    """Return the suffixes alone and with every compression's ending."""
    return tuple(suffix + compression for compression in ("", *COMPRESSIONS) for suffix in suffixes)


def compression_of(name: str) -> str | None:
    """Return Arrow's name for the compression that a file's ending tells."""
    lower = name.lower()
    return next((codec for end, codec in COMPRESSIONS.items() if lower.endswith(end)), None)


def _unpacked(data: bytes | pa.Buffer) -> bytes | pa.Buffer:
    return data


class TextWriter:
    """Writes one file of text.

    Args:
        place: Where it shall appear.
        head: What comes before the first row.
        render: Turns a batch into bytes; called from several threads.
        ctx: Limits.
    """

    def __init__(
        self,
        place: Place,
        head: bytes,
        render: Callable[[pa.RecordBatch], pa.Buffer],
        ctx: RunContext,
    ) -> None:
        self._place = place
        self._head = head
        self._render = render
        self._threads = ctx.limits.threads
        self._pack: Callable[[bytes | pa.Buffer], bytes | pa.Buffer] = _unpacked
        self._waiting: deque[Future[bytes | pa.Buffer]] = deque()
        self._stack = ExitStack()

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        with writing(self._place.uri):
            self._waiting.append(self._pool.submit(self._packed, batch))
            while len(self._waiting) > self._threads:
                self._file.write(self._waiting.popleft().result())

    def _packed(self, batch: pa.RecordBatch) -> bytes | pa.Buffer:
        return self._pack(self._render(batch))

    def __enter__(self) -> Self:
        """Open the output."""
        with ExitStack() as stack, writing(self._place.uri):
            path = stack.enter_context(staged(self._place))
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="simulacra-text")
            stack.callback(self._pool.shutdown, cancel_futures=True)
            compression = compression_of(path.name)
            if compression == "gzip":
                # Each batch is a gzip member of its own, so that threads share the work.
                self._pack, compression = partial(gzip.compress, compresslevel=6, mtime=0), None
            self._file = pa.output_stream(str(path), compression=compression)
            stack.push(self._finish)
            self._path = path
            self._file.write(self._pack(self._head))
            self._stack = stack.pop_all()
        return self

    def _finish(self, kind: object, *_: object) -> None:
        try:
            while self._waiting and kind is None:
                self._file.write(self._waiting.popleft().result())
        finally:
            self._file.close()
        if kind is None:
            sync(self._path)

    def __exit__(self, *exc_info: object) -> None:
        """Publish the output, or drop it after an exception."""
        self._stack.__exit__(*exc_info)  # type: ignore[arg-type]


_NONE = pa.scalar("", pa.large_string())
_POINT_ZERO = pa.scalar(".0", pa.large_string())


def as_text(values: pa.Array, *, whole_bare: bool = False) -> pa.Array:
    """Return values as ``large_string``, in the form in which text files hold them.

    Numbers are written in the shortest form that reads back the same, whole floats with ``.0``
    unless ``whole_bare``;
    dates and times as ISO 8601 with a space; durations as whole numbers of their unit.
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        return as_text(values.dictionary_decode(), whole_bare=whole_bare)
    if pa.types.is_duration(kind):
        values = values.cast(pa.int64())
    elif pa.types.is_float16(kind):
        values = values.cast(pa.float32())
    elif pa.types.is_null(kind):
        return pa.nulls(len(values), pa.large_string())
    text = values.cast(pa.string()).cast(pa.large_string())
    if pa.types.is_floating(kind):
        return _floats(text, values, whole_bare=whole_bare)
    if pa.types.is_decimal(kind):
        return _decimals(text, values)
    return text


def _floats(text: pa.Array, values: pa.Array, *, whole_bare: bool) -> pa.Array:
    if not whole_bare:
        is_whole = pc.match_substring_regex(text, r"^-?\d+$")
        text = pc.if_else(is_whole, pc.binary_join_element_wise(text, _POINT_ZERO, _NONE), text)
    return pc.if_else(pc.is_nan(values), pa.scalar("NaN", pa.large_string()), text)


def _decimals(text: pa.Array, values: pa.Array) -> pa.Array:
    """Undo the exponents that Arrow gives to small decimals, as 1E-7."""
    if not holds_any(text, "E"):
        return text
    has_exponent = pc.match_substring(text, "E")
    plain = [f"{value:f}" for value in values.filter(has_exponent).to_pylist()]
    return pc.replace_with_mask(text, has_exponent, pa.array(plain, pa.large_string()))


def check_flat(schema: pa.Schema, format_name: str, table: str) -> None:
    """Refuse types that have no form as text in a cell.

    Raises:
        OutputError: Names the column.
    """
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
        is_binary = any(check(kind) for check in (*binary, pa.types.is_binary_view))
        if is_binary or pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType):
            raise OutputError(
                f"{format_name} can't hold a column of {field.type}",
                where=f"{table}.{field.name}",
                mend="Write Parquet, which keeps all types",
            )


def holds_any(text: pa.Array, characters: str) -> bool:
    """Say whether an ASCII character is anywhere in the texts; far quicker than asking each."""
    offsets, data = text.buffers()[1:]
    if data is None or not len(text):
        return False
    bounds = np.frombuffer(offsets, np.int64)[text.offset :]
    held = np.frombuffer(data, np.uint8)[bounds[0] : bounds[len(text)]]
    return any(bool((held == ord(character)).any()) for character in characters)


def around(before: pa.Scalar, text: pa.Array, after: pa.Scalar) -> pa.Array:
    """Return each text between two others; all are ``large_string``."""
    return pc.binary_join_element_wise(before, text, after, _NONE)


def joined(columns: list[pa.Array], separator: str, end: str) -> pa.Buffer:
    """Join texts without nulls to lines; returns all lines' bytes."""
    if not columns:
        return pa.py_buffer(b"")
    lines = columns[0]
    if len(columns) > 1:
        lines = pc.binary_join_element_wise(*columns, pa.scalar(separator, pa.large_string()))
    ended = pc.binary_join_element_wise(lines, _NONE, pa.scalar(end, pa.large_string()))
    offsets, data = ended.buffers()[1:]
    if data is None:
        return pa.py_buffer(b"")
    bounds = np.frombuffer(offsets, np.int64)[ended.offset :]
    start, stop = int(bounds[0]), int(bounds[len(ended)])
    return data.slice(start, stop - start)
