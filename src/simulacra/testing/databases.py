"""A small database of customers and their orders: what dataset metrics are shown."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, TableSpec

CUSTOMERS = 1_500
_SINCE = date(2020, 1, 1)
_NO_CUSTOMER = 0.1


def shop(customers: int = CUSTOMERS, *, seed: int = 0) -> dict[str, pa.Table]:
    """Return customers and orders that depend on them; a tenth of the orders has no customer.

    Args:
        customers: How many customers; each has two or three orders on average.
        seed: Decides all values, the keys too.
    """
    generator = RngKey(6, ("shop", seed)).generator()
    city = generator.integers(0, 3, customers)
    age = generator.normal(40 + 5 * city, 10).round(1)
    buyer = np.repeat(np.arange(customers), generator.poisson(1.5 + city))
    paid = np.round(age[buyer] * generator.lognormal(0, 0.3, len(buyer)), 2)
    days = generator.integers(0, 1_000, len(buyer))
    keys = generator.permutation(10 * customers + 1)[:customers]
    nobody = generator.random(len(buyer)) < _NO_CUSTOMER
    return {
        "customers": pa.table(
            {
                "id": pa.array(keys, pa.int64()),
                "city": pa.array(np.array(["Berlin", "Łódź", "Oslo"])[city].tolist(), pa.string()),
                "age": pa.array(age),
            }
        ),
        "orders": pa.table(
            {
                "number": pa.array(generator.permutation(len(buyer)), pa.int64()),
                "customer": pa.array(keys[buyer], pa.int64(), mask=nobody),
                "paid": pa.array(paid),
                "day": pa.array([_SINCE + timedelta(days=int(d)) for d in days], pa.date32()),
                "express": pa.array(paid > generator.normal(60, 10, len(buyer))),
            }
        ),
    }


def shop_spec() -> DatasetSpec:
    """Return the specification of such a database."""
    number = ColumnSpec(type="identifier", arrow="int64", nullable=False, unique=True)
    return DatasetSpec(
        tables={
            "customers": TableSpec(
                columns={
                    "id": number,
                    "city": ColumnSpec(type="category", arrow="string"),
                    "age": ColumnSpec(type="float", arrow="double"),
                },
                primary_key=["id"],
            ),
            "orders": TableSpec(
                columns={
                    "number": number,
                    "customer": ColumnSpec(type="integer", arrow="int64"),
                    "paid": ColumnSpec(type="float", arrow="double"),
                    "day": ColumnSpec(type="date", arrow="date32[day]"),
                    "express": ColumnSpec(type="boolean", arrow="bool"),
                },
                primary_key=["number"],
                foreign_keys=[
                    ForeignKey(columns=["customer"], parent="customers", parent_columns=["id"])
                ],
            ),
        }
    )
