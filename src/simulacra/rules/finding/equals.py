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
        share: The share of rows that are equal, of those that have both.
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

    def rank(match: Match) -> tuple[bool, bool, bool, float]:
        return not match.always, not match.whole, match.of not in state.given, -match.share

    return [
        match
        for place, name in enumerate(codes.names)
        if name not in state.given
        for match in sorted(_matches(state, codes, evidence, place), key=rank)
    ]


def apply_equals(state: State, matches: list[Match], *, whole: bool) -> None:
    """Apply what always holds, and note it.

    Args:
        state: The columns.
        matches: What :func:`find_matches` found.
        whole: Whether to take columns that can be left out, or those that can't.
    """
    resting: set[str] = set()
    for match in matches:
        there = {match.column, match.of} <= state.columns.keys() - resting
        if (
            match.always
            and match.whole == whole
            and there
            and state.holds(Equal.name, {"column": match.column, "of": match.of})
        ):
            resting.add(match.column)


def _matches(state: State, codes: Codes, evidence: Evidence, place: int) -> Iterator[Match]:
    name, column, known = codes.names[place], codes.codes[place], codes.known[place]
    values, where, rows = np.unique(column[known], return_inverse=True, return_counts=True)
    telling = np.flatnonzero(known)[where != rows.argmax()] if rows.size else rows
    if len(telling) < LEAST_TELLING:
        return
    for other in _likely(state, codes, place, telling):
        both = known & codes.known[other]
        equal = both & (column == codes.codes[other])
        told, share = both[telling].sum(), float(equal.sum() / max(both.sum(), 1))
        whole = bool((known == codes.known[other]).all())
        given = codes.names[other] in state.given
        always = bool((equal | ~codes.known[other]).all()) and (whole or given)
        nearly = (
            len(values) >= FEWEST_VALUES
            and min(share, float(equal[telling].sum() / max(told, 1))) >= NEARLY
            and both.sum() >= known.sum() / 2
            and state.columns[name].type == state.columns[codes.names[other]].type
        )
        if told < LEAST_TELLING or not (always or nearly):
            continue
        if evidence.excludes_chance(codes.names[other], codes.names[other], share):
            yield Match(name, codes.names[other], always, whole, share)


def _likely(
    state: State, codes: Codes, place: int, telling: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the columns that equal a column in most of some telling rows."""
    given = np.array([name in state.given for name in codes.names])
    others = (codes.kinds == codes.kinds[place]) & (given | (np.arange(len(given)) < place))
    others[place] = False
    some = np.flatnonzero(others)
    few = telling[np.linspace(0, len(telling) - 1, min(len(telling), _FIRST_ROWS)).astype(np.int64)]
    cells = np.ix_(some, few)
    known = codes.known[cells].sum(axis=1)
    equal = (codes.codes[cells] == codes.codes[place, few]).sum(axis=1)
    enough = given[some] | (known >= len(few) / 4)
    found: NDArray[np.int64] = some[enough & (equal >= _FIRST_SHARE * known)]
    return found
