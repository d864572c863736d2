"""Drawing texts in blocks, straight into Arrow's buffers, and never one of the source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import uint64

from simulacra.core.compiled import (
    Bytes,
    Flags,
    Ints,
    SmallFloats,
    SmallInts,
    kernel,
)
from simulacra.core.random import RngKey
from simulacra.datatypes.ngram.automaton import Automaton
from simulacra.datatypes.ngram.copies import CopyGuard, seen_before
from simulacra.datatypes.ngram.scan import GUARDED_WORDS, mix, text_facts
from simulacra.datatypes.ngram.shapes import Items
from simulacra.datatypes.ngram.unicode import CharacterTables, character_tables
from simulacra.datatypes.ngram.walk import GOLDEN, Lexicon, cut_text, first_words, whole_text

ATTEMPTS: Final = 9
"""Draws of a text before it is shortened to three words, which no filter guards."""


@kernel
def _draw_texts(
    automaton: Automaton,
    lexicon: Lexicon,
    guard: CopyGuard,
    characters: CharacterTables,
    wishes: tuple[Ints, Bytes, Flags],
    longest: int,
    seed: np.uint64,
    out: Bytes,
) -> Ints:
    """Write a text a row, one after the other; return where each begins, and the end."""
    targets, topics, cut = wishes
    offsets = np.zeros(len(targets) + 1, np.int64)
    at = 0
    for row in range(len(targets)):
        end = at
        if targets[row] > 0:
            random = mix(seed ^ mix(uint64(row) + GOLDEN))
            for attempt in range(ATTEMPTS):
                if cut[row]:
                    end, random = cut_text(
                        automaton, lexicon, topics[row], targets[row], random, out, at
                    )
                else:
                    end, random = whole_text(
                        automaton, lexicon, topics[row], targets[row], longest, random, out, at
                    )
                _, count, key = text_facts(out, at, end, characters)
                if count < GUARDED_WORDS or not seen_before(guard, key):
                    break
                if attempt == ATTEMPTS - 1:
                    end = first_words(out, at, end, characters.classes, GUARDED_WORDS - 1)
        at = end
        offsets[row + 1] = at
    return offsets


def pack_pieces(pieces: Sequence[str]) -> tuple[SmallInts, Bytes]:
    """Return the places, bytes and code points of some strings, and their UTF-8."""
    encoded = [piece.encode() for piece in pieces]
    sizes = np.array([len(piece) for piece in encoded], np.int64)
    starts = np.cumsum(sizes) - sizes
    chars = np.array([len(piece) for piece in pieces], np.int64)
    # Copied: arrays over bytes are read-only, which is another type to compiled code.
    content = np.frombuffer(b"".join(encoded), np.uint8).copy()
    return np.stack([starts, sizes, chars], axis=1).astype(np.int32), content


@dataclass(frozen=True, slots=True)
class TextGenerator:
    """All that drawing a text needs.

    Attributes:
        automaton: Which token follows which.
        lexicon: What tokens are written as.
        guard: The source texts that may not be written.
        longest: The most code points of a text.
    """

    automaton: Automaton
    lexicon: Lexicon
    guard: CopyGuard
    longest: int

    @classmethod
    def of(
        cls,
        automaton: Automaton,
        items: Items,
        *,
        end_weights: SmallFloats,
        guard: CopyGuard,
        longest: int,
    ) -> TextGenerator:
        """Pack the items for drawing."""
        table = np.stack([items.first, items.count, items.style], axis=1).astype(np.int32)
        pieces, content = pack_pieces(items.pieces)
        return cls(automaton, Lexicon(table, pieces, content, end_weights), guard, longest)

    def draw(self, targets: Ints, topics: Bytes, cut: Flags, *, rng: RngKey) -> tuple[Bytes, Ints]:
        """Draw texts.

        Args:
            targets: The code points wanted, shape ``(rows,)``; 0 for no text.
            topics: The topic of each row.
            cut: Whether the text is cut off right after so many code points.
            rng: The key of this block.

        Returns:
            The bytes of all texts, and offsets into them, shape ``(rows + 1,)``, dtype int64.
        """
        sizes, chars = self.lexicon.pieces[:, 1], self.lexicon.pieces[:, 2]
        bytes_per_char = int(np.max(-(-sizes // np.maximum(chars, 1)), initial=1))
        most = np.where(targets > 0, targets + np.maximum(2, targets >> 3), 0)
        # The walk may write one piece, and the space before it, beyond what it keeps.
        room = int(most.sum()) * bytes_per_char + int(np.max(sizes, initial=0)) + 1
        out = np.empty(room, np.uint8)
        offsets = _draw_texts(
            self.automaton,
            self.lexicon,
            self.guard,
            character_tables(),
            (targets, topics, cut),
            self.longest,
            rng.words(1)[0],
            out,
        )
        return out[: offsets[-1]].copy(), offsets
