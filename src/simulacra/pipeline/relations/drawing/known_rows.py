"""What is known of all rows of a table before its columns are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.features import Codes, Features, FeatureSpec
from simulacra.pipeline.relations.columns import as_counts, take_values
from simulacra.pipeline.relations.context import (
    Ancestors,
    Given,
    as_given,
    joined,
    place_feature,
)
from simulacra.pipeline.relations.drawing.drawn_table import DrawnTable
from simulacra.pipeline.relations.drawing.table_run import TableRun
from simulacra.pipeline.relations.graph import CHOSEN, KNOWN_FIRST, Role
from simulacra.pipeline.relations.parent_kernels import places
from simulacra.pipeline.relations.parent_rows import Rows


class KnownRows:
    """What is known of all rows of a table, step by step: owners, early features, parents.

    Args:
        run: The table.

    Attributes:
        run: The table.
        parents: The parents of all rows, for each relation; none so far.
        codes: Codes of the features that are drawn before parents are chosen, by name.
        columns: Values of the columns among them.
        late: For each relation to a table drawn later, the codes of the parents wanted.
    """

    def __init__(self, run: TableRun) -> None:
        self.run = run
        self.parents = no_parents(run)
        self.codes: dict[str, Codes] = {}
        self.columns: dict[str, pa.Array] = {}
        self.late: dict[int, Codes] = {}

    @cached_property
    def places(self) -> NDArray[np.int32]:
        """The place of each row among those of its owner, once owners are known."""
        owner = self.run.family.owner
        if owner is None:
            return np.zeros(self.run.rows, np.int32)
        owners = self.run.tables[self.run.family.relations[owner].parent].rows
        found: NDArray[np.int32] = places(self.parents[owner], owners)
        return found

    def numbers(self, part: slice) -> dict[str, pa.Array]:
        """Return the columns that number an owner's rows, of some rows."""
        columns = self.run.fitted.spec.columns
        return {
            name: pa.array(self.places[part] + first).cast(columns[name].arrow_type())
            for name, first in self.run.family.numbered.items()
        }

    def child_columns(self) -> dict[str, NDArray[np.int32]]:
        """Return the columns about the rows' own children, as far as they were drawn early."""
        below = self.run.family.below
        return {n: as_counts(values) for n, values in self.columns.items() if n in below}

    def as_parents(self) -> DrawnTable:
        """Return the rows as those of the same table that refer to them see them."""
        return DrawnTable(self.run.rows, self.parents, below=self.child_columns())

    def context(self, part: slice, given: Given) -> Features | None:
        """Return what some rows are drawn given, as it was learned."""
        run = self.run
        ancestors = Ancestors(
            run.name, [rows[part] for rows in self.parents], run.graph, run.tables
        )
        specs = [feature.spec for feature in given.ancestors]
        codes = [ancestors.codes(feature) for feature in given.ancestors]
        known = {as_given(spec).name: spec for spec in self._early_features()}
        for name in given.early:
            specs.append(as_given(known[name]))
            codes.append(self.codes[known[name].name][part])
        if given.last_place is not None:
            specs.append(place_feature(given.last_place))
            codes.append(np.minimum(self.places[part], given.last_place))
        return joined(specs, codes, part.stop - part.start)

    def _early_features(self) -> Iterator[FeatureSpec]:
        family = self.run.family
        for _, relation in family.of_role(*CHOSEN):
            yield relation.feature
            if relation.role is Role.SELF:
                yield relation.level
        if family.early is not None:
            for named in family.early.columns.values():
                yield from named.features

    def parent_column(self, place: int, column: str) -> pa.Array:
        """Return a column of all parents in one relation that its key refers to."""
        if self.run.family.relations[place].role is Role.SELF:
            return self.own_column(column)
        return self.run.parent_column(place, column)

    def own_column(self, column: str) -> pa.Array:
        """Return a column that rows of the same table refer to, before the rows are drawn.

        Raises:
            SpecError: It can't be known before.
            LimitError: Identifiers run out.
        """
        run = self.run
        found = self.columns.get(column)
        for place, relation in run.family.of_role(*KNOWN_FIRST):
            if column in relation.key.columns:
                there = relation.key.parent_columns[relation.key.columns.index(column)]
                values = take_values(run.parent_column(place, there), self.parents[place])
                found = values if found is None else pc.coalesce(values, found.cast(values.type))
        if found is not None:
            return found
        if column in run.family.numbered:
            return self.numbers(slice(0, run.rows))[column]
        return run.makers[run.name].values(column, 0, run.rows)


def no_parents(run: TableRun) -> list[Rows]:
    """Return rows that have no parent in any relation yet."""
    return [np.full(run.rows, -1, np.int32) for _ in run.family.relations]
