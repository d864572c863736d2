"""A small real-looking table of mixed columns: what rules, metrics and connectors are shown."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from simulacra.core.arrow_types import type_to_text
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.testing.corpus import with_nulls

ROWS = 1_500
_DATATYPES = {
    "int64": "integer",
    "double": "float",
    "date32[day]": "date",
    "string": "category",
    "bool": "boolean",
    "timestamp[us]": "datetime",
}


def orders(rows: int = ROWS, *, seed: int = 0) -> pa.Table:
    """Return orders: numbers, names, yes or no, times and nulls, depending on each other."""
    generator = RngKey(6, ("orders", seed)).generator()
    shops = np.array(["Berlin", "Oslo", "Łódź", "São Paulo"])
    shop = generator.integers(0, len(shops), rows)
    items = generator.poisson(2 + shop) + 1
    paid = np.round(items * generator.lognormal(2, 0.4, rows), 2)
    ordered = [
        datetime(2024, 1, 1) + timedelta(minutes=int(m))  # noqa: DTZ001 - a type without zone
        for m in generator.integers(0, 525_600, rows)
    ]
    late = generator.exponential(2_000, rows).astype(np.int64) + 1
    shipped = [day + timedelta(minutes=int(m)) for day, m in zip(ordered, late, strict=True)]
    return pa.table(
        {
            "shop": pa.array(shops[shop].tolist(), pa.string()),
            "items": pa.array(items),
            "paid": with_nulls(paid, pa.float64()),
            "express": pa.array(late < 1_000),
            "ordered": pa.array(ordered, pa.timestamp("us")),
            "shipped": pa.array(shipped, pa.timestamp("us")),
        }
    )


def spec_of(table: pa.Table) -> TableSpec:
    """Return the specification of a table of such columns."""
    columns = {
        field.name: {"type": _DATATYPES[str(field.type)], "arrow": type_to_text(field.type)}
        for field in table.schema
    }
    return TableSpec.model_validate({"columns": columns, "rows": table.num_rows})
