"""Numbers, dates and times in words: round edges, and how to say them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.encode import is_text

_UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_DAY = 86_400.0
_CLOCK_STEPS = (_DAY, 3_600.0, 60.0, 1.0)
_GREATEST = 1e300
"""The greatest distance between edges that is told from others: its double must not overflow."""
_ORDINAL_EPOCH = 719_163
"""1970-01-01 as ``date.toordinal`` counts."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What the numbers of a column (as ``encode.as_numbers`` gives them) stand for.

    Attributes:
        unit: How many of them make one that is said: a second of time, else 1.
        origin: The number at which what is said is 0.
        form: ``plain``, ``moment`` (seconds since 1970) or ``clock`` (seconds since midnight).
        suffix: What is said after the number.
    """

    unit: float = 1.0
    origin: float = 0.0
    form: str = "plain"
    suffix: str = ""

    @classmethod
    def of(cls, leaf: Leaf, arrow_type: pa.DataType) -> Scale:
        """Return the scale of a column of kind number, or of the lengths of another.

        Args:
            leaf: The column.
            arrow_type: The type of its values.
        """
        if pa.types.is_dictionary(arrow_type):
            arrow_type = arrow_type.value_type
        if leaf.kind is Kind.LENGTH:
            return cls(suffix=f" {_counted(arrow_type)}")
        if pa.types.is_temporal(arrow_type):
            return cls._of_times(arrow_type)
        if not is_text(arrow_type) or leaf.spec.type not in ("date", "datetime", "time"):
            return cls()
        # Text, as ``encode`` reads it.
        if leaf.spec.type == "date" and leaf.spec.options.get("format") is None:
            return cls(1 / _DAY, _ORDINAL_EPOCH, "moment")
        return cls(1e6, form="clock" if leaf.spec.type == "time" else "moment")

    @classmethod
    def _of_times(cls, arrow_type: pa.DataType) -> Scale:
        types = pa.types
        if types.is_date(arrow_type):
            return cls(1e3 if types.is_date64(arrow_type) else 1 / _DAY, form="moment")
        unit = _UNITS[arrow_type.unit]
        if types.is_duration(arrow_type):
            return cls(unit, suffix=" s")
        if types.is_time(arrow_type):
            return cls(unit, form="clock")
        return cls(unit, form="moment", suffix=" UTC" if arrow_type.tz else "")

    def rounded(self, edges: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return edges that say less than single values do, ascending, each once.

        Each is rounded by a step of at most its distance to the next: a power of ten, or a day, an
        hour, a minute or a second.

        Args:
            edges: Ascending and finite, shape ``(edges,)``.
        """
        said = np.unique(edges - self.origin) / self.unit
        if not len(said):
            return said
        with np.errstate(over="ignore"):
            gaps = np.minimum(np.diff(said), _GREATEST)
        if len(gaps):
            nearest = np.minimum(np.append(gaps, np.inf), np.append(np.inf, gaps))
        else:
            nearest = np.maximum(np.abs(said) / 10, 1e-300)
        rounded = [self._round(float(v), float(gap)) for v, gap in zip(said, nearest, strict=True)]
        found: NDArray[np.float64] = np.unique(rounded) * self.unit + self.origin
        return found

    def _round(self, value: float, gap: float) -> float:
        if self.form == "plain":
            return round(value, -min(max(math.floor(math.log10(gap)), -300), 300))
        step = next((step for step in _CLOCK_STEPS if step <= gap), 1.0)
        return round(value / step) * step

    def say(self, number: float) -> str:
        """Return a number in words, as 12.5, 2013-04-01 09:00 or 23:15."""
        value = (number - self.origin) / self.unit
        if self.form == "plain" or not math.isfinite(value):
            whole = 1e6 <= abs(value) < 1e15
            return f"{value:,.0f}{self.suffix}" if whole else f"{value:.6g}{self.suffix}"
        text = str(np.datetime64(round(value), "s"))
        day, clock = text.split("T")
        clock = clock.removesuffix(":00")
        if self.form == "clock":
            return clock
        return f"{day}{self.suffix}" if clock == "00:00" else f"{day} {clock}{self.suffix}"


def _counted(arrow_type: pa.DataType) -> str:
    """Return what the length of a value counts."""
    if pa.types.is_nested(arrow_type):
        return "items"
    return "characters" if is_text(arrow_type) else "bytes"
