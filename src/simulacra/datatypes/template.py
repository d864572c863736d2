"""Keys that are texts of a fixed make-up: UUIDs, hexadecimal hashes, plates, codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey

_MOST_LENGTHS = 64
_ROOM = 1 << 62
_DIGITS = b"0123456789"
_LOWER = b"abcdefghijklmnopqrstuvwxyz"
_UPPER = _LOWER.upper()
_CLASSES = (
    _DIGITS,
    b"89ab",
    b"89AB",
    _DIGITS + b"abcdef",
    _DIGITS + b"ABCDEF",
    _LOWER,
    _UPPER,
    _DIGITS + _LOWER,
    _DIGITS + _UPPER,
    _LOWER + _UPPER,
    _DIGITS + _LOWER + _UPPER,
    _DIGITS + _LOWER + _UPPER + b"-_",
    _DIGITS + _LOWER + _UPPER + b"+/=",
    bytes(range(0x21, 0x7F)),
    bytes(range(0x20, 0x7F)),
)
_VARIANTS = frozenset({b"89ab", b"89AB"})
"""What the variant of a UUID can be; a class only at its place."""
_UUID_LENGTH, _UUID_VARIANT = 36, 19


@dataclass(frozen=True)
class Template:
    """Texts of one length.

    Attributes:
        alphabets: The characters possible at each place; one where it is always the same.
        rows: The rows of that length.
    """

    alphabets: tuple[bytes, ...]
    rows: int

    @property
    def room(self) -> int:
        """How many different texts there are."""
        room = 1
        for alphabet in self.alphabets:
            room *= len(alphabet)
        return room

    @property
    def numbered(self) -> tuple[int, int]:
        """How many places from the end on are numbered, and in how many ways: below 2**62."""
        ways = 1
        for count, alphabet in enumerate(reversed(self.alphabets)):
            if ways * len(alphabet) > _ROOM:
                return count, ways
            ways *= len(alphabet)
        return len(self.alphabets), ways

    def as_arrays(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return the alphabets, shape ``(length, 256)``, and their sizes."""
        table = np.zeros((len(self.alphabets), 256), np.uint8)
        for place, alphabet in enumerate(self.alphabets):
            table[place, : len(alphabet)] = np.frombuffer(alphabet, np.uint8)
        return table, np.array([len(alphabet) for alphabet in self.alphabets], np.int64)

    def facts(self) -> dict[str, Any]:
        """Return the attributes, JSON-able."""
        return {"alphabets": [a.decode("ascii") for a in self.alphabets], "rows": self.rows}


def draw_texts(
    templates: tuple[Template, ...], rows: NDArray[np.uint64], key: RngKey
) -> pa.LargeStringArray:
    """Return a text for each row number, none twice.

    Lengths are chosen by the row's own noise, among templates with room for all row numbers; as
    texts of different lengths differ, each template may number all rows on its own.

    Args:
        templates: One a length; at least one has room for the greatest row number.
        rows: Row numbers.
        key: The same for all rows of a column and run.
    """
    from simulacra.datatypes.permutation import KEYS, permute, scramble, write_template

    top = int(rows.max()) + 1 if len(rows) else 1
    fitting = [template for template in templates if template.room >= top]
    noise = np.empty(len(rows), np.uint64)
    scramble(rows, key.words(1)[0], noise)
    shares = np.cumsum([template.rows for template in fitting], dtype=np.float64)
    drawn = (noise >> np.uint64(11)) * 2.0**-53 * shares[-1]
    chosen = np.searchsorted(shares, drawn, side="right")
    lengths = np.array([len(template.alphabets) for template in fitting], np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths[chosen])])
    data = np.empty(offsets[-1], np.uint8)
    for index, template in enumerate(fitting):
        mine = np.flatnonzero(chosen == index)
        numbered, ways = template.numbered
        places = np.empty(len(mine), np.uint64)
        permute(rows[mine], ways, key.child(int(lengths[index])).words(KEYS), places)
        table, sizes = template.as_arrays()
        write_template(places, noise[mine], mine, table, sizes, numbered, offsets, data)
    return pa.LargeStringArray.from_buffers(len(rows), pa.py_buffer(offsets), pa.py_buffer(data))


class TemplateWatch:
    """Learns templates from a stream of texts."""

    def __init__(self) -> None:
        self._seen: dict[int, NDArray[np.bool_]] = {}
        self._rows: dict[int, int] = {}

    def add(self, texts: pa.LargeStringArray) -> None:
        """Take the next texts, none null."""
        if not len(texts):
            return
        _, places, content = texts.buffers()
        offsets = np.frombuffer(places, np.int64)[texts.offset :][: len(texts) + 1]
        data = np.frombuffer(content if content is not None else b"", np.uint8)
        lengths = np.diff(offsets)
        for length in np.unique(lengths):
            begins = offsets[:-1][lengths == length]
            known = self._seen.setdefault(int(length), np.zeros((length, 256), np.bool_))
            self._rows[int(length)] = self._rows.get(int(length), 0) + len(begins)
            for place in range(length):
                known[place, data[begins + place]] = True

    def finish(self) -> tuple[Template, ...]:
        """Return the templates of the most frequent lengths, most frequent first."""
        ranked = sorted(self._rows, key=lambda length: (-self._rows[length], length))
        return tuple(
            _template(self._seen[length], self._rows[length]) for length in ranked[:_MOST_LENGTHS]
        )


def _template(seen: NDArray[np.bool_], rows: int) -> Template:
    found = [bytes(np.flatnonzero(place).astype(np.uint8)) for place in seen]
    varied = b"".join(chars for chars in found if len(chars) > 1)
    common = _class_of(varied, 0)
    exact = [_alphabet(chars, common, place, len(found), rows) for place, chars in enumerate(found)]
    template = Template(tuple(exact), rows)
    if template.room >= 10 * rows:
        return template
    # Too narrow to be more than a copy: whole classes where characters vary.
    wide = [_class_of(a, place) if len(a) > 1 else a for place, a in enumerate(exact)]
    return Template(tuple(wide), rows)


def _alphabet(chars: bytes, common: bytes, place: int, length: int, rows: int) -> bytes:
    """Return the characters that may stand at a place."""
    ascii_only = bytes(char for char in chars if char < 0x80)
    if len(ascii_only) < len(chars):
        # Parts of longer characters can't be mixed; a letter stands in for each.
        return _LOWER
    if len(chars) == 1:
        return chars
    if length == _UUID_LENGTH and place == _UUID_VARIANT:
        return _class_of(chars, place)
    alphabet = _class_of(chars, 0)
    if set(alphabet) < set(common) and rows < 10 * len(common):
        # Too few rows to tell a digit's place from a hexadecimal digit's.
        alphabet = common
    if 2 * len(chars) <= len(alphabet) and rows >= 10 * len(alphabet):
        return chars
    return alphabet


def _class_of(chars: bytes, place: int) -> bytes:
    wanted = set(chars)
    for alphabet in _CLASSES:
        if alphabet in _VARIANTS and place != _UUID_VARIANT:
            continue
        if wanted <= set(alphabet):
            return alphabet
    return bytes(sorted(char for char in wanted if char < 0x80)) or _LOWER
