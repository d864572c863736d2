"""What identifiers are made of: a number, a number within a text, or characters at their places."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.datatypes.expression_pattern import ExpressionPattern
from simulacra.datatypes.forms import Marks, form_of, without_marked
from simulacra.datatypes.numbering import Numbering, NumberingWatch
from simulacra.datatypes.template import Template, TemplateWatch, draw_texts

_INT64_TOP = (1 << 63) - 1
_MOST_DIGITS = 18
_PARTS = re.compile(rf"(.*\D|)(\d{{1,{_MOST_DIGITS}}})(\D*)", re.DOTALL)


class IdentifierPattern(Protocol):
    """A way to make identifiers."""

    def has_room(self, rows: int, arrow_type: pa.DataType) -> bool:
        """Say whether so many rows get different values."""
        ...

    def draw(
        self, rows: NDArray[np.uint64], marks: Marks | None, key: RngKey, arrow_type: pa.DataType
    ) -> pa.Array:
        """Make the values of row numbers; marked rows are null."""
        ...

    def describe(self) -> str:
        """Return a few words for messages."""
        ...

    def kept(self, arrow_type: pa.DataType) -> Iterable[str]:
        """Yield what it holds of real values."""
        ...

    def facts(self) -> dict[str, Any]:
        """Return what ``load_pattern`` needs, JSON-able."""
        ...


@dataclass(frozen=True, slots=True)
class NumberPattern:
    """Whole numbers.

    Attributes:
        numbering: Positions, as ``forms.form_of`` gives, for row numbers.
    """

    numbering: Numbering

    def has_room(self, rows: int, arrow_type: pa.DataType) -> bool:
        """Say whether the type holds the numbers of so many rows."""
        top = _INT64_TOP
        if pa.types.is_decimal(arrow_type):
            top = min(top, 10**arrow_type.precision - 1)
        elif arrow_type.bit_width < 64:
            top = (1 << (arrow_type.bit_width - pa.types.is_signed_integer(arrow_type))) - 1
        return self.numbering.highest(rows) <= top

    def draw(
        self, rows: NDArray[np.uint64], marks: Marks | None, key: RngKey, arrow_type: pa.DataType
    ) -> pa.Array:
        """Make numbers."""
        return form_of(arrow_type).write(self.numbering.draw(rows, key), marks)

    def describe(self) -> str:
        """Return the range."""
        return f"a range of {self.numbering.size:,} numbers"

    def kept(self, arrow_type: pa.DataType) -> Iterable[str]:
        """Yield the least number."""
        least = form_of(arrow_type).write(np.array([self.numbering.least]), None)
        return (str(least[0].as_py()),)

    def facts(self) -> dict[str, Any]:
        """Return the numbering."""
        return {"kind": "number", **self.numbering.facts()}


@dataclass(frozen=True, slots=True)
class AffixPattern:
    """Whole numbers between two constant texts.

    Attributes:
        numbering: The numbers.
        before: What stands before each.
        after: What stands after it.
        digits: Digits at least, filled up with zeros.
    """

    numbering: Numbering
    before: str
    after: str
    digits: int

    def has_room(self, rows: int, arrow_type: pa.DataType) -> bool:
        """Say whether int64 holds the numbers; digits grow as needed."""
        del arrow_type
        return self.numbering.highest(rows) <= _INT64_TOP

    def draw(
        self, rows: NDArray[np.uint64], marks: Marks | None, key: RngKey, arrow_type: pa.DataType
    ) -> pa.Array:
        """Make texts."""
        numbers = pa.array(self.numbering.draw(rows, key)).cast(pa.large_string())
        if self.digits > 1:
            numbers = pc.utf8_lpad(numbers, self.digits, "0")
        before, after, between = (
            pa.scalar(text, pa.large_string()) for text in (self.before, self.after, "")
        )
        texts = pc.binary_join_element_wise(before, numbers, after, between)
        return without_marked(texts, marks).cast(arrow_type)

    def describe(self) -> str:
        """Return the constant parts."""
        return f"a number between {self.before!r} and {self.after!r}"

    def kept(self, arrow_type: pa.DataType) -> Iterable[str]:
        """Yield the constant parts and the least number."""
        del arrow_type
        return (f"{self.before}{self.numbering.least:0{self.digits}}{self.after}",)

    def facts(self) -> dict[str, Any]:
        """Return the attributes."""
        return {
            "kind": "affix",
            "before": self.before,
            "after": self.after,
            "digits": self.digits,
            **self.numbering.facts(),
        }


@dataclass(frozen=True, slots=True)
class TemplatePattern:
    """Characters at their places.

    Attributes:
        templates: One a length.
    """

    templates: tuple[Template, ...]

    def has_room(self, rows: int, arrow_type: pa.DataType) -> bool:
        """Say whether a template has as many texts."""
        del arrow_type
        return any(template.room >= rows for template in self.templates)

    def draw(
        self, rows: NDArray[np.uint64], marks: Marks | None, key: RngKey, arrow_type: pa.DataType
    ) -> pa.Array:
        """Make texts."""
        return without_marked(draw_texts(self.templates, rows, key), marks).cast(arrow_type)

    def describe(self) -> str:
        """Return the lengths."""
        lengths = sorted(len(template.alphabets) for template in self.templates)
        return f"texts of {lengths[0]} to {lengths[-1]} characters"

    def kept(self, arrow_type: pa.DataType) -> Iterable[str]:
        """Yield the constant characters of each length."""
        del arrow_type
        for template in self.templates:
            yield "".join(a.decode() if len(a) == 1 else "?" for a in template.alphabets)

    def facts(self) -> dict[str, Any]:
        """Return the templates."""
        return {"kind": "template", "templates": [t.facts() for t in self.templates]}


def load_pattern(facts: dict[str, Any]) -> IdentifierPattern:
    """Return the pattern of what ``facts`` gave.

    Raises:
        KeyError: A fact is missing.
        ValueError: A fact makes no sense.
    """
    if facts["kind"] == "expression":
        given = ExpressionPattern(str(facts["expression"]))
        given.check()
        return given
    if facts["kind"] == "template":
        templates = tuple(
            Template(tuple(a.encode("ascii") for a in entry["alphabets"]), int(entry["rows"]))
            for entry in facts["templates"]
        )
        if not templates or not all(all(t.alphabets) and t.rows > 0 for t in templates):
            raise ValueError("a template without characters")
        return TemplatePattern(templates)
    numbering = Numbering(*(int(facts[name]) for name in ("least", "step", "size", "stride")))
    if numbering.step < 1 or not 1 <= numbering.size <= 1 << 62 or numbering.stride < 0:
        raise ValueError("a range that is none")
    if facts["kind"] == "affix":
        return AffixPattern(
            numbering, str(facts["before"]), str(facts["after"]), int(facts["digits"])
        )
    return NumberPattern(numbering)


class PatternWatch(Protocol):
    """Learns a pattern from a stream."""

    def add(self, values: pa.Array) -> None:
        """Take the next values, none null."""
        ...

    def finish(self) -> IdentifierPattern | None:
        """Return the pattern, None if there was no value."""
        ...


class NumberWatch:
    """Learns from whole numbers.

    Args:
        arrow_type: Their type.
    """

    def __init__(self, arrow_type: pa.DataType) -> None:
        self._form = form_of(arrow_type)
        self._numbers = NumberingWatch()

    def add(self, values: pa.Array) -> None:
        """Take the next numbers."""
        self._numbers.add(self._form.read(values).positions)

    def finish(self) -> NumberPattern | None:
        """Return the pattern."""
        numbering = self._numbers.finish()
        return NumberPattern(numbering) if numbering is not None else None


class TextWatch:
    """Learns from texts: a number between constant parts, else characters at their places."""

    def __init__(self) -> None:
        self._templates = TemplateWatch()
        self._affixes: tuple[str, str] | None = None
        self._numbers: NumberingWatch | None = NumberingWatch()
        self._shortest, self._longest = _MOST_DIGITS, 0
        self._padded = False

    def add(self, values: pa.Array) -> None:
        """Take the next texts."""
        texts = values.cast(pa.large_string())
        if not len(texts):
            return
        self._templates.add(texts)
        if self._numbers is not None:
            self._add_numbers(texts, self._numbers)

    def _add_numbers(self, texts: pa.Array, numbers: NumberingWatch) -> None:
        if self._affixes is None:
            match = _PARTS.fullmatch(texts[0].as_py())
            if not match:
                self._numbers = None
                return
            self._affixes = (match.group(1), match.group(3))
        before, after = (re.escape(text) for text in self._affixes)
        pattern = rf"^{before}[0-9]{{1,{_MOST_DIGITS}}}{after}$"
        if not pc.all(pc.match_substring_regex(texts, pattern)).as_py():
            self._numbers = None
            return
        stop = -len(self._affixes[1]) or None
        digits = pc.utf8_slice_codeunits(texts, len(self._affixes[0]), stop)
        lengths = pc.min_max(pc.binary_length(digits)).as_py()
        self._shortest = min(self._shortest, lengths["min"])
        self._longest = max(self._longest, lengths["max"])
        has_zeros = pc.match_substring_regex(digits, "^0[0-9]")
        self._padded = self._padded or pc.any(has_zeros).as_py()
        numbers.add(digits.cast(pa.int64()).to_numpy())

    def finish(self) -> IdentifierPattern | None:
        """Return the pattern."""
        numbering = self._numbers.finish() if self._numbers is not None else None
        if numbering is not None and self._affixes is not None:
            fixed = self._shortest == self._longest
            if fixed or not self._padded:
                return AffixPattern(numbering, *self._affixes, self._longest if fixed else 1)
        templates = self._templates.finish()
        return TemplatePattern(templates) if templates else None


def watch_for(arrow_type: pa.DataType) -> PatternWatch:
    """Return what learns from values of a type."""
    is_number = pa.types.is_integer(arrow_type) or pa.types.is_decimal(arrow_type)
    return NumberWatch(arrow_type) if is_number else TextWatch()
