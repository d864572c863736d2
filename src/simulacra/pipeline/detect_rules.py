"""The rules that a table's rows keep, for its specification."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from simulacra.core.protocols import BatchSource
from simulacra.core.random import RngKey
from simulacra.core.schema import DatasetSpec, ForeignKey, RuleSpec, TableSpec
from simulacra.pipeline.nesting import Layout, flat_columns
from simulacra.pipeline.plain import plain
from simulacra.pipeline.relations.columns import one_batch
from simulacra.pipeline.relations.given_columns import offered_columns
from simulacra.pipeline.relations.graph import Facts, make_graph
from simulacra.pipeline.relations.keys.ancestors import AncestorLookup
from simulacra.pipeline.relations.keys.resolve import meant
from simulacra.pipeline.uniques import declared_keys
from simulacra.rules.discovery import search


def with_rules(
    spec: DatasetSpec,
    sources: Mapping[str, BatchSource],
    samples: Mapping[str, pa.Table],
    *,
    seed: int,
) -> DatasetSpec:
    """Return a specification with the rules found in uniform samples of each table's rows.

    Rules may use what parents' rows say, and theirs: those are looked up by their keys.

    Args:
        spec: The tables.
        sources: All of their rows.
        samples: Some rows of each.
        seed: Decides which rows are looked at first.

    Raises:
        SpecError: A key's values are of another family than those it refers to.
    """
    sources = {name: plain(source) for name, source in sources.items()}
    graph = make_graph(spec, {name: _facts(spec, name, samples[name]) for name in spec.tables})
    lookup = AncestorLookup(sources, graph)
    tables = {}
    for name, table in spec.tables.items():
        tables[name] = table
        if not table.keep and samples[name].num_rows:
            wanted = offered_columns(name, graph, spec.tables)
            given = lookup.values(name, samples[name], wanted)
            rng = RngKey(seed, ("detect rules", name))
            tables[name] = _with_rules(table, samples[name], given, rng)
    return DatasetSpec(tables=tables)


def _with_rules(
    table: TableSpec, sample: pa.Table, given: Mapping[str, pa.Array], rng: RngKey
) -> TableSpec:
    flat = pa.Table.from_batches([Layout.of(sample.schema).flatten(one_batch(sample)).batch])
    keys = {name for key in declared_keys(table) for name in key} & set(flat.column_names)
    for name, values in given.items():
        flat = flat.append_column(name, values)
    findings = search(
        flat,
        table.model_copy(update={"columns": dict(flat_columns(table.columns))}),
        given=keys | given.keys(),
        known=table.rules,
        rng=rng,
    )
    support = f"all {sample.num_rows:,} rows looked at keep it"
    kept = [rule.model_copy(update={"evidence": support}) for rule in findings.rules]
    return table.model_copy(
        update={"rules": [*table.rules, *map(_plain, kept), *map(_plain, findings.suggestions)]}
    )


def _facts(spec: DatasetSpec, name: str, sample: pa.Table) -> list[Facts]:
    """Return what a sample tells of a table's foreign keys: enough to order tables in a cycle."""
    return [
        Facts(_nulls(key, sample), spec.tables[key.parent].rows or 0, most=0)
        for key in spec.tables[name].foreign_keys
    ]


def _nulls(key: ForeignKey, sample: pa.Table) -> float:
    """Return the share of rows without a parent."""
    names = dict.fromkeys([*key.columns, *(key.when or ())])
    batch = one_batch(sample.select(list(names)))
    there = meant(key, dict(zip(names, batch.columns, strict=True)), batch.num_rows)
    for column in key.columns:
        there &= batch.column(column).is_valid().to_numpy(zero_copy_only=False)
    return 1.0 - float(np.mean(there)) if len(there) else 0.0


def _plain(rule: RuleSpec) -> RuleSpec:
    """Return a rule whose options can be written as YAML."""
    return RuleSpec.model_validate(rule.model_dump(mode="json"))
