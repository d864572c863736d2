"""Nested columns as flat ones and back: models only ever see flat tables.

A struct becomes a column that says whether it is there, and one column a field. A list (or map)
becomes a column with its length, and a table of items of its own, in which each item knows the row
it belongs to. Both may nest in each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.errors import InputError, SpecError
from simulacra.core.schema import ColumnSpec

ITEM = "item"
_PRESENCE = ColumnSpec(type="boolean", arrow="bool", nullable=False)
_LENGTH = ColumnSpec(type="integer", arrow="int32", nullable=True)


@dataclass(frozen=True, slots=True)
class Flat:
    """A batch without nested columns, and the items of its lists.

    Attributes:
        batch: Leaves, presences and lengths, one row a row.
        lists: For each length column, the items of all its rows one after another.
    """

    batch: pa.RecordBatch
    lists: Mapping[str, Flat] = field(default_factory=dict)

    def take(self, rows: NDArray[np.integer]) -> Flat:
        """Return the rows at the given places, with their items."""
        lists = {}
        for name, items in self.lists.items():
            lengths = list_lengths(self.batch.column(name))
            ends = np.cumsum(lengths)
            counts = lengths[rows]
            first = np.repeat((ends - lengths)[rows], counts)
            within = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
            lists[name] = items.take(first + within)
        return Flat(self.batch.take(pa.array(rows)), lists)

    @classmethod
    def concat(cls, parts: Sequence[Flat]) -> Flat:
        """Return the rows of several batches of the same columns, at least one, as one."""
        whole = pa.Table.from_batches([part.batch for part in parts]).combine_chunks()
        rows = whole.num_rows
        batch = whole.to_batches(max_chunksize=max(rows, 1))
        first = parts[0].batch.slice(0, 0) if not batch else batch[0]
        lists = {name: cls.concat([part.lists[name] for part in parts]) for name in parts[0].lists}
        return cls(first, lists)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the columns of a (nested) schema lie in a flat table.

    Attributes:
        schema: The nested schema.
        columns: The flat columns in order: name to the place in the nested schema.
        items: For each length column, the layout of its items.
    """

    schema: pa.Schema
    columns: tuple[str, ...]
    items: Mapping[str, Layout]

    @classmethod
    def of(cls, schema: pa.Schema) -> Layout:
        """Lay out a schema.

        Raises:
            InputError: A column has a type that can't be learned (union, extension).
        """
        columns: list[str] = []
        items: dict[str, Layout] = {}
        for column in schema:
            _lay_out(column, column.name, columns, items)
        if len(set(columns)) != len(columns):
            twice = next(name for name in columns if columns.count(name) > 1)
            raise InputError(
                f"a nested field and another column are both called {twice!r}",
                mend="Rename one of them",
            )
        return cls(schema, tuple(columns), items)

    @property
    def is_flat(self) -> bool:
        """Whether the schema has no nested column."""
        return not self.items and self.columns == tuple(self.schema.names)

    def flatten(self, batch: pa.RecordBatch) -> Flat:
        """Return the rows of ``batch`` without nesting."""
        rows, items = self.split(batch)
        return Flat(rows, {name: self.items[name].flatten(below) for name, below in items.items()})

    def split(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, dict[str, pa.RecordBatch]]:
        """Return the flat columns, and the items of each list as found."""
        if self.is_flat:
            return batch, {}
        arrays: dict[str, pa.Array] = {}
        items: dict[str, pa.RecordBatch] = {}
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            _split(name, column, arrays, items)
        return pa.RecordBatch.from_pydict(arrays), items

    def unflatten(self, flat: Flat) -> pa.RecordBatch:
        """Undo :meth:`flatten`."""
        if self.is_flat:
            return flat.batch.cast(self.schema)
        arrays = [self._unflatten(column.name, column.type, flat) for column in self.schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _unflatten(self, name: str, kind: pa.DataType, flat: Flat) -> pa.Array:
        column = flat.batch.column(name)
        if pa.types.is_struct(kind):
            fields = [self._unflatten(f"{name}.{child.name}", child.type, flat) for child in kind]
            return pa.StructArray.from_arrays(fields, fields=list(kind), mask=pc.invert(column))
        if is_list(kind):
            items = self.items[name].unflatten(flat.lists[name]).column(ITEM)
            return _list_of(kind, column, items)
        return column.cast(kind)


def _split(
    name: str, column: pa.Array, arrays: dict[str, pa.Array], items: dict[str, pa.RecordBatch]
) -> None:
    kind = column.type
    if pa.types.is_struct(kind):
        arrays[name] = column.is_valid()
        # flatten() hands the struct's nulls down to its fields; field() would not.
        for child, values in zip(kind, column.flatten(), strict=True):
            _split(f"{name}.{child.name}", values, arrays, items)
    elif is_list(kind):
        plain = _as_list(column)
        arrays[name] = pc.list_value_length(plain).cast(pa.int32())
        items[name] = pa.RecordBatch.from_arrays([plain.flatten()], names=[ITEM])
    else:
        arrays[name] = column


def is_list(kind: pa.DataType) -> bool:
    """Say whether a type holds any number of items in a row."""
    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
        or pa.types.is_map(kind)
    )


def item_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of a list's items; a map's are structs of key and value."""
    if pa.types.is_map(kind):
        return pa.struct([("key", kind.key_type), ("value", kind.item_type)])
    return kind.value_type


def _lay_out(column: pa.Field, name: str, columns: list[str], items: dict[str, Layout]) -> None:
    kind = column.type
    columns.append(name)
    if pa.types.is_struct(kind):
        for child in kind:
            _lay_out(child, f"{name}.{child.name}", columns, items)
    elif is_list(kind):
        items[name] = Layout.of(pa.schema([pa.field(ITEM, item_type(kind))]))
    elif pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType):
        raise InputError(
            f"the type {kind} can't be learned", where=name, mend="Convert or drop the column"
        )


def _as_list(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_map(kind):
        return column.cast(pa.list_(item_type(kind)))
    if pa.types.is_fixed_size_list(kind):
        return column.cast(pa.list_(kind.value_type))
    return column


def _list_of(kind: pa.DataType, lengths: pa.Array, items: pa.Array) -> pa.Array:
    counts = list_lengths(lengths)
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    mask = lengths.is_null() if lengths.null_count else None
    if pa.types.is_large_list(kind):
        return pa.LargeListArray.from_arrays(pa.array(offsets), items, type=kind, mask=mask)
    starts = pa.array(offsets.astype(np.int32))
    if pa.types.is_map(kind):
        keys, values = items.flatten()
        return pa.MapArray.from_arrays(starts, keys, values, type=kind, mask=mask)
    if pa.types.is_fixed_size_list(kind):
        return _fixed_size_list(kind, counts, items)
    return pa.ListArray.from_arrays(starts, items, type=kind, mask=mask)


def _fixed_size_list(kind: pa.DataType, counts: NDArray[np.int64], items: pa.Array) -> pa.Array:
    """Build it with room for the items of null lists, which the format demands."""
    absent = counts == 0
    slots = np.repeat(absent, kind.list_size)
    places = np.cumsum(~slots) - 1
    values = items.take(pa.array(places, mask=slots))
    return pa.FixedSizeListArray.from_arrays(values, type=kind, mask=pa.array(absent))


def list_lengths(lengths: pa.Array) -> NDArray[np.int64]:
    """Return the items of each row, 0 where the list itself is null; shape ``(rows,)``."""
    counts: NDArray[np.int64] = pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False)
    return np.maximum(counts.astype(np.int64), 0)


def flat_columns(columns: Mapping[str, ColumnSpec]) -> Iterator[tuple[str, ColumnSpec]]:
    """Yield name and spec of each flat column; those of list items are not among them."""
    for name, column in columns.items():
        yield from _flat_column(name, column)


def _flat_column(name: str, column: ColumnSpec) -> Iterator[tuple[str, ColumnSpec]]:
    if column.fields is not None:
        yield name, _PRESENCE
        for child, spec in column.fields.items():
            yield from _flat_column(f"{name}.{child}", spec)
    elif column.items is not None:
        yield name, _LENGTH
    else:
        yield name, column


def list_columns(columns: Mapping[str, ColumnSpec]) -> Iterator[tuple[str, ColumnSpec]]:
    """Yield name and spec of the items of each list column."""
    for name, column in columns.items():
        if column.fields is not None:
            yield from list_columns({f"{name}.{k}": spec for k, spec in column.fields.items()})
        elif column.items is not None:
            yield name, column.items


def nested_column(kind: pa.DataType, name: str, leaves: Mapping[str, ColumnSpec]) -> ColumnSpec:
    """Build the spec of one column from the specs of its leaves.

    Args:
        kind: The column's Arrow type.
        name: Its flat name.
        leaves: Spec by flat name; below a list, by the list's name, then ``[].`` and the flat name.

    Raises:
        SpecError: A leaf is missing.
    """
    if pa.types.is_struct(kind):
        fields = {c.name: nested_column(c.type, f"{name}.{c.name}", leaves) for c in kind}
        return ColumnSpec(
            type="struct", arrow="struct", fields=fields, nullable=leaves[name].nullable
        )
    if is_list(kind):
        prefix = f"{name}[]."
        below = {k[len(prefix) :]: spec for k, spec in leaves.items() if k.startswith(prefix)}
        return ColumnSpec(
            type="list",
            arrow=_list_text(kind),
            nullable=leaves[name].nullable,
            items=nested_column(item_type(kind), ITEM, below),
        )
    if name not in leaves:
        raise SpecError("nothing is known of this column", where=name)
    return leaves[name]


def _list_text(kind: pa.DataType) -> str:
    if pa.types.is_map(kind):
        return "map"
    if pa.types.is_fixed_size_list(kind):
        return f"fixed_size_list[{kind.list_size}]"
    return "large_list" if pa.types.is_large_list(kind) else "list"
