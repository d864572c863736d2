"""Texts as characters in memory: seen as a matrix, or all exchanged at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Letters = NDArray[np.uint32]
"""Characters as code points, shape ``(rows, length)``, dtype uint32."""
_ASCII = 128


def letters_of(texts: Sequence[str]) -> Letters:
    """Return texts of one length as code points, shape ``(texts, length)``."""
    width = len(texts[0])
    return np.array(texts, f"<U{width}").view(np.uint32).reshape(len(texts), width)


def matrix_of(texts: pa.Array) -> Letters:
    """Return large strings of one length as code points, shape ``(texts, length)``."""
    offsets, data = _buffers(texts)
    widths = np.diff(offsets)
    if len(data) and data.max() < _ASCII and (widths == widths[0]).all():
        return data.reshape(len(texts), widths[0]).astype(np.uint32)
    return letters_of(texts.to_pylist())


def texts_of(letters: Letters) -> pa.Array:
    """Return code points as large strings, one a row."""
    rows, width = letters.shape
    if letters.size and letters.max() >= _ASCII:
        # NumPy's own texts end where there is nothing but NUL.
        wide = [row.tobytes().decode("utf-32-le") for row in letters.astype("<u4")]
        return pa.array(wide, pa.large_string())
    offsets = np.arange(rows + 1, dtype=np.int64) * width
    return _of_buffers(offsets, letters.astype(np.uint8, order="C"))


def exchanged(texts: pa.Array, table: NDArray[np.uint8]) -> pa.Array | None:
    """Return ASCII texts with each character exchanged for another; None if others are there.

    Args:
        texts: Large strings without nulls.
        table: What stands for each character, shape ``(256,)``, dtype uint8.
    """
    offsets, data = _buffers(texts)
    if len(data) and data.max() >= _ASCII:
        return None
    return _of_buffers(offsets, table[data])


def in_order(parts: Sequence[tuple[NDArray[Any], pa.Array]], rows: int) -> pa.Array:
    """Put texts made for some rows each back into the order of all rows."""
    if not parts:
        return pa.array([""] * rows, pa.large_string())
    places = np.concatenate([places for places, _ in parts])
    order = np.empty(rows, np.int64)
    order[places] = np.arange(rows)
    return pa.concat_arrays([texts for _, texts in parts]).take(pa.array(order))


def _buffers(texts: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return where each text begins, from nought on, and the bytes of all."""
    _, ends, data = texts.buffers()
    offsets = np.frombuffer(ends, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    if not len(texts) or data is None:
        return np.zeros(len(texts) + 1, np.int64), np.zeros(0, np.uint8)
    return offsets - offsets[0], np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]


def _of_buffers(offsets: NDArray[np.int64], data: NDArray[np.uint8]) -> pa.Array:
    rows = len(offsets) - 1
    return pa.LargeStringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))
