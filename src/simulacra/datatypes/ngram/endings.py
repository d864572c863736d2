"""Where texts end: at a token that ends texts, or anywhere because something cut them off.

A column of a fixed width cuts texts in the middle of a word. Such ends are told by their last
tokens: letters that hardly ever occur inside a text, but begin a word that does.

Near a cut, long words are seen less often than short ones, as they are the first to be cut. So only
tokens that begin far enough from the cut for nearly any token to fit are learned from.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulacra.core.compiled import Flags, Ints
from simulacra.datatypes.ngram.tokens import TokenizedTexts
from simulacra.datatypes.ngram.unicode import LETTER

_CUT_SHARE: Final = 0.25
_CUT_TEXTS: Final = 20
_INSIDE: Final = 0.25
_LONG_TOKEN: Final = 0.99


@dataclass(frozen=True, slots=True)
class Endings:
    """How the texts of a sample end.

    Attributes:
        cut: For each length bucket, whether its texts are cut off, shape ``(buckets,)``.
        ends: Where the tokens to learn from end in each text, shape ``(texts,)``, dtype int64.
        final: For each text, whether its last token is a true end, shape ``(texts,)``.
    """

    cut: Flags
    ends: Ints
    final: Flags


def find_endings(texts: TokenizedTexts, buckets: Ints, *, bucket_count: int) -> Endings:
    """Tell which length buckets hold texts that were cut off.

    Args:
        texts: The sample, tokenised; no text is empty.
        buckets: The length bucket of each text.
        bucket_count: The number of length buckets.
    """
    ends = texts.offsets[1:].copy()
    several = np.diff(texts.offsets) > 1
    words = texts.tokens >> 1
    last = words[ends - 1]
    at_end = np.bincount(last[several], minlength=len(texts.hashes))
    inside = np.bincount(words, minlength=len(texts.hashes)) - np.bincount(
        last, minlength=len(texts.hashes)
    )
    suspects = np.flatnonzero((texts.kinds == LETTER) & (at_end > 0) & (inside <= _INSIDE * at_end))
    ordered = sorted(
        texts.word(index) for index in np.flatnonzero((texts.kinds == LETTER) & (inside > 1))
    )
    broken = np.zeros(len(texts.hashes), np.bool_)
    for index in suspects:
        word = texts.word(index)
        place = bisect_left(ordered, word)
        if place < len(ordered) and ordered[place] == word:
            place += 1
        broken[index] = place < len(ordered) and ordered[place].startswith(word)
    hits = np.bincount(buckets[several], broken[last[several]], minlength=bucket_count)
    rows = np.bincount(buckets[several], minlength=bucket_count)
    cut = (rows >= _CUT_TEXTS) & (hits > _CUT_SHARE * rows)
    is_cut = cut[buckets]
    if is_cut.any():
        ends = np.where(is_cut, _ends_before_cut(texts, is_cut & several), ends)
    return Endings(cut, ends, ~is_cut)


def _ends_before_cut(texts: TokenizedTexts, cut: Flags) -> Ints:
    """Return where the tokens end that begin far enough from the end of their text."""
    begins, ends = texts.offsets[:-1], texts.offsets[1:]
    widths = texts.lengths[texts.tokens >> 1] + (texts.tokens & 1)
    total = np.concatenate([[0], np.cumsum(widths, dtype=np.int64)])
    sizes = total[ends] - total[begins]
    # Half of the texts must still teach how texts begin.
    inside = np.repeat(cut, np.diff(texts.offsets))
    margin = int(min(np.quantile(widths[inside], _LONG_TOKEN), np.median(sizes[cut]) / 2))
    last = np.searchsorted(total, total[ends] - margin, side="right")
    return np.clip(last, begins, ends - 1)
