"""Finds out how a CSV file is written from its first megabyte."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal

from simulacra.core.errors import InputError

if TYPE_CHECKING:
    from _csv import Reader

HEAD_BYTES = 1 << 20
UTF_8 = "utf-8"
Quoting = Literal["needed", "text", "all"]
_DELIMITERS = ",;\t|"
_LOOK_ROWS = 1_000
_MOST_CELL = 1 << 24
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        delimiter: Between cells, one ASCII character.
        quote: Around cells that need it.
        encoding: Python's name for it.
        has_header: Whether the first row holds names.
        quoting: What is quoted even where it need not be.
        line_end: What ends a row.
        names: The columns' names; ``column_1`` and so on if there is no header.
        is_bare_header: Whether there is nothing but a header, not even a line's end.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = UTF_8
    has_header: bool = True
    quoting: Quoting = "needed"
    line_end: str = "\n"
    names: tuple[str, ...] = ()
    is_bare_header: bool = False


def sniff(
    head: bytes,
    *,
    where: str,
    is_whole: bool,
    delimiter: str | None = None,
    quote: str | None = None,
    encoding: str | None = None,
    has_header: bool | None = None,
) -> Dialect:
    """Find out how a file is written; what is given is believed.

    Args:
        head: Its first bytes, decompressed.
        where: Its name, for messages.
        is_whole: Whether that is all of it.
        delimiter: Between cells.
        quote: Around cells.
        encoding: Python's name for it.
        has_header: Whether the first row holds names.

    Raises:
        InputError: It is empty, or not in the encoding given.
    """
    encoding = encoding or sniff_encoding(head)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=is_whole)
    except UnicodeDecodeError as error:
        raise bad_bytes(where, head.count(b"\n", 0, error.start) + 1, encoding) from error
    text = text.removeprefix("\ufeff")
    if not text.strip("\r\n"):
        raise InputError(
            "the file is empty", where=where, mend="Give a file with a header and rows"
        )
    quote = quote or _sniff_quote(text)
    delimiter = delimiter or _sniff_delimiter(text, quote, is_whole=is_whole)
    rows = _parse(text, delimiter, quote, is_whole=is_whole)
    if not rows:
        raise InputError(
            "the first row is longer than a megabyte", where=where, mend="Name the quote character"
        )
    if has_header is None:
        has_header = _looks_like_header(rows)
    names = rows[0] if has_header else [f"column_{i + 1}" for i in range(len(rows[0]))]
    dialect = Dialect(delimiter, quote, encoding, has_header, names=tuple(names))
    return replace(
        dialect,
        quoting=_quoting(text, rows, dialect),
        is_bare_header=has_header and is_whole and len(rows) == 1 and text[-1] not in "\r\n",
        line_end="\r\n" if "\r\n" in text else "\n" if "\n" in text or "\r" not in text else "\r",
    )


def sniff_encoding(head: bytes) -> str:
    """Return the encoding: by its mark, else UTF-8 if it is that, else a western one."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    zeros = [head[start : start + 4096 : 2].count(0) for start in (0, 1)]
    if max(zeros) > 0.4 * len(head[:4096:2]) and min(zeros) < 0.1 * max(zeros):
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    try:
        codecs.getincrementaldecoder(UTF_8)().decode(head)
    except UnicodeDecodeError as error:
        # After letters that are UTF-8, a byte that isn't is damage, not another encoding.
        return western(head) if head[: error.start].isascii() else UTF_8
    return UTF_8


def western(data: bytes) -> str:
    """Return which of the two one-byte encodings of western Europe the data can be in."""
    undefined = {0x81, 0x8D, 0x8F, 0x90, 0x9D}
    return "latin-1" if undefined & set(data) else "cp1252"


def bad_bytes(where: str, line: int, encoding: str) -> InputError:
    """Return the error for bytes that are nothing in an encoding."""
    return InputError(
        f"line {line:,} is not {encoding}",
        where=where,
        mend="Name the encoding (option encoding, as cp1252), or mend the file",
    )


def reader_of(text: io.TextIOBase, delimiter: str, quote: str) -> Reader:
    """Return a reader of rows that takes cells of any reasonable length."""
    csv.field_size_limit(_MOST_CELL)
    return csv.reader(text, delimiter=delimiter, quotechar=quote)


def _parse(text: str, delimiter: str, quote: str, *, is_whole: bool) -> list[list[str]]:
    reader = reader_of(io.StringIO(text, newline=""), delimiter, quote)
    rows = list(islice(reader, _LOOK_ROWS + 1))
    if not is_whole and len(rows) <= _LOOK_ROWS:
        rows = rows[:-1]  # cut off in the middle
    return [row for row in rows[:_LOOK_ROWS] if row]


def _sniff_quote(text: str) -> str:
    ends = re.escape(_DELIMITERS)
    single = re.findall(rf"(?m)(?:^|[{ends}])'[^'\n]*'(?=[{ends}]|\r?$)", text)
    return "'" if len(single) >= 2 and '"' not in text else '"'


def _sniff_delimiter(text: str, quote: str, *, is_whole: bool) -> str:
    """Return the candidate that cuts most rows into the same number of cells."""
    best, best_score = ",", (0.0, 0)
    for candidate in _DELIMITERS:
        widths = Counter(len(row) for row in _parse(text, candidate, quote, is_whole=is_whole))
        if not widths:
            continue
        width, rows = widths.most_common(1)[0]
        score = (round(rows / widths.total(), 1), width)
        if width > 1 and score > best_score:
            best, best_score = candidate, score
    return best


def _looks_like_header(rows: Sequence[Sequence[str]]) -> bool:
    """Say whether names stand above numbers or texts; a row of data has numbers of its own."""
    first, rest = rows[0], rows[1:]
    numbers = [bool(_NUMBER.fullmatch(cell)) for cell in first]
    if not any(numbers):
        return True
    for i, is_number in enumerate(numbers):
        below = [row[i] for row in rest if i < len(row) and row[i].strip()]
        if first[i] and not is_number and below and all(map(_NUMBER.fullmatch, below)):
            return True
    return False


def _quoting(text: str, rows: Sequence[Sequence[str]], dialect: Dialect) -> Quoting:
    cells = [cell for row in rows for cell in row if cell]
    texts = sum(not _NUMBER.fullmatch(cell) for cell in cells)
    if len(rows) == _LOOK_ROWS:
        text = "\n".join(text.splitlines()[:_LOOK_ROWS])
    delimiter, quote = re.escape(dialect.delimiter), re.escape(dialect.quote)
    opened = len(re.findall(rf"(?m)(?:^|{delimiter}){quote}", text))
    if cells and opened >= len(cells):
        return "all"
    return "text" if 0 < texts <= opened else "needed"
