"""Columns that change once other rows are drawn, and who may not use them."""

from __future__ import annotations

from simulacra.core.errors import SpecError
from simulacra.pipeline.conditions import holding
from simulacra.pipeline.flat_model import FlatModel
from simulacra.pipeline.relations.given_columns import given_columns
from simulacra.pipeline.relations.learning.parent_values import with_relatives
from simulacra.pipeline.relations.learning.table_to_learn import TableToLearn
from simulacra.pipeline.relations.rule_keys import named_texts


def unsettled_columns(table: TableToLearn, model: FlatModel | None) -> frozenset[str]:
    """Return the columns worked out of children, and those that other rules work out of these.

    Args:
        table: The table.
        model: What was learned of its columns.

    Raises:
        SpecError: One is part of a key.
    """
    found = _following({rule.rule.columns[0] for rule in table.from_children}, table, model)
    _refuse_keys(found, table)
    return found


def arranged_columns(
    table: TableToLearn, model: FlatModel | None, unsettled: frozenset[str]
) -> frozenset[str]:
    """Return the columns put in order among siblings, and those worked out of these.

    Args:
        table: The table.
        model: What was learned of its columns.
        unsettled: The columns that change once children are drawn.

    Raises:
        SpecError: One of those is to be put in order, or others in its order.
    """
    for rule in table.among_siblings:
        late = unsettled & {rule.siblings.column, rule.siblings.by}
        if late:
            raise SpecError(
                f"the rule {rule.rule_name} uses {min(late)}",
                where=table.family.name,
                why="that is worked out of rows that are drawn later",
                mend="Remove the rule, or the one that works that column out",
            )
    return _following({rule.siblings.column for rule in table.among_siblings}, table, model)


def _following(columns: set[str], table: TableToLearn, model: FlatModel | None) -> frozenset[str]:
    """Return columns with those that rules work out of them."""
    found = set(columns)
    if found and model is not None:
        family = table.family
        children = family.sampled_child_columns()
        rows = with_relatives(family.flat_sample(), children, table.parent_values)
        changed = holding.effects(model, rows.batch)
        for (_, rule), names in zip(reversed(model.rules), reversed(changed), strict=True):
            if found & set(rule.columns):
                found |= names & set(model.names)
    return frozenset(found)


def refuse_unsettled(table: TableToLearn) -> None:
    """Refuse declared rules that use what is known of an ancestor only once its children are drawn.

    Raises:
        SpecError: Names the rule and the column.
    """
    family = table.family
    known = given_columns(family.name, family.graph, family.specs.tables)
    names = {
        name: f"{given.table}.{given.column}"
        for name, given in known.items()
        if given.column in family.unsettled.get(given.table, ())
    }
    for rule in family.spec.rules:
        texts = named_texts(rule.options)
        used = [name for name in names if any(name in text for text in texts)]
        if used and rule.active and rule.evidence is None:
            raise SpecError(
                f"the rule {rule.rule} uses {used[0]}",
                where=family.name,
                why=f"{names[used[0]]} is worked out of rows that are drawn later",
                mend="Remove the rule, or the one that works that column out",
            )


def _refuse_keys(columns: frozenset[str], table: TableToLearn) -> None:
    spec = table.family.spec
    keys = [spec.primary_key, *spec.unique, *(key.columns for key in spec.foreign_keys)]
    for column in columns:
        if any(column in key for key in keys):
            raise SpecError(
                "a column of a key can't be worked out of rows that are drawn later",
                where=f"{table.family.name}.{column}",
                mend="Remove the rule aggregate, or take the column out of the key",
            )
