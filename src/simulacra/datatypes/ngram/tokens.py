"""From texts to numbered tokens: splitting, and giving each distinct word a number.

A token is a word and whether one space comes before it; joining tokens gives the text back, byte
for byte. The number of a token is ``2 * word + space``, so that both forms of a word count as one
word seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import uint64

from simulacra.core.compiled import Bytes, Hashes, Ints, SmallInts, kernel
from simulacra.datatypes.ngram.scan import next_token, token_hash
from simulacra.datatypes.ngram.unicode import SPACE, character_tables


def as_bytes(values: pa.Array) -> tuple[Bytes, Ints]:
    """Return the bytes of a ``large_string`` array and its offsets, without copying.

    Returns:
        The bytes (uint8), and offsets into them, shape ``(len(values) + 1,)``, dtype int64.
    """
    _, offsets, data = values.buffers()
    edges = (
        np.frombuffer(offsets, np.int64)[values.offset : values.offset + len(values) + 1]
        if offsets is not None and offsets.size
        else np.zeros(1, np.int64)
    )
    # An empty buffer made from bytes is read-only like all others: one compiled form is enough.
    content = np.frombuffer(data if data is not None and data.size else b"\0", np.uint8)
    return content, edges


@dataclass(frozen=True, slots=True)
class TokenizedTexts:
    """Texts as token numbers.

    Attributes:
        tokens: ``2 * word + space`` for each token of all texts, dtype int32.
        offsets: Where each text's tokens begin, shape ``(texts + 1,)``, dtype int64.
        hashes: Each word's hash, shape ``(words,)``, dtype uint64.
        starts: Where each word's first occurrence begins in ``data``, dtype int64.
        lengths: The bytes of each word, dtype int32.
        kinds: The class of each word, dtype uint8.
        chars: The code points of each text, shape ``(texts,)``, dtype int64.
        data: The bytes of all texts.
    """

    tokens: SmallInts
    offsets: Ints
    hashes: Hashes
    starts: Ints
    lengths: SmallInts
    kinds: Bytes
    chars: Ints
    data: Bytes

    def word(self, index: int | np.integer) -> str:
        """Return a word."""
        start = int(self.starts[index])
        return (
            self.data[start : start + int(self.lengths[index])].tobytes().decode("utf-8", "replace")
        )


class Vocabulary(NamedTuple):
    """The distinct words, in order of appearance.

    Attributes:
        hashes: Each word's hash, dtype uint64.
        starts: Where its first occurrence begins in the bytes of all texts, dtype int64.
        lengths: Its bytes, dtype int32.
        kinds: Its class, dtype uint8.
    """

    hashes: Hashes
    starts: Ints
    lengths: SmallInts
    kinds: Bytes


@kernel
def _slot_of(slots: SmallInts, hashes: Hashes, key: np.uint64) -> np.uint64:
    mask = uint64(len(slots) - 1)
    slot = key & mask
    while slots[slot] >= 0 and hashes[slots[slot]] != key:
        slot = (slot + uint64(1)) & mask
    return slot


@kernel
def _split(
    text: tuple[Bytes, Ints],
    row: int,
    classes: Bytes,
    slots: SmallInts,
    vocabulary: Vocabulary,
    count: int,
    out: tuple[SmallInts, Ints, Ints],
) -> tuple[int, int]:
    """Number the tokens of the rows from ``row`` on, as long as the table has room for all."""
    data, edges = text
    hashes, starts, lengths, kinds = vocabulary
    tokens, offsets, chars = out
    written = offsets[row]
    while row < len(edges) - 1:
        at = edges[row]
        stop = edges[row + 1]
        if count + (stop - at) > len(hashes):
            break
        length = 0
        while at < stop:
            space = 0
            if data[at] == 0x20 and at + 1 < stop:
                _, kind, _ = next_token(data, at + 1, stop, classes)
                space = 0 if kind == SPACE else 1
            end, kind, points = next_token(data, at + space, stop, classes)
            key = token_hash(data, at + space, end)
            slot = _slot_of(slots, hashes, key)
            if slots[slot] < 0:
                slots[slot] = count
                hashes[count] = key
                starts[count] = at + space
                lengths[count] = end - at - space
                kinds[count] = kind
                count += 1
            tokens[written] = 2 * slots[slot] + space
            written += 1
            length += points + space
            at = end
        chars[row] = length
        row += 1
        offsets[row] = written
    return row, count


@kernel
def _fill_slots(slots: SmallInts, hashes: Hashes, count: int) -> None:
    for word in range(count):
        slots[_slot_of(slots, hashes, hashes[word])] = word


def tokenize(values: pa.Array) -> TokenizedTexts:
    """Split texts into tokens and number the distinct words in order of appearance.

    Args:
        values: A ``large_string`` array without nulls.
    """
    data, edges = as_bytes(values)
    rows = len(edges) - 1
    classes = character_tables().classes
    # Untouched pages cost nothing, so the worst case (a token a byte) may be reserved.
    tokens = np.empty(int(edges[-1] - edges[0]), np.int32)
    offsets = np.zeros(rows + 1, np.int64)
    chars = np.zeros(rows, np.int64)
    vocabulary = _room_for(1 << 16)
    count = row = 0
    while True:
        slots = np.full(2 * len(vocabulary[0]), -1, np.int32)
        _fill_slots(slots, vocabulary[0], count)
        row, count = _split(
            (data, edges), row, classes, slots, vocabulary, count, (tokens, offsets, chars)
        )
        if row == rows:
            break
        needed = 2 * (count + int(edges[row + 1] - edges[row]))
        grown = _room_for(1 << needed.bit_length())
        grown.hashes[:count] = vocabulary.hashes[:count]
        grown.starts[:count] = vocabulary.starts[:count]
        grown.lengths[:count] = vocabulary.lengths[:count]
        grown.kinds[:count] = vocabulary.kinds[:count]
        vocabulary = grown
    return TokenizedTexts(
        tokens=tokens[: offsets[-1]],
        offsets=offsets,
        hashes=vocabulary.hashes[:count],
        starts=vocabulary.starts[:count],
        lengths=vocabulary.lengths[:count],
        kinds=vocabulary.kinds[:count],
        chars=chars,
        data=data,
    )


def _room_for(words: int) -> Vocabulary:
    return Vocabulary(
        np.zeros(words, np.uint64),
        np.zeros(words, np.int64),
        np.zeros(words, np.int32),
        np.zeros(words, np.uint8),
    )


@kernel
def rows_per_word(tokens: SmallInts, begins: Ints, ends: Ints, words: int) -> Ints:
    """Return in how many texts each word occurs, shape ``(words,)``, dtype int64.

    Args:
        tokens: The tokens of all texts.
        begins: Where each text begins, shape ``(texts,)``.
        ends: Where each text's last token that counts ends, shape ``(texts,)``.
        words: The number of words.
    """
    rows = np.zeros(words, np.int64)
    last = np.full(words, -1, np.int64)
    for row in range(len(begins)):
        for index in range(begins[row], ends[row]):
            word = tokens[index] >> 1
            if last[word] != row:
                last[word] = row
                rows[word] += 1
    return rows
