"""The columns of foreign keys: values of the parents chosen, made up for orphans."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.random import RngKey
from simulacra.pipeline.relations.columns import take_values
from simulacra.pipeline.relations.drawing.known_rows import KnownRows
from simulacra.pipeline.relations.graph import Role
from simulacra.pipeline.relations.parent_rows import ORPHAN, Rows


class ForeignKeys:
    """Fills the foreign keys of a table whose rows' parents are chosen.

    Args:
        known: The rows.
    """

    def __init__(self, known: KnownRows) -> None:
        self._known = known
        self._run = known.run
        self._parent_columns: dict[tuple[int, str], pa.Array] = {}

    def columns(self, parents: Sequence[Rows], rng: RngKey) -> dict[str, pa.Array]:
        """Return the columns of the foreign keys of some rows.

        Args:
            parents: Their parents, for each relation.
            rng: The key of the rows.
        """
        columns: dict[str, pa.Array] = {}
        for place, relation in enumerate(self._run.family.relations):
            key, rows = relation.key, parents[place]
            for own, there in zip(key.columns, key.parent_columns, strict=True):
                kind = self._run.fitted.spec.columns[own].arrow_type()
                if relation.role is Role.LATE:
                    values = pa.nulls(len(rows), kind)
                else:
                    values = self._values(place, there, rows, rng.child(own)).cast(kind)
                columns[own] = values if own not in columns else pc.coalesce(columns[own], values)
        return columns

    def _values(self, place: int, column: str, rows: Rows, rng: RngKey) -> pa.Array:
        """Return the key values of parents, made up for orphans."""
        relation, fitted = self._run.family.relations[place], self._run.fitted
        whole = self._parent_column(place, column)
        values = take_values(whole, rows)
        orphans = rows == ORPHAN
        if not orphans.any():
            return values
        strangers = max(1, round(relation.orphans * self._run.rows / max(fitted.rows, 1)))
        made = self._run.makers[relation.parent].values(column, len(whole), strangers)
        chosen = rng.generator().integers(len(made), size=len(rows))
        return pc.if_else(pa.array(orphans), made.take(pa.array(chosen)).cast(values.type), values)

    def _parent_column(self, place: int, column: str) -> pa.Array:
        """Return a column of all parents, worked out once: it is the same for all blocks."""
        name = (place, column)
        if name not in self._parent_columns:
            self._parent_columns[name] = self._known.parent_column(place, column)
        return self._parent_columns[name]
