"""Finding the format of dates and times in text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.datatypes.formats import Program, compile_format
from simulacra.datatypes.offsets import body_format, follows, with_offset

_PROBES = 12
"""Values whose shape suggests formats; the first may be a stray."""
_GLANCE = 256
"""Values that tell which formats are worth trying on all."""
_CLOSE = 0.1
_SHORT = 3
"""Letters of a short name of a month or weekday."""
_LONG_YEAR = 4
_MONTH = "[A-Za-z]{3,9}"
_TIME = re.compile(
    r"(?P<hour>\d{1,2})(?P<colon>:?)(?P<minute>\d{2})(?:(?P=colon)(?P<second>\d{2})"
    r"(?:(?P<point>[.,])(?P<fraction>\d{1,9}))?)?(?:(?P<space> ?)(?P<half>[AaPp][Mm]))?"
)
_SUFFIX = re.compile(r" ?(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)")
_JOINT = re.compile(r"T|,? +")
_NUMERIC = re.compile(r"(\d{1,4})([-/. ])(\d{1,2})\2(\d{1,4})")
_COMPACT = re.compile(r"\d{8}")
_COMPACT_TIME = re.compile(r"\d{6}(?!\d)")
_DAY_FIRST = re.compile(rf"(\d{{1,2}})([-/ .]+)({_MONTH})([-/ .,]+)(\d{{4}}|\d{{2}})")
_MONTH_FIRST = re.compile(rf"({_MONTH})([-/ .]+)(\d{{1,2}})([-/ .,]+)(\d{{4}}|\d{{2}})")
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/ .]+)({_MONTH})([-/ .]+)(\d{{1,2}})")
_WEEKDAY = re.compile(r"([A-Za-z]{3,9})(,? +)")


@dataclass(frozen=True, slots=True)
class Found:
    """A format found.

    Attributes:
        format: See :mod:`simulacra.datatypes.formats`.
        program: The same, compiled, without a varying offset.
        share: The share of values that follow it.
    """

    format: str
    program: Program
    share: float


def find_format(values: pa.Array) -> Found | None:
    """Return the format that most texts follow, None if there is none.

    Where day and month can't be told apart by any value over 12, the month comes first between
    slashes and the day comes first otherwise.

    Args:
        values: Texts, none null.
    """
    formats = dict.fromkeys(f for text in _probes(values) for f in _candidates(text))
    few = values.take(pa.array(range(0, len(values), -(-len(values) // _GLANCE))))
    shares = {format_: float(follows(format_, few).mean()) for format_ in formats}
    best = max(shares.values(), default=0.0)
    if best == 0.0:
        return None
    close = [format_ for format_, share in shares.items() if share >= best - _CLOSE]
    shares = {format_: float(follows(format_, values).mean()) for format_ in close}
    winner = max(shares, key=lambda format_: shares[format_])
    program = compile_format(body_format(winner) or winner)
    return Found(winner, program, shares[winner])


def _probes(values: pa.Array) -> list[str]:
    """Return some values of the most frequent lengths."""
    texts = pc.unique(values[:1000])
    lengths = pc.binary_length(texts).to_numpy()
    counts = {int(length): int((lengths == length).sum()) for length in lengths}
    ranked = sorted(range(len(texts)), key=lambda i: (-counts[int(lengths[i])], i))
    return [texts[i].as_py() for i in ranked[:_PROBES]]


def _candidates(text: str) -> Iterator[str]:
    """Yield formats that one text may follow, likelier ones first."""
    if len(text) > 64:
        return
    for format_, rest in _whole_formats(text):
        yield format_ + rest.replace("%", "%%")
        if rest:
            yield with_offset(format_)


def _whole_formats(text: str) -> Iterator[tuple[str, str]]:
    """Yield formats of dates and times, and the offset that follows in the text."""
    for date, rest in _dates(text):
        if not rest:
            yield date, ""
            continue
        joint = _JOINT.match(rest)
        if joint:
            for time, offset in _times(rest[joint.end() :]):
                yield date + joint.group() + time, offset
        elif _SUFFIX.fullmatch(rest):
            yield date, rest
        elif _COMPACT_TIME.match(rest) and _COMPACT.match(text):
            for time, offset in _times(rest):
                if "%-" not in time:
                    yield date + time, offset
    yield from _times(text)


def _times(text: str) -> Iterator[tuple[str, str]]:
    match = _TIME.match(text)
    rest = text[match.end() :] if match else ""
    if not match or (rest and not _SUFFIX.fullmatch(rest)):
        return
    parts = match.groupdict()
    if not parts["colon"] and len(parts["hour"]) + len(parts["minute"]) < 4:
        return
    if not parts["colon"] and not parts["second"]:
        return
    letter = "I" if parts["half"] else "H"
    tail = f"{parts['colon']}%M"
    if parts["second"]:
        tail += f"{parts['colon']}%S"
    half = ""
    if parts["half"]:
        half = parts["space"] + ("%p" if parts["half"].isupper() else "%P")
    has_seconds = bool(parts["second"])
    for fraction in _fractions(parts["point"], parts["fraction"], has_seconds=has_seconds):
        for hour in (f"%{letter}", f"%-{letter}"):
            yield hour + tail + fraction + half, rest


def _fractions(point: str | None, digits: str | None, *, has_seconds: bool) -> Iterator[str]:
    if not has_seconds:
        yield ""
        return
    if not point or not digits:
        yield from ("", "%.3f", "%.6f", "%.f", "%.9f")
        return
    yield f"{point}%{len(digits)}f"
    if point == ".":
        yield from (f"%.{len(digits)}f", "%.f")


def _dates(text: str) -> Iterator[tuple[str, str]]:
    """Yield a date's format and what follows the date."""
    yield from _numeric_dates(text)
    yield from _named_dates(text)
    weekday = _WEEKDAY.match(text)
    if weekday:
        word, between = weekday.groups()
        name = _cased(word, "a" if len(word) == _SHORT else "A")
        rest = text[weekday.end() :]
        for date, after in (*_numeric_dates(rest), *_named_dates(rest)):
            yield name + between + date, after


def _numeric_dates(text: str) -> Iterator[tuple[str, str]]:
    match = _NUMERIC.match(text)
    if match:
        one, by, _, three = match.groups()
        rest = text[match.end() :]
        for order in _orders(len(one), len(three), by):
            for unpadded in ("", "-"):
                date = by.join(order).replace("%d", f"%{unpadded}d")
                yield date.replace("%m", f"%{unpadded}m"), rest
    compact = _COMPACT.match(text)
    if compact:
        for date in ("%Y%m%d", "%d%m%Y", "%m%d%Y"):
            yield date, text[8:]


def _orders(first: int, last: int, by: str) -> Iterator[tuple[str, str, str]]:
    day_first, month_first = ("%d", "%m"), ("%m", "%d")
    pairs = (month_first, day_first) if by == "/" else (day_first, month_first)
    if first == 4 and last <= 2:
        yield "%Y", "%m", "%d"
        yield "%Y", "%d", "%m"
    elif first <= 2 and last in {2, 4}:
        for pair in pairs:
            yield *pair, "%Y" if last == 4 else "%y"
    if first == 2 and last <= 2:
        yield "%y", "%m", "%d"


def _named_dates(text: str) -> Iterator[tuple[str, str]]:
    for pattern, order in (
        (_DAY_FIRST, ("day", "month", "year")),
        (_MONTH_FIRST, ("month", "day", "year")),
        (_YEAR_FIRST, ("year", "month", "day")),
    ):
        match = pattern.match(text)
        if not match:
            continue
        words = dict(zip(order, match.group(1, 3, 5), strict=True))
        # "May" may be short or whole.
        letters = ("b", "B") if len(words["month"]) == _SHORT else ("B",)
        year = "%Y" if len(words["year"]) == _LONG_YEAR else "%y"
        for letter, day in product(letters, ("%d", "%-d")):
            directives = {"day": day, "month": _cased(words["month"], letter), "year": year}
            one, two, three = (directives[part] for part in order)
            date = one + match.group(2) + two + match.group(4) + three
            yield date, text[match.end() :]


def _cased(word: str, letter: str) -> str:
    if word.isupper():
        return f"%^{letter}"
    return f"%~{letter}" if word.islower() else f"%{letter}"
