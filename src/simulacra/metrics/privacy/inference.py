"""Inference: do the synthetic rows tell a value of someone whose other values are known?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import Kind, Leaf, leaves
from simulacra.metrics.encode import as_numbers
from simulacra.metrics.privacy.points import nearest_without, points
from simulacra.metrics.privacy.ranks import labels
from simulacra.metrics.privacy.risk import FEWEST, NO_HOLDOUT, Outcome, Rate
from simulacra.metrics.sides import at_most, row_budget, thread_budget

TARGETS = 1_000
"""The most people attacked of each kind."""
SECRETS = 20
"""The most columns inferred, drawn at random if there are more."""

_NEAR = 0.05
_NEAR_IN_TIME = 0.01
_TIMES = frozenset({"date", "datetime", "time", "duration"})
_SHOWN = 5
_DOES_NOT_SHOW = (
    "What follows from the statistics of the population is no leak here, though it may hurt. "
    "An attacker who knows other columns, or infers by better means, may do better."
)

Right = NDArray[np.bool_]


class Inference:
    """The risk that synthetic rows tell a secret of people whose other values are known.

    After Giomi et al., "A unified framework for quantifying privacy risk in synthetic data"
    (PoPETs 2023). Each column in turn (20 at most, drawn at random if there are more) is the
    secret, and all others are known. The attacker looks up the synthetic row that is nearest by
    those (Gower's distance, as of ``closest_records``) and guesses its value. A guess is right if
    it is equal; of a number, if it lies within 5 % of it; of a date or time, within 1 % of the
    range of the real ones attacked.

    The value is the risk ``(attack - control) / (1 - control)`` over all secrets, 0 if that is
    less: ``attack`` is the share of right guesses for up to 1,000 people learned from,
    ``control`` that for as many held-out ones, ``baseline`` that of values of random synthetic
    rows. 0: the secrets of people learned from are as well kept as those of others.
    ``details["secrets"]`` lists the five with the highest risk. Without a hold-out there is no
    value. Columns of one value are no secret.

    Options: ``rows``, the most synthetic rows searched (50,000); ``threads``.
    """

    name: ClassVar[str] = "inference"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "inference", "Attribute inference", Group.PRIVACY, higher_is_better=False, ideal=0.0
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
        """Return one score for the table."""
        used = [leaf for leaf in leaves(table, real) if leaf.kind is not None]
        why = ""
        if holdout is None:
            why = NO_HOLDOUT
        elif len(used) < 2:
            why = "there are fewer than two columns"
        elif min(real.num_rows, synthetic.num_rows, holdout.num_rows) < FEWEST:
            why = f"fewer than {FEWEST} rows on one side"
        if why or holdout is None:
            return [Score(self.name, None, details={"why": why})]
        people = min(TARGETS, real.num_rows, holdout.num_rows)
        found = at_most(synthetic, row_budget(options, real.num_columns), rng.child("synthetic"))
        # Of rows equally near the first is taken: their order may not tell anything.
        found = found.take(rng.child("order").generator().permutation(found.num_rows))
        sides = [
            at_most(real, people, rng.child("real")),
            at_most(holdout, people, rng.child("holdout")),
        ]
        secrets = _secrets(used, sides, rng.child("secrets"))
        if not secrets:
            return [Score(self.name, None, details={"why": "every column holds a single value"})]
        located = points(used, sides, [found])
        threads = thread_budget(options)
        near = [nearest_without(side, located[2], secrets, threads=threads) for side in located[:2]]
        blind = rng.child("baseline").generator().integers(0, found.num_rows, near[0].shape)
        attack, control, baseline = (np.empty((len(secrets), people), dtype=bool) for _ in range(3))
        for i, secret in enumerate(secrets):
            judge = _Judge(used[secret], sides, found)
            attack[i] = judge.right(0, near[0][i])
            control[i] = judge.right(1, near[1][i])
            baseline[i] = judge.right(0, blind[i])
        outcome = Outcome(*map(Rate.of_repeated, (attack, control, baseline)))
        details = {
            "secrets": _worst([used[s].name for s in secrets], attack, control, baseline),
            "secrets_tried": len(secrets),
            "columns_known": len(used) - 1,
            "people_a_side": people,
            "synthetic_rows": found.num_rows,
        }
        act = "infer a person's secret from all else about them"
        return [outcome.score(self.name, act, details, _DOES_NOT_SHOW)]


def _secrets(used: Sequence[Leaf], sides: Sequence[pa.Table], rng: RngKey) -> list[int]:
    """Return the columns to infer: those of more than one value."""
    both = pa.concat_tables(sides)
    varied = [i for i, leaf in enumerate(used) if len(np.unique(labels(leaf, [both])[0])) > 1]
    if len(varied) <= SECRETS:
        return varied
    return sorted(rng.generator().choice(varied, SECRETS, replace=False).tolist())


class _Judge:
    """Tells whether guesses at a secret are right."""

    def __init__(self, leaf: Leaf, sides: Sequence[pa.Table], synthetic: pa.Table) -> None:
        self._labels = labels(leaf, [*sides, synthetic])
        self._numbers: list[NDArray[np.float64]] | None = None
        self._span = 0.0
        if leaf.kind is Kind.NUMBER:
            tables = [*sides, synthetic]
            self._numbers = [as_numbers(leaf.values(t), leaf.spec).floats() for t in tables]
            if leaf.spec.type in _TIMES:
                real = np.concatenate(self._numbers[:2])
                self._span = float(np.nanmax(real) - np.nanmin(real)) * _NEAR_IN_TIME

    def right(self, side: int, guesses: NDArray[np.int64]) -> Right:
        """Say which guesses are right.

        Args:
            side: 0 for people learned from, 1 for held-out ones.
            guesses: The synthetic row whose value is guessed for each, shape ``(people,)``.
        """
        right: Right = self._labels[side] == self._labels[2][guesses]
        if self._numbers is None:
            return right
        truth, guessed = self._numbers[side], self._numbers[2][guesses]
        near = np.abs(truth) * _NEAR if not self._span else self._span
        with np.errstate(invalid="ignore"):  # infinite less infinite
            return right | (np.abs(truth - guessed) <= near)


def _worst(
    names: Sequence[str], attack: Right, control: Right, baseline: Right
) -> list[dict[str, Any]]:
    """Return the secrets of the highest risk, with their rates."""
    found: list[dict[str, Any]] = []
    for i, name in enumerate(names):
        outcome = Outcome(Rate.of(attack[i]), Rate.of(control[i]), Rate.of(baseline[i]))
        found.append(
            {
                "column": name,
                "risk": outcome.risk,
                "interval": list(outcome.interval),
                "attack": outcome.attack.share,
                "control": outcome.control.share,
                "baseline": outcome.baseline.share,
            }
        )
    return sorted(found, key=lambda secret: -secret["risk"])[:_SHOWN]
