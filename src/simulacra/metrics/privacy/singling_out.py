"""Singling out: do the synthetic rows tell what is true of exactly one person learned from?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import leaves
from simulacra.metrics.privacy.predicates import (
    Predicates,
    Searched,
    at_random,
    of_rows,
    of_single_values,
)
from simulacra.metrics.privacy.ranks import Ranked, ranked
from simulacra.metrics.privacy.risk import FEWEST, NO_HOLDOUT, Outcome, Rate
from simulacra.metrics.sides import at_most, row_budget

GUESSES = 2_000
"""The most guesses of each kind."""

_UNIVARIATE, _MULTIVARIATE = "singling_out_univariate", "singling_out_multivariate"
_DOES_NOT_SHOW = (
    "An attacker with other knowledge, or who guesses by other means, may do better; and who is "
    "singled out among the rows sampled may not be unique in the population."
)


class SinglingOut:
    """The risk that predicates guessed from synthetic rows are true of exactly one person.

    After Giomi et al., "A unified framework for quantifying privacy risk in synthetic data"
    (PoPETs 2023). Up to 2,000 guesses of each kind. Of one column: a value that occurs once among
    the synthetic rows, and what lies at or beyond the ends of theirs. Of two to eight columns: the
    values of a synthetic row (of numbers and times: at least or at most its value), where that is
    true of no other synthetic row. A guess is right if it is true of exactly one row.

    The value is the risk ``(attack - control) / (1 - control)``, 0 if that is less: ``attack`` is
    the share of guesses right among rows learned from, ``control`` that of the same guesses among
    as many held-out rows. ``baseline`` are guesses about the same columns with values drawn at
    random. 0: nothing is told of the people learned from that isn't told of others. Without a
    hold-out there is no value.

    Texts count in full, lists by their length. Identifiers and a primary key of one column are left
    out. Options: ``rows``, the most rows searched a side (50,000).
    """

    name: ClassVar[str] = "singling_out"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            _UNIVARIATE,
            "Singling out by one column",
            Group.PRIVACY,
            higher_is_better=False,
            ideal=0.0,
        ),
        Measure(
            _MULTIVARIATE,
            "Singling out by several columns",
            Group.PRIVACY,
            higher_is_better=False,
            ideal=0.0,
        ),
    )
    optional: ClassVar[bool] = False

    def compute(
        self,
        real: pa.Table,
        synthetic: pa.Table,
        *,
        holdout: pa.Table | None,
        table: TableSpec,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> list[Score]:
        """Return the risk by one column and by several."""
        used = [leaf for leaf in leaves(table, real) if leaf.kind is not None]
        why = ""
        if holdout is None:
            why = NO_HOLDOUT
        elif not used:
            why = "no column can be compared"
        elif min(real.num_rows, synthetic.num_rows, holdout.num_rows) < FEWEST:
            why = f"fewer than {FEWEST} rows on one side"
        if why or holdout is None:
            return [Score(m.name, None, details={"why": why}) for m in self.measures]
        budget = row_budget(options, real.num_columns)
        # How many rows a predicate is true of depends on how many there are.
        rows = min(real.num_rows, holdout.num_rows, budget)
        data = ranked(
            used,
            [
                at_most(real, rows, rng.child("real")),
                at_most(holdout, rows, rng.child("holdout")),
                at_most(synthetic, budget, rng.child("synthetic")),
            ],
        )
        searched = [Searched.of(side) for side in data.tables]
        return [
            _by_one(data, searched, rng.child("one")),
            _by_several(data, searched, rng.child("several")),
        ]


def _by_one(data: Ranked, searched: Sequence[Searched], rng: RngKey) -> Score:
    every = of_single_values(data.tables[-1], data)
    generator = rng.child("guesses").generator()
    guesses = every.at(np.sort(generator.permutation(len(every))[:GUESSES]))
    return _judged(_UNIVARIATE, "one column", guesses, data, searched, rng)


def _by_several(data: Ranked, searched: Sequence[Searched], rng: RngKey) -> Score:
    if len(data.sizes) < 2:
        return Score(_MULTIVARIATE, None, details={"why": "there is only one column"})
    guesses = of_rows(searched[-1], data, GUESSES, rng.child("guesses").generator())
    return _judged(_MULTIVARIATE, "several columns", guesses, data, searched, rng)


def _judged(
    name: str,
    by: str,
    guesses: Predicates,
    data: Ranked,
    searched: Sequence[Searched],
    rng: RngKey,
) -> Score:
    if len(guesses) < FEWEST:
        why = f"the synthetic rows suggest fewer than {FEWEST} guesses"
        return Score(name, None, details={"why": why})
    learned, held_out, synthetic = searched
    blind = at_random(guesses, synthetic.rows, data, rng.child("baseline").generator())
    outcome = Outcome(
        attack=_right(guesses, learned),
        control=_right(guesses, held_out),
        baseline=_right(blind, learned),
    )
    details = {"rows_a_side": learned.rows.shape[1], "synthetic_rows": synthetic.rows.shape[1]}
    return outcome.score(name, f"single someone out by {by}", details, _DOES_NOT_SHOW)


def _right(guesses: Predicates, among: Searched) -> Rate:
    return Rate.of(guesses.matches(among) == 1)
