"""Finds the rules that a table's columns keep: from values alone, never from names.

First texts that quote other columns (rule ``quotes``), as they are undone last; then what equals
another column (``equal``) or is a part of one (``part``), and can be left out; then what means more
put together (``calendar``), is a product or sum (``formula``) or counted evenly (``clock``), then
what is simpler measured from another column (``difference``) and what often repeats one (``copy``).
Of the columns that no rule has touched, flags of which one is set (``one_hot``) and what others
determine (``dependency``); last, where columns are null (``null_together``, ``null_unless``), as
all other rules leave nulls where they are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import RuleSpec, TableSpec
from simulacra.rules.finding.calendars import find_calendars
from simulacra.rules.finding.clocks import find_clocks
from simulacra.rules.finding.codes import Codes
from simulacra.rules.finding.columns import counted_columns
from simulacra.rules.finding.copies import find_copies
from simulacra.rules.finding.dependencies import find_dependencies, without_rare_values
from simulacra.rules.finding.differences import find_differences
from simulacra.rules.finding.equals import apply_equals, find_matches
from simulacra.rules.finding.evidence import Evidence
from simulacra.rules.finding.flags import find_one_hot
from simulacra.rules.finding.formulas import find_formulas
from simulacra.rules.finding.hours import find_hours
from simulacra.rules.finding.near_rules import near_copies, near_orders
from simulacra.rules.finding.null_patterns import find_null_patterns
from simulacra.rules.finding.parts import find_parts
from simulacra.rules.finding.quotations import find_quotations
from simulacra.rules.finding.state import State, named_in, usable
from simulacra.rules.finding.suggestions import suggested
from simulacra.rules.quotes import Quotes

ROWS = 6_000
"""Rows looked at; whether a rule holds is checked in the whole sample."""
CELLS = 4_000_000
"""Values looked at: of tables with thousands of columns, fewer rows …"""
FEWEST_TRIED = 2_000
"""… but at least so many."""
FEWEST_ROWS = 400
"""Smaller samples tell nothing but what is equal."""
_HELD_OUT = 0.3


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found.

    Attributes:
        rules: Rules that hold in every row, in the order in which they encode.
        suggestions: Rules that hold in nearly every row, with how many break them; and those that
            would keep values that few rows have.
    """

    rules: list[RuleSpec]
    suggestions: list[RuleSpec]


def discover(
    sample: pa.Table, table: TableSpec, *, given: Collection[str] = frozenset(), rng: RngKey
) -> list[RuleSpec]:
    """Return the rules that hold in every row; see :func:`search`."""
    return search(sample, table, given=given, rng=rng).rules


def search(
    sample: pa.Table,
    table: TableSpec,
    *,
    given: Collection[str] = frozenset(),
    known: Collection[RuleSpec] = (),
    rng: RngKey,
) -> Findings:
    """Return the rules found.

    Args:
        sample: A uniform sample of the rows: columns of the table, and those given with them.
        table: The specification: keys that aren't given are left alone.
        given: Columns that are there, with their final values, before the others are drawn: those
            of the rows' parents, named ``^key.column``, and own ones. A rule may use a given
            column but never changes one, and none is looked for between two of them.
        known: Rules that are declared: they are not found again, nor what only words one otherwise
            that is not kept.
        rng: Chooses the rows looked at.
    """
    names = usable(sample.schema, table, frozenset(given))
    generator = rng.generator()
    most = max(FEWEST_TRIED, min(ROWS, CELLS // max(1, len(names))))
    rows = np.sort(generator.permutation(sample.num_rows)[:most])
    keys = [tuple(key.columns) for key in table.foreign_keys]
    wanted = {*names, *table.primary_key, *(name for key in keys for name in key)}
    seen = sample.select([name for name in sample.column_names if name in wanted]).take(rows)
    state = State(seen, table, frozenset(given))
    find_quotations(state)
    maybe: list[RuleSpec] = []
    codes = Codes(state.columns)
    evidence = Evidence(codes, state.given, seen, keys)
    matches = find_matches(state, codes, evidence)
    apply_equals(state, matches, whole=True)
    if len(rows) >= FEWEST_ROWS:
        find_parts(state, dict(state.anchors()), evidence)
    apply_equals(state, matches, whole=False)
    if len(rows) >= FEWEST_ROWS:
        find_parts(state, dict(state.measures()))
        find_parts(state, {name: state.columns[name] for name in find_calendars(state)})
        maybe += find_formulas(state, _touched(state))
        columns = counted_columns(state, find_clocks(state))
        training = generator.random(len(rows)) >= _HELD_OUT
        maybe += near_orders(columns, evidence) + near_copies(matches, evidence)
        distances = find_differences(state, columns, evidence, training=training)
        distances |= find_hours(State(seen, table, state.given), state, distances)
        find_copies(state, {n: c for n, c in columns.items() if n not in distances}, matches)
        find_one_hot(state, _touched(state))
        maybe += find_dependencies(state, _touched(state))
        find_null_patterns(state)
    named = {name for rule in (*state.found, *maybe) for name in named_in(rule.options)}
    read = [n for n in (*names, *state.keys) if n in named]
    whole = State(sample.select(read), table, state.given)
    raw = dict(whole.columns)
    kept, telling = without_rare_values(whole.keep(state.found, known), raw)
    return Findings(kept, telling + suggested(raw, maybe, (*known, *kept, *telling)))


def _touched(state: State) -> frozenset[str]:
    """Return the columns that the rules found so far read or change.

    What a text quotes is free for others: it only fills gaps in the text, after all of them.
    """
    return frozenset(
        name for rule in state.found if rule.rule != Quotes.name for name in named_in(rule.options)
    )
