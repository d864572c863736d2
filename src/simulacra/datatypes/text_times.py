"""Dates and times in text as positions; texts that follow no format are kept or dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.datatypes.formats import compile_format
from simulacra.datatypes.forms import Mark, Marks, Reading, null_marks, validity
from simulacra.datatypes.summary import Values

_MOST_STRAYS = 10_000
"""Distinct texts without the format that are counted; columns with more are no dates."""


class TextTimeForm:
    """Texts of one format.

    Args:
        arrow_type: A string type.
        format_: See :mod:`simulacra.datatypes.formats`.
        kept: Other texts that are kept as they are, marked from ``Mark.TEXT`` on.
    """

    def __init__(self, arrow_type: pa.DataType, format_: str, kept: tuple[str, ...] = ()) -> None:
        self.type = arrow_type
        self.format = format_
        self.kept = kept
        self.program = compile_format(format_)
        self._kept = pa.array(kept, pa.large_string())

    def facts(self) -> dict[str, Any]:
        """Return the format and the kept texts."""
        return {"format": self.format, "kept": self.kept}

    def read(self, values: pa.Array) -> Reading:
        """Turn texts into positions; a text neither read nor kept counts as null."""
        positions, good = self.program.read(values)
        if good.all():
            return Reading(positions, None)
        marks = null_marks(values)
        if marks is None:
            marks = np.zeros(len(values), np.int32)
        stray = np.flatnonzero(~good & (marks == Mark.NONE))
        if len(stray):
            texts = values.take(pa.array(stray)).cast(pa.large_string())
            places = pc.index_in(texts, value_set=self._kept).fill_null(-1).to_numpy()
            marks[stray] = np.where(places < 0, int(Mark.NULL), places + int(Mark.TEXT))
        return Reading(positions, marks)

    def write(self, positions: Values, marks: Marks | None) -> pa.Array:
        """Turn positions into texts."""
        offsets, data = self.program.write(positions)
        texts = pa.LargeStringArray.from_buffers(
            len(positions), pa.py_buffer(offsets), pa.py_buffer(data), validity(marks)
        )
        if marks is not None and self.kept and (marks >= Mark.TEXT).any():
            places = np.where(marks >= Mark.TEXT, marks - int(Mark.TEXT), 0)
            texts = pc.if_else(
                pa.array(marks >= Mark.TEXT), self._kept.take(pa.array(places)), texts
            )
        return texts.cast(self.type)


class StrayTexts:
    """Counts the texts of a column that don't follow its format."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}

    def add(self, texts: pa.Array) -> None:
        """Count some texts; beyond so many distinct ones, new ones are dropped."""
        for entry in texts.value_counts().to_pylist():
            text, rows = entry["values"], entry["counts"]
            if text in self.rows or len(self.rows) < _MOST_STRAYS:
                self.rows[text] = self.rows.get(text, 0) + rows

    def frequent(self, fewest_rows: int) -> tuple[str, ...]:
        """Return the texts of at least so many rows, most frequent first."""
        found = [text for text, rows in self.rows.items() if rows >= fewest_rows]
        return tuple(sorted(found, key=lambda text: (-self.rows[text], text)))
