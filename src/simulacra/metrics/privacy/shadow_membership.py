"""Shadow models: what does it tell of unusual people to know how the generator learns?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.errors import SpecError, UsageError
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Measure, Score
from simulacra.metrics.columns import leaves
from simulacra.metrics.privacy.membership import judged, measures, unmeasured
from simulacra.metrics.privacy.points import Points, nearest, points
from simulacra.metrics.privacy.risk import FEWEST, NO_HOLDOUT
from simulacra.metrics.sides import at_most, row_budget, thread_budget

Generator = Callable[[pa.Table, int, int], pa.Table]
"""Learns a table and draws rows: called with the table, the number of rows, and a seed."""

SHADOWS = 16
"""Models that are learned, unless the option ``shadows`` says otherwise."""
OUTLIERS = 1_000
"""The most unusual people attacked of each kind."""
ROWS = 10_000
"""The most rows that a shadow model learns from."""

_LONELY = 5
"""Neighbours whose mean distance says how unusual someone is."""
_CLOSEST = 1e-3
_LEAST_SPREAD = 0.05
_DOES_NOT_SHOW = (
    "More shadow models, or ones that learn from as many rows as the generator did, attack better; "
    "people who are like others are not attacked."
)


class ShadowMembership:
    """How well shadow models tell unusual people who were learned from apart from others.

    An attacker who can run the generator learns models like it from rows like those learned from,
    half of which hold a person and half not, and sees what difference the person makes (Stadler,
    Oprisanu and Troncoso, "Synthetic data: anonymisation groundhog day", USENIX Security 2022).
    Here all people are attacked by the same 16 shadow models (option ``shadows``), each learned
    from a random half of as many rows learned from as held out. What is seen of a person is the
    logarithm of the distance (Gower's, as of ``closest_records``) to the nearest synthetic row.
    That in the synthetic rows to judge is set against the normal distributions of the same in rows
    of models that learned the person, and of those that didn't; the score is the logarithm of the
    ratio of likelihoods (LiRA: Carlini et al., "Membership inference attacks from first
    principles", IEEE S&P 2022).

    Attacked are up to 1,000 people of each kind, the most unusual by the mean distance to their
    five nearest others (Meeus et al., "Achilles' heels", ESORICS 2023). The scores are those of
    ``membership_inference``. Without a hold-out there is no value.

    Options: ``generator`` (needed), a function of a table of real rows, a number of rows and a
    seed that learns the former and returns so many synthetic rows of the same columns, as it made
    those to judge (:func:`simulacra.api.shadowing.generator` makes one); ``shadows``; ``rows``, the
    most rows that a shadow learns from (10,000 at most); ``threads``. Learning takes most time.
    """

    name: ClassVar[str] = "shadow_membership"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = measures(
        "shadow_membership", "Membership of unusual people, by shadow models"
    )
    optional: ClassVar[bool] = True

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
        """Return the AUC and the hits at few false alarms.

        Raises:
            UsageError: There is no generator, or fewer than two shadows are wanted.
            SpecError: The generator returns other columns.
        """
        generator = options.get("generator")
        shadows = int(options.get("shadows", SHADOWS))
        if not callable(generator):
            raise UsageError(
                "the metric 'shadow_membership' needs a generator",
                mend="Give the option: a function of a table, a number of rows and a seed",
            )
        if shadows < 2:
            raise UsageError(f"{shadows} shadow models", mend="Give at least 2, better 16")
        used = [leaf for leaf in leaves(table, real) if leaf.kind is not None]
        why = ""
        if holdout is None:
            why = NO_HOLDOUT
        elif not used:
            why = "no column can be compared"
        elif min(real.num_rows, synthetic.num_rows, holdout.num_rows) < FEWEST:
            why = f"fewer than {FEWEST} rows on one side"
        if why or holdout is None:
            return unmeasured(self.name, why)
        rows = min(real.num_rows, holdout.num_rows, row_budget(options, real.num_columns), ROWS)
        pool = pa.concat_tables(
            [at_most(real, rows, rng.child("real")), at_most(holdout, rows, rng.child("holdout"))]
        )
        drawn = min(synthetic.num_rows, row_budget(options, real.num_columns))
        threads = thread_budget(options)
        known, made = [], [at_most(synthetic, drawn, rng.child("synthetic"))]
        for shadow in range(shadows):
            learned = np.zeros(2 * rows, dtype=bool)
            chosen = rng.child("shadow", shadow).generator().permutation(2 * rows)[:rows]
            learned[chosen] = True
            known.append(learned)
            seed = rng.child("shadow", shadow).integer(31)
            made.append(_made(generator, pool.filter(pa.array(learned)), drawn, seed))
        located = points(used, [pool], made)
        targets = _unusual(located[0], rows, threads)
        people = np.ascontiguousarray(located[0][:, targets])
        seen = np.stack([_seen(people, side, threads) for side in located[1:]])
        ratio = _likelihood_ratio(seen[0], seen[1:], np.stack(known)[:, targets])
        half = len(targets) // 2
        details = {
            "shadows": shadows,
            "rows_a_shadow_learned": rows,
            "rows_learned": real.num_rows,
            "people_a_side": half,
            "synthetic_rows": drawn,
        }
        return judged(self.name, ratio[:half], ratio[half:], details, _DOES_NOT_SHOW)


def _made(generator: Generator, learned: pa.Table, rows: int, seed: int) -> pa.Table:
    """Return what the generator makes, in the columns and types of what it learned."""
    made = generator(learned, rows, seed)
    if missing := set(learned.column_names) - set(made.column_names):
        raise SpecError("the generator's rows lack the column", where=min(missing))
    try:
        return made.select(learned.column_names).cast(learned.schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SpecError("the generator's rows have other types", why=str(error)) from error


def _unusual(pool: Points, rows: int, threads: int) -> NDArray[np.int64]:
    """Return the most unusual people: as many learned from (first) as held out.

    Args:
        pool: ``rows`` rows learned from, then as many held-out ones.
        rows: How many there are of each.
        threads: Worker threads.
    """
    # The nearest row of all is the person's own.
    lonely = nearest(pool, pool, count=_LONELY + 1, threads=threads)[0]
    lonely = lonely.sum(axis=0)
    most = min(OUTLIERS, rows)
    sides = (lonely[:rows], lonely[rows:])
    first, second = (np.sort(np.argsort(-side, kind="stable")[:most]) for side in sides)
    return np.concatenate([first, second + rows])


def _seen(people: Points, synthetic: Points, threads: int) -> NDArray[np.float64]:
    distances = nearest(people, synthetic, threads=threads)[0][0].astype(np.float64)
    seen: NDArray[np.float64] = np.log(distances + _CLOSEST)
    return seen


def _likelihood_ratio(
    seen: NDArray[np.float64], shadows: NDArray[np.float64], learned: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return how much likelier what is seen of people is if they were learned from, as logarithms.

    Each person has a mean with and one without; spreads are shared by all people, as few shadows
    can't tell them (Carlini et al. advise so).

    Args:
        seen: In the synthetic rows to judge, shape ``(people,)``.
        shadows: In those of each shadow model, shape ``(shadows, people)``.
        learned: Whether the shadow learned from the person, likewise.
    """
    means, spreads = [], []
    for chosen in (learned, ~learned):
        count = chosen.sum(axis=0)
        overall = float(shadows[chosen].mean()) if chosen.any() else 0.0
        mean = np.where(chosen, shadows, 0.0).sum(axis=0) / np.maximum(count, 1)
        mean = np.where(count > 0, mean, overall)
        left = np.where(chosen, shadows - mean, 0.0)
        freedom = max(int(np.maximum(count - 1, 0).sum()), 1)
        means.append(mean)
        spreads.append(max(float(np.sqrt((left**2).sum() / freedom)), _LEAST_SPREAD))
    ratio: NDArray[np.float64] = _log_density(seen, means[0], spreads[0])
    ratio -= _log_density(seen, means[1], spreads[1])
    return ratio


def _log_density(
    seen: NDArray[np.float64], mean: NDArray[np.float64], spread: float
) -> NDArray[np.float64]:
    """Return the logarithm of the normal density, but for a constant."""
    density: NDArray[np.float64] = -(((seen - mean) / spread) ** 2) / 2 - np.log(spread)
    return density
