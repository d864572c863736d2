"""Mentions of people in free text: hidden before texts are learned, made anew in texts drawn.

A placeholder, a character of Unicode's private use, stands for each mention, so that what is
learned of a text is where in it somebody is named, never who.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.placeholders import FIRST, QUOTED
from simulacra.core.placeholders import MENTIONED as _PLACEHOLDERS
from simulacra.core.random import RngKey
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.extra import missing, require_extra
from simulacra.datatypes.personal.kind import Facts, Learner
from simulacra.datatypes.personal.mention_search import MENTIONED, Mention, mentions, suspects
from simulacra.datatypes.personal.people import People
from simulacra.datatypes.personal.registry import kind_of

_PLACEHOLDER = re.compile(_PLACEHOLDERS)
_QUOTED = re.compile(QUOTED)
_LOOKED_AT = 1_000
"""Texts of a sample in which mentions are looked for, and names that tell a locale."""
_OTHERS = 50_000
"""People whom a text mentions beside the one that its row tells of."""
_NAMES = ("first_name", "person_name", "last_name")


def shares(sample: pa.Array) -> dict[str, float]:
    """Return in which share of some texts each kind is mentioned; empty without the extra."""
    if missing() or not len(sample):
        return {}
    places = np.unique(np.linspace(0, len(sample) - 1, min(_LOOKED_AT, len(sample))).astype(int))
    texts = sample.cast(pa.large_string()).take(pa.array(places))
    found = mentions(texts.take(suspects(texts)).to_pylist())
    kinds = [kind for several in found for kind in {mention.kind for mention in several}]
    return {
        kind: int(1_000 * kinds.count(kind) / len(texts)) / 1_000
        for kind in MENTIONED
        if kinds.count(kind) * 1_000 >= len(texts)
    }


def _hidden(text: str, found: list[Mention]) -> str:
    """Return a text with placeholders for what it mentions."""
    parts, at = [], 0
    for begin, end, kind in found:
        parts += [text[at:begin], chr(FIRST + MENTIONED.index(kind))]
        at = end
    return "".join(parts) + text[at:]


def hide(texts: pa.Array) -> tuple[pa.Array, dict[str, list[str]]]:
    """Return texts with placeholders for what they mention, and what that was, by kind.

    Without the extra ``personal`` nothing is looked for.

    Args:
        texts: Large strings without nulls.
    """
    found: dict[str, list[str]] = {}
    if missing():
        return texts, found
    if pc.any(pc.match_substring_regex(texts, _PLACEHOLDERS)).as_py():
        texts = pc.replace_substring_regex(texts, _PLACEHOLDERS, "\N{REPLACEMENT CHARACTER}")
    places = suspects(texts)
    if not len(places):
        return texts, found
    some = texts.take(places).to_pylist()
    replaced = []
    for text, several in zip(some, mentions(some), strict=True):
        for begin, end, kind in several:
            found.setdefault(kind, []).append(text[begin:end])
        replaced.append(_hidden(text, several))
    is_suspect = np.zeros(len(texts), np.bool_)
    is_suspect[places.to_numpy()] = True
    changed = pc.replace_with_mask(
        texts, pa.array(is_suspect), pa.array(replaced, pa.large_string())
    )
    return changed, found


@dataclass(frozen=True, slots=True)
class MentionedKind:
    """One kind that the texts of a column mention.

    Attributes:
        facts: Its forms.
        times: How often it was mentioned.
    """

    facts: Facts
    times: int


@dataclass(frozen=True, slots=True)
class Mentions:
    """What the texts of a column mention.

    Attributes:
        column: The column's name.
        salt: Tells the people of this table from others under the same seed.
        locale: Whose words names are made of.
        longest: Where texts are cut off, in code points; None if they aren't.
        kinds: The kinds mentioned.
    """

    column: str
    salt: int
    locale: str | None
    longest: int | None
    kinds: Mapping[str, MentionedKind]

    def hide(self, texts: pa.Array) -> pa.Array:
        """Return texts, perhaps null, with placeholders for what they mention."""
        hidden, _ = hide(texts.fill_null(""))
        return hidden if not texts.null_count else pc.if_else(texts.is_valid(), hidden, texts)

    def fill(self, texts: pa.Array, *, seed: int, start: int) -> pa.Array:
        """Put made mentions in the place of placeholders.

        The first of a kind tells of the person whom other columns of the row tell of, but for names
        in a text of which a rule has hidden what it quotes of those columns.

        Args:
            texts: Large strings.
            seed: The seed of the run.
            start: The number of the first row in the whole table.

        Raises:
            SpecError: The extra ``personal`` is not installed.
        """
        places = np.flatnonzero(
            pc.match_substring_regex(texts.fill_null(""), _PLACEHOLDERS).to_numpy(
                zero_copy_only=False
            )
        )
        if not len(places):
            return texts
        require_extra(self.column)
        some = texts.take(pa.array(places)).to_pylist()
        wanted: dict[str, list[tuple[int, int]]] = {}
        for text, row in zip(some, places.tolist(), strict=True):
            # Whoever is named beside what a rule has hidden is somebody else.
            seen: dict[str, int] = dict.fromkeys(_NAMES, 1) if _QUOTED.search(text) else {}
            for kind in map(_kind_at, _PLACEHOLDER.findall(text)):
                wanted.setdefault(kind, []).append((start + row, seen.get(kind, 0)))
                seen[kind] = seen.get(kind, 0) + 1
        made = {kind: iter(self._made(kind, rows, seed)) for kind, rows in wanted.items()}
        filled = [
            _PLACEHOLDER.sub(lambda found: next(made[_kind_at(found.group())]), text)[
                : self.longest
            ]
            for text in some
        ]
        is_one = np.zeros(len(texts), np.bool_)
        is_one[places] = True
        return pc.replace_with_mask(texts, pa.array(is_one), pa.array(filled, pa.large_string()))

    def _made(self, kind: str, rows: list[tuple[int, int]], seed: int) -> list[str]:
        key = RngKey(seed, ("people", self.salt, ""))
        numbers = np.array([row for row, _ in rows], np.uint64)
        turns = np.array([turn for _, turn in rows], np.uint64)
        others = People(key, numbers * np.uint64(64) + turns, self.column).noise("mentioned")
        numbers = np.where(turns > 0, others % np.uint64(_OTHERS), numbers)
        people = People(key, np.ascontiguousarray(numbers), self.column)
        config = PersonalConfig(kind=kind, locale=self.locale)
        values: list[str] = kind_of(kind).make(self.kinds[kind].facts, people, config).to_pylist()
        return values

    def to_json(self) -> dict[str, Any]:
        """Return what ``of_json`` needs."""
        return {
            "column": self.column,
            "salt": self.salt,
            "locale": self.locale,
            "longest": self.longest,
            "kinds": {k: {"facts": f.facts, "times": f.times} for k, f in self.kinds.items()},
        }

    @classmethod
    def of_json(cls, saved: Mapping[str, Any]) -> Self:
        """Return what ``to_json`` gave.

        Raises:
            KeyError: Something is missing.
            ValueError: Something makes no sense.
        """
        kinds = {
            str(kind): MentionedKind(dict(found["facts"]), int(found["times"]))
            for kind, found in saved["kinds"].items()
        }
        if not kinds.keys() <= set(MENTIONED):
            raise ValueError("texts mention what isn't known")
        locale, longest = saved["locale"], saved["longest"]
        PersonalConfig(kind=MENTIONED[0], locale=locale)
        longest = None if longest is None else int(longest)
        return cls(str(saved["column"]), int(saved["salt"]), locale, longest, kinds)


def _kind_at(placeholder: str) -> str:
    return MENTIONED[ord(placeholder) - FIRST]


class MentionLearner:
    """Hides what texts mention, and learns its forms.

    Args:
        column: The column's name.
        salt: See :class:`Mentions`.
    """

    def __init__(self, column: str, salt: int) -> None:
        self._column = column
        self._salt = salt
        self._learners: dict[str, Learner] = {}
        self._times: dict[str, int] = {}
        self._names: dict[str, dict[str, None]] = {kind: {} for kind in _NAMES}

    @property
    def has_found(self) -> bool:
        """Whether anything was mentioned."""
        return bool(self._times)

    def hide(self, texts: pa.Array) -> pa.Array:
        """Return the next texts with placeholders, having learned what they stand for."""
        texts, found = hide(texts)
        for kind, values in found.items():
            if kind not in self._learners:
                self._learners[kind] = kind_of(kind).learner(PersonalConfig(kind=kind))
            self._learners[kind].add(pa.array(values, pa.large_string()))
            self._times[kind] = self._times.get(kind, 0) + len(values)
            names = self._names.get(kind)
            if names is not None and len(names) < _LOOKED_AT:
                names |= dict.fromkeys(values[:_LOOKED_AT])
        return texts

    def finish(self, longest: int | None) -> Mentions:
        """Settle on the forms.

        Args:
            longest: See :class:`Mentions`.
        """
        kinds = {
            kind: MentionedKind(self._learners[kind].facts(), self._times[kind])
            for kind in MENTIONED
            if kind in self._learners
        }
        return Mentions(self._column, self._salt, self._locale(), longest, kinds)

    def _locale(self) -> str | None:
        for kind, names in self._names.items():
            if names:
                found = kind_of(kind).settle(pa.array(list(names), pa.large_string()))
                if "locale" in found:
                    return str(found["locale"])
        return None
