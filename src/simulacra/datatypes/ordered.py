"""Columns with an order: one ordinal feature, or two where a day and a time of day tell more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.features import Codes, FeatureKind, FeatureSpec, code_dtype
from simulacra.core.protocols import Config
from simulacra.core.random import RngKey
from simulacra.datatypes.bins import damaged
from simulacra.datatypes.forms import Form, Mark, Marks
from simulacra.datatypes.line import Line, load_line
from simulacra.datatypes.summary import Counts, Values


class OrderedConfig(Config):
    """Options of every column that has an order."""

    bins: Annotated[
        int,
        Field(ge=4, le=65_000, description="Codes at most; up to so many values get one each"),
    ] = 4_096
    min_count: Annotated[
        int | None,
        Field(
            ge=1,
            description="Rows a value must be seen in to be kept as it is; 10 by default, 1 in"
            " columns of fewer than 1,000 rows",
        ),
    ] = None


@dataclass(frozen=True)
class OrderedCodec:
    """A fitted column with an order.

    The codes of the first feature are: minus infinity (if seen), the first line's codes, then one
    for each other mark (infinity, NaN, null, kept texts). A second feature has its own line's
    codes and one more for rows that are marked.

    Attributes:
        column: The column's name.
        form: How values are positions.
        lines: Codes of the positions: none if no row has one, two if split.
        unit: If split, the first line is positions // unit and the second what is left; else 0.
        first: Marks whose codes come before the first line's.
        last: Marks whose codes come after it.
        common: The most frequent code, which stands for marks never seen.
        bounds: The least and greatest position, if split.
    """

    column: str
    form: Form
    lines: tuple[Line, ...]
    unit: int = 0
    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    common: int = 0
    bounds: tuple[int, int] = (0, 0)

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        """One ordinal feature a line."""
        sizes = [len(self._mark_of_code)]
        if self.unit:
            sizes.append(self.lines[1].bins.cardinality + self._is_marked)
        names = (self.column, f"{self.column}.time")
        return tuple(
            FeatureSpec(name, self.column, FeatureKind.ORDINAL, size)
            for name, size in zip(names, sizes, strict=False)
        )

    @property
    def _is_marked(self) -> bool:
        return bool(self.first or self.last)

    @cached_property
    def _mark_of_code(self) -> Marks:
        inner = self.lines[0].bins.cardinality if self.lines else 0
        return np.array([*self.first, *[Mark.NONE] * inner, *self.last], np.int32)

    @cached_property
    def _line_code_of_code(self) -> Codes:
        inner = self.lines[0].bins.cardinality if self.lines else 1
        places = np.arange(len(self._mark_of_code)) - len(self.first)
        return np.clip(places, 0, inner - 1).astype(code_dtype(inner))

    @cached_property
    def _code_of_mark(self) -> NDArray[np.int64]:
        """The code of each mark; of one never seen, the code nearest to it."""
        known = {int(mark): code for code, mark in enumerate(self._mark_of_code) if mark}
        missing = known.get(Mark.NULL, known.get(Mark.NAN, self.common))
        table = np.full(max(Mark.TEXT, *known, 0) + 1, missing)
        if self.lines:
            table[Mark.MINUS_INFINITE] = len(self.first)
            table[Mark.INFINITE] = len(self.first) + self.lines[0].bins.cardinality - 1
        for mark, code in known.items():
            table[mark] = code
        return table

    def encode(self, values: pa.Array) -> list[Codes]:
        """Turn values into codes."""
        reading = self.form.read(values)
        parts = split(reading.positions, self.unit)
        specs = self.features
        out: list[Codes] = []
        for place, spec in enumerate(specs):
            if self.lines:
                codes = self.lines[place].encode(parts[place])
            else:
                codes = np.zeros(len(values), np.uint8)
            codes = codes.astype(code_dtype(spec.cardinality), copy=False)
            if place == 0 and self.first:
                codes = codes + codes.dtype.type(len(self.first))
            if reading.marks is not None:
                marked = np.flatnonzero(reading.marks)
                codes[marked] = self._codes_of_marks(reading.marks[marked], place)
            out.append(codes)
        return out

    def _codes_of_marks(self, marks: Marks, place: int) -> NDArray[np.int64]:
        if place:
            # A mark never seen is coded as a common value, whose time is as good as any.
            return np.full(len(marks), self.lines[1].bins.cardinality if self._is_marked else 0)
        return self._code_of_mark[np.minimum(marks, len(self._code_of_mark) - 1)]

    def decode(self, codes: Sequence[Codes], *, rng: RngKey, start: int) -> pa.Array:
        """Turn codes into values."""
        del start
        marks: Marks | None = None
        inner = codes[0]
        if self._is_marked or not self.lines:
            marks = self._mark_of_code[inner]
            inner = self._line_code_of_code[inner]
            marks = marks if marks.any() else None
        if not self.lines:
            return self.form.write(np.zeros(len(inner), np.int64), marks)
        positions = self.lines[0].draw(inner, rng.child("value"))
        if self.unit:
            within = np.minimum(codes[1], self.lines[1].bins.cardinality - 1)
            within = within.astype(codes[1].dtype, copy=False)
            positions = positions * self.unit + self.lines[1].draw(within, rng.child("time"))
            positions = np.clip(positions, *self.bounds)
        return self.form.write(positions, marks)

    def kept_values(self) -> Iterator[str]:
        """Yield the real values held: frequent ones, the least and the greatest."""
        for line, unit in zip(self.lines, (self.unit or 1, 1), strict=False):
            values = self.form.write(line.kept() * unit, None)
            yield from (str(value) for value in values.cast(_readable(values.type)).to_pylist())

    def replaced(self) -> Mapping[str, int]:
        """Return in how many rows a rare or extreme value was replaced by a kept one."""
        rows = max((line.replaced for line in self.lines), default=0)
        return {"rare or extreme": rows} if rows else {}

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        out.json(
            "ordered",
            {
                "column": self.column,
                "type": type_to_text(self.form.type),
                "form": self.form.facts(),
                "lines": len(self.lines),
                "unit": self.unit,
                "first": self.first,
                "last": self.last,
                "common": self.common,
                "bounds": self.bounds,
            },
        )
        for place, line in enumerate(self.lines):
            line.save(out, f"line{place}")

    @classmethod
    def load(
        cls, src: ArtifactReader, make_form: Callable[[pa.DataType, dict[str, Any]], Form]
    ) -> OrderedCodec:
        """Read a codec that ``save`` wrote.

        Raises:
            BundleError: The members do not make a codec.
        """
        facts = src.json("ordered")
        try:
            lines = tuple(load_line(src, f"line{place}") for place in range(facts["lines"]))
            codec = cls(
                str(facts["column"]),
                make_form(type_from_text(facts["type"]), facts["form"]),
                lines,
                int(facts["unit"]),
                tuple(int(mark) for mark in facts["first"]),
                tuple(int(mark) for mark in facts["last"]),
                int(facts["common"]),
                (int(facts["bounds"][0]), int(facts["bounds"][1])),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise damaged(str(error)) from error
        if len(lines) > 1 + bool(codec.unit) or not (lines or codec.first or codec.last):
            raise damaged("the codes can't be right")
        return codec


def _readable(arrow_type: pa.DataType) -> pa.DataType:
    """Return a type whose values Python can show: its dates end in the year 9999."""
    return pa.string() if pa.types.is_temporal(arrow_type) else arrow_type


def split(positions: Values, unit: int) -> tuple[Values, ...]:
    """Return positions // unit and what is left; the positions alone if unit is 0."""
    if not unit:
        return (positions,)
    whole = positions // unit
    return (whole, positions - whole * unit)


@dataclass
class MarkCounts:
    """Counts rows by mark."""

    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(Mark.TEXT, np.int64))

    def add(self, marks: Marks | None) -> None:
        """Count some rows' marks."""
        if marks is None:
            return
        found = np.bincount(marks, minlength=len(self.rows)).astype(np.int64)
        found[: len(self.rows)] += self.rows
        self.rows = found

    def arranged(self, *, has_line: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the marks seen: those coded before the line, and those after it."""
        seen = [int(mark) for mark in np.flatnonzero(self.rows) if mark != Mark.NONE]
        if not seen and not has_line:
            # A column without any row still needs a code.
            seen = [int(Mark.NULL)]
        first = tuple(mark for mark in seen if mark == Mark.MINUS_INFINITE)
        order = {Mark.INFINITE: 0, Mark.NAN: 1, Mark.NULL: 2}
        last = [mark for mark in seen if mark != Mark.MINUS_INFINITE]
        return first, tuple(sorted(last, key=lambda mark: order.get(Mark(min(mark, 5)), mark)))


def feature_counts(
    marks: MarkCounts, first: Sequence[int], last: Sequence[int], lines: Sequence[Counts]
) -> tuple[Counts, ...]:
    """Return the rows of each code of each feature."""
    inner = lines[0] if lines else np.zeros(0, np.int64)
    out = [np.concatenate([marks.rows[list(first)], inner, marks.rows[list(last)]])]
    if len(lines) > 1:
        marked = int(marks.rows[Mark.NULL :].sum())
        out.append(np.concatenate([lines[1], [marked]]) if first or last else lines[1])
    return tuple(array.astype(np.int64, copy=False) for array in out)
