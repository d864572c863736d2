"""Finds the rules that a table's numbers and times keep: from values alone, never from names.

First what can be left out and worked out again (rule ``part``), then what means more put together
(``calendar``) or counted evenly (``clock``), and last what is simpler measured from another column
(``difference``).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import RuleSpec, TableSpec
from simulacra.rules.finding.calendars import find_calendars
from simulacra.rules.finding.clocks import find_clocks
from simulacra.rules.finding.differences import find_differences
from simulacra.rules.finding.parts import find_parts
from simulacra.rules.finding.state import State

ROWS = 6_000
"""Rows looked at; whether a rule holds is checked in the whole sample."""
FEWEST_ROWS = 400
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
    all_rows = State(sample, table)
    rows = np.sort(generator.permutation(sample.num_rows)[:ROWS])
    state = State(sample.select(all_rows.rows.column_names).take(rows), table)
    find_parts(state)
    find_calendars(state)
    find_parts(state)
    clocks = find_clocks(state)
    find_differences(state, clocks, training=generator.random(len(rows)) >= _HELD_OUT)
    return all_rows.applied(state.found)
