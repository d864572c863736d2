"""Real tables as those below see them: the codes of all of their rows, and their parents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.features import Codes
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.nesting import is_list
from simulacra.pipeline.relations.columns import one_array
from simulacra.pipeline.relations.keys.resolve import LinkedTable
from simulacra.pipeline.relations.learning.samples import Sample
from simulacra.pipeline.relations.learning.summaries import WHOLE_NUMBER
from simulacra.pipeline.relations.parent_rows import Rows
from simulacra.pipeline.relations.parent_view import ParentView, fit_view, is_telling


@dataclass(frozen=True, slots=True)
class SeenRows:
    """All real rows of a table as those below see them.

    Attributes:
        codes: The codes of its columns.
        parents: The parents of its rows, for each of its relations.
    """

    codes: Mapping[str, Codes]
    parents: Sequence[Rows]


def fit_parent_view(
    name: str,
    table: TableSpec,
    sample: Sample,
    children: Mapping[str, NDArray[np.int32]],
    *,
    rng: RngKey,
    ctx: RunContext,
) -> ParentView:
    """Learn how a table looks from below.

    Args:
        name: The table.
        table: Its specification.
        sample: Some of its rows.
        children: What all of its rows know of their children; nothing if it has none below.
        rng: The key of the view.
        ctx: Limits and progress.
    """
    columns = _seen_columns(table) if children else {}
    values = {column: one_array(sample.rows.column(column)) for column in columns}
    values |= {column: pa.array(counts[sample.numbers]) for column, counts in children.items()}
    columns |= dict.fromkeys(children, WHOLE_NUMBER)
    return fit_view(columns, values, where=name, rng=rng, ctx=ctx)


def see_rows(
    name: str,
    view: ParentView,
    linked: LinkedTable,
    children: Mapping[str, NDArray[np.int32]],
    ctx: RunContext,
) -> dict[str, Codes]:
    """Return the codes of all rows of a table, by column.

    Args:
        name: The table.
        view: How it looks from below.
        linked: Its rows.
        children: What they know of their children.
        ctx: Limits and progress.
    """
    about_children = {column: pa.array(values) for column, values in children.items()}
    found = view.encode(about_children, children)
    columns = [column for column in view.codecs if column not in children]
    if not columns or not linked.rows:
        none = {column: np.empty(0, np.uint8) for column in columns}
        return {**none, **found}

    def encode(batch: pa.RecordBatch) -> dict[str, Codes]:
        return view.encode({column: batch.column(column) for column in columns}, columns)

    parts: dict[str, list[Codes]] = {column: [] for column in columns}
    with ctx.progress.task(f"Looking at {name}", linked.rows) as task:
        for codes in ctx.map(encode, linked.source.batches(columns)):
            for column, part in codes.items():
                parts[column].append(part)
            task.advance(len(next(iter(codes.values()))))
    return {**{column: np.concatenate(part) for column, part in parts.items()}, **found}


def _seen_columns(table: TableSpec) -> dict[str, ColumnSpec]:
    """Return the columns of a table that tell those below something."""
    keys = {column for key in table.foreign_keys for column in key.columns}
    return {
        name: column
        for name, column in table.columns.items()
        if is_telling(column)
        and name not in keys
        and not column.unique
        and not is_list(column.arrow_type())
    }


def with_used_view(name: str, view: ParentView, fitted: Mapping[str, FittedTable]) -> FittedTable:
    """Return a learned table with that of its view which tables are drawn given.

    Args:
        name: The table.
        view: How it looks from below.
        fitted: All learned tables.
    """
    families = [table.family for table in fitted.values() if table.family is not None]
    used = {
        feature.column
        for family in families
        for given in (family.given, *([family.early.given] if family.early else ()))
        for feature in given.ancestors
        if feature.table == name
    }
    kept = view.only(column for column in view.codecs if column in used)
    family = fitted[name].family
    assert family is not None  # noqa: S101 - it is learned among others
    return replace(fitted[name], family=replace(family, view=kept))
