"""What nearly holds between a column and one of an ancestor: an order of times, a copied value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from simulacra.core.schema import RuleSpec
from simulacra.rules import ticks
from simulacra.rules.difference import Difference, Order
from simulacra.rules.equal import Equal
from simulacra.rules.finding.columns import Column
from simulacra.rules.finding.equals import Match
from simulacra.rules.finding.evidence import Evidence
from simulacra.rules.finding.orders import share_of_strangers

MOST_BROKEN = 0.01
"""The share of rows that may break a rule which nearly holds …"""
FAR_WORSE = 10
"""… and how much oftener columns that have nothing to do with each other must break it."""
_INSTANTS = frozenset({"instant", "instant+tz"})


def near_orders(columns: Mapping[str, Column], evidence: Evidence) -> list[RuleSpec]:
    """Return for each time the order with a given one that the fewest rows break, but some do.

    Args:
        columns: Own and given columns, counted.
        evidence: Tells which rows count when a given column is compared.
    """
    times = {name: c for name, c in columns.items() if c.unit.family in _INSTANTS}
    found = []
    for name, column in times.items():
        if column.given:
            continue
        broken = {
            (other, order): share
            for other, minus in times.items()
            if minus.given and minus.unit.family == column.unit.family
            for order, share in _nearly(column, minus, evidence, other)
        }
        if broken:
            other, order = min(broken, key=lambda pair: broken[pair])
            options = {"column": name, "minus": other, "order": order.value}
            found.append(RuleSpec(rule=Difference.name, options=options))
    return found


def _nearly(
    column: Column, minus: Column, evidence: Evidence, other: str
) -> Iterator[tuple[Order, float]]:
    """Yield the orders that a few rows break, with their share."""
    both = column.known & minus.known
    rows = evidence.rows(other)
    rows = rows[both[rows]]
    if not len(rows):
        return
    origin = ticks.read(minus.values, column.unit)
    compared = origin.compared(column.count)[both]
    for order in Order:
        share = float(order.broken(compared).mean())
        if 0 < share <= MOST_BROKEN:
            strangers = share_of_strangers(order, column, origin, rows)
            if strangers >= FAR_WORSE * share:
                yield order, share


def near_copies(matches: Iterable[Match], evidence: Evidence) -> list[RuleSpec]:
    """Return what nearly always equals a given column.

    Args:
        matches: The columns that agree too often for chance, the best of each column first.
        evidence: Tells which columns are given.
    """
    best: dict[str, Match] = {}
    for match in matches:
        if evidence.is_given(match.of) and match.share >= 1 - MOST_BROKEN:
            best.setdefault(match.column, match)
    return [
        RuleSpec(rule=Equal.name, options={"column": match.column, "of": match.of})
        for match in best.values()
        if not match.always
    ]
