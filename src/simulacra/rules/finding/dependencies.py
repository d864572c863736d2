"""Finds columns that one or two others determine, where that is no accident.

A determining column (or pair) must repeat its values: five rows each, and hardly any value seen
only once, as of an unseen value nothing is known. If rows with the same value agreed by accident,
each such row would do so with the probability q that any two rows agree; N of them with q^N.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.protection import least_count
from simulacra.core.schema import RuleSpec
from simulacra.rules.dependency import Dependency, DependencyConfig
from simulacra.rules.finding.codes import Codes
from simulacra.rules.finding.evidence import CHANCE, LEAST_TELLING
from simulacra.rules.finding.state import State
from simulacra.rules.tuples import TupleIndex

ROWS_PER_VALUE = 5
MOST_SINGLE = 0.005
"""The share of rows whose value of the determining columns no other row has, at most."""
MOST_KEYS = 32
"""Categories tried in pairs: those of the fewest values, as all pairs are looked at."""
NEARLY = 0.99
_FIRST_ROWS = 256
_FIRST_SHARE = 0.9
_FAR_BETTER = 0.1
"""Exceptions, of those that guessing the commonest value has, at most."""

Labels = NDArray[np.int64]


def find_dependencies(state: State, touched: Collection[str]) -> list[RuleSpec]:
    """Find what one or two columns determine, and note it.

    Args:
        state: The rows, and the rules found before.
        touched: Columns that other rules read or change: they are left alone.

    Returns:
        What is determined in nearly all of the rows.
    """
    named = {name: values for name, values in state.coded() if name not in touched}
    categories = [name for name in named if state.is_category(name)]
    if len(named) < 2:
        return []
    search = _Search(Codes(named), categories)
    gone: set[str] = set()
    for target, keys in search.certain():
        if target not in gone and not gone & set(keys):
            state.holds(Dependency.name, {"column": target, "of": keys})
            gone.add(target)
    for name in gone:
        state.columns.pop(name, None)
    return [
        RuleSpec(rule=Dependency.name, options={"column": target, "of": list(keys)})
        for target, keys in search.nearly(gone)
    ]


def without_rare_values(
    rules: Sequence[RuleSpec], columns: Mapping[str, pa.Array]
) -> tuple[list[RuleSpec], list[RuleSpec]]:
    """Tell found rules from those that would keep values that few rows have: a user may want these.

    Args:
        rules: The rules, which hold in all rows.
        columns: The columns, before any rule rewrites them.

    Returns:
        The others, and these, inactive, with the reason.
    """
    kept, telling = [], []
    for rule in rules:
        rare = _rare_values(rule, columns) if rule.rule == Dependency.name else 0
        if rare:
            evidence = f"no row breaks it, but {rare:,} of the values it would keep are rare"
            telling.append(rule.model_copy(update={"active": False, "evidence": evidence}))
        else:
            kept.append(rule)
    return kept, telling


def _rare_values(rule: RuleSpec, columns: Mapping[str, pa.Array]) -> int:
    """Return how many values of what determines a column too few rows have to be kept."""
    rows = pa.table({name: columns[name] for name in rule.options["of"]})
    numbers = TupleIndex.of(rows).numbers([columns[name] for name in rows.column_names])
    return int((np.bincount(numbers) < least_count(None, len(numbers))).sum())


class _Search:
    """Looks for columns that are the same in rows of which others are the same."""

    def __init__(self, codes: Codes, categories: Collection[str]) -> None:
        self._names = codes.names
        self._is_number = [name not in categories for name in codes.names]
        # Null is a value like others.
        self._labels = np.stack([np.unique(c, return_inverse=True)[1] for c in codes.codes])
        self._counts = [np.bincount(label) for label in self._labels]
        self.rows = int(self._labels.shape[1])
        count = min(self.rows, _FIRST_ROWS)
        self._few = np.linspace(0, max(self.rows - 1, 0), count).astype(np.int64)
        keys = [p for p in range(len(self._names)) if self._repeats(self._counts[p])]
        # A measure and a category tell nearly all rows apart, and determine others by chance.
        in_pairs = [p for p in keys if self._names[p] in categories]
        self._keys = sorted(sorted(in_pairs, key=lambda p: len(self._counts[p]))[:MOST_KEYS])
        self._all_keys = keys
        tried = len(self._names) * (len(keys) + len(self._keys) ** 2)
        self._least = math.log(max(tried, 1)) - math.log(CHANCE)
        self._near: list[tuple[int, tuple[int, ...], int]] = []

    def certain(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield what is determined in every row, and by what; the last columns first."""
        found: dict[int, tuple[int, ...]] = {}
        single = {key: self._determined(self._labels[key], (key,)) for key in self._all_keys}
        # Of columns that determine each other a number stays, as a model makes more of its order.
        for target in sorted(range(len(self._names)), key=lambda p: (self._is_number[p], -p)):
            by = [k for k, ts in single.items() if target in ts and k not in found]
            if by:
                # The coarsest says it best.
                found[target] = (min(by, key=lambda k: len(self._counts[k])),)
                yield self._named(target, found[target])
        for pair in combinations(self._keys, 2):
            if set(pair) & found.keys():
                continue
            label = self._labels[pair[0]] * len(self._counts[pair[1]]) + self._labels[pair[1]]
            _, label = np.unique(label, return_inverse=True)
            for target in self._determined(label, pair):
                if target not in found:
                    found[target] = pair
                    yield self._named(target, pair)

    def nearly(self, gone: Collection[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield what is nearly determined, the best of each column."""
        told: list[set[int]] = []
        for exceptions, _, target, keys in sorted(
            (exceptions, len(keys), target, keys) for target, keys, exceptions in self._near
        ):
            places = {target, *keys}
            names = {self._names[place] for place in places}
            # Of columns that tell each other, the one with the fewest exceptions.
            if exceptions and not names & set(gone) and not any(t <= places for t in told):
                told.append(places)
                yield self._named(target, keys)

    def _named(self, target: int, keys: Sequence[int]) -> tuple[str, tuple[str, ...]]:
        return self._names[target], tuple(self._names[key] for key in keys)

    def _repeats(self, counts: NDArray[np.int64]) -> bool:
        """Say whether a column's values repeat enough to determine others."""
        single = int((counts == 1).sum())
        return 1 < len(counts) <= self.rows / ROWS_PER_VALUE and single <= MOST_SINGLE * self.rows

    def _determined(self, label: Labels, keys: tuple[int, ...]) -> list[int]:
        """Return the columns that are the same in all rows of one label; note those nearly so."""
        sizes = np.bincount(label)
        if not self._repeats(sizes):
            return []
        first = np.full(len(sizes), -1)
        first[label[::-1]] = np.arange(self.rows - 1, -1, -1)
        few = self._labels[:, self._few] == self._labels[:, first[label[self._few]]]
        found = []
        for target in np.flatnonzero(few.mean(axis=1) >= _FIRST_SHARE):
            if target in keys or not self._is_told(int(target), sizes):
                continue
            values = self._labels[target]
            agrees = int((values == values[first[label]]).sum())
            if agrees < _FIRST_SHARE * self.rows:
                continue
            if agrees == self.rows:
                found.append(int(target))
                continue
            exceptions = self._exceptions(int(target), label)
            others = self.rows - int(self._counts[target].max())
            if exceptions <= min((1 - NEARLY) * self.rows, _FAR_BETTER * others):
                self._near.append((int(target), keys, exceptions))
        return found

    def _exceptions(self, target: int, label: Labels) -> int:
        kinds = len(self._counts[target])
        cells, rows = np.unique(label * kinds + self._labels[target], return_counts=True)
        most = np.zeros(int(label.max()) + 1, np.int64)
        np.maximum.at(most, cells // kinds, rows)
        return int(self.rows - most.sum())

    def _is_told(self, target: int, sizes: NDArray[np.int64]) -> bool:
        """Say whether rows can't agree so often by accident."""
        counts = self._counts[target]
        others = self.rows - int(counts.max())
        same = float(np.square(counts / self.rows).sum())
        confirmed = self.rows - len(sizes)
        return others >= LEAST_TELLING and confirmed * -math.log(same) >= self._least


def exceptions_of(rule: DependencyConfig, columns: dict[str, NDArray[np.int64]]) -> int:
    """Return how many rows differ from most rows that are the same in the determining columns.

    Args:
        rule: The rule.
        columns: Codes of its columns.
    """
    rows = len(columns[rule.column])
    label = np.zeros(rows, np.int64)
    for name in rule.of:
        _, place = np.unique(columns[name], return_inverse=True)
        _, label = np.unique(label * (int(place.max(initial=0)) + 1) + place, return_inverse=True)
    values, target = np.unique(columns[rule.column], return_inverse=True)
    cells, count = np.unique(label * len(values) + target, return_counts=True)
    most = np.zeros(int(label.max(initial=0)) + 1, np.int64)
    np.maximum.at(most, cells // max(len(values), 1), count)
    return int(rows - most.sum())
