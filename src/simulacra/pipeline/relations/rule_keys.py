"""Which rules of a table are about other rows, and the foreign keys that they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simulacra.core import registry
from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config, Rule
from simulacra.core.registry import Kind
from simulacra.core.schema import DatasetSpec, ForeignKey, RuleSpec, TableSpec
from simulacra.pipeline.options import checked_config
from simulacra.rules.relatives import ChildValues, Siblings, children_of, siblings_of


def rules_of_children(table: TableSpec, where: str) -> Iterator[tuple[RuleSpec, ChildValues]]:
    """Yield a table's active rules that are told of its children, and what they are told.

    Args:
        table: The table.
        where: Its name, for messages.

    Raises:
        UsageError: An option of one is wrong.
    """
    for rule, plugin, config in _active(table, where):
        values = children_of(plugin, config)
        if values is not None:
            yield rule, values


def rules_of_siblings(table: TableSpec, where: str) -> Iterator[tuple[RuleSpec, Siblings]]:
    """Yield a table's active rules about all rows of one parent.

    Args:
        table: The table.
        where: Its name, for messages.

    Raises:
        UsageError: An option of one is wrong.
    """
    for rule, plugin, config in _active(table, where):
        siblings = siblings_of(plugin, config)
        if siblings is not None:
            yield rule, siblings


def key_of(values: ChildValues, table: str, spec: DatasetSpec) -> ForeignKey:
    """Return the foreign key of the children that a rule is told of.

    Args:
        values: What it is told.
        table: The rule's table.
        spec: All tables.

    Raises:
        SpecError: There is no such table or key, or there are several.
    """
    child = spec.tables.get(values.table)
    if child is None:
        raise SpecError(
            f"there is no table {values.table!r}",
            where=f"{table}: {values.name}",
            mend=f"Choose from {', '.join(spec.tables)}",
        )
    keys = [key for key in child.foreign_keys if key.parent == table]
    meant = [key for key in keys if not values.key or tuple(key.columns) == values.key]
    if len(meant) == 1:
        return meant[0]
    known = "; ".join(", ".join(key.columns) for key in keys)
    raise SpecError(
        f"{values.table} has {len(meant) or 'no'} such foreign keys to {table}",
        where=f"{table}: {values.name}",
        why=f"its keys to {table} are {known}" if keys else f"none of its keys leads to {table}",
        mend="Name the columns of the key in the rule's option key" if keys else "Declare the key",
    )


def check_keys(spec: DatasetSpec) -> None:
    """Refuse rules about other rows that are not there, or can't be drawn for them.

    Raises:
        SpecError: Names the rule, and what is in its way.
        UsageError: An option of one is wrong.
    """
    for name, table in spec.tables.items():
        for rule, siblings in rules_of_siblings(table, name):
            if not any(tuple(key.columns) == siblings.within for key in table.foreign_keys):
                raise SpecError(
                    f"{', '.join(siblings.within)} is no foreign key",
                    where=f"{name}: {rule.rule} {siblings.column}",
                    mend="Name the columns of a foreign key in the option within",
                )
        for rule, values in rules_of_children(table, name):
            key_of(values, name, spec)
            where = f"{name}: {rule.rule} {values.name}"
            if values.table == name:
                raise SpecError(
                    "the children are rows of the same table",
                    where=where,
                    mend="Remove the rule: a row can't wait for others of its own table",
                )
            if table.keep and not spec.tables[values.table].keep:
                raise SpecError(
                    f"{name} is kept as it is, and {values.table} is made anew",
                    where=where,
                    mend=f"Keep {values.table} as well, or remove the rule",
                )


def _active(table: TableSpec, where: str) -> Iterator[tuple[RuleSpec, Rule, Config]]:
    for rule in table.rules:
        if rule.active:
            plugin: Rule = registry.load(Kind.RULE, rule.rule)
            config = checked_config(plugin.config, rule.options, where=f"{where}: {rule.rule}")
            yield rule, plugin, config


def named_texts(options: Mapping[str, object]) -> list[str]:
    """Return the texts among a rule's options: columns, expressions, and more."""
    lists = [v if isinstance(v, list | tuple) else [v] for v in options.values()]
    return [text for values in lists for text in values if isinstance(text, str)]
