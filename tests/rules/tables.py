"""Tables, alone and beside their parents' rows, and the rules found in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core import registry
from simulacra.core.arrow_types import type_to_text
from simulacra.core.protocols import FittedRule
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import RuleSpec, TableSpec
from simulacra.rules.discovery import discover

DATATYPES = (
    (pa.types.is_integer, "integer"),
    (pa.types.is_floating, "float"),
    (pa.types.is_decimal, "decimal"),
    (pa.types.is_date, "date"),
    (pa.types.is_timestamp, "datetime"),
    (pa.types.is_time, "time"),
)


def spec_of(table: pa.Table, **options: object) -> TableSpec:
    """Return the specification of a table, but for its given columns."""
    columns = {
        field.name: {
            "type": next((name for is_a, name in DATATYPES if is_a(field.type)), "category"),
            "arrow": type_to_text(field.type),
        }
        for field in table.schema
        if not field.name.startswith("^")
    }
    return TableSpec.model_validate({"columns": columns, **options})


def given_in(table: pa.Table) -> list[str]:
    """Return the columns of parents' rows."""
    return [name for name in table.column_names if name.startswith("^")]


def found(
    table: pa.Table, seed: int = 0, *, given: Collection[str] = (), **options: object
) -> list[RuleSpec]:
    """Return the rules found in a table, beside its parents' rows and other given columns."""
    everything = [*given_in(table), *given]
    return discover(table, spec_of(table, **options), given=everything, rng=RngKey(seed))


def told(rules: list[RuleSpec]) -> list[dict[str, object]]:
    """Return rules as plain values."""
    return [{"rule": rule.rule, **rule.options} for rule in rules]


def beside(child: pa.Table, key: Sequence[str], parent: pa.Table, of: Sequence[str]) -> pa.Table:
    """Return each row beside its parent's, in columns named ``^key.column``; null without one.

    Args:
        child: The rows.
        key: The columns that refer to the parent.
        parent: The parent's rows.
        of: The parent's columns that these refer to.
    """
    own, others = (
        pc.binary_join_element_wise(*(t[name].cast(pa.string()) for name in names), "\0")
        for t, names in ((child, key), (parent, of))
    )
    rows = pc.index_in(own.combine_chunks(), value_set=others.combine_chunks())
    for name in parent.column_names:
        child = child.append_column(f"^{','.join(key)}.{name}", parent[name].take(rows))
    return child


def shuffled(table: pa.Table, seed: int) -> pa.Table:
    """Return the rows in another order."""
    return table.take(np.random.default_rng(seed).permutation(table.num_rows))


class Applied:
    """Rules fitted one after the other.

    Attributes:
        encoded: The rows after all rules encoded them.
    """

    def __init__(self, table: pa.Table, rules: list[RuleSpec], given: Collection[str] = ()) -> None:
        self._names = table.column_names
        self._fitted: list[tuple[FittedRule, RuleSpec]] = []
        self.given = [*given_in(table), *given]
        empty = pa.RecordBatch.from_pylist([], schema=table.schema)
        self.encoded = [*table.combine_chunks().to_batches(), empty][0]
        for rule in rules:
            plugin = registry.load(Kind.RULE, rule.rule)
            made = plugin.fit(
                pa.Table.from_batches([self.encoded]),
                plugin.config(**rule.options),
                table=spec_of(table),
            )
            assert rule.options.get("column") not in self.given
            assert not any(made.violations(self.encoded).to_pylist())
            self._fitted.append((made, rule))
            self.encoded = self.encode_by(made, self.encoded)

    def encode_by(self, rule: FittedRule, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Encode rows; given columns stay as they are."""
        encoded = rule.encode(batch)
        assert encoded.select(self.given).equals(batch.select(self.given))
        return encoded

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Encode other rows."""
        for made, _ in self._fitted:
            batch = self.encode_by(made, batch)
        return batch

    def decode(self, batch: pa.RecordBatch) -> pa.Table:
        """Decode rows; what each rule says holds in the end."""
        for made, _ in reversed(self._fitted):
            batch = made.decode(batch)
            assert not any(made.violations(batch).to_pylist())
        return pa.Table.from_batches([batch.select(self._names)])

    def drawn(self, seed: int = 0) -> pa.Table:
        """Decode rows that keep what is given and have anything else, independently."""
        generator = np.random.default_rng(seed)
        columns = {
            name: values
            if name in self.given
            else values.take(pa.array(generator.permutation(len(values))))
            for name, values in zip(self.encoded.schema.names, self.encoded.columns, strict=True)
        }
        return self.decode(pa.RecordBatch.from_pydict(columns))


def decoded(table: pa.Table, rules: list[RuleSpec]) -> pa.Table:
    """Return the table after all rules encoded it and decoded it again."""
    applied = Applied(table, rules)
    return applied.decode(applied.encoded)
