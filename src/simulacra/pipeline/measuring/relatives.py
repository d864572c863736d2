"""Columns of ancestors beside the rows of every side, for the rules that use them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from simulacra.core.protocols import BatchSource
from simulacra.core.random import RngKey
from simulacra.core.schema import DatasetSpec, RuleSpec, TableSpec
from simulacra.pipeline.conform import conform
from simulacra.pipeline.plain import plain
from simulacra.pipeline.relations.given_columns import (
    GivenColumn,
    given_columns,
    names_in_rules,
    offered_columns,
)
from simulacra.pipeline.relations.graph import Graph, Relation, Role


@dataclass(frozen=True)
class Relatives:
    """The tables around one of a dataset.

    Attributes:
        name: The table.
        spec: All tables.
        sides: For each side its tables.
    """

    name: str
    spec: DatasetSpec
    sides: Mapping[str, Mapping[str, BatchSource]]

    @classmethod
    def of(
        cls,
        name: str,
        spec: DatasetSpec,
        real: Mapping[str, BatchSource],
        synthetic: Mapping[str, BatchSource],
        holdout: Mapping[str, BatchSource] | None,
    ) -> Relatives:
        """Return the relatives of a table; what the hold-out lacks is taken from the real data."""
        sides = {"real": real, "synthetic": synthetic, "holdout": {**real, **(holdout or {})}}
        return cls(name, spec, sides)

    @cached_property
    def _graph(self) -> Graph:
        """Every key, whatever it is for when rows are drawn."""
        relations = {
            name: tuple(
                Relation(name, key, Role.SELF if key.parent == name else Role.LINK)
                for key in table.foreign_keys
            )
            for name, table in self.spec.tables.items()
        }
        return Graph(tuple(relations), relations, {})

    def offered(self) -> dict[str, GivenColumn]:
        """Return the columns in which rules may be looked for, by their given names."""
        return offered_columns(self.name, self._graph, self.spec.tables)

    def named(self, names: Collection[str]) -> dict[str, GivenColumn]:
        """Return the columns of ancestors that are among some names."""
        known = given_columns(self.name, self._graph, self.spec.tables)
        return {name: known[name] for name in known if name in names}

    def beside(self, rows: pa.Table, side: str, wanted: Mapping[str, GivenColumn]) -> pa.Table:
        """Return rows of a side with columns of their ancestors.

        Raises:
            SpecError: A key or a value is not of the type that the specification says.
        """
        if not wanted:
            return rows
        from simulacra.pipeline.relations.keys.ancestors import AncestorLookup  # brings numba

        sources = {name: plain(source) for name, source in self.sides[side].items()}
        values = AncestorLookup(sources, self._graph).values(self.name, rows, wanted)
        types = {
            name: self.spec.tables[given.table].columns[given.column]
            for name, given in wanted.items()
        }
        found = conform(pa.table(values), TableSpec(columns=types), self.name, side)
        for name in wanted:
            rows = rows.append_column(name, found.column(name))
        return rows


def rules_and_rows(
    tables: Mapping[str, pa.Table], table: TableSpec, relatives: Relatives | None, *, rng: RngKey
) -> tuple[list[RuleSpec], dict[str, pa.Table]]:
    """Return the rules that rows are judged by, and the rows with all columns that those name.

    They are those of the specification; if it has none, those that the real rows are found to keep.

    Args:
        tables: The rows of each side.
        table: The table's specification.
        relatives: The tables around it.
        rng: Chooses the rows that rules are looked for in first.
    """
    rules = [rule for rule in table.rules if rule.active]
    if not rules:
        from simulacra.rules.discovery import discover

        offered = relatives.offered() if relatives else {}
        real = tables["real"]
        if relatives:
            real = relatives.beside(real, "real", offered)
        rules = discover(real, table, given=offered.keys(), rng=rng)
    if relatives is None:
        return rules, dict(tables)
    wanted = relatives.named(names_in_rules(table.model_copy(update={"rules": rules})))
    return rules, {side: relatives.beside(rows, side, wanted) for side, rows in tables.items()}
