"""Finds texts that quote other columns of their row, more often than those of other rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from simulacra.rules.finding.columns import FEWEST_VALUES
from simulacra.rules.finding.state import State
from simulacra.rules.quoted_rows import as_texts, can_be_quoted
from simulacra.rules.quotes import Quotes, QuotesConfig
from simulacra.rules.quoting import WHOLE, quotes_in, tokens_of, words_of

LEAST_SHARE = 0.01
"""The share of rows that must quote a column …"""
LEAST_ROWS = 10
"""… and how many of those looked at …"""
TIMES_CHANCE = 5
"""… and how many times as many as quote the value of another row."""
_SHIFTS = 4
"""Other rows that each row is compared with."""
_FIRST_ROWS = 600
"""Rows that rule most columns out: of those that quote in a hundredth of the rows, one in 60 …"""
_FIRST_LEAST = 2
_FIRST_TIMES_CHANCE = 2.5
"""… as fewer of these rows, and less than half as many as must be, are enough."""
_SHORT = 4.0
"""Texts of fewer words in the mean are names of things, which other texts may quote."""
_LONG = 8.0
"""Nothing is called by so many words in the mean."""
_COLUMN = ""


def find_quotations(state: State) -> None:
    """Find texts that quote other columns, which stay as they are, and note them.

    Categories are kept whole, and so are left alone, but for what leads to a person.
    """
    quotable = state.columns | state.keys
    personal = {name for name in quotable if state.is_personal(name)}
    texts = {n: values for n, values in state.texts() if personal or state.is_free_text(n)}
    free = {name for name in texts if state.is_free_text(name)}
    if not texts:
        return
    wanted = {
        name: values for name, values in quotable.items() if state.is_name(name) or _differs(values)
    }
    telling = _telling(state, texts, wanted)
    search = _Search({name: texts[name] for name in texts if name in telling}, free)
    asked = {name for names in telling.values() for name in names}
    for name in sorted(asked, key=lambda name: (name in free, name not in personal, name)):
        search.add(name, wanted[name], is_name=state.is_name(name), is_personal=name in personal)
    places = {name: place for place, name in enumerate(quotable)}
    for text, columns in search.found.items():
        if columns:
            ordered = {name: columns[name] for name in sorted(columns, key=lambda n: places[n])}
            state.apply(Quotes.name, _config(state, text, ordered))


def _telling(
    state: State, texts: Mapping[str, pa.Array], columns: Mapping[str, pa.Array]
) -> dict[str, list[str]]:
    """Return, by a few of the rows, which columns each text may quote; texts that may none, not."""
    rows = len(next(iter(texts.values())))
    few = pa.array(np.linspace(0, rows - 1, min(rows, _FIRST_ROWS)).astype(np.int64))
    search = _Search(
        {name: values.take(few) for name, values in texts.items()},
        frozenset(),
        least=_FIRST_LEAST,
        times_chance=_FIRST_TIMES_CHANCE,
    )
    found: dict[str, list[str]] = {}
    for name, column in columns.items():
        values = column.take(few)
        if _mean_words(values) >= _LONG:
            continue
        for text, _ in search.quoting(values, is_name=state.is_name(name)):
            if text != name:
                found.setdefault(text, []).append(name)
    return found


def _mean_words(values: pa.Array) -> float:
    known = as_texts(values.drop_null())
    return sum(len(tokens_of(text or "")) for text in known) / max(1, len(known))


def _differs(values: pa.Array) -> bool:
    return can_be_quoted(values.type) and len({*as_texts(values)} - {None}) >= FEWEST_VALUES


def _config(state: State, text: str, columns: Mapping[str, bool]) -> QuotesConfig:
    words = tuple(name for name, by_word in columns.items() if by_word)
    is_told = all(by_word == state.is_name(name) for name, by_word in columns.items())
    return QuotesConfig(text=text, of=tuple(columns), words=None if is_told else words)


class _Search:
    """Knows which words are in the texts of each row, and counts those that quote.

    Args:
        texts: The columns of texts.
        free: Those of free text; others are categories.
        least: The rows that must quote a column; by default ``LEAST_ROWS`` and ``LEAST_SHARE``.
        times_chance: How many times as many as quote the value of another row.

    Attributes:
        found: Which columns each text quotes, and whether single words of their values, too.
    """

    def __init__(
        self,
        texts: Mapping[str, pa.Array],
        free: AbstractSet[str],
        *,
        least: float | None = None,
        times_chance: float = TIMES_CHANCE,
    ) -> None:
        self._free = free
        self.found: dict[str, dict[str, bool]] = {name: {} for name in texts}
        self._quoted: set[str] = set()
        self._texts = {name: as_texts(values) for name, values in texts.items()}
        self._rows = len(next(iter(texts.values()), ()))
        self._least = max(LEAST_ROWS, LEAST_SHARE * self._rows) if least is None else least
        self._times_chance = times_chance
        self._with_word: list[dict[str, list[str]]] = [{} for _ in range(self._rows)]
        self._words: dict[str, float] = {}
        for name, column in self._texts.items():
            words = 0
            for row, text in enumerate(column):
                tokens = tokens_of(text or "")
                words += len(tokens)
                for token in dict.fromkeys(tokens):
                    self._with_word[row].setdefault(token, []).append(name)
            self._words[name] = words / max(1, sum(text is not None for text in column))

    def add(self, name: str, values: pa.Array, *, is_name: bool, is_personal: bool) -> None:
        """Note which texts quote a column.

        Args:
            name: The column; one that quotes others is made last, and so can't be quoted.
            values: Its values.
            is_name: Whether they are names of persons, whose single words count in any case.
            is_personal: Whether they lead to a person.
        """
        if self.found.get(name) or (name in self._free and self._words[name] >= _SHORT):
            return
        for text, by_word in self.quoting(values, is_name=is_name):
            may_quote = text in self._free or is_personal
            if may_quote and text != name and text not in self._quoted:
                self.found[text][name] = by_word
                self._quoted.add(name)

    def quoting(self, values: pa.Array, *, is_name: bool) -> Iterator[tuple[str, bool]]:
        """Yield which texts quote a column, and whether single words of its values, too."""
        by_word = not pa.types.is_integer(values.type)
        quotable = [_Value.of(text, by_word=by_word) for text in as_texts(values)]
        own = self._counts(quotable)
        if all(max(counts) < self._least for counts in own.values()):
            return
        others = {name: [0, 0, 0] for name in self._texts}
        for shift in range(1, _SHIFTS + 1):
            by = shift * self._rows // (_SHIFTS + 1) + shift
            for name, counts in self._counts([*quotable[by:], *quotable[:by]]).items():
                others[name] = [a + b for a, b in zip(others[name], counts, strict=True)]
        for name, counts in own.items():
            whole, word, either = (
                count >= self._least and count * _SHIFTS >= self._times_chance * chance
                for count, chance in zip(counts, others[name], strict=True)
            )
            if whole or word or (is_name and either):
                yield name, word or is_name

    def _counts(self, values: Sequence[_Value | None]) -> dict[str, list[int]]:
        """Return, for each text, in how many rows it quotes whole values, single words, either."""
        counts = {name: [0, 0, 0] for name in self._texts}
        for row, value in enumerate(values):
            if value is None:
                continue
            with_word = self._with_word[row]
            for name in {name for token in value.tokens for name in with_word.get(token, ())}:
                text = self._texts[name][row] or ""
                quotes = quotes_in(text, {_COLUMN: value.text}, value.by_word)
                # A text that is the value is one for other rules.
                part = [q for q in quotes if q.end - q.begin < len(text)]
                whole = any(quote.word is WHOLE for quote in part)
                word = any(quote.word is not WHOLE for quote in part)
                for place, found in enumerate((whole, word, whole or word)):
                    counts[name][place] += found
        return counts


class _Value(NamedTuple):
    """A value that may be quoted.

    Attributes:
        text: The value.
        tokens: Words of which a text that quotes it has one.
        by_word: The column, if single words count, too.
    """

    text: str
    tokens: frozenset[str]
    by_word: tuple[str, ...]

    @classmethod
    def of(cls, text: str | None, *, by_word: bool) -> _Value | None:
        """Return what may be quoted of a value, None if it has no words."""
        tokens = tokens_of(text or "")
        if text is None or not tokens:
            return None
        words = words_of(text) if by_word else []
        first = frozenset(tokens_of(word)[0] for word in words) if len(words) > 1 else frozenset()
        return cls(text, first | {tokens[0]}, (_COLUMN,) if len(words) > 1 else ())
