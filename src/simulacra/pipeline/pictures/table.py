"""All that the charts of one table show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.metrics.columns import leaves
from simulacra.metrics.sides import at_most
from simulacra.pipeline.pictures.coded import coded
from simulacra.pipeline.pictures.columns import overlay
from simulacra.pipeline.pictures.pairs import associations
from simulacra.pipeline.pictures.projection import projection
from simulacra.pipeline.pictures.safe import FEWEST

_JOINT_ROWS = 20_000
"""Rows of a side in pictures of several columns: an association is then right to 0.01."""


def table_pictures(
    tables: Mapping[str, pa.Table], table: TableSpec, *, rows: int, rng: RngKey
) -> dict[str, Any]:
    """Gather what the charts of a table show, all of it JSON-able.

    Args:
        tables: The rows of each side: ``real``, ``synthetic``, and ``holdout`` if there is one.
        table: The specification.
        rows: The most rows of a side that are looked at.
        rng: The key of the samples.

    Returns:
        ``{"fewest": 10, "rows": {side: int}, "columns": [overlay], "pairs": associations,
        "projection": projection}``; see :func:`overlay`, :func:`associations` and
        :func:`projection`, of which the latter two may be None.
    """
    drawn = {side: at_most(each, rows, rng.child(side)) for side, each in tables.items()}
    found = leaves(table, drawn["real"])
    fewer = {side: at_most(e, _JOINT_ROWS, rng.child(side, "joint")) for side, e in drawn.items()}
    joint = coded(found, fewer)
    return {
        "fewest": FEWEST,
        "rows": {side: each.num_rows for side, each in drawn.items()},
        "columns": [overlay(leaf, drawn) for leaf in found],
        "pairs": associations(joint),
        "projection": projection(joint),
    }
