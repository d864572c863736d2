"""From a dataset's rows to its specification: every table, what is declared, and how they hang.

What a store declares is taken before what was found; foreign keys are looked for only where no
table declares one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from simulacra.core.context import RunContext
from simulacra.core.declared import DeclaredTable
from simulacra.core.protocols import BatchSource
from simulacra.core.random import RngKey
from simulacra.core.schema import DatasetSpec, TableSpec
from simulacra.pipeline.declared_keys import (
    Profiles,
    with_declared,
    with_foreign_keys,
    with_primary,
    with_repeating,
    without_lost_keys,
)
from simulacra.pipeline.detect import detect_table, tell_what_is_lacking
from simulacra.pipeline.finding_keys.facts import column_facts
from simulacra.pipeline.foreign_keys import Facts, FoundKey, FoundKeys, search_keys
from simulacra.pipeline.plain import plain


@dataclass(frozen=True, slots=True)
class DetectedDataset:
    """A dataset's specification, and what else its rows told.

    Attributes:
        spec: The tables, with the foreign keys that are declared or beyond doubt.
        samples: Rows of each table drawn uniformly, in order, as found.
        suggestions: What may be a foreign key too, the best first.
    """

    spec: DatasetSpec
    samples: Mapping[str, pa.Table]
    suggestions: list[FoundKey] = field(default_factory=list)


def detect_dataset(
    sources: Mapping[str, BatchSource],
    *,
    declared: Mapping[str, DeclaredTable] | None = None,
    sample_rows: int | Callable[[pa.Schema], int],
    rng: Callable[[str], RngKey],
    infer_keys: bool = True,
    keep_samples: bool = True,
    ctx: RunContext,
) -> DetectedDataset:
    """Read every table and propose a specification of all.

    Args:
        sources: The tables' rows, by name.
        declared: What the store they come from says of them.
        sample_rows: How many rows of each table to keep, or a function of its schema that says so.
        rng: Gives the key of each table, which decides which rows.
        infer_keys: Whether to look for foreign keys if none is declared.
        keep_samples: Whether the samples are wanted; they may be large.
        ctx: Limits and progress.

    Raises:
        InputError: A source can't be read, or two of its columns have one name.
    """
    sources = {name: plain(source) for name, source in sources.items()}
    tell_what_is_lacking(ctx)
    declared = {name: table for name, table in (declared or {}).items() if name in sources}
    infers = infer_keys and not any(table.foreign_keys for table in declared.values())
    tables: dict[str, TableSpec] = {}
    samples: dict[str, pa.Table] = {}
    facts: dict[str, Facts] = {}
    unique: dict[str, Profiles] = {}
    for name, source in sources.items():
        rows = sample_rows if isinstance(sample_rows, int) else sample_rows(source.schema)
        found = detect_table(source, where=name, sample_rows=rows, rng=rng(name), ctx=ctx)
        tables[name] = found.spec
        seen = found.profile.columns
        unique[name] = {column: seen[column] for column in seen if seen[column].unique}
        if name in declared:
            tables[name] = with_declared(found.spec, declared[name], unique[name])
        if keep_samples:
            samples[name] = found.profile.sample
        if infers:
            facts[name] = column_facts(name, tables[name], found.profile)
    suggestions: list[FoundKey] = []
    if infers:
        fixed = {name for name, table in declared.items() if table.primary_key}
        keys = search_keys(sources, tables, facts, declared=fixed, ctx=ctx)
        tables = _with_found(tables, keys, unique)
        suggestions = [found for found in keys.keys if not found.is_certain]
        _tell(keys.keys, ctx)
    tables = without_lost_keys(tables, ctx)
    return DetectedDataset(DatasetSpec(tables=tables), samples, suggestions)


def _with_found(
    tables: Mapping[str, TableSpec], found: FoundKeys, unique: Mapping[str, Profiles]
) -> dict[str, TableSpec]:
    """Put what foreign keys tell over what was detected of each table alone."""
    changed = {}
    for name, table in tables.items():
        keys = [known.key for known in found.keys if known.is_certain and known.table == name]
        changed[name] = with_foreign_keys(table, keys)
        primary = found.primary[name]
        if primary != table.primary_key:
            changed[name] = changed[name].model_copy(update={"primary_key": []})
        repeating = set(found.repeating.get(name, ())) - (
            set(primary) if len(primary) == 1 else set()
        )
        changed[name] = with_repeating(changed[name], repeating, unique[name])
        if primary and primary != table.primary_key:
            changed[name] = with_primary(changed[name], primary)
    return changed


def _tell(found: list[FoundKey], ctx: RunContext) -> None:
    """Say what was found, and what may be a key but is not taken for one."""
    certain = [known for known in found if known.is_certain]
    if certain:
        keys = "; ".join(map(str, certain))
        ctx.progress.note(
            f"No foreign key is declared; {len(certain)} found by name that hold for every row: "
            f"{keys}"
        )
    for known in found:
        if not known.is_certain:
            ctx.progress.note(f"Perhaps a foreign key, not taken: {known} ({known.key.evidence})")
