from __future__ import annotations

import pyarrow as pa

from simulacra.core.batches import TableSource
from simulacra.core.context import RunContext
from simulacra.core.schema import ColumnSpec, DatasetSpec, TableSpec
from simulacra.pipeline.validate import mismatches


def test_a_mismatch_in_one_table_hides_none_in_another_of_a_longer_name():
    column = ColumnSpec(type="integer", arrow="int64", nullable=False)
    spec = DatasetSpec(
        tables={name: TableSpec(columns={"x": column}) for name in ("order", "orders")}
    )
    sources = {
        "order": TableSource(pa.table({"x": [1, None]})),
        "orders": TableSource(pa.table({"y": [1]})),
    }
    found = [str(mismatch) for mismatch in mismatches(spec, sources, RunContext())]
    assert "order.x: 1 nulls in a column without nulls" in found
    assert any(text.startswith("orders.y: ") for text in found)
