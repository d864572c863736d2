"""Finds numbers whose leading digits are given: the hour, in a time written as 1745.

Such an hour needn't be learned, as it is the hour of the weather, say. Then what is left to learn
of the time is its minutes.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from simulacra.rules.clock import Clock
from simulacra.rules.difference import Difference, DifferenceConfig
from simulacra.rules.equal import Equal
from simulacra.rules.finding.parts import find_parts
from simulacra.rules.finding.state import State
from simulacra.rules.part import Part, PartRule

_HUNDRED = 100
_MINUTES = 60


def find_hours(state: State, found: State, measured: AbstractSet[str]) -> set[str]:
    """Find numbers of which a quotient is determined by a given column, and measure from that.

    Args:
        state: The rows before any rule.
        found: The rows, and the rules found before; the quotient is taken away last of all.
        measured: Columns that are distances already.

    Returns:
        The columns that became distances.
    """
    determined = {
        str(rule.options["column"])
        for rule in found.found
        if rule.rule in {Equal.name, PartRule.name} and rule.options["of"] in found.given
    }
    changed: set[str] = set()
    if not determined & {name for name, _ in state.numbers()}:
        return changed
    originals = dict(state.columns)
    find_parts(state, dict(state.measures()))
    clocks = {rule.options["column"] for rule in found.found if rule.rule == Clock.name}
    for rule in state.found:
        quotient, number = rule.options["column"], rule.options["of"]
        by = rule.options.get("by")
        if (
            quotient in determined
            and rule.options["part"] == Part.QUOTIENT
            and number in found.columns
            and number not in measured | changed
            and (number not in clocks or by == _HUNDRED)
        ):
            config = DifferenceConfig(
                column=number, minus=quotient, times=_MINUTES if number in clocks else by
            )
            found.apply_before_gone(Difference.name, config, quotient, originals[quotient])
            changed.add(number)
    return changed
