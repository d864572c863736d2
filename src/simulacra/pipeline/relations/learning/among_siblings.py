"""Learns the rules of a table that are about all rows of one parent."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from simulacra.core import registry
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.registry import Kind
from simulacra.core.schema import RuleSpec
from simulacra.pipeline.options import checked_config
from simulacra.pipeline.relations.among_siblings import AmongSiblings
from simulacra.pipeline.relations.fitted_relation import FittedRelation, owner_of
from simulacra.pipeline.relations.learning.key_plan import KeyPlan
from simulacra.pipeline.relations.learning.table_in_family import TableInFamily
from simulacra.pipeline.relations.rule_keys import rules_of_siblings
from simulacra.rules.relatives import Siblings


def learn_among_siblings(
    family: TableInFamily, relations: Sequence[FittedRelation], keys: KeyPlan, ctx: RunContext
) -> tuple[AmongSiblings, ...]:
    """Learn a table's rules about all rows of one parent, from a sample of the rows.

    Args:
        family: The table and its relatives.
        relations: Its foreign keys.
        keys: How its keys come about.
        ctx: Limits and progress.

    Raises:
        SpecError: Rows break such a rule, or it can't be kept.
    """
    found: dict[str, AmongSiblings] = {}
    for rule, siblings in rules_of_siblings(family.spec, family.name):
        try:
            _check(siblings, family, relations, keys)
            if siblings.column in found:
                raise _refused(siblings, family, "another rule puts it in order already")
            found[siblings.column] = _learned(rule, siblings, family)
        except SpecError as error:
            if rule.evidence is None:
                raise
            ctx.progress.note(f"{family.name}: {rule.rule} {siblings.column} is not kept: {error}")
            continue
        by = siblings.by or "its rows"
        ctx.progress.note(f"{family.name}: {siblings.column} ascends in the order of {by}")
    return _in_turn(found, family)


def _learned(rule: RuleSpec, siblings: Siblings, family: TableInFamily) -> AmongSiblings:
    plugin = registry.load(Kind.RULE, rule.rule)
    config = checked_config(plugin.config, rule.options, where=f"{family.name}: {rule.rule}")
    sample = pa.Table.from_batches([family.flat_sample().batch])
    try:
        return AmongSiblings(rule.rule, plugin.fit(sample, config, table=family.spec), siblings)
    except SpecError as error:
        where = f"{family.name}.{error.where}" if error.where else family.name
        raise SpecError(error.what, where=where, why=error.why, mend=error.mend) from error


def _check(
    siblings: Siblings, family: TableInFamily, relations: Sequence[FittedRelation], keys: KeyPlan
) -> None:
    """Refuse what can't be put in order.

    Raises:
        SpecError: Rows are not drawn under that parent, or the column is made otherwise.
    """
    owner = owner_of(relations)
    drawn_under = None if owner is None else relations[owner].key.columns
    if drawn_under is None or list(siblings.within) != list(drawn_under):
        under = ", ".join(drawn_under or ["no key"])
        raise _refused(siblings, family, f"rows are drawn together by {under}")
    column = siblings.column
    spec = family.spec.columns.get(column)
    if column in keys.numbered and not siblings.by:
        return
    if column in keys.numbered:
        raise _refused(siblings, family, f"it numbers rows: let {siblings.by} ascend by {column}")
    if column in keys.filled or (spec is not None and spec.type == "identifier"):
        raise _refused(siblings, family, "it is a key, which is made of row numbers or parents")
    if siblings.by in keys.filled:
        raise _refused(siblings, family, f"{siblings.by} is a key that parents fill")
    own = {*drawn_under, column}
    declared = [family.spec.primary_key, *family.spec.unique]
    if column in keys.referred or any(column in key and not set(key) <= own for key in declared):
        raise _refused(siblings, family, "it is part of a key that would not stay unique")


def _in_turn(found: dict[str, AmongSiblings], family: TableInFamily) -> tuple[AmongSiblings, ...]:
    """Return the rules so that each comes after that of the column whose order it takes.

    Raises:
        SpecError: They go round in a circle.
    """
    done: dict[str, AmongSiblings] = {}
    waiting = dict(found)
    while waiting:
        ready = [name for name, rule in waiting.items() if rule.siblings.by not in waiting]
        if not ready:
            first = next(iter(waiting.values())).siblings
            raise _refused(first, family, "rules take their order from each other")
        done |= {name: waiting.pop(name) for name in ready}
    return tuple(done.values())


def _refused(siblings: Siblings, family: TableInFamily, why: str) -> SpecError:
    return SpecError(
        f"it can't be made to ascend within {', '.join(siblings.within)}",
        where=f"{family.name}.{siblings.column}",
        why=why,
        mend="Change or remove the rule ascending",
    )
