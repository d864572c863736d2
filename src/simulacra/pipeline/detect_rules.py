"""The rules that a table's rows keep, for its specification."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import DatasetSpec, RuleSpec, TableSpec
from simulacra.pipeline.nesting import Layout, flat_columns
from simulacra.pipeline.uniques import declared_keys
from simulacra.rules.discovery import search


def with_rules(spec: DatasetSpec, samples: Mapping[str, pa.Table], *, seed: int) -> DatasetSpec:
    """Return a specification with the rules found in uniform samples of each table's rows.

    Args:
        spec: The tables.
        samples: Rows of each.
        seed: Decides which rows are looked at first.
    """
    tables = {
        name: _with_rules(table, samples[name], RngKey(seed, ("detect rules", name)))
        for name, table in spec.tables.items()
    }
    return DatasetSpec(tables=tables)


def _with_rules(table: TableSpec, sample: pa.Table, rng: RngKey) -> TableSpec:
    if table.keep or not sample.num_rows:
        return table
    batch = sample.combine_chunks().to_batches(max_chunksize=sample.num_rows)[0]
    flat = pa.Table.from_batches([Layout.of(sample.schema).flatten(batch).batch])
    keys = {name for key in declared_keys(table) for name in key}
    findings = search(
        flat,
        table.model_copy(update={"columns": dict(flat_columns(table.columns))}),
        given=keys & set(flat.column_names),
        known=table.rules,
        rng=rng,
    )
    support = f"all {sample.num_rows:,} rows looked at keep it"
    kept = [rule.model_copy(update={"evidence": support}) for rule in findings.rules]
    return table.model_copy(
        update={"rules": [*table.rules, *map(_plain, kept), *map(_plain, findings.suggestions)]}
    )


def _plain(rule: RuleSpec) -> RuleSpec:
    """Return a rule whose options can be written as YAML."""
    return RuleSpec.model_validate(rule.model_dump(mode="json"))
