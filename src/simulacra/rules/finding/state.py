"""Rows to look for rules in, as the rules found so far leave them."""

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
    """Rows, changed by every rule that is found.

    Args:
        rows: The rows looked at, of the table's schema.
        table: The specification: keys, and what is neither number nor time, are left alone.

    Attributes:
        rows: The rows' numbers and times, as the rules found so far leave them.
        found: Those rules, in the order in which they encode.
    """

    def __init__(self, rows: pa.Table, table: TableSpec) -> None:
        keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
        self._table = table
        self._codes: set[str] = set()
        names = []
        for name, column in table.columns.items():
            usable = column.type in _MEASURES | _CODES and name not in keys
            if usable and ticks.unit_of(column.arrow_type()) is not None:
                names.append(name)
                if column.type in _CODES:
                    self._codes.add(name)
        self.rows = rows.select(names)
        self.found: list[RuleSpec] = []

    def column(self, name: str) -> pa.Array:
        """Return a column's values."""
        return column_of(self.rows, name)

    def numbers(self) -> Iterator[tuple[str, pa.Array]]:
        """Yield the columns of numbers, those that stand for categories included."""
        for name in self.rows.column_names:
            unit = ticks.unit_of(self.rows.schema.field(name).type)
            if unit is not None and unit.family == "number":
                yield name, self.column(name)

    def measures(self) -> Iterator[tuple[str, pa.Array]]:
        """Yield the columns that measure something: numbers and times, no categories."""
        for name in self.rows.column_names:
            if name not in self._codes:
                yield name, self.column(name)

    def applied(self, specs: Iterable[RuleSpec]) -> list[RuleSpec]:
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

    def apply(self, name: str, config: Config) -> None:
        """Note a rule and encode the rows by it.

        Raises:
            SpecError: The rule doesn't hold in these rows.
        """
        rule: Rule = registry.load(Kind.RULE, name)
        fitted = rule.fit(self.rows, config, table=self._table)
        batch = self.rows.combine_chunks().to_batches()[0]
        self.rows = pa.Table.from_batches([fitted.encode(batch)])
        options = config.model_dump(mode="json", exclude_defaults=True)
        self.found.append(RuleSpec(rule=name, options=options))
