"""Linkability: do the synthetic rows tell which two halves of a record belong together?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import leaves
from simulacra.metrics.privacy.points import Points, nearest, points
from simulacra.metrics.privacy.risk import FEWEST, NO_HOLDOUT, Outcome, Rate
from simulacra.metrics.sides import at_most, row_budget, thread_budget

TARGETS = 2_000
"""The most people attacked of each kind."""
NEIGHBOURS = 1
"""Synthetic rows that each half of a record is looked up to."""

_DOES_NOT_SHOW = (
    "Other halves of the columns may link better, and so may an attacker who holds more than the "
    "synthetic rows searched."
)


class Linkability:
    """The risk that synthetic rows link two sets of columns that belong to one person.

    After Giomi et al., "A unified framework for quantifying privacy risk in synthetic data"
    (PoPETs 2023). The columns are parted at random into two halves (``details["parts"]`` names
    them; the key decides). An attacker who holds both halves of the records of many people, not
    knowing which go together, looks up the nearest synthetic row of either half (Gower's distance,
    as of ``closest_records``); a guess is right if that is the same row.

    The value is the risk ``(attack - control) / (1 - control)``, 0 if that is less: ``attack`` is
    the share of right guesses for up to 2,000 people learned from, ``control`` that for as many
    held-out ones, ``baseline`` that of rows drawn at random. 0: people learned from are linked
    no better than others. Without a hold-out there is no value.

    Options: ``rows``, the most synthetic rows searched (50,000); ``threads``.
    """

    name: ClassVar[str] = "linkability"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("linkability", "Linkability", Group.PRIVACY, higher_is_better=False, ideal=0.0),
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
        """Return one score for the table."""
        used = [leaf for leaf in leaves(table, real) if leaf.kind is not None]
        why = ""
        if holdout is None:
            why = NO_HOLDOUT
        elif len(used) < 2:
            why = "there are fewer than two columns to part"
        elif min(real.num_rows, synthetic.num_rows, holdout.num_rows) < FEWEST:
            why = f"fewer than {FEWEST} rows on one side"
        if why or holdout is None:
            return [Score(self.name, None, details={"why": why})]
        people = min(TARGETS, real.num_rows, holdout.num_rows)
        learned, held_out, found = points(
            used,
            [
                at_most(real, people, rng.child("real")),
                at_most(holdout, people, rng.child("holdout")),
            ],
            [at_most(synthetic, row_budget(options, real.num_columns), rng.child("synthetic"))],
        )
        # Of rows equally near the first is taken: their order may not tell anything.
        found = found[:, rng.child("order").generator().permutation(found.shape[1])]
        order = rng.child("parts").generator().permutation(len(used))
        parts = [np.sort(order[: len(used) // 2]), np.sort(order[len(used) // 2 :])]
        threads = thread_budget(options)
        blind = rng.child("baseline").generator().integers(0, found.shape[1], (2, people))
        outcome = Outcome(
            attack=Rate.of(_linked(learned, found, parts, threads)),
            control=Rate.of(_linked(held_out, found, parts, threads)),
            baseline=Rate.of(blind[0] == blind[1]),
        )
        details = {
            "parts": [[used[column].name for column in part] for part in parts],
            "people_a_side": people,
            "synthetic_rows": found.shape[1],
        }
        act = "link the two halves of a person's record"
        return [outcome.score(self.name, act, details, _DOES_NOT_SHOW)]


def _linked(
    people: Points, synthetic: Points, parts: list[NDArray[np.int64]], threads: int
) -> NDArray[np.bool_]:
    """Return whose halves lead to one synthetic row, shape ``(people,)``."""
    one, other = (
        nearest(
            np.ascontiguousarray(people[part]),
            np.ascontiguousarray(synthetic[part]),
            count=NEIGHBOURS,
            threads=threads,
        )[1]
        for part in parts
    )
    linked: NDArray[np.bool_] = (one[:, None] == other[None, :]).any(axis=(0, 1))
    return linked
