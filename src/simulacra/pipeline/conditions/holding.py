"""What of a condition a table's model can be given, and what becomes of the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import pyarrow as pa

from simulacra.core import registry
from simulacra.core.errors import SpecError
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.pipeline.flat_model import FlatModel, decoded
from simulacra.pipeline.nesting import Flat

_NAMES = frozenset({"boolean", "category", "constant"})
"""The datatypes whose values are names."""
_NUMBERED = frozenset({"identifier", "personal"})
"""The datatypes whose values are made of row numbers."""


def held(
    model: FlatModel, known: Mapping[str, pa.Array], changed: Sequence[frozenset[str]]
) -> dict[str, pa.Array]:
    """Return what ``draw`` can hold of rows known in part, as rules encode it.

    A rule of whose columns all are known encodes them; one of which some are missing takes
    away those that it would change.

    Args:
        model: The table.
        known: Columns of the rows, and of those given with them.
        changed: What each rule changes; see :func:`effects`.
    """
    if not known or not registry.load(Kind.MODEL, model.model_name).traits.conditional:
        return {}
    batch = pa.RecordBatch.from_pydict(dict(known))
    for (_, rule), names in zip(model.rules, changed, strict=True):
        if set(rule.columns) <= set(batch.schema.names):
            batch = rule.encode(batch)
        else:
            gone = [name for name in batch.schema.names if name in names]
            batch = batch.drop_columns(gone)
        if not batch.num_columns:
            return {}
    return {name: batch.column(name) for name in batch.schema.names if name in model.codecs}


def check_seen(model: FlatModel, known: Mapping[str, pa.Array]) -> None:
    """Refuse categories that no learned row has, or too few: nothing is known of their rows.

    Args:
        model: The table.
        known: Columns of rows known in part.

    Raises:
        SpecError: Names column and value.
    """
    for name, values in known.items():
        named = model.codecs.get(name)
        if named is None or named.datatype not in _NAMES:
            continue
        distinct = values.drop_null().unique()
        codes = named.codec.encode(distinct)
        back = named.codec.decode(codes, rng=RngKey(0), start=0)
        for value, same in zip(distinct.to_pylist(), back.to_pylist(), strict=True):
            if value != same:
                raise SpecError(
                    f"no row that was learned has the value {value!r}, or too few have",
                    where=name,
                    mend="Give a value that was seen; simulacra inspect lists them",
                )


def effects(model: FlatModel, rows: pa.RecordBatch) -> list[frozenset[str]]:
    """Return for each rule the columns that it leaves out or changes.

    Args:
        model: The table.
        rows: Some rows as ``draw`` gives them, with the columns given beside them.
    """
    found = []
    for _, rule in model.rules:
        encoded = rule.encode(rows)
        names = set(encoded.schema.names)
        found.append(
            frozenset(
                name
                for name in rows.schema.names
                if name not in names or not encoded.column(name).equals(rows.column(name))
            )
        )
        rows = encoded
    return found


def renumbered(
    model: FlatModel,
    rows: Flat,
    *,
    rng: RngKey,
    start: int,
    but: Collection[str],
    given: Callable[[], Mapping[str, pa.Array]] = dict,
) -> Flat:
    """Return rows that were drawn apart with the identifiers of rows ``start`` and following.

    Args:
        model: The table.
        rows: The rows.
        rng: The key of the block.
        start: The number of the first row in the whole table.
        but: Columns to leave as they are.
        given: Returns the columns given beside the rows, where rules need them.
    """
    batch = rows.batch
    made: dict[str, pa.Array] = {}
    beside = dict(zip(batch.schema.names, batch.columns, strict=True))
    for name, named in model.codecs.items():
        if named.datatype in _NUMBERED and name not in but and name in model.names:
            codes = named.codec.encode(batch.column(name))
            made[name] = decoded(
                named.codec, codes, beside | made, rng=rng.child("column", name), start=start
            )
    if model.reads(made):
        made = model.with_values({**beside, **given()}, made)
    for name, values in made.items():
        if name not in but:
            batch = batch.set_column(batch.schema.get_field_index(name), name, values)
    return Flat(batch, rows.lists)
