r"""Rows as text, with tabs between columns: what PostgreSQL's COPY and MySQL's LOAD DATA read.

A null is ``\N``; a backslash stands before tabs, ends of lines and backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.connectors.sql.writing.values import TEXT

_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), ("\0", "\\0"))
_SPECIAL = re.compile(rb"[\\\t\n\r\0]")
_NULL = "\\N"


def lines(cells: Sequence[pa.Array]) -> memoryview:
    """Return rows as UTF-8 text, each ending in a line feed.

    Args:
        cells: The columns as text (:func:`~.values.as_text`), of one length, at least one.
    """
    columns = [_escaped(column) for column in cells]
    how = {"null_handling": "replace", "null_replacement": _NULL}
    end, none = pa.scalar("\n", TEXT), pa.scalar("", TEXT)
    # The last column brings the end of the line with it: that is copied once, not the whole row.
    columns[-1] = pc.binary_join_element_wise(columns[-1], none, end, **how)
    rows = pc.binary_join_element_wise(*columns, pa.scalar("\t", TEXT), **how)
    offsets = np.frombuffer(rows.buffers()[1], np.int64, len(rows) + 1, 8 * rows.offset)
    data = rows.buffers()[2]
    if data is None:
        return memoryview(b"")
    return memoryview(data)[offsets[0] : offsets[-1]]


def _escaped(column: pa.Array) -> pa.Array:
    data = column.buffers()[2]
    if data is None or _SPECIAL.search(memoryview(data)) is None:
        return column
    for sign, escape in _ESCAPES:
        column = pc.replace_substring(column, sign, escape)
    return column
