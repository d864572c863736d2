"""Demographic parity: is a target as frequent in each sensitive group?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.errors import SpecError
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.cells import cut
from simulacra.metrics.columns import Leaf, leaves
from simulacra.metrics.intervals import bootstrap, resampled
from simulacra.metrics.sides import Sides

DIFFERENCE = "demographic_parity_difference"
RATIO = "demographic_parity_ratio"
CELLS = 10
"""The most groups, and classes, of one column, but for all rarer values together."""
FEWEST = 30
"""Rows that a group has on each side, at least: the share of fewer says nothing."""

Counts = NDArray[np.int64]


class DemographicParity:
    """How much a target depends on a sensitive column: demographic parity, of the data themselves.

    Of each group (a value of the sensitive column; of several, a combination) the share of rows
    with the positive value of the target is taken. ``demographic_parity_difference`` is the
    greatest of these shares less the least, 0 when target and group are independent;
    ``demographic_parity_ratio`` the least over the greatest, 1 then (Calders, Kamiran and
    Pechenizkiy, "Building classifiers with independency constraints", ICDM Workshops 2009; as
    Fairlearn's metrics of these names, of data in the place of predictions). Ratios below 0.8 fail
    the "four-fifths rule" (29 CFR 1607.4 D).

    The floor is what real rows have: a faithful copy is as unfair as they are, and one drawn with
    ``fair=`` is to be better. ``details["real"]`` is the value of the real rows compared with, and
    ``details["groups"]`` has each group's shares. Whether other columns stand for the sensitive
    one is not seen, nor what a model would make of them.

    Of a target of two values the positive one is ``positive``, or else the greater (as ``>50K``,
    ``yes``, 1, true). Of more, without ``positive``, each is taken in turn and the worst counts.
    Columns of many values are cut into about ten cells by the rows of the reference. Groups of
    fewer than 30 rows on a side are left out. The interval is a bootstrap of the synthetic rows.

    Options: ``fair``, with ``target``, ``sensitive`` (a column or several) and, maybe,
    ``positive``; ``rows``, the most rows compared on each side (50,000).
    """

    name: ClassVar[str] = "demographic_parity"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            DIFFERENCE,
            "Demographic parity difference",
            Group.UTILITY,
            higher_is_better=False,
            ideal=0.0,
        ),
        Measure(RATIO, "Demographic parity ratio", Group.UTILITY),
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
        """Return two scores.

        Raises:
            SpecError: It is not said which columns, or one is not there or can't be compared.
        """
        fair = options.get("fair") or {}
        if not fair.get("target") or not fair.get("sensitive"):
            raise SpecError(
                "demographic parity of which columns?",
                mend='Give fair={"target": …, "sensitive": …}, or --fair TARGET=COLUMN',
            )
        found = {leaf.name: leaf for leaf in leaves(table, real)}
        sensitive = fair["sensitive"]
        names = [sensitive] if isinstance(sensitive, str) else list(sensitive)
        target, *groupings = (_named(found, name) for name in (fair["target"], *names))
        columns = tuple(leaf.name for leaf in (target, *groupings))
        sides = Sides.of(real, synthetic, holdout, options, rng)
        if sides.empty:
            return self._none(columns, sides.empty)
        groups, said = _groups(groupings, sides.tables)
        classes, positive = _classes(target, sides.tables, fair.get("positive"))
        counts = _counts(groups, classes, len(said))
        kept = np.flatnonzero((counts.sum(axis=2) >= FEWEST).all(axis=0))
        if len(kept) < 2:
            return self._none(columns, f"fewer than two groups have {FEWEST} rows on each side")
        taken = [positive] if positive is not None else list(range(counts.shape[2]))
        reference, copy, peer = (_shares(side[kept], taken) for side in counts)
        details = {
            **sides.details,
            "groups": [
                {"group": said[group], "real": _plain(reference[i]), "synthetic": _plain(copy[i])}
                for i, group in enumerate(kept)
            ],
            "groups_left_out": len(said) - len(kept),
        }
        parity = counts[1][kept]

        def score(name: str, of: Any) -> Score:
            value = of(copy)

            def again(generator: np.random.Generator) -> float:
                drawn = resampled(parity.reshape(-1), generator).reshape(parity.shape)
                return float(of(_shares(drawn, taken)))

            interval = bootstrap(value, again, rng.child(name))
            every = {"real": of(reference), **details}
            return Score(name, value, columns, of(peer), every, interval)

        return [score(DIFFERENCE, difference), score(RATIO, ratio)]

    def _none(self, columns: tuple[str, ...], why: str) -> list[Score]:
        return [Score(m.name, None, columns, details={"why": why}) for m in self.measures]


def difference(shares: NDArray[np.float64]) -> float:
    """Return the greatest difference of two groups' shares, of the worst class.

    Args:
        shares: Of each class in each group, shape ``(groups, classes)``.
    """
    return float((shares.max(axis=0) - shares.min(axis=0)).max())


def ratio(shares: NDArray[np.float64]) -> float:
    """Return the least share over the greatest, of the worst class; 1 where no group has any."""
    most = shares.max(axis=0)
    return float(
        np.where(most > 0.0, shares.min(axis=0) / np.where(most > 0.0, most, 1.0), 1.0).min()
    )


def _named(found: Mapping[str, Leaf], name: str) -> Leaf:
    leaf = found.get(name)
    if leaf is None:
        raise SpecError(
            "there is no such column", where=name, mend=f"Choose from {', '.join(found)}"
        )
    if leaf.kind is None:
        raise SpecError("the column has no groups to compare", where=name, why=leaf.why)
    return leaf


def _groups(leaves: Sequence[Leaf], tables: Sequence[pa.Table]) -> tuple[list[Counts], list[str]]:
    """Return the group of each row of each table, and what each group is."""
    codes, said = [np.zeros(table.num_rows, np.int64) for table in tables], [""]
    for leaf in leaves:
        cells = cut(leaf, tables, CELLS)[0]
        codes = [one * cells.count + two for one, two in zip(codes, cells.codes, strict=True)]
        said = [
            ", ".join(filter(None, [one, f"{leaf.name} {two}"]))
            for one in said
            for two in cells.said
        ]
    return codes, said


def _classes(
    leaf: Leaf, tables: Sequence[pa.Table], positive: object
) -> tuple[list[Counts], int | None]:
    """Return the class of each row of each table, and which is the positive one, if one is."""
    values = [leaf.values(table) for table in tables]
    if positive is None:
        distinct = pc.unique(values[0]).drop_null()
        if len(distinct) == 2:
            positive = max(distinct.to_pylist())
    if positive is None:
        return cut(leaf, tables, CELLS)[0].codes, None
    try:
        wanted = pa.scalar(positive).cast(values[0].type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SpecError(
            f"{positive!r} is no value of the target", where=leaf.name, why=str(error)
        ) from error
    return [
        pc.fill_null(pc.equal(side, wanted), fill_value=False).to_numpy().astype(np.int64)
        for side in values
    ], 1


def _counts(groups: list[Counts], classes: list[Counts], number: int) -> Counts:
    """Return rows by side, group and class."""
    size = 1 + max((int(side.max()) for side in classes if len(side)), default=0)
    size = max(size, 2)
    return np.stack(
        [
            np.bincount(group * size + kind, minlength=number * size).reshape(number, size)
            for group, kind in zip(groups, classes, strict=True)
        ]
    )


def _shares(counts: Counts, taken: Sequence[int]) -> NDArray[np.float64]:
    """Return the share of each class taken in each group; of a group without rows, the mean."""
    rows = counts.sum(axis=1, keepdims=True)
    every = counts.sum(axis=0) / max(int(counts.sum()), 1)
    shares = np.where(rows > 0, counts / np.maximum(rows, 1), every)
    chosen: NDArray[np.float64] = shares[:, list(taken)]
    return chosen


def _plain(shares: NDArray[np.float64]) -> float | list[float]:
    """Return the shares of a group as JSON has them: one, or one a class."""
    return float(shares[0]) if len(shares) == 1 else [float(share) for share in shares]
