"""Columns of a row's parents, of theirs and so on, that its rules may use, by name.

A parent's column is called ``^``, the columns of the foreign key, a dot and its name. Of what the
parent's own rules may use, that name stands last: ``^order_id.^customer_id.city``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from simulacra.core.schema import ForeignKey, TableSpec
from simulacra.pipeline.flat_model import GIVEN
from simulacra.pipeline.relations.context import HOPS
from simulacra.pipeline.relations.graph import KNOWN_FIRST, Graph
from simulacra.pipeline.relations.parent_view import is_telling
from simulacra.rules.finding.state import named_in

MOST_FAR = 120
"""Columns more than one key away in which rules are looked for: the nearest ones."""


@dataclass(frozen=True, slots=True)
class GivenColumn:
    """A column of an ancestor.

    Attributes:
        path: Which relation of the table to follow, then which of the parent's, and so on.
        table: The table at the end.
        column: Its column.
    """

    path: tuple[int, ...]
    table: str
    column: str


def given_columns(
    table: str, graph: Graph, tables: Mapping[str, TableSpec]
) -> dict[str, GivenColumn]:
    """Return all that a table's rules may use of other tables' rows, by name, the nearest first.

    A column that several keys lead to by the same rows has as many names.

    Args:
        table: The table.
        graph: The relations. Those are followed whose parents are known before the children.
        tables: All tables' specifications.
    """
    ways = sorted(_ways(table, graph, tables, HOPS), key=lambda way: (way[0].count(GIVEN), way[0]))
    found = {}
    for beginning, path, ancestor in ways:
        about = tables[ancestor]
        keys = {*about.primary_key, *(c for key in about.foreign_keys for c in key.columns)}
        for name, column in about.columns.items():
            if name not in keys and column.fields is None and column.items is None:
                found[beginning + name] = GivenColumn(path, ancestor, name)
    return found


def offered_columns(
    table: str,
    graph: Graph,
    tables: Mapping[str, TableSpec],
    *,
    unsettled: Mapping[str, Collection[str]] | None = None,
) -> dict[str, GivenColumn]:
    """Return what rules of a table are looked for in, or name, each column by one name at least.

    Of what is more than one key away, the 120 nearest columns count that tell something; texts,
    identifiers and others are there only if a rule names them: all are held for every row that is
    looked at.

    Args:
        table: The table.
        graph: The relations.
        tables: All tables' specifications.
        unsettled: For some tables columns that change once others are drawn: no rule may use them.
    """
    named = names_in_rules(tables[table])
    late = unsettled or {}
    known = {
        name: given
        for name, given in given_columns(table, graph, tables).items()
        if given.column not in late.get(given.table, ())
    }
    first: dict[GivenColumn, str] = {}
    for name, given in known.items():
        first.setdefault(given, name)
    near = [name for given, name in first.items() if len(given.path) == 1]
    far = [
        name
        for given, name in first.items()
        if len(given.path) > 1 and is_telling(tables[given.table].columns[given.column])
    ]
    wanted = {*near, *far[:MOST_FAR], *named}
    return {name: given for name, given in known.items() if name in wanted}


def names_in_rules(table: TableSpec) -> frozenset[str]:
    """Return the names of columns that a table's active rules use, those of ancestors too."""
    return frozenset(name for rule in table.rules if rule.active for name in named_in(rule.options))


def by_path(given: Mapping[str, GivenColumn]) -> dict[tuple[int, ...], dict[str, str]]:
    """Return the columns at the end of each path, by their given names."""
    found: dict[tuple[int, ...], dict[str, str]] = {}
    for name, column in given.items():
        found.setdefault(column.path, {})[name] = column.column
    return found


def _ways(
    table: str, graph: Graph, tables: Mapping[str, TableSpec], hops: int
) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """Yield each ancestor: how the names of its columns begin, the path that leads there, it."""
    for name, path, parent in _keys(table, graph, tables):
        if len(path) > hops:
            continue
        beginning = f"{GIVEN}{name}."
        yield beginning, path, parent
        for further, onward, ancestor in _ways(parent, graph, tables, hops - len(path)):
            yield beginning + further, path + onward, ancestor


def _keys(
    table: str, graph: Graph, tables: Mapping[str, TableSpec]
) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """Yield the name of each key, the path that it stands for and where it leads."""
    for place, relation in enumerate(graph.relations[table]):
        if relation.role in KNOWN_FIRST:
            yield relation.name, (place,), relation.key.parent
    for key in tables[table].foreign_keys:
        if not key.when and all(key != relation.key for relation in graph.relations[table]):
            path = _path(key, table, graph, tables)
            if path:
                yield ",".join(key.columns), path, key.parent


def _path(
    key: ForeignKey, table: str, graph: Graph, tables: Mapping[str, TableSpec]
) -> tuple[int, ...]:
    """Return the path by which other keys lead where a key does, none if there is none."""
    for place, relation in enumerate(graph.relations[table]):
        if relation.key == key:
            return (place,) if relation.role in KNOWN_FIRST else ()
    for place, relation in enumerate(graph.relations[table]):
        covers = set(key.columns) < set(relation.key.columns)
        if not covers or relation.key.when or relation.role not in KNOWN_FIRST:
            continue
        there = dict(zip(relation.key.columns, relation.key.parent_columns, strict=True))
        wanted = {
            there[c]: parent for c, parent in zip(key.columns, key.parent_columns, strict=True)
        }
        for onward in tables[relation.key.parent].foreign_keys:
            leads = dict(zip(onward.columns, onward.parent_columns, strict=True))
            if onward.parent == key.parent and leads == wanted:
                further = _path(onward, relation.key.parent, graph, tables)
                if further:
                    return (place, *further)
    return ()
