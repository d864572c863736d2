"""What a row is drawn given: the codes of its parents, their parents and theirs, and its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from simulacra.core.features import Codes, FeatureKind, Features, FeatureSpec, Role
from simulacra.pipeline.relations.columns import take_codes
from simulacra.pipeline.relations.graph import KNOWN_FIRST, Graph
from simulacra.pipeline.relations.graph import Role as KeyRole
from simulacra.pipeline.relations.parent_rows import Rows

HOPS = 3
"""How many keys lead from a row to the farthest row it is drawn given."""


class SeenTable(Protocol):
    """A table, real or drawn, of which codes and parents are at hand."""

    @property
    def codes(self) -> Mapping[str, Codes]:
        """The codes of its columns, shape ``(rows,)`` each."""
        ...

    @property
    def parents(self) -> Sequence[Rows]:
        """The parents' row numbers, for each of its relations."""
        ...


@dataclass(frozen=True, slots=True)
class AncestorFeature:
    """One column of an ancestor.

    Attributes:
        path: Which relation of the table to follow, then which of the parent's, and so on.
        table: The table at the end.
        column: Its column.
        spec: The feature, whose last code stands for no such ancestor.
    """

    path: tuple[int, ...]
    table: str
    column: str
    spec: FeatureSpec

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "path": list(self.path),
            "table": self.table,
            "column": self.column,
            "spec": self.spec.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AncestorFeature:
        """Undo :meth:`to_json`."""
        spec = FeatureSpec.from_json(value["spec"])
        return cls(tuple(value["path"]), value["table"], value["column"], spec)


@dataclass(frozen=True, slots=True)
class Given:
    """What the rows of a table are drawn given.

    Attributes:
        ancestors: Columns of its ancestors.
        early: The names of features that were drawn before parents were chosen.
        last_place: The highest place among siblings that is told apart, None if the place is not
            given.
    """

    ancestors: tuple[AncestorFeature, ...] = ()
    early: tuple[str, ...] = ()
    last_place: int | None = None


def ancestor_features(
    table: str,
    graph: Graph,
    views: Mapping[str, Mapping[str, FeatureSpec]],
    *,
    roles: Sequence[KeyRole] = KNOWN_FIRST,
) -> list[AncestorFeature]:
    """Return everything that a table's rows could be drawn given.

    Args:
        table: The table.
        graph: The relations.
        views: The features of each table as seen from below.
        roles: The relations of the table itself that are followed.
    """
    return list(_from(table, graph, views, roles, ()))


def _from(
    table: str,
    graph: Graph,
    views: Mapping[str, Mapping[str, FeatureSpec]],
    roles: Sequence[KeyRole],
    path: tuple[int, ...],
) -> Iterator[AncestorFeature]:
    for place, relation in enumerate(graph.relations[table]):
        if relation.role not in roles:
            continue
        parent, there = relation.key.parent, (*path, place)
        for column, seen in views[parent].items():
            spec = FeatureSpec(
                name=f"^{'.'.join(map(str, there))}.{column}",
                column=column,
                kind=seen.kind,
                cardinality=seen.cardinality + 1,
                role=Role.CONTEXT,
            )
            yield AncestorFeature(there, parent, column, spec)
        if len(there) < HOPS:
            yield from _from(parent, graph, views, KNOWN_FIRST, there)


@dataclass(slots=True)
class Ancestors:
    """The ancestors of some rows of a table, each looked up once.

    Attributes:
        table: The table.
        parents: For each of its relations the parents of these rows.
        graph: The relations.
        tables: All tables drawn (or real).
    """

    table: str
    parents: Sequence[Rows]
    graph: Graph
    tables: Mapping[str, SeenTable]
    _found: dict[tuple[int, ...], tuple[str, Rows]] = field(default_factory=dict)

    def rows(self, path: tuple[int, ...]) -> tuple[str, Rows]:
        """Return the table at the end of a path and the row numbers there, -1 for none."""
        if path not in self._found:
            if len(path) == 1:
                table, rows = self.table, self.parents[path[0]]
            else:
                table, before = self.rows(path[:-1])
                onward = self.tables[table].parents[path[-1]]
                rows = onward[np.maximum(before, 0)] if len(onward) else np.full_like(before, -1)
                rows = np.where(before < 0, np.int32(-1), rows)
            parent = self.graph.relations[table][path[-1]].key.parent
            self._found[path] = parent, rows
        return self._found[path]

    def codes(self, feature: AncestorFeature) -> Codes:
        """Return the codes of a feature."""
        table, rows = self.rows(feature.path)
        return take_codes(
            self.tables[table].codes[feature.column], rows, feature.spec.cardinality - 1
        )


def as_given(spec: FeatureSpec) -> FeatureSpec:
    """Return a feature that is drawn before others, as one that these are drawn given."""
    return FeatureSpec(f"^{spec.name}", spec.column, spec.kind, spec.cardinality, Role.CONTEXT)


def place_feature(most: int) -> FeatureSpec:
    """Return the feature of a row's place among its owner's rows, from 0."""
    return FeatureSpec("^place", "place", FeatureKind.ORDINAL, most + 1, Role.CONTEXT)


def joined(specs: Sequence[FeatureSpec], codes: Sequence[Codes], rows: int) -> Features | None:
    """Return context features, None if there are none."""
    return Features.of(specs, codes, rows=rows) if specs else None
