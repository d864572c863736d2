"""What is known of related tables before they are read: their order, and which rows follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from simulacra.core.arrow_types import type_to_text
from simulacra.core.declared import DeclaredTable
from simulacra.core.protocols import BatchSource
from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, TableSpec
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.nesting import Layout
from simulacra.pipeline.relations.drawing.row_plan import plan_rows
from simulacra.pipeline.relations.family import Family
from simulacra.pipeline.relations.fitted_relation import FittedRelation
from simulacra.pipeline.relations.graph import Facts, Graph, make_graph

_PERHAPS = 0.1
"""Share of rows without a parent where it can't be known: not none, and not most."""


@dataclass(frozen=True, slots=True)
class KnownRelations:
    """Tables in the order of drawing.

    Attributes:
        spec: What they are, as far as it is known.
        graph: Their order and relations.
    """

    spec: DatasetSpec
    graph: Graph

    def owner(self, name: str) -> str | None:
        """Return the table under whose rows those of a table are drawn."""
        owner = self.graph.owner(name)
        return owner.key.parent if owner is not None else None

    def is_related(self, name: str) -> bool:
        """Say whether a table refers to others, or others to it."""
        return bool(self.graph.relations[name]) or any(self.graph.children(name))

    def rows(
        self,
        sources: Mapping[str, BatchSource],
        wanted: int | Mapping[str, int] | None,
        scale: float | None,
    ) -> dict[str, int] | None:
        """Return how many rows are drawn of each table, None if not all sources know their rows.

        Raises:
            UsageError: The arguments make no sense.
        """
        counts: dict[str, int] = {}
        for name in self.spec.tables:
            count = sources[name].rows()
            if count is None:
                return None
            counts[name] = count
        tables = {name: self._table(name, sources[name], counts[name]) for name in counts}
        return plan_rows(tables, self.graph.order, wanted, scale)

    def _table(self, name: str, source: BatchSource, rows: int) -> FittedTable:
        """Return a table as if it were learned, for what its rows follow from."""
        spec = self.spec.tables[name]
        relations = tuple(
            FittedRelation(
                relation,
                kinds=1,
                nulls=_nulls(spec, relation.key),
                is_single=_is_key(spec, relation.key) and not _nulls(spec, relation.key),
            )
            for relation in self.graph.relations[name]
        )
        return FittedTable(
            spec,
            source.schema,
            Layout(source.schema, (), {}),
            rows,
            None,
            family=Family(relations) if relations else None,
            kept=pa.table({}) if spec.keep or not rows else None,
        )


def known_relations(
    sources: Mapping[str, BatchSource],
    spec: DatasetSpec | None,
    declared: Mapping[str, DeclaredTable],
    keep: tuple[str, ...],
) -> KnownRelations:
    """Put together what is known of tables without reading them.

    Args:
        sources: The tables.
        spec: What the user says they are, None if nothing.
        declared: What the store says of them, if the user says nothing.
        keep: Tables that are written as they are.
    """
    if spec is None:
        tables = {
            name: _declared(source, declared.get(name, DeclaredTable()), sources)
            for name, source in sources.items()
        }
    else:
        tables = dict(spec.tables)
    tables = {
        name: table.model_copy(update={"keep": table.keep or name in keep})
        for name, table in tables.items()
    }
    known = DatasetSpec(tables=tables)
    facts = {
        name: [
            Facts(
                nulls=_nulls(table, key),
                parents=sources[key.parent].rows() or 0,
                most=1 if _is_key(table, key) else 2,
            )
            for key in table.foreign_keys
        ]
        for name, table in tables.items()
    }
    return KnownRelations(known, make_graph(known, facts))


def _declared(
    source: BatchSource, declared: DeclaredTable, sources: Mapping[str, BatchSource]
) -> TableSpec:
    """Return what a store says of a table; the types of its columns play no part."""
    names = source.schema.names
    keys = [*declared.unique, declared.primary_key]
    alone = {key[0] for key in keys if len(key) == 1}
    text = type_to_text(pa.null())
    return TableSpec(
        columns={
            name: ColumnSpec(
                type="unknown",
                arrow=text,
                nullable=name not in declared.not_null,
                unique=name in alone,
            )
            for name in names
        },
        primary_key=list(declared.primary_key) if set(names) >= set(declared.primary_key) else [],
        unique=[list(key) for key in declared.unique if set(names) >= set(key)],
        foreign_keys=[
            key
            for key in declared.foreign_keys
            if set(names) >= {*key.columns, *(key.when or ())} and key.parent in sources
        ],
    )


def _nulls(table: TableSpec, key: ForeignKey) -> float:
    is_optional = key.when or all(table.columns[column].nullable for column in key.columns)
    return _PERHAPS if is_optional else 0.0


def _is_key(table: TableSpec, key: ForeignKey) -> bool:
    columns = set(key.columns)
    unique = [table.primary_key, *table.unique]
    unique += [[name] for name, column in table.columns.items() if column.unique]
    return any(columns == set(other) for other in unique)
