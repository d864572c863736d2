"""Writing a learned text model to a bundle, and reading it back without trusting it.

The compiled walk checks no bounds, so ``load_learned`` does: an array that points outside another,
or a walk that could go in circles, is refused.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.compiled import Hashes, Ints, SmallInts
from simulacra.core.errors import BundleError
from simulacra.datatypes.ngram.automaton import (
    ALIAS,
    BACK_OFF,
    NEXT,
    PARENT,
    SIZE,
    START,
    TOKEN,
    TOPICAL,
    Automaton,
)
from simulacra.datatypes.ngram.copies import WORDS_PER_BLOCK, CopyGuard
from simulacra.datatypes.ngram.draw import TextGenerator, pack_pieces
from simulacra.datatypes.ngram.learn import LearnedTexts
from simulacra.datatypes.ngram.lengths import EDGES, Lengths
from simulacra.datatypes.ngram.shapes import ZERO_DIGITS
from simulacra.datatypes.ngram.topics import Topics
from simulacra.datatypes.ngram.walk import Lexicon

_ARRAYS: Final = {
    "states": (np.int32, 2),
    "topic_tables": (np.int32, 3),
    "entries": (np.uint32, 2),
    "items": (np.int32, 2),
    "end_weights": (np.float32, 1),
    "filters": (np.uint64, 1),
    "filter_starts": (np.int64, 1),
    "topic_hashes": (np.uint64, 1),
    "topic_weights": (np.float32, 2),
    "cut": (np.uint8, 1),
}


def save_learned(learned: LearnedTexts, out: ArtifactWriter) -> None:
    """Write a learned model."""
    generator = learned.generator
    automaton = generator.automaton
    out.arrays(
        "model",
        {
            "states": automaton.states,
            "topic_tables": automaton.topic_tables,
            "entries": automaton.entries,
            "items": generator.lexicon.items,
            "end_weights": generator.lexicon.end_weights,
            "filters": generator.guard.filters,
            "filter_starts": generator.guard.starts,
            "topic_hashes": learned.topics.hashes,
            "topic_weights": learned.topics.weights,
            "cut": learned.cut.astype(np.uint8),
        },
    )
    out.table(
        "pieces", pa.table({"piece": pa.array(generator.lexicon.strings(), pa.large_string())})
    )
    out.table("kept", pa.table({"word": pa.array(learned.kept_words, pa.large_string())}))
    facts = {
        "begin": automaton.begin,
        "first_token": automaton.first_token,
        "longest": generator.longest,
    }
    out.json("model", facts)


def load_learned(src: ArtifactReader, *, buckets: int) -> LearnedTexts:
    """Read a learned model.

    Args:
        src: Where ``save_learned`` wrote.
        buckets: The number of length buckets of the column.

    Raises:
        BundleError: The arrays do not make a model.
    """
    arrays = src.arrays("model")
    for name, (dtype, dims) in _ARRAYS.items():
        if name not in arrays or arrays[name].dtype != dtype or arrays[name].ndim != dims:
            _refuse(f"array {name!r} is missing or of another type")
    # Copied: compiled code tells read-only arrays from others.
    model = {name: np.array(arrays[name]) for name in _ARRAYS}
    facts = src.json("model")
    try:
        begin, longest = int(facts["begin"]), int(facts["longest"])
        first_token = int(facts["first_token"])
        pieces = src.table("pieces")["piece"].to_pylist()
        kept = src.table("kept")["word"].to_pylist()
        table, content = pack_pieces(pieces)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        _refuse(str(error))
    automaton = Automaton(
        model["states"], model["topic_tables"], model["entries"], begin, first_token
    )
    topics = model["topic_weights"].shape[1]
    _check_items(model["items"], table)
    _check_automaton(automaton, topics=topics, tokens=2 * len(model["items"]))
    _check_filters(model["filters"], model["filter_starts"])
    _check(len(model["end_weights"]) == 2 * len(model["items"]), "the end weights")
    _check(1 <= topics <= 16, "the number of topics")
    _check(len(model["topic_hashes"]) == len(model["topic_weights"]), "the topic words")
    _check(len(model["cut"]) == buckets and 1 <= longest < EDGES[-1], "the lengths")
    guard = CopyGuard(model["filters"], model["filter_starts"])
    lexicon = Lexicon(model["items"], table, content, model["end_weights"])
    generator = TextGenerator(automaton, lexicon, guard, longest)
    found = Topics.of(model["topic_hashes"], model["topic_weights"])
    return LearnedTexts(generator, found, model["cut"].astype(np.bool_), kept)


def save_lengths(lengths: Lengths, out: ArtifactWriter) -> None:
    """Write the lengths of a column."""
    out.arrays(
        "lengths",
        {
            "counts": lengths.counts,
            "first": lengths.first,
            "longest": np.array([lengths.longest], np.int64),
        },
    )


def load_lengths(src: ArtifactReader) -> Lengths:
    """Read the lengths of a column.

    Raises:
        BundleError: The arrays do not make a distribution.
    """
    arrays = src.arrays("lengths")
    try:
        counts, first, longest = (arrays[name] for name in ("counts", "first", "longest"))
    except KeyError as error:
        _refuse(f"array {error} is missing")
    sound = (
        counts.shape == (len(EDGES) - 1,)
        and first.ndim == longest.ndim == 1
        and all(array.dtype == np.int64 and len(array) for array in (counts, first, longest))
        and bool((counts >= 0).all())
        and bool((np.diff(first) > 0).all())
        and 0 <= first[0] <= first[-1] < len(EDGES)
    )
    _check(sound, "the lengths")
    lengths = Lengths(counts, first, int(longest[0]))
    _check(bool((lengths.rows > 0).all()), "the lengths")
    return lengths


def _refuse(why: str) -> NoReturn:
    raise BundleError(
        "a text model in the bundle is unusable",
        why=why,
        mend="The file is damaged or was changed; write it again",
    )


def _check(sound: bool, what: str) -> None:  # noqa: FBT001 - a condition reads best unnamed
    if not sound:
        _refuse(f"{what} can't be right")


def _within(values: NDArray[Any], end: int) -> bool:
    return not values.size or (int(values.min()) >= 0 and int(values.max()) < end)


def _check_items(items: SmallInts, pieces: SmallInts) -> None:
    _check(items.shape[1] == 3 and len(items) > 0, "the items")
    _check(bool((items[:, 1] >= 1).all()) and _within(items[:, 2], ZERO_DIGITS + 1), "the items")
    _check(_within(items[:, 0], len(pieces)), "the items")
    _check(_within(items[:, 0].astype(np.int64) + items[:, 1] - 1, len(pieces)), "the items")
    # An empty piece could be drawn for ever.
    _check(bool((pieces[:, 1:] >= 1).all()), "the pieces")


def _check_automaton(automaton: Automaton, *, topics: int, tokens: int) -> None:
    states, tables = automaton.states.astype(np.int64), automaton.topic_tables.astype(np.int64)
    entries = automaton.entries
    _check(states.shape[1] == 4 and len(states) > 0 and entries.shape[1] == 4, "the states")
    _check(tables.shape[1:] == (topics + 1, 2), "the topic tables")
    _check(_within(states[:, START], len(entries)) and bool((states[:, SIZE] >= 0).all()), "tables")
    _check(states[0, SIZE] >= 1, "the first state")
    _check(_within(states[:, START] + states[:, SIZE], len(entries) + 1), "the tables")
    _check(
        bool((tables >= 0).all()) and _within(tables.sum(axis=2), len(entries) + 1), "the tables"
    )
    _check(_within(states[:, TOPICAL] + 1, len(tables) + 1), "the topic tables")
    _check(_within(entries[:, ALIAS], len(entries)), "the entries")
    _check(
        _within(entries[:, NEXT], len(states)) and 0 <= automaton.begin < len(states), "the states"
    )
    token = entries[:, TOKEN]
    _check(bool(((token < tokens) | (token == BACK_OFF)).all()), "the tokens")
    # Backing off must come to an end: each step leads to an earlier state, and the first has none.
    _check(bool((states[1:, PARENT] < np.arange(1, len(states))).all()), "the states")
    _check(_within(states[:, PARENT], len(states)), "the states")
    root = slice(states[0, START], states[0, START] + states[0, SIZE])
    chosen = np.concatenate([token[root], token[entries[root, ALIAS]]])
    _check(bool((chosen != BACK_OFF).all()), "the first state")


def _check_filters(filters: Hashes, starts: Ints) -> None:
    sizes = np.diff(starts)
    _check(len(starts) > 0 and int(starts[0]) == 0 and int(starts[-1]) == len(filters), "filters")
    _check(bool(((sizes > 0) & (sizes % WORDS_PER_BLOCK == 0)).all()), "the filters")
