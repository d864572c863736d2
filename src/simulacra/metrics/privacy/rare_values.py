"""Rare values: do values of few people come back in the synthetic rows?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import Leaf, leaves
from simulacra.metrics.intervals import Z, about
from simulacra.metrics.privacy.ranks import labels
from simulacra.metrics.privacy.risk import FEWEST
from simulacra.metrics.sides import at_most

RARE = 10
"""A value is rare that occurs in fewer rows learned from."""

_SHOWN = 5
_Found = list[tuple[str, int, list[float]]]
"""Column, number of rare values, and the share of them in the synthetic and held-out rows."""
_DOES_NOT_SHOW = (
    "A rare value that comes back may be made up anew, as the floor shows it may stand in other "
    "people's rows; and that none comes back doesn't protect rare combinations of common values."
)


class RareValues:
    """The share of the rare values learned from that occur in the synthetic rows.

    A value is rare that occurs in fewer than 10 of the rows learned from (option ``k``): a name, an
    odd amount, a date (the threshold rule of statistical disclosure control: Hundepool et al.,
    "Statistical Disclosure Control", 2012). The value is the mean, over the columns that have at
    least 10 rare values, of the share of them that occur in the synthetic rows. The floor is the
    same for as many held-out rows: how many come back by chance, as other people have them too.
    Beyond the floor, values came back because they were learned.

    Texts count in full, lists by their length. Identifiers and a primary key of one column are left
    out, as keys are made, not drawn. ``details["columns"]`` names the five columns where most
    came back beyond the floor. Rare values are sought in all rows given; synthetic and held-out
    rows are brought to the same number.

    Options: ``k``, the number of rows at which a value is no longer rare.
    """

    name: ClassVar[str] = "rare_values"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "rare_values",
            "Rare values disclosed",
            Group.PRIVACY,
            higher_is_better=False,
            ideal=None,
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
        if holdout is not None and not holdout.num_rows:
            holdout = None
        others = [synthetic] if holdout is None else [synthetic, holdout]
        rows = min(other.num_rows for other in others)
        if not (real.num_rows and rows):
            why = "there are no real or no synthetic rows"
            return [Score(self.name, None, details={"why": why})]
        others = [at_most(o, rows, rng.child(str(i))) for i, o in enumerate(others)]
        limit = int(options.get("k", RARE))
        found: _Found = []
        for leaf in used:
            if (counted := _counted(leaf, real, others, limit)) is not None:
                found.append(counted)
        if not found:
            why = f"no column has {FEWEST} values that fewer than {limit} rows learned from hold"
            return [Score(self.name, None, details={"why": why})]
        value = float(np.mean([shares[0] for _, _, shares in found]))
        floor = None
        if holdout is not None:
            floor = float(np.mean([shares[1] for _, _, shares in found]))
        interval = about(value, _error(found, 0))
        found.sort(key=lambda item: item[2][-1] - item[2][0])
        details = {
            "verdict": _verdict(found, value, floor, limit),
            "does_not_show": _DOES_NOT_SHOW,
            "columns": [
                {"column": name, "rare_values": count, "share": shares[0]}
                | ({"floor": shares[1]} if holdout is not None else {})
                for name, count, shares in found[:_SHOWN]
            ],
            "columns_with_rare_values": len(found),
            "k": limit,
            "real_rows": real.num_rows,
            "synthetic_rows": rows,
        }
        return [Score(self.name, value, floor=floor, interval=interval, details=details)]


def _counted(
    leaf: Leaf, real: pa.Table, others: Sequence[pa.Table], limit: int
) -> tuple[str, int, list[float]] | None:
    """Return how many values of a column are rare, and the share in each other table."""
    learned, *given = labels(leaf, [real, *others])
    present = learned[np.asarray(leaf.values(real).is_valid())]
    counts = np.bincount(present)
    rare = np.flatnonzero((counts > 0) & (counts < limit))
    if len(rare) < FEWEST:
        return None
    shares = []
    for side in given:
        back = np.zeros(len(counts), dtype=bool)
        back[side[side < len(counts)]] = True
        shares.append(float(back[rare].mean()))
    return leaf.name, len(rare), shares


def _error(found: _Found, side: int) -> float:
    """Return the standard error of the mean share of the synthetic (0) or held-out rows (1)."""
    variances = [s[side] * (1 - s[side]) / count for _, count, s in found]
    return math.sqrt(sum(variances)) / len(found)


def _verdict(found: _Found, value: float, floor: float | None, limit: int) -> str:
    said = f"{value:.1%} of the values that fewer than {limit} people have come back"
    if floor is None:
        return f"{said}; without held-out rows nobody can say how many do by chance."
    if value - floor > Z * math.hypot(_error(found, 0), _error(found, 1)):
        return f"Leak: {said}, but only {floor:.1%} occur among as many other people."
    return f"No leak found: {said}, and {floor:.1%} occur among as many other people."
