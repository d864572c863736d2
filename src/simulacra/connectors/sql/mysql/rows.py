"""Rows of MySQL's and MariaDB's text protocol, straight from the socket into Arrow columns.

pymysql logs in and sends the query; the rows that come, which it would make Python objects of, one
by one, are cut by a compiled loop. Protocol: "Text Resultset" in MySQL's internals manual.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.compiled import kernel

_BUFFER = 8 << 20
_LONGEST = 0xFFFFFF
"""Bytes in a packet that goes on in the next one."""
MORE, DONE, FAILED, FULL, LONG = range(5)


@kernel
def _length_at(buffer: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """Return a value's length, -1 for null, and where the value begins."""
    first = int(buffer[at])
    at += 1
    if first < 0xFB:
        return first, at
    if first == 0xFB:
        return -1, at
    width = 2 if first == 0xFC else 3 if first == 0xFD else 8
    length = 0
    for i in range(width):
        length |= int(buffer[at + i]) << (8 * i)
    return length, at + width


@kernel
def cut(
    buffer: NDArray[np.uint8],
    start: int,
    end: int,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    row: int,
) -> tuple[int, int, int]:
    """Find where each value of the rows in a buffer lies.

    Args:
        buffer: Bytes received.
        start: Where the next packet begins.
        end: Where the bytes end.
        starts: Gets the offset of each value; shape ``(columns, rows)``.
        lengths: Gets its length, -1 for null; shape ``(columns, rows)``.
        row: The number of the next row.

    Returns:
        The number of rows so far, where the next packet begins, and why it stopped: bytes are
        missing, all rows are there, the server sent an error, there is no room for more rows, or
        a packet is so long that it comes in parts.
    """
    columns, room = starts.shape
    while row < room:
        if start + 4 > end:
            return row, start, MORE
        size = int(buffer[start]) | int(buffer[start + 1]) << 8 | int(buffer[start + 2]) << 16
        if size == _LONGEST:
            return row, start, LONG
        if start + 4 + size > end:
            return row, start, MORE
        at = start + 4
        if buffer[at] == 0xFE and size < 9:
            return row, at + size, DONE
        if buffer[at] == 0xFF:
            return row, start, FAILED
        for column in range(columns):
            length, at = _length_at(buffer, at)
            starts[column, row] = at
            lengths[column, row] = length
            if length > 0:
                at += length
        row += 1
        start += 4 + size
    return row, start, FULL


@kernel
def gather(
    buffer: NDArray[np.uint8],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    offsets: NDArray[np.int32],
    data: NDArray[np.uint8],
    valid: NDArray[np.uint8],
) -> None:
    """Copy one column's values together.

    Args:
        buffer: Bytes received.
        starts: The offset of each value.
        lengths: Its length, -1 for null.
        offsets: Gets where each value ends in ``data``; one longer than ``starts``.
        data: Gets the values' bytes.
        valid: Gets a bit a value, set unless it is null; must be all zeros.
    """
    at = 0
    offsets[0] = 0
    for i in range(len(starts)):
        if lengths[i] >= 0:
            valid[i >> 3] |= np.uint8(1 << (i & 7))
            for j in range(lengths[i]):
                data[at + j] = buffer[starts[i] + j]
            at += lengths[i]
        offsets[i + 1] = at


def rows_of(
    connection: Any, query: str, names: list[str], batch_rows: int
) -> Iterator[pa.RecordBatch]:
    """Run a query and yield its rows, each value as the bytes that the server sent.

    Until the iterator ends the connection is good for nothing else.

    Args:
        connection: A pymysql connection on which nothing else is under way.
        query: What to ask; it has to give as many columns as ``names``.
        names: What the columns are called.
        batch_rows: The most rows in one batch.

    Yields:
        Batches of binary columns, from some 8 MB of bytes received.

    Raises:
        pymysql.Error: The server says no, or has gone.
    """
    rows = _Rows(connection, query, names, batch_rows)
    while (batch := rows.next()) is not None:
        yield batch


class _Rows:
    """Rows under way, and the bytes of them that have come."""

    def __init__(self, connection: Any, query: str, names: list[str], batch_rows: int) -> None:
        from pymysql.cursors import SSCursor

        cursor = connection.cursor(SSCursor)
        cursor.execute(query)
        # From here on the bytes are ours; pymysql is to believe that it is done.
        connection._result.unbuffered_active = False  # noqa: SLF001 - nothing public gives bytes
        connection._result = None  # noqa: SLF001
        self._file = connection._rfile  # noqa: SLF001
        self._names = names
        self._buffer = np.empty(_BUFFER, np.uint8)
        self._start = self._end = 0
        self._starts = np.empty((len(names), batch_rows), np.int64)
        self._lengths = np.empty((len(names), batch_rows), np.int64)
        self._done = False

    def next(self) -> pa.RecordBatch | None:
        """Return the next rows, or None."""
        if self._done:
            return None
        self._move_to_front()
        rows = 0
        while True:
            rows, self._start, why = cut(
                self._buffer, self._start, self._end, self._starts, self._lengths, rows
            )
            self._done = why == DONE
            full = why == MORE and self._end == len(self._buffer)
            if rows and (why in {FULL, LONG, FAILED} or full):
                return self._batch(rows)
            if why == DONE:
                return self._batch(rows) if rows else None
            if why == FAILED:
                self._fail()
            if why == LONG:
                return self._long_row()
            if full:
                self._buffer = np.concatenate([self._buffer, np.empty_like(self._buffer)])
            self._receive()

    def _move_to_front(self) -> None:
        left = self._end - self._start
        self._buffer[:left] = self._buffer[self._start : self._end].copy()
        self._start, self._end = 0, left

    def _receive(self) -> None:
        from pymysql.err import OperationalError

        # readinto1 would wait for more though all that is to come may be in the file's buffer
        got = self._file.read1(len(self._buffer) - self._end)
        if not got:
            raise OperationalError(2013, "the server closed the connection in the midst of rows")
        self._buffer[self._end : self._end + len(got)] = np.frombuffer(got, np.uint8)
        self._end += len(got)

    def _packet(self) -> bytes:
        """Return the next packet whole, with the parts that it comes in."""
        parts: list[bytes] = []
        size = _LONGEST
        while size == _LONGEST:
            size = int.from_bytes(self._bytes(4)[:3], "little")
            parts.append(self._bytes(size))
        return b"".join(parts)

    def _bytes(self, count: int) -> bytes:
        while self._end - self._start < count:
            self._move_to_front()
            if self._end == len(self._buffer):
                self._buffer = np.concatenate([self._buffer, np.empty_like(self._buffer)])
            self._receive()
        found = self._buffer[self._start : self._start + count].tobytes()
        self._start += count
        return found

    def _fail(self) -> NoReturn:
        from pymysql.err import raise_mysql_exception

        self._done = True
        raise_mysql_exception(self._packet())
        raise AssertionError

    def _long_row(self) -> pa.RecordBatch:
        packet = np.frombuffer(self._packet(), np.uint8)
        values: list[bytes | None] = []
        at = 0
        for _ in self._names:
            length, at = _length_at(packet, at)
            values.append(None if length < 0 else packet[at : at + length].tobytes())
            at += max(length, 0)
        arrays = [pa.array([value], pa.binary()) for value in values]
        return pa.RecordBatch.from_arrays(arrays, names=self._names)

    def _batch(self, rows: int) -> pa.RecordBatch:
        arrays = [self._column(number, rows) for number in range(len(self._names))]
        return pa.RecordBatch.from_arrays(arrays, names=self._names)

    def _column(self, number: int, rows: int) -> pa.Array:
        starts, lengths = self._starts[number, :rows], self._lengths[number, :rows]
        offsets = np.empty(rows + 1, np.int32)
        data = np.empty(int(np.maximum(lengths, 0).sum()), np.uint8)
        valid = np.zeros((rows + 7) // 8, np.uint8)
        gather(self._buffer, starts, lengths, offsets, data, valid)
        buffers = [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(data)]
        return pa.Array.from_buffers(pa.binary(), rows, buffers)
