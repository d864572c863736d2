"""Does data fit a specification? Every mismatch is named as table.column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow.compute as pc

from simulacra.core import registry
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.protocols import BatchSource
from simulacra.core.references import Reference
from simulacra.core.registry import Kind
from simulacra.core.schema import ColumnSpec, DatasetSpec, Orphans, TableSpec
from simulacra.pipeline.aggregates import key_counts
from simulacra.pipeline.flat_sources import FlatSource
from simulacra.pipeline.inclusion import can_refer, count_inclusions
from simulacra.pipeline.nesting import Layout, flat_columns
from simulacra.pipeline.options import checked_config
from simulacra.pipeline.plain import plain


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One way in which data doesn't fit its specification.

    Attributes:
        table: The table's name.
        column: The column's (or a key's columns), empty if it is about the table.
        what: What doesn't fit.
    """

    table: str
    column: str
    what: str

    @property
    def where(self) -> str:
        """The place, as ``table`` or ``table.column``."""
        return f"{self.table}.{self.column}" if self.column else self.table

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def schema_mismatches(spec: DatasetSpec, sources: Mapping[str, BatchSource]) -> Iterator[Mismatch]:
    """Compare names and types."""
    for name in spec.tables.keys() - sources.keys():
        yield Mismatch(name, "", "the specification has this table, the data doesn't")
    for name, source in sources.items():
        table = spec.tables.get(name)
        if table is None:
            yield Mismatch(name, "", "the data has this table, the specification doesn't")
            continue
        expected = {column: c.arrow_type() for column, c in table.columns.items()}
        found = dict(zip(source.schema.names, source.schema.types, strict=True))
        for column in expected.keys() - found.keys():
            yield Mismatch(name, column, "the column is not in the data")
        for column in found.keys() - expected.keys():
            yield Mismatch(name, column, "the column is not in the specification")
        for column in [c for c in found if c in expected and not _same(found[c], expected[c])]:
            yield Mismatch(
                name,
                column,
                f"the data has {found[column]}, the specification {expected[column]}",
            )


def _same(found: object, expected: object) -> bool:
    # Names of list items and nullability inside nested types don't change the values.
    return str(found).replace(" not null", "") == str(expected).replace(" not null", "") or (
        found == expected
    )


def check_schema(spec: DatasetSpec, sources: Mapping[str, BatchSource]) -> None:
    """Refuse data whose names or types are not those of the specification.

    Raises:
        SpecError: Names every mismatch; or a plug-in that isn't there.
    """
    check_plugins(spec)
    wrong = sorted(str(mismatch) for mismatch in schema_mismatches(spec, sources))
    if wrong:
        raise SpecError(
            "the data doesn't fit the specification",
            why="; ".join(wrong),
            mend="Edit the specification, or detect it anew",
        )


def check_plugins(spec: DatasetSpec) -> None:
    """Refuse datatypes and rules that aren't installed.

    Raises:
        SpecError: Names the column, or the table.
    """
    datatypes, rules = registry.names(Kind.DATATYPE), registry.names(Kind.RULE)
    for name, table in spec.tables.items():
        for column, leaf in _leaves(name, table.columns):
            if leaf.type not in datatypes:
                raise _unknown("datatype", leaf.type, column, datatypes)
        for rule in table.rules:
            if rule.rule not in rules:
                raise _unknown("rule", rule.rule, name, rules)


def _leaves(where: str, columns: Mapping[str, ColumnSpec]) -> Iterator[tuple[str, ColumnSpec]]:
    for name, column in columns.items():
        if column.fields is not None:
            yield from _leaves(f"{where}.{name}", column.fields)
        elif column.items is not None:
            yield from _leaves(f"{where}.{name}", {"[]": column.items})
        else:
            yield f"{where}.{name}", column


def _unknown(kind: str, name: str, where: str, known: Iterable[str]) -> SpecError:
    return SpecError(
        f"there is no {kind} called {name!r}",
        where=where,
        mend=f"Choose from {', '.join(known)}, or install a package with it",
    )


def mismatches(
    spec: DatasetSpec, sources: Mapping[str, BatchSource], ctx: RunContext
) -> list[Mismatch]:
    """Compare names, types, nulls, keys and the form of every value; reads all rows.

    A foreign key must name a row of its parent unless a column of it is null, or its orphans belong
    to the data (``orphans: keep``); one for some rows only (``when``) is checked for those.

    Raises:
        SpecError: A datatype or rule isn't installed.
    """
    check_plugins(spec)
    sources = {name: plain(source) for name, source in sources.items()}
    found = sorted(schema_mismatches(spec, sources), key=str)
    wrong_tables = {mismatch.table for mismatch in found}
    sound = {name: sources[name] for name in spec.tables if name not in wrong_tables}
    referred = _keys_referred_to(spec)
    for name, source in sound.items():
        found += _value_mismatches(name, spec.tables[name], source, referred[name], ctx)
    return found + _reference_mismatches(spec, sound, ctx)


def _keys_referred_to(spec: DatasetSpec) -> dict[str, list[list[str]]]:
    keys: dict[str, list[list[str]]] = {name: [] for name in spec.tables}
    for table in spec.tables.values():
        for key in table.foreign_keys:
            keys[key.parent].append(key.parent_columns)
    return keys


def _value_mismatches(
    name: str, table: TableSpec, source: BatchSource, referred: list[list[str]], ctx: RunContext
) -> list[Mismatch]:
    flat = FlatSource(source, Layout.of(source.schema))
    columns = dict(flat_columns(table.columns))
    nulls = dict.fromkeys(columns, 0)
    strays = dict.fromkeys(columns, 0)
    rows = 0
    for column, spec in columns.items():
        datatype = registry.load(Kind.DATATYPE, spec.type)
        checked_config(datatype.config, spec.options, where=f"{name}.{column}")
    for batch in flat.batches():
        rows += batch.num_rows
        for column, spec in columns.items():
            values = batch.column(column)
            nulls[column] += values.null_count
            datatype = registry.load(Kind.DATATYPE, spec.type)
            accepted = datatype.accepts(values, spec.options)
            strays[column] += batch.num_rows - (pc.sum(accepted).as_py() or 0)
    found = [
        Mismatch(name, column, f"{nulls[column]:,} nulls in a column without nulls")
        for column, spec in columns.items()
        if nulls[column] and not spec.nullable
    ]
    found += [
        Mismatch(name, column, f"{count:,} values are no {columns[column].type}")
        for column, count in strays.items()
        if count
    ]
    return found + (_key_mismatches(name, table, flat, referred, ctx) if rows else [])


def _key_mismatches(
    name: str, table: TableSpec, flat: FlatSource, referred: list[list[str]], ctx: RunContext
) -> list[Mismatch]:
    keys: dict[tuple[str, ...], str] = {
        (column,): "a unique column" for column, spec in table.columns.items() if spec.unique
    }
    if table.primary_key:
        keys.setdefault(tuple(table.primary_key), "the primary key")
    for key in table.unique:
        keys.setdefault(tuple(key), "a unique key")
    for key in referred:
        keys.setdefault(tuple(key), "a key that is referred to")
    leaves = {column for column, _ in flat_columns(table.columns)}
    keys = {key: what for key, what in keys.items() if leaves >= set(key)}
    if not keys:
        return []
    counts = key_counts(flat, list(keys), where=name, ctx=ctx)
    return [
        Mismatch(name, ", ".join(key), f"{rows - distinct:,} values repeat in {what}")
        for (key, what), (rows, distinct) in zip(keys.items(), counts, strict=True)
        if distinct < rows
    ]


def _reference_mismatches(
    spec: DatasetSpec, sources: Mapping[str, BatchSource], ctx: RunContext
) -> list[Mismatch]:
    found = []
    references = []
    for name in sources:
        for key in spec.tables[name].foreign_keys:
            if key.parent not in sources or key.orphans is Orphans.KEEP:
                continue
            kinds = [
                (sources[name].schema.field(own).type, sources[key.parent].schema.field(other).type)
                for own, other in zip(key.columns, key.parent_columns, strict=True)
            ]
            wrong = next(((own, other) for own, other in kinds if not can_refer(own, other)), None)
            if wrong is None:
                references.append(Reference.of(name, key))
            else:
                what = f"a column of type {wrong[0]} can't refer to one of type {wrong[1]}"
                found.append(Mismatch(name, ", ".join(key.columns), what))
    for reference, counted in count_inclusions(references, sources, ctx).items():
        orphans = counted.rows - counted.contained
        if orphans:
            columns = ", ".join(reference.columns)
            parent = f"{reference.parent}.{', '.join(reference.parent_columns)}"
            some = f" with {' = '.join(reference.when)}" if reference.when else ""
            what = f"{orphans:,} of {counted.rows:,} rows{some} name no row of {parent}"
            found.append(Mismatch(reference.table, columns, what))
    return found
