"""Texts of one fixed format: keys, codes, numbers with separators, addresses of machines."""

from __future__ import annotations

from itertools import takewhile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

FEWEST_VALUES = 100
"""Fewer values may look alike by chance."""
_LOOKED_AT = 10_000
_ROUNDS = 3
_MARK = "\0"
_SPECIAL = frozenset(r"\.+*?()|[]{}^$")
_WORD = r"[\p{L}\p{N}]+"
_BETWEEN = r"[^\p{L}\p{N}]+"
_CLASSES = (
    "[0-9]",
    "[A-F0-9]",
    "[a-f0-9]",
    "[A-Z]",
    "[a-z]",
    "[A-Za-z]",
    "[A-Z0-9]",
    "[a-z0-9]",
    "[A-Za-z0-9]",
    r"[\p{L}\p{N}]",
)
"""What a word may be made of, the narrowest first."""


def fixed_format(values: pa.ChunkedArray) -> str | None:
    """Return the one format that all values have, as a regular expression; None if there is none.

    A format is a sequence of words (of letters and digits) with the same characters between them
    in every value. A word is the same in all values; or it begins with the same letters and goes on
    with one kind of characters, as digits, hexadecimal digits or capitals, of one length or of any.
    It is learned from up to 10,000 values, spread over the column, and holds for every value.

    Args:
        values: Texts; nulls are passed over. Of fewer than 100 no format is learned.
    """
    texts = _texts(values)
    if len(texts) < FEWEST_VALUES:
        return None
    places = np.unique(np.linspace(0, len(texts) - 1, _LOOKED_AT).astype(np.int64))
    looked_at = texts.take(pa.array(places))
    for _ in range(_ROUNDS):
        learned = _learned(looked_at)
        if learned is None:
            return None
        others = texts.filter(pa.array(~matches(texts, learned)))
        if not len(others):
            return learned
        # What the sample lacks widens the format, or shows that there is none.
        looked_at = pa.concat_arrays([looked_at, others.slice(0, _LOOKED_AT)])
    return None


def matches(values: pa.ChunkedArray | pa.Array, form: str) -> NDArray[np.bool_]:
    """Return which texts have a format; nulls do."""
    found = pc.fill_null(pc.match_substring_regex(values, pattern=form), fill_value=True)
    return np.asarray(found)


def _texts(values: pa.ChunkedArray) -> pa.Array:
    texts = values.drop_null().cast(pa.large_string())
    return pa.concat_arrays(texts.chunks) if texts.num_chunks else pa.array([], pa.large_string())


def _learned(texts: pa.Array) -> str | None:
    """Return the format of texts if they have one, and it says anything."""
    if pc.any(pc.match_substring(texts, pattern=_MARK)).as_py():
        return None
    skeletons = pc.unique(pc.replace_substring_regex(texts, pattern=_WORD, replacement=_MARK))
    if len(skeletons) > 1:
        return None
    skeleton: str = skeletons[0].as_py()
    words = skeleton.count(_MARK)
    if not words:
        return None
    parts = pc.split_pattern_regex(texts, pattern=_BETWEEN).flatten().to_numpy(zero_copy_only=False)
    by_word = parts[parts != ""].reshape(len(texts), words)
    patterns = iter([_word(pa.array(by_word[:, i], pa.large_string())) for i in range(words)])
    form = "".join(next(patterns) if c == _MARK else _escaped(c) for c in skeleton)
    return None if form == f"{_CLASSES[-1]}+" else f"^{form}$"


def _word(words: pa.Array) -> str:
    """Return what one word of all texts looks like."""
    ends = pc.min_max(words).as_py()
    first, last = ends["min"], ends["max"]
    if first == last:
        return _escaped(first)
    # What the first and the last in order begin with, all do.
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    prefix = "".join(takewhile(str.isalpha, (own for own, _ in pairs)))
    rest = pc.utf8_slice_codeunits(words, len(prefix), None)
    sizes = pc.min_max(pc.utf8_length(rest)).as_py()
    if not sizes["min"]:
        return f"{_escaped(prefix)}{_CLASSES[-1]}*"
    kind = next(
        kind
        for kind in _CLASSES
        if pc.all(pc.match_substring_regex(rest, pattern=f"^{kind}+$")).as_py()
    )
    same = sizes["min"] == sizes["max"]
    return _escaped(prefix) + (f"{kind}{{{sizes['min']}}}" if same else f"{kind}+")


def _escaped(text: str) -> str:
    """Return the expression that matches a text and nothing else."""
    return "".join(f"\\{c}" if c in _SPECIAL else c for c in text)
