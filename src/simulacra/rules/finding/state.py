"""Columns to look for rules in, as the rules found so far leave them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from simulacra.core import registry
from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config, Rule
from simulacra.core.registry import Kind
from simulacra.core.schema import RuleSpec, TableSpec
from simulacra.rules import ticks
from simulacra.rules.columns import column_of

_MEASURES = frozenset({"integer", "float", "decimal", "date", "datetime", "time", "duration"})
_CODES = frozenset({"category", "constant"})


class State:
    """The numbers and times of a table, changed by every rule that is found.

    Args:
        sample: Rows of the table's schema.
        table: The specification: keys, and what is neither number nor time, are left alone.

    Attributes:
        columns: The columns, as the rules found so far leave them.
        found: Those rules, in the order in which they encode.
        taken: Names that no new column may have.
    """

    def __init__(self, sample: pa.Table, table: TableSpec) -> None:
        self._table = table
        self.taken = frozenset(table.columns)
        self.columns: dict[str, pa.Array] = {}
        self.found: list[RuleSpec] = []
        keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
        for name, column in table.columns.items():
            usable = column.type in _MEASURES | _CODES and name not in keys
            if usable and ticks.unit_of(column.arrow_type()) is not None:
                self.columns[name] = column_of(sample, name)

    def numbers(self) -> Iterator[tuple[str, pa.Array]]:
        """Yield the columns of numbers, those that stand for categories included."""
        for name, values in self.columns.items():
            unit = ticks.unit_of(values.type)
            if unit is not None and unit.family == "number":
                yield name, values

    def measures(self) -> Iterator[tuple[str, pa.Array]]:
        """Yield the columns that measure something: numbers and times, no categories."""
        for name, values in self.columns.items():
            column = self._table.columns.get(name)
            if column is None or column.type in _MEASURES:
                yield name, values

    def apply(self, name: str, config: Config) -> None:
        """Note a rule and encode the rows by it.

        Raises:
            SpecError: The rule doesn't hold in these rows.
        """
        options = config.model_dump(mode="json", exclude_defaults=True)
        # Only the columns that the options name: a table may have thousands of others.
        named = [value for value in options.values() if value in self.columns]
        rows = pa.RecordBatch.from_pydict({name: self.columns[name] for name in named})
        rule: Rule = registry.load(Kind.RULE, name)
        encoded = rule.fit(pa.Table.from_batches([rows]), config, table=self._table).encode(rows)
        for gone in set(named) - set(encoded.schema.names):
            del self.columns[gone]
        self.columns.update(zip(encoded.schema.names, encoded.columns, strict=True))
        self.found.append(RuleSpec(rule=name, options=options))

    def keep(self, specs: Iterable[RuleSpec]) -> list[RuleSpec]:
        """Apply rules found in fewer rows; return those that hold in these rows too."""
        for spec in specs:
            unordered = {name: value for name, value in spec.options.items() if name != "order"}
            if not self._holds(spec.rule, spec.options) and unordered != spec.options:
                self._holds(spec.rule, unordered)
        return self.found

    def _holds(self, name: str, options: dict[str, Any]) -> bool:
        rule: Rule = registry.load(Kind.RULE, name)
        try:
            self.apply(name, rule.config(**options))
        except SpecError:
            return False
        return True
