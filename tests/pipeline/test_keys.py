from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from simulacra.core.batches import TableSource
from simulacra.core.context import RunContext
from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.pipeline.flat_sources import FlatSource
from simulacra.pipeline.keys import CompositeKey, KeyNumbering
from simulacra.pipeline.nesting import Layout


def plan(table, key):
    spec = TableSpec(
        columns={
            f.name: ColumnSpec(type="integer", arrow=str(f.type), nullable=False)
            for f in table.schema
        },
        primary_key=key,
    )
    flat = FlatSource(TableSource(table), Layout.of(table.schema))
    return CompositeKey.of(spec, table, flat, where="t", ctx=RunContext())


def order_lines(orders, rng):
    sizes = rng.integers(1, 8, orders)
    return pa.table(
        {
            "order": np.repeat(np.arange(orders) * 4 + 100, sizes),
            "line": np.concatenate([np.arange(1, size + 1) for size in sizes]),
        }
    )


def test_lines_of_orders_stay_numbered_without_gaps():
    rng = np.random.default_rng(0)
    real = order_lines(3_000, rng)
    key = plan(real, ["order", "line"])
    assert (key.group, key.line, key.first, key.step) == ("order", "line", 100, 4)
    # What a model draws: line numbers as often as in the source, orders without meaning.
    drawn = pa.table(
        {"order": rng.permutation(real["order"]), "line": rng.permutation(real["line"])}
    )
    numbering = KeyNumbering(key)
    made = pa.Table.from_batches(
        [numbering.apply(batch) for batch in drawn.to_batches(max_chunksize=1_000)]
    )
    pairs = list(zip(made["order"].to_pylist(), made["line"].to_pylist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert made["line"].equals(drawn["line"])
    sizes = Counter(made["order"].to_pylist())
    assert Counter(sizes.values()) == Counter(Counter(real["order"].to_pylist()).values())
    for order, size in sizes.items():
        assert {(order, line) for line in range(1, size + 1)} <= set(pairs)


def test_lines_of_some_orders_only_are_no_sequence():
    rng = np.random.default_rng(2)
    whole = order_lines(4_000, rng)
    assert plan(whole.filter(rng.random(whole.num_rows) < 0.5), ["order", "line"]) is None


def test_pairs_are_no_sequence():
    rng = np.random.default_rng(1)
    cells = rng.choice(500 * 80, 9_000, replace=False)
    real = pa.table({"track": cells // 80 + 1, "playlist": (cells % 80) * 7 + 5})
    assert plan(real, ["playlist", "track"]) is None


@pytest.mark.parametrize("key", [[], ["a"]])
def test_other_keys_need_no_numbering(key):
    assert plan(pa.table({"a": [1, 2]}), key) is None
