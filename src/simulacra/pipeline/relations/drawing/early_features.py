"""Draws what must be known of all rows before their parents are chosen."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulacra.core import registry
from simulacra.core.features import Codes, Features
from simulacra.core.protocols import BLOCK_ROWS
from simulacra.core.registry import Kind
from simulacra.pipeline.fitted_table import ENGINE
from simulacra.pipeline.relations.columns import as_numbers
from simulacra.pipeline.relations.drawing.known_rows import KnownRows
from simulacra.pipeline.relations.drawing.sibling_values import Separator
from simulacra.pipeline.relations.family import EarlyModel
from simulacra.pipeline.relations.parent_rows import Rows

LAST = np.int32(np.iinfo(np.int32).max)
"""Stands for no owner where rows without one come last."""


def draw_early(known: KnownRows, early: EarlyModel) -> None:
    """Draw the features, and what is made of them, of rows whose owners are known.

    Args:
        known: The rows; their codes and columns are filled in.
        early: What was learned.

    Raises:
        LimitError: An owner has more rows than a key of theirs has values.
    """
    run, rng = known.run, known.run.rng.child("links")

    def block(number: int) -> tuple[Features, dict[str, pa.Array]]:
        part = slice(number * BLOCK_ROWS, min((number + 1) * BLOCK_ROWS, run.rows))
        key = rng.child("block", number)
        made = early.model.sample(
            part.stop - part.start,
            context=known.context(part, early.given),
            fixed=None,
            rng=key.child("features"),
        )
        columns = {
            name: named.codec.decode(
                [made[spec.name] for spec in named.features],
                rng=key.child("column", name),
                start=part.start,
            )
            for name, named in early.columns.items()
        }
        return made, columns

    codes: dict[str, list[Codes]] = {}
    columns: dict[str, list[pa.Array]] = {name: [] for name in early.columns}
    engine = registry.load(Kind.ENGINE, ENGINE)
    numbers = range(max(1, -(-run.rows // BLOCK_ROWS)))
    for made, decoded in engine.map(block, numbers, ctx=run.ctx):
        for spec, part in zip(made.specs, made.codes, strict=True):
            codes.setdefault(spec.name, []).append(part)
        for name, values in decoded.items():
            columns[name].append(values)
    known.codes = {name: np.concatenate(parts) for name, parts in codes.items()}
    known.columns = {name: pa.concat_arrays(parts) for name, parts in columns.items()}
    _move_apart(known, early)


def _move_apart(known: KnownRows, early: EarlyModel) -> None:
    """Move the keys of each owner's rows apart, and put the rows into the order they give."""
    family = known.run.family
    separator = Separator(family, known.parents, within=set(known.columns))
    if not separator.is_needed or family.owner is None:
        return
    names = separator.columns
    moved = separator.apply(
        pa.RecordBatch.from_pydict({name: known.columns[name] for name in names})
    )
    for name in names:
        known.columns[name] = moved.column(name)
        named = early.columns[name]
        codes = named.codec.encode(moved.column(name))
        known.codes |= {spec.name: part for spec, part in zip(named.features, codes, strict=True)}
    sorted_by = [name for name in family.sorted_by if name in names]
    if sorted_by:
        keys = [as_numbers(moved.column(name)) for name in sorted_by]
        owners = last_without(known.parents[family.owner])
        order = np.lexsort(np.vstack([*reversed(keys), owners]))
        known.codes = {name: codes[order] for name, codes in known.codes.items()}
        known.columns = {n: values.take(pa.array(order)) for n, values in known.columns.items()}


def last_without(owners: Rows) -> Rows:
    """Return owners so that rows without one come last."""
    return np.where(owners < 0, LAST, owners)
