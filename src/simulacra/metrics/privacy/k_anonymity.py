"""k-anonymity and l-diversity of synthetic rows over chosen quasi-identifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.errors import SpecError, UsageError
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import Leaf, leaves
from simulacra.metrics.intervals import wilson
from simulacra.metrics.privacy.ranks import Ranked, ranked
from simulacra.metrics.privacy.risk import FEWEST
from simulacra.metrics.sides import at_most

_UNIQUE = "unique_matches"
_K = "k_anonymity"
_L = "l_diversity"
_GROUP_SIZES = (2, 5, 10)
_DOES_NOT_SHOW = (
    "Synthetic rows are no people: that a row is alone in its group harms nobody unless it was "
    "copied, and that groups are large doesn't prove that nothing was. An attacker may know other "
    "columns than these."
)

Ints = NDArray[np.int64]


class KAnonymity:
    """How far quasi-identifiers, what others may know of a person, set people apart.

    Three scores, over the columns that the option ``quasi_identifiers`` names. ``unique_matches``
    is the share of the rows learned from whose combination nobody else learned from has and exactly
    one synthetic row has: people whom an attacker would find, rightly or not, to stand behind that
    row. Its floor is the same for held-out rows (as many of each). ``k_anonymity`` is the size of
    the smallest group of synthetic rows that share a combination (Sweeney, "k-anonymity", 2002);
    ``l_diversity`` the fewest different values of a column besides these within any such group,
    the least over those columns (distinct l-diversity: Machanavajjhala et al., TKDD 2007; the
    option ``sensitive`` names the columns, all others when it isn't given). Both have no floor:
    ``details["real"]`` is what the rows learned from have, and falling short of it is no leak.

    Values count as they are: bring exact ages or dates to classes first, if an attacker knows no
    more. Null is a value. Measured on all rows given.
    """

    name: ClassVar[str] = "k_anonymity"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            _UNIQUE,
            "People matched uniquely by quasi-identifiers",
            Group.PRIVACY,
            higher_is_better=False,
            ideal=None,
        ),
        Measure(_K, "k-anonymity", Group.PRIVACY, ideal=None),
        Measure(_L, "l-diversity", Group.PRIVACY, ideal=None),
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
        """Return the share of unique matches, k and l.

        Raises:
            UsageError: No quasi-identifiers are named.
            SpecError: There is no such column, or it holds nothing to compare.
        """
        used = [leaf for leaf in leaves(table, real) if leaf.kind is not None]
        known = _columns(used, options.get("quasi_identifiers"), "quasi-identifier")
        if not known:
            raise UsageError(
                "the metric 'k_anonymity' needs quasi-identifiers",
                mend="Name columns that others may know of a person, as age, sex and postcode",
            )
        secret = _columns(used, options.get("sensitive"), "sensitive column")
        secret = secret or [i for i in range(len(used)) if i not in known]
        if holdout is not None and not holdout.num_rows:
            holdout = None
        if min(real.num_rows, synthetic.num_rows) < FEWEST:
            why = f"fewer than {FEWEST} real or synthetic rows"
            return [Score(measure.name, None, details={"why": why}) for measure in self.measures]
        people = [real] if holdout is None else [real, holdout]
        rows = min(side.num_rows for side in people)
        people = [at_most(side, rows, rng.child(str(i))) for i, side in enumerate(people)]
        data = ranked(used, [synthetic, *people])
        groups = _groups(data, known)
        about = {
            "quasi_identifiers": [used[i].name for i in known],
            "does_not_show": _DOES_NOT_SHOW,
            "real_rows": rows,
            "synthetic_rows": synthetic.num_rows,
        }
        names = [used[i].name for i in secret]
        return [
            _unique_matches(groups, about),
            _smallest(groups, about),
            _least_diverse(data, groups, secret, names, about),
        ]


def _columns(used: Sequence[Leaf], names: object, what: str) -> list[int]:
    if names is None:
        return []
    wanted = [names] if isinstance(names, str) else list(names)  # type: ignore[call-overload]
    places = {leaf.name: i for i, leaf in enumerate(used)}
    for name in wanted:
        if name not in places:
            raise SpecError(
                f"there is no such {what}, or it holds nothing to compare",
                where=str(name),
                mend=f"Choose from {', '.join(places)}",
            )
    return [places[name] for name in dict.fromkeys(wanted)]


def _groups(data: Ranked, known: Sequence[int]) -> list[Ints]:
    """Return for each table the group of each row: those of equal values in the known columns."""
    sizes = [table.shape[1] for table in data.tables]
    groups = np.zeros(sum(sizes), dtype=np.int64)
    for column in known:
        values = np.concatenate([table[column] for table in data.tables]).astype(np.int64)
        both = groups * (data.sizes[column] + 1) + values + 1
        groups = np.unique(both, return_inverse=True)[1].reshape(-1)
    return np.split(groups, np.cumsum(sizes)[:-1])


def _unique_matches(groups: Sequence[Ints], about: Mapping[str, Any]) -> Score:
    count = 1 + max(int(side.max()) for side in groups)
    made = np.bincount(groups[0], minlength=count)
    shares = []
    for side in groups[1:]:
        people = np.bincount(side, minlength=count)
        shares.append(float(((people == 1) & (made == 1)).sum() / len(side)))
    value, rows = shares[0], len(groups[1])
    interval = wilson(value, rows)
    said = f"{value:.1%} of the people learned from are the only ones to match a single row"
    floor = shares[1] if len(shares) > 1 else None
    if floor is None:
        verdict = f"{said}; without held-out rows nobody can say how many do by chance."
    else:
        leak = interval[0] > wilson(floor, rows)[1]
        verdict = f"{'Leak' if leak else 'No leak found'}: {said}, and {floor:.1%} of other people."
    return Score(
        _UNIQUE, value, floor=floor, interval=interval, details={"verdict": verdict, **about}
    )


def _smallest(groups: Sequence[Ints], about: Mapping[str, Any]) -> Score:
    sizes = [np.bincount(side) for side in groups[:2]]
    made, real = (side[side > 0] for side in sizes)
    value = int(made.min())
    small = {
        f"rows_in_groups_below_{limit}": float(made[made < limit].sum() / made.sum())
        for limit in _GROUP_SIZES
    }
    verdict = (
        f"The smallest group of synthetic rows alike in these columns has {value} "
        f"({int(real.min())} among real rows); {small['rows_in_groups_below_5']:.1%} of the rows "
        "are in groups of fewer than 5."
    )
    details = {"verdict": verdict, **about, **small, "groups": len(made), "real": int(real.min())}
    return Score(_K, float(value), details=details)


def _least_diverse(
    data: Ranked,
    groups: Sequence[Ints],
    secret: Sequence[int],
    names: Sequence[str],
    about: Mapping[str, Any],
) -> Score:
    if not secret:
        why = "there is no column besides the quasi-identifiers"
        return Score(_L, None, details={"why": why})
    found = [
        [_diversity(groups[side], data.tables[side][column]) for column in secret]
        for side in (0, 1)
    ]
    value = min(found[0])
    least = names[found[0].index(value)]
    verdict = (
        f"Whoever knows these columns is left with at least {value} possible values of every "
        f"other column (fewest of {least}; {min(found[1])} among real rows)."
    )
    columns = dict(zip(names, found[0], strict=True))
    details = {"verdict": verdict, **about, "columns": columns, "real": min(found[1])}
    return Score(_L, float(value), details=details)


def _diversity(groups: Ints, values: NDArray[np.int32]) -> int:
    """Return the fewest different values within a group."""
    shift = int(values.max()) + 2
    pairs = np.unique(groups * shift + values + 1)
    counts = np.bincount(pairs // shift)
    return int(counts[counts > 0].min())
