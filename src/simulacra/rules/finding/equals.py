"""Finds columns, of any type, that equal another one always or nearly always."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.rules.copied import NEARLY
from simulacra.rules.equal import Equal
from simulacra.rules.finding.codes import Codes
from simulacra.rules.finding.columns import FEWEST_VALUES
from simulacra.rules.finding.evidence import LEAST_TELLING, Evidence
from simulacra.rules.finding.state import State

_FIRST_ROWS = 64
"""Rows that rule most pairs out …"""
_FIRST_SHARE = 0.8
"""… where fewer are equal: which befalls 1 in 10⁴ of those that are equal in 95 % of all rows."""


@dataclass(frozen=True, slots=True)
class Match:
    """A column and another one that it equals.

    Attributes:
        column: The column.
        of: The other one; an own one stands before the column.
        always: Whether they are equal wherever the other one is known.
        whole: Whether the column is null in the same rows, too.
        share: The share of rows that are equal: of all that have both, or of those of them that
            tell because the other one has not the column's commonest value; the smaller.
    """

    column: str
    of: str
    always: bool
    whole: bool
    share: float


def find_matches(state: State, codes: Codes, evidence: Evidence) -> list[Match]:
    """Return the matches that are no accident, the best of each column first.

    What always holds is better than what nearly always does, then a column that can be left out
    than one that can't, then a given column than an own one.
    """
    search = _Search(state, codes, evidence)

    def rank(match: Match) -> tuple[bool, bool, bool, float]:
        return not match.always, not match.whole, match.of not in state.given, -match.share

    return [
        match
        for place, name in enumerate(codes.names)
        if name not in state.given
        for match in sorted(search.matches(place), key=rank)
    ]


def apply_equals(state: State, matches: list[Match], *, whole: bool) -> None:
    """Apply what always holds, and note it; what is found is looked at no more.

    Args:
        state: The columns.
        matches: What :func:`find_matches` found.
        whole: Whether to take columns that can be left out, or those that can't.
    """
    for match in matches:
        there = {match.column, match.of} <= state.columns.keys()
        if (
            match.always
            and match.whole == whole
            and there
            and state.holds(Equal.name, {"column": match.column, "of": match.of})
        ):
            state.columns.pop(match.column, None)


class _Search:
    """Compares columns in codes."""

    def __init__(self, state: State, codes: Codes, evidence: Evidence) -> None:
        self._columns = state.columns
        self._codes = codes
        self._evidence = evidence
        self._given = np.array([name in state.given for name in codes.names], np.bool_)
        # By rows: a few rows of all columns are looked at once for each column.
        self._rows = np.ascontiguousarray(codes.codes.T)
        self._known = np.ascontiguousarray(codes.known.T)

    def matches(self, place: int) -> Iterator[Match]:
        """Yield the columns that equal one, in their order."""
        column, known = self._codes.codes[place], self._codes.known[place]
        values, where, rows = np.unique(column[known], return_inverse=True, return_counts=True)
        if not rows.size:
            return
        commonest = rows.argmax()
        telling = np.flatnonzero(known)[where != commonest]
        if len(telling) < LEAST_TELLING:
            return
        for other in self._likely(place, telling):
            match = self._match(place, other, values[commonest])
            nearly = match.share >= NEARLY and len(values) >= FEWEST_VALUES
            if (match.always or nearly) and self._evidence.excludes_chance(
                match.of, match.of, match.share
            ):
                yield match

    def _match(self, place: int, other: int, commonest: np.int64) -> Match:
        name, of = self._codes.names[place], self._codes.names[other]
        known, known_of = self._codes.known[place], self._codes.known[other]
        both = known & known_of
        equal = both & (self._codes.codes[place] == self._codes.codes[other])
        telling = both & (self._codes.codes[other] != commonest)
        whole, told = bool((known == known_of).all()), telling.sum()
        always = bool((equal | ~known_of).all()) and (whole or bool(self._given[other]))
        share = 0.0
        if told >= LEAST_TELLING:
            share = float(min(equal.sum() / both.sum(), (equal & telling).sum() / told))
        enough = both.sum() >= known.sum() / 2
        if not always and not (enough and self._columns[name].type == self._columns[of].type):
            share = 0.0
        return Match(name, of, always and share == 1, whole, share)

    def _likely(self, place: int, telling: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the columns that equal a column in most of some telling rows."""
        kinds = self._codes.kinds
        others = (kinds == kinds[place]) & (self._given | (np.arange(len(kinds)) < place))
        few = np.linspace(0, len(telling) - 1, min(len(telling), _FIRST_ROWS)).astype(np.int64)
        codes, known = self._rows[telling[few]], self._known[telling[few]]
        equal = (codes == codes[:, [place]]).sum(axis=0)
        both = known.sum(axis=0)
        others &= self._given | (both >= len(few) / 4)
        return np.flatnonzero(others & (equal >= _FIRST_SHARE * both))
