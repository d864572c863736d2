"""Columns of texts, and of values that they quote, row by row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.placeholders import FIRST_QUOTED, LAST, QUOTED
from simulacra.rules.equal import is_text
from simulacra.rules.quoting import Quote, quotes_in

_CUT_ROWS = 10
"""Texts that must be of the greatest length for them to have been cut off there …"""
_CUT_TIMES = 5
"""… and how many times as many as of each length just below."""
_LENGTHS_BELOW = 5


def can_be_quoted(arrow_type: pa.DataType) -> bool:
    """Say whether columns of a type can be quoted: texts and whole numbers."""
    if pa.types.is_dictionary(arrow_type):
        arrow_type = arrow_type.value_type
    return is_text(arrow_type) or pa.types.is_integer(arrow_type)


def as_texts(values: pa.Array) -> list[str | None]:
    """Return values as a text may quote them."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    texts: list[str | None] = values.cast(pa.large_string()).to_pylist()
    return texts


def quoting_rows(
    texts: pa.Array,
    values: Mapping[str, Sequence[str | None]],
    words: Collection[str],
    ordinary: Collection[str],
) -> Iterator[tuple[int, str, list[Quote]]]:
    """Yield the number and text of each row that quotes its values, and what it quotes."""
    rows = zip(*values.values(), strict=True)
    for row, (text, own) in enumerate(zip(texts.to_pylist(), rows, strict=True)):
        known = {name: value for name, value in zip(values, own, strict=True) if value}
        found = quotes_in(text, known, words, ordinary) if text and known else []
        if found:
            yield row, text, found


def with_texts(texts: pa.Array, changed: Mapping[int, str]) -> pa.Array:
    """Return texts with others in some rows, which are in order."""
    if not changed:
        return texts
    mask = np.zeros(len(texts), np.bool_)
    mask[list(changed)] = True
    return pc.replace_with_mask(texts, pa.array(mask), pa.array([*changed.values()], texts.type))


def free_placeholders(columns: Sequence[pa.Array]) -> list[str]:
    """Return the placeholders that no value has."""
    taken: set[str] = set()
    for values in columns:
        if pa.types.is_dictionary(values.type):
            values = values.dictionary  # noqa: PLW2901 - the same, once each
        if is_text(values.type):
            odd = values.filter(pc.match_substring_regex(values, QUOTED))
            taken.update(*map(str, odd.to_pylist()))
    every = map(chr, range(FIRST_QUOTED, LAST + 1))
    return [character for character in every if character not in taken]


def cut_at(texts: pa.Array) -> int | None:
    """Return the length at which texts are cut off, None if they aren't."""
    lengths = pc.utf8_length(texts).drop_null().to_numpy()
    if not len(lengths):
        return None
    counts = np.bincount(lengths)
    longest = len(counts) - 1
    below = counts[max(0, longest - _LENGTHS_BELOW) : longest]
    is_cut = counts[longest] >= max(_CUT_ROWS, _CUT_TIMES * below.max(initial=0))
    # Texts of one length alone were never cut.
    return longest if is_cut and below.any() else None
