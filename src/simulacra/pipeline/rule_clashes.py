"""Rules that contradict each other, found by decoding rows put together at random."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.protocols import FittedRule
from simulacra.core.random import RngKey
from simulacra.rules.columns import changed_columns, replace
from simulacra.rules.custom import redraws
from simulacra.rules.equal import comparable
from simulacra.rules.values import same

TRIED_ROWS = 4_000
"""Rows that rules are tried on."""
_TOLERANCE = 1e-9
_EVERY = 3


@dataclass(frozen=True, slots=True)
class Clash:
    """Rules that can't be kept together.

    Attributes:
        broken: The place of the rule that rows break in the end.
        by: The place of the rule that changes them so; that of the same rule if it breaks itself.
        rows: How many rows.
        of: Of how many that were tried.
        what: What is wrong with them.
    """

    broken: int
    by: int
    rows: int
    of: int
    what: str


def find_clash(
    rules: Sequence[FittedRule], sample: pa.RecordBatch, *, given: Collection[str], rng: RngKey
) -> Clash | None:
    """Return the first clash among rules, None if they get along.

    Real rows must come back after all rules encoded and decoded them, and rows whose encoded values
    come from different rows must keep every rule once decoded. A rule that is kept by drawing rows
    again is not asked.

    Args:
        rules: The rules, in the order in which they encode.
        sample: Real rows; up to 4,000 of them, spread evenly, are tried.
        given: Columns that no rule changes.
        rng: Puts values together.
    """
    if not sample.num_rows or not rules:
        return None
    count = min(sample.num_rows, TRIED_ROWS)
    rows = sample.take(pa.array(np.linspace(0, sample.num_rows - 1, count).astype(np.int64)))
    encoded = rows
    for place, rule in enumerate(rules):
        before, encoded = encoded, rule.encode(encoded)
        lost = _lost(before, rule.decode(encoded))
        if lost:
            return Clash(place, place, lost, count, "don't come back as they were")
    decoded = [_shuffled(encoded, frozenset(given), rng)]
    for rule in reversed(rules):
        decoded.append(rule.decode(decoded[-1]))
    decoded.reverse()
    state = decoded[0]
    for place, rule in enumerate(rules):
        if not redraws(rule) and _broken(rule, state):
            return _blamed(rules, decoded, place, count)
        state = rule.encode(state)
    return None


def decides_on(
    rule: FittedRule, column: str, before: pa.RecordBatch, after: pa.RecordBatch
) -> bool:
    """Say whether a rule decides on the values of a column, and not only reads them.

    Args:
        rule: The rule.
        column: The column.
        before: Real rows.
        after: The rows as the rule encodes them.
    """
    if column not in rule.columns:
        return False
    if set(rule.columns) == {column} or redraws(rule):
        return True
    if changed_columns(before, after, [column]):
        return True
    # Other rows' values, and nulls, must stay as they are.
    numbers = np.arange(after.num_rows)
    nulls = pa.array(numbers[::-1], mask=numbers % _EVERY == 0)
    values = after.column(column).take(nulls)
    decoded = rule.decode(replace(after, column, values))
    return bool(changed_columns(replace(before, column, values), decoded, [column]))


def _blamed(
    rules: Sequence[FittedRule], decoded: Sequence[pa.RecordBatch], broken: int, of: int
) -> Clash:
    """Return the clash in which a rule is broken, by the first rule decoded that breaks it."""
    rows = 0
    for by in range(broken, -1, -1):
        state = decoded[by]
        for rule in rules[by:broken]:
            state = rule.encode(state)
        rows = _broken(rules[broken], state)
        if rows:
            return Clash(broken, by, rows, of, "break it once decoded")
    return Clash(broken, 0, rows, of, "break it once decoded")


def _broken(rule: FittedRule, batch: pa.RecordBatch) -> int:
    return int(pc.sum(rule.violations(batch)).as_py() or 0)


def _lost(before: pa.RecordBatch, after: pa.RecordBatch) -> int:
    """Return how many rows are not as they were; floats may differ in their last digits."""
    wrong = np.zeros(before.num_rows, bool)
    for name in before.schema.names:
        if name not in after.schema.names:
            return int(before.num_rows)
        one, other = before[name], after[name]
        if one.type != other.type:
            return int(before.num_rows)
        if one.equals(other):
            continue
        if not comparable(one.type, one.type):
            return int(before.num_rows)
        alike = same(one, other).to_numpy(zero_copy_only=False)
        if pa.types.is_floating(one.type) and not alike.all():
            a, b = (v.cast(pa.float64()).to_numpy(zero_copy_only=False) for v in (one, other))
            alike |= np.isclose(a, b, rtol=_TOLERANCE, atol=_TOLERANCE)
        wrong |= ~alike
    return int(wrong.sum())


def _shuffled(batch: pa.RecordBatch, given: frozenset[str], rng: RngKey) -> pa.RecordBatch:
    """Return rows of which all but the given columns come from different rows."""
    arrays = []
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        if name in given:
            arrays.append(values)
        else:
            order = rng.child(name).generator().permutation(len(values))
            arrays.append(values.take(pa.array(order)))
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)
