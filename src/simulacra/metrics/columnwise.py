"""What metrics of scope ``column`` share: one score a leaf column, or the reason for none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from simulacra.core.schema import TableSpec
from simulacra.core.scores import Score
from simulacra.metrics.columns import Kind, Leaf, leaves
from simulacra.metrics.encode import Numbers, as_numbers, lengths
from simulacra.metrics.sides import Sides

Columns = Sequence[pa.ChunkedArray]
"""A column of the reference, the synthetic rows and the peer."""


def column_scores(
    metric: str,
    table: TableSpec,
    real: pa.Table,
    sides: Sides,
    score: Callable[[Leaf, Columns], Score],
) -> list[Score]:
    """Return one score a leaf column; None, with the reason, for those left out.

    Args:
        metric: The name of the scores.
        table: The specification.
        real: Real rows, which settle whether text can be read as numbers.
        sides: What is compared.
        score: Called with a leaf that has a kind, and its values on each side, of some rows each.
    """
    scores = []
    for leaf in leaves(table, real):
        if leaf.kind is None:
            scores.append(leaf.left_out(metric))
        elif sides.empty:
            scores.append(Score(metric, None, (leaf.name,), details={"why": sides.empty}))
        else:
            scores.append(score(leaf, [leaf.values(side) for side in sides.tables]))
    return scores


def numbers_of(leaf: Leaf, columns: Columns) -> list[Numbers]:
    """Return a column that is no category as numbers: itself, or the lengths of its values."""
    if leaf.kind is Kind.LENGTH:
        return [lengths(column) for column in columns]
    return [as_numbers(column, leaf.spec) for column in columns]


def of_what(leaf: Leaf) -> str:
    """Return what is said after the name of a measure: whether it is of lengths."""
    return ", of lengths" if leaf.kind is Kind.LENGTH else ""
