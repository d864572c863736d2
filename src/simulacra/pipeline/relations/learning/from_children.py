"""Learns which columns of a table are worked out of the rows of its children."""

from __future__ import annotations

import pyarrow as pa

from simulacra.core import registry
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.protocols import BatchSource
from simulacra.core.registry import Kind
from simulacra.core.schema import RuleSpec
from simulacra.pipeline.options import checked_config
from simulacra.pipeline.relations.from_children import FromChildren, gather
from simulacra.pipeline.relations.gathering import Gathered
from simulacra.pipeline.relations.learning.table_in_family import TableInFamily
from simulacra.pipeline.relations.rule_keys import key_of, named_texts, rules_of_children
from simulacra.rules.relatives import ChildValues


def learn_from_children(family: TableInFamily, ctx: RunContext) -> tuple[FromChildren, ...]:
    """Learn a table's rules that are told of its children, each from all rows.

    Args:
        family: The table and its relatives.
        ctx: Limits and progress.

    Raises:
        SpecError: Rows break such a rule, or it can't be kept.
    """
    found: dict[str, tuple[RuleSpec, FromChildren]] = {}
    for rule, values in rules_of_children(family.spec, family.name):
        try:
            learned = _learned(family, rule, values, ctx)
            column = learned.rule.columns[0]
            if column in found:
                raise _contradiction(family.name, rule, found[column][0])
        except SpecError as error:
            if rule.evidence is None:
                raise
            ctx.progress.note(f"{family.name}: {values.name} is not kept: {error}")
            continue
        found[column] = (rule, learned)
        ctx.progress.note(f"{family.name}: {column} is {values.name}")
    return tuple(learned for _, learned in found.values())


def _learned(
    family: TableInFamily, rule: RuleSpec, values: ChildValues, ctx: RunContext
) -> FromChildren:
    key = key_of(values, family.name, family.specs)
    relations = family.graph.relations[values.table]
    place = next((n for n, r in enumerate(relations) if r.key == key), None)
    if place is None:
        raise SpecError(
            f"rows of {values.table} have no key of their own to {family.name}",
            where=f"{family.name}: {values.name}",
            why=f"another key implies {', '.join(key.columns)}",
            mend=f"Sum up in the table that lies between {values.table} and {family.name} first",
        )
    parents = family.seen[values.table].parents[place]
    where = f"{family.name}: {values.name}"
    made = Gathered(values.take, family.linked.rows, where)
    reads = gather(values, family.tables[values.table], parents, into=made, ctx=ctx)
    plugin = registry.load(Kind.RULE, rule.rule)
    config = checked_config(plugin.config, rule.options, where=f"{family.name}: {rule.rule}")
    own = [name for name in family.spec.columns if name in named_texts(rule.options)]
    source = family.linked.source
    rows = pa.table({values.name: made.values()})
    for name, column in _read(source, own).items():
        rows = rows.append_column(name, column)
    try:
        fitted = plugin.fit(rows, config, table=family.spec)
    except SpecError as error:
        where = f"{family.name}.{error.where}" if error.where else family.name
        raise SpecError(error.what, where=where, why=error.why, mend=error.mend) from error
    return FromChildren(rule.rule, fitted, values, place, reads)


def _read(source: BatchSource, columns: list[str]) -> dict[str, pa.ChunkedArray]:
    if not columns:
        return {}
    schema = pa.schema([source.schema.field(name) for name in columns])
    rows = pa.Table.from_batches(source.batches(columns), schema)
    return {name: rows.column(name) for name in columns}


def _contradiction(table: str, rule: RuleSpec, other: RuleSpec) -> SpecError:
    return SpecError(
        f"two rules work out one column: {_text(other)} and {_text(rule)}",
        where=table,
        mend="Remove one of them",
    )


def _text(rule: RuleSpec) -> str:
    return f"{rule.rule} {', '.join(f'{n}={v}' for n, v in rule.options.items())}"
