"""Finds the rules that a table's numbers and times keep: from values alone, never from names.

First what can be left out and worked out again (rule ``part``), then what means more put together
(``calendar``) or counted evenly (``clock``), then what is simpler measured from another column
(``difference``), and last what often repeats one (``copy``).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import RuleSpec, TableSpec
from simulacra.rules.finding.calendars import find_calendars
from simulacra.rules.finding.clocks import find_clocks
from simulacra.rules.finding.columns import counted_columns
from simulacra.rules.finding.copies import find_copies
from simulacra.rules.finding.differences import find_differences
from simulacra.rules.finding.parts import find_parts
from simulacra.rules.finding.state import State

ROWS = 6_000
"""Rows looked at; whether a rule holds is checked in the whole sample."""
CELLS = 4_000_000
"""Values looked at: of tables with thousands of columns, fewer rows …"""
FEWEST_TRIED = 2_000
"""… but at least so many."""
FEWEST_ROWS = 400
"""Smaller samples tell nothing."""
_HELD_OUT = 0.3


def discover(sample: pa.Table, table: TableSpec, *, rng: RngKey) -> list[RuleSpec]:
    """Return the rules found, in the order in which they encode.

    Args:
        sample: A uniform sample of the rows, of the table's schema.
        table: The specification: keys, and what is neither number nor time, are left alone.
        rng: Chooses the rows looked at.
    """
    if sample.num_rows < FEWEST_ROWS:
        return []
    generator = rng.generator()
    whole = State(sample, table)
    most = max(FEWEST_TRIED, min(ROWS, CELLS // max(1, len(whole.columns))))
    rows = np.sort(generator.permutation(sample.num_rows)[:most])
    state = State(sample.select(list(whole.columns)).take(rows), table)
    find_parts(state)
    find_parts(state, find_calendars(state))
    columns = counted_columns(state, find_clocks(state))
    training = generator.random(len(rows)) >= _HELD_OUT
    distances = find_differences(state, columns, training=training)
    find_copies(state, {n: c for n, c in columns.items() if n not in distances})
    return whole.keep(state.found)
