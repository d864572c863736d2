"""Learned tables that draw more or less boldly than they learned."""

from __future__ import annotations

from dataclasses import replace

from simulacra.core import registry
from simulacra.core.errors import UsageError
from simulacra.core.registry import Kind
from simulacra.core.tempering import Temperable, Tempering
from simulacra.pipeline.dataset import FittedDataset
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.flat_model import FlatModel


def tempered(fitted: FittedDataset, how: Tempering) -> FittedDataset:
    """Return a dataset whose columns are drawn so; itself if that changes nothing.

    What is drawn of the keys of rows before their parents are chosen stays as learned.

    Args:
        fitted: What was learned.
        how: What each draw's probabilities become.

    Raises:
        UsageError: A table's model can't.
    """
    if how.is_plain:
        return fitted
    return replace(fitted, tables={n: _table(n, table, how) for n, table in fitted.tables.items()})


def _table(name: str, table: FittedTable, how: Tempering) -> FittedTable:
    if table.model is None:
        return table
    return replace(table, model=_flat(name, table.model, how))


def _flat(where: str, flat: FlatModel, how: Tempering) -> FlatModel:
    offers = registry.load(Kind.MODEL, flat.model_name).traits.tempered
    if not offers or not isinstance(flat.model, Temperable):
        raise UsageError(
            f"the model {flat.model_name} knows no temperature and no top-p",
            where=where,
            why="it lacks the trait 'tempered'",
            mend="Leave both at 1, or learn with the model forest",
        )
    items = {name: _flat(f"{where}.{name}", some, how) for name, some in flat.items.items()}
    return replace(flat, model=flat.model.tempered(how), items=items)
