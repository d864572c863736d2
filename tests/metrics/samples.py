"""Tables that the tests of metrics and evaluation share."""

from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulacra.core.arrow_types import type_to_text
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec, TableSpec

KEY = RngKey(5).child("metrics")
_FAMILIES = {
    "integer": pa.types.is_integer,
    "float": pa.types.is_floating,
    "decimal": pa.types.is_decimal,
    "boolean": pa.types.is_boolean,
    "datetime": pa.types.is_timestamp,
    "date": pa.types.is_date,
    "time": pa.types.is_time,
    "duration": pa.types.is_duration,
    "empty": pa.types.is_null,
}


def spec_of(table, *, primary_key=(), **columns):
    """Return a specification by Arrow type, other types being categories.

    Keywords give the datatype of a column, or its whole specification.
    """
    found = {}
    for field in table.schema:
        said = columns.get(field.name)
        if isinstance(said, ColumnSpec):
            found[field.name] = said
            continue
        kinds = [name for name, is_kind in _FAMILIES.items() if is_kind(field.type)]
        kind = said or (kinds[0] if kinds else "category")
        found[field.name] = ColumnSpec(type=kind, arrow=type_to_text(field.type))
    return TableSpec(columns=found, primary_key=list(primary_key))


def measure(metric, real, synthetic, *, holdout=None, table=None, **options):
    table = table or spec_of(real)
    options = {"rows": 50_000, "threads": 2} | options
    return metric.compute(
        real, synthetic, holdout=holdout, table=table, options=options, rng=KEY.child(metric.name)
    )


def values(scores):
    return {score.columns: score.value for score in scores}


def shipped(name, columns=None):
    path = files("simulacra") / "demo" / "nycflights" / f"{name}.parquet"
    return pq.read_table(path, columns=columns).replace_schema_metadata(None)


def halves(table, rows=None, seed=0):
    """Return two random halves, of at most ``rows`` rows each."""
    order = np.random.default_rng(seed).permutation(table.num_rows)
    half = min(rows or table.num_rows, table.num_rows // 2)
    return table.take(np.sort(order[:half])), table.take(np.sort(order[half : 2 * half]))


def drawn_apart(table, rows=None, seed=1):
    """Return a table whose columns are drawn one by one: right shapes, no joint structure."""
    rng = np.random.default_rng(seed)
    rows = rows or table.num_rows
    return pa.table(
        {
            name: table[name].take(rng.integers(0, table.num_rows, rows))
            for name in table.column_names
        },
        schema=table.schema,
    )
