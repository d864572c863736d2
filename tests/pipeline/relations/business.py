"""A small business after TPC-H: a line's price is that of a part two keys away."""

import numpy as np
import pyarrow as pa

PARTS, SUPPLIERS, CUSTOMERS, ORDERS = 120, 12, 60, 500


def business(seed: int = 0) -> dict[str, pa.Table]:
    """Return parts, suppliers, who supplies what, customers, orders and their lines."""
    rng = np.random.default_rng(seed)
    price = np.round(rng.uniform(900, 1_900, PARTS), 2)
    supplied = np.repeat(np.arange(PARTS), 3)
    supplier = (supplied * 5 + np.tile(np.arange(3), PARTS)) % SUPPLIERS
    since = rng.integers(15_000, 16_000, CUSTOMERS)
    buyer = rng.integers(0, CUSTOMERS, ORDERS)
    placed = since[buyer] + rng.integers(0, 900, ORDERS)
    order = np.repeat(np.arange(ORDERS), rng.integers(1, 6, ORDERS))
    first = np.searchsorted(order, order)
    choice = rng.integers(0, len(supplied), len(order))
    quantity = rng.integers(1, 51, len(order))
    sent = placed[order] + rng.integers(1, 120, len(order))
    region = np.array([f"Region {n}" for n in rng.integers(0, 25, ORDERS)])
    names = np.array([f"Customer {n:04}" for n in rng.permutation(CUSTOMERS)])
    return {
        "part": pa.table({"p_partkey": np.arange(PARTS) + 1, "p_retailprice": price}),
        "supplier": pa.table(
            {
                "s_suppkey": np.arange(SUPPLIERS) + 1,
                "s_acctbal": np.round(rng.normal(500, 300, SUPPLIERS), 2),
            }
        ),
        "partsupp": pa.table(
            {
                "ps_partkey": supplied + 1,
                "ps_suppkey": supplier + 1,
                "ps_availqty": rng.integers(1, 10_000, len(supplied)),
            }
        ),
        "customer": pa.table(
            {"c_custkey": np.arange(CUSTOMERS) + 1, "c_name": names, "c_since": _days(since)}
        ),
        "orders": pa.table(
            {
                "o_orderkey": np.arange(ORDERS) + 1,
                "o_custkey": buyer + 1,
                "o_orderdate": _days(placed),
                "o_region": region,
            }
        ),
        "lineitem": pa.table(
            {
                "l_orderkey": order + 1,
                "l_partkey": supplied[choice] + 1,
                "l_suppkey": supplier[choice] + 1,
                "l_linenumber": np.arange(len(order)) - first + 1,
                "l_quantity": quantity,
                "l_extendedprice": np.round(quantity * price[supplied[choice]], 2),
                "l_shipdate": _days(sent),
                "l_customer": names[buyer[order]],
                "l_region": region[order],
            }
        ),
    }


def _days(numbers: np.ndarray) -> pa.Array:
    return pa.array(numbers, pa.int32()).cast(pa.date32())


def joined(tables: dict[str, pa.Table]) -> pa.Table:
    """Return the lines with their part's price, their order's date and their customer's name."""
    return (
        tables["lineitem"]
        .join(tables["part"], "l_partkey", "p_partkey")
        .join(tables["orders"], "l_orderkey", "o_orderkey")
        .join(tables["customer"], "o_custkey", "c_custkey")
    )
