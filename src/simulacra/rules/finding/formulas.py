"""Finds numbers that are products, sums, differences or ratios of others, rounded as they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.schema import RuleSpec
from simulacra.rules import ticks
from simulacra.rules.finding.columns import FEWEST_VALUES
from simulacra.rules.finding.evidence import LEAST_TELLING
from simulacra.rules.finding.state import State
from simulacra.rules.formula import Formula

MOST_IN_PAIRS = 120
"""Columns tried in pairs: the first of those with many values, those of parents last."""
MOST_IN_THREES = 24
_FIRST_ROWS = 24
_GLANCE = 4
NEARLY = 0.99
_ROUNDING = 0.5000001
_DIGITS = 1e-9

_FIRST_SHARE = 0.8
_FAR_WORSE = 10

Numbers = NDArray[np.float64]

_FORMS: tuple[tuple[int, str, Callable[..., Numbers]], ...] = (
    (2, "{0} * {1}", lambda a, b: a * b),
    (2, "{0} + {1}", lambda a, b: a + b),
    (2, "{0} / {1}", lambda a, b: a / b),
    (2, "{1} / {0}", lambda a, b: b / a),
    (3, "{0} * {1} * {2}", lambda a, b, c: a * b * c),
    (3, "{0} + {1} + {2}", lambda a, b, c: a + b + c),
)


def find_formulas(state: State, touched: Collection[str]) -> list[RuleSpec]:
    """Find what is a product or sum of two or three other columns, and note it.

    Every number counts that has a value in all rows looked at and twenty different ones; of an
    operand three will do. Each operand must matter: with its values from other rows, 30 rows must
    have another result.

    Args:
        state: The rows, and the rules found before.
        touched: Columns that other rules read or change: they are left alone.

    Returns:
        What holds in nearly all of the rows.
    """
    own = dict(state.numbers())
    given = {n: v for n, v in state.anchors() if n not in own}
    columns = {n: _Column.of(v) for n, v in {**own, **given}.items() if n not in touched}
    known = {n: c for n, c in columns.items() if c is not None}
    targets = {n: c for n, c in known.items() if n in own and c.kinds >= FEWEST_VALUES}
    suggestions: dict[frozenset[str], RuleSpec] = {}
    gone: set[str] = set()
    for match in _matches(targets, known):
        if {match.target, *match.operands} & gone:
            continue
        digits = known[match.target].decimals
        rounded = f"round({match.expression}, {digits})"
        # A half cent is none in floats: what decimals round up, they may round down.
        exact = f"round({match.of(_as_decimal(n, known[n]) for n in match.operands)}, {digits})"
        if match.share < 1.0:
            together = frozenset({match.target, *match.operands})
            options = {"column": match.target, "expression": rounded}
            # A product says the same as the quotient.
            suggestions.setdefault(together, RuleSpec(rule=Formula.name, options=options))
        elif any(
            state.holds(Formula.name, {"column": match.target, "expression": text})
            for text in (match.expression, rounded, exact)
        ):
            gone.add(match.target)
    for name in gone:
        state.columns.pop(name, None)
    return [rule for rule in suggestions.values() if rule.options["column"] not in gone]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of numbers.

    Attributes:
        values: The values, NaN where null.
        decimals: How many it is rounded to.
        kinds: How many different values there are.
    """

    values: Numbers
    decimals: int
    kinds: int

    @classmethod
    def of(cls, values: pa.Array) -> _Column | None:
        """Return a column of numbers of at most 12 decimals and three values, else None."""
        kind = values.type
        decimals: int | None = kind.scale if pa.types.is_decimal(kind) else 0
        if pa.types.is_floating(kind):
            decimals = ticks.decimals_of(values)
        unit = None if decimals is None else ticks.unit_of(kind, decimals)
        if decimals is None or unit is None or unit.family != "number":
            return None
        read = ticks.read(values, unit)
        if not (read.exact | read.null).all():
            return None
        numbers = np.where(read.known, read.count / float(unit.per), np.nan)
        kinds = len(np.unique(read.count[read.known]))
        return cls(numbers, decimals, kinds) if kinds > 2 else None

    def is_near(self, values: Numbers, rows: Any = slice(None)) -> NDArray[np.bool_]:
        """Say which values are this column's but for rounding."""
        own = self.values[rows]
        margin = _ROUNDING * 10.0**-self.decimals + _DIGITS * np.abs(own)
        near: NDArray[np.bool_] = np.abs(values - own) <= margin
        return near


@dataclass(frozen=True, slots=True)
class _Match:
    target: str
    operands: tuple[str, ...]
    form: str
    share: float

    @property
    def expression(self) -> str:
        """The expression over the columns as they are."""
        return self.of(map(_quoted, self.operands))

    def of(self, operands: Iterable[str]) -> str:
        """Return the expression over other operands."""
        return self.form.format(*operands)


def _matches(targets: Mapping[str, _Column], known: Mapping[str, _Column]) -> Iterator[_Match]:
    """Yield what holds in all rows or nearly all, simple forms first."""
    if not targets:
        return
    rows = len(next(iter(targets.values())).values)
    few = np.linspace(0, rows - 1, min(rows, _FIRST_ROWS)).astype(np.int64)
    for arity, form, make in _FORMS:
        names = list(known)[: MOST_IN_PAIRS if arity == 2 else MOST_IN_THREES]
        groups = np.array(list(combinations(range(len(names)), arity)), np.int64)
        if not len(groups):
            continue
        some = np.stack([known[name].values[few] for name in names])
        with np.errstate(all="ignore"):
            made = make(*(some[groups[:, place]] for place in range(arity)))
        for target, column in targets.items():
            # Four rows rule nearly all out; two of them break what 99 % keep once in 1,700 times.
            first = made[:, :_GLANCE]
            maybe = column.is_near(first, few[:_GLANCE]) | ~np.isfinite(first)
            some_groups = np.flatnonzero(
                (maybe | np.isnan(column.values[few[:_GLANCE]])).sum(axis=1) >= _GLANCE - 1
            )
            here = made[some_groups]
            told = np.isfinite(here) & ~np.isnan(column.values[few])
            likely = (column.is_near(here, few) | ~told).mean(axis=1) >= _FIRST_SHARE
            likely &= told.sum(axis=1) >= len(few) // 4
            for group in groups[some_groups[likely]]:
                operands = tuple(names[place] for place in group)
                share = _share(column, [known[name].values for name in operands], make)
                if target not in operands and share >= NEARLY:
                    yield _Match(target, operands, form, share)


def _share(column: _Column, operands: list[Numbers], make: Callable[..., Numbers]) -> float:
    """Return the share of rows in which a formula holds; 0 if an operand doesn't matter."""
    with np.errstate(all="ignore"):
        made = make(*operands)
        told = ~np.isnan(made) & ~np.isnan(column.values)
        wrong = int((told & ~column.is_near(made)).sum())
        order = np.random.default_rng(0).permutation(len(made))
        for place in range(len(operands)):
            mixed = make(*(o[order] if p == place else o for p, o in enumerate(operands)))
            other = told & ~np.isnan(mixed) & ~column.is_near(mixed)
            if other.sum() < max(LEAST_TELLING, _FAR_WORSE * wrong):
                return 0.0
    return 1.0 - wrong / int(told.sum())


def _as_decimal(name: str, column: _Column) -> str:
    return f"{_quoted(name)}::DECIMAL(18, {column.decimals})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
