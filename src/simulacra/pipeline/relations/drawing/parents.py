"""Finds the parents of all rows of a table: first the owners, then all others by what is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from simulacra.core.features import Codes
from simulacra.core.random import RngKey
from simulacra.pipeline.fitted_table import put_values
from simulacra.pipeline.relations.drawing.agreement import (
    Within,
    shared_ancestors,
    shared_columns,
)
from simulacra.pipeline.relations.drawing.early_features import draw_early
from simulacra.pipeline.relations.drawing.known_rows import KnownRows
from simulacra.pipeline.relations.drawing.linked_parents import (
    levels_of,
    matched_rows,
    require_parents,
)
from simulacra.pipeline.relations.drawing.owners import choose_owners
from simulacra.pipeline.relations.drawing.parent_pairs import separated
from simulacra.pipeline.relations.drawing.table_run import TableRun
from simulacra.pipeline.relations.graph import CHOSEN, Role
from simulacra.pipeline.relations.keys.resolve import meant
from simulacra.pipeline.relations.parent_rows import NULL, Rows
from simulacra.pipeline.uniqueness import Uniqueness
from simulacra.pipeline.uniques import UniqueKey


def find_parents(run: TableRun, early_keys: Sequence[UniqueKey]) -> KnownRows:
    """Choose the parents of all rows, and draw what must be known for that.

    Args:
        run: The table.
        early_keys: Keys of columns drawn for that, which are kept unique before rows of the same
            table refer to them.

    Raises:
        LimitError: A row that needs a parent finds none, or a key has no value left.
    """
    known = KnownRows(run)
    family, rng = run.family, run.rng.child("parents")
    if family.owner is not None:
        name = family.relations[family.owner].name
        known.parents[family.owner] = choose_owners(run, family.owner, rng.child(name))
    if family.early is not None:
        draw_early(known, family.early)
        _Choice(known, rng).choose_all(early_keys)
    return known


class _Choice:
    """The choice of the parents that are not owners.

    Args:
        known: The rows; their parents are filled in.
        rng: The key of this step.
    """

    def __init__(self, known: KnownRows, rng: RngKey) -> None:
        self._known = known
        self._run = known.run
        self._family = known.run.family
        self._rng = rng
        self._chosen = [] if self._family.owner is None else [self._family.owner]
        self._must: dict[int, Within] = {}

    def choose_all(self, early_keys: Sequence[UniqueKey]) -> None:
        """Choose all parents; those in the same table last, when all else of keys is known."""
        self._choose_and_separate(in_same_table=False)
        self._keep_unique(early_keys)
        self._choose_and_separate(in_same_table=True)
        self._refer_to_themselves()

    def _choose_and_separate(self, *, in_same_table: bool) -> None:
        relations = self._family.relations
        for place, relation in self._family.of_role(*CHOSEN):
            if (relation.role is Role.SELF) is in_same_table:
                self._choose(place)
        for key in self._family.distinct:
            is_inside = any(relations[place].role is Role.SELF for place in key.relations)
            if not key.columns and len(key.relations) > 1 and is_inside is in_same_table:
                self._separate(key.relations)

    def _keep_unique(self, keys: Sequence[UniqueKey]) -> None:
        """Keep keys unique that rows of the same table will refer to.

        Raises:
            LimitError: A key has no value left.
        """
        if not keys:
            return
        names = sorted({name for key in keys for name in key.columns})
        batch = pa.RecordBatch.from_pydict({name: self._known.own_column(name) for name in names})
        kept = Uniqueness(keys, self._run.name).apply(batch, put_values)
        for key in keys:
            self._known.columns[key.mover] = kept.column(key.mover)

    def _choose(self, place: int) -> None:
        """Choose the parents of all rows in one relation, unless they are drawn later.

        Raises:
            LimitError: A row that needs a parent finds none.
        """
        known, relation = self._known, self._family.relations[place]
        codes = known.codes[relation.feature.name]
        if relation.key.when:
            codes = self._where_meant(place, codes)
        if relation.role is Role.LATE:
            known.late[place] = codes
            return
        is_self = relation.role is Role.SELF
        parent = known.as_parents() if is_self else self._run.tables[relation.parent]
        must = shared_columns(
            place,
            self._family.relations,
            self._chosen,
            known.parents,
            known.parent_column,
            known.columns if is_self else {},
        )
        should = None
        if self._family.owner is not None:
            owners = known.parents[self._family.owner]
            owner_table = self._family.relations[self._family.owner].parent
            should = shared_ancestors(relation, owners, owner_table, parent, self._run.tables)
        if is_self:
            within = must.and_also(should) if must else should
            codes, levels = levels_of(relation, known.codes[relation.level.name], codes, within)
            must = levels.and_also(must)
        if must is not None:
            self._must[place] = must
        rng = self._rng.child(relation.name)
        found = matched_rows(relation, codes, parent, must=must, should=should, rng=rng)
        require_parents(relation, codes, found, self._run.fitted.spec, where=self._run.name)
        known.parents[place] = found
        self._chosen.append(place)

    def _where_meant(self, place: int, codes: Codes) -> Codes:
        """Return the codes of rows for which a key is meant, "none" for the others.

        Of those for which it is meant as many have a parent as in the source.
        """
        relation = self._family.relations[place]
        keep = meant(relation.key, self._known.columns, len(codes))
        found = np.where(keep, codes, relation.kinds).astype(codes.dtype)
        known = found[keep & (found < relation.kinds)]
        none = np.flatnonzero(keep & (found == relation.kinds))
        generator = self._run.rng.child("meant", relation.name).generator()
        spare = len(none) - round(relation.meant_nulls * int(keep.sum()))
        if spare > 0 and len(known):
            chosen = generator.permutation(none)[:spare]
            found[chosen] = generator.choice(known, len(chosen))
        return found

    def _separate(self, key: Sequence[int]) -> None:
        """Change parents so that no two rows share those in all relations of a key.

        Raises:
            LimitError: There are more rows than different parents.
        """
        known, relations = self._known, self._family.relations
        # Rows stay where their owner has them, and trees as they are, if others can give way.
        last = min(key, key=lambda n: (n == self._family.owner, relations[n].role is Role.SELF, -n))
        relation = relations[last]
        if relation.role is Role.LATE:
            return
        is_self = relation.role is Role.SELF
        columns = [column for place in key for column in relations[place].key.columns]
        known.parents[last] = separated(
            [known.parents[place] for place in key if place != last],
            known.parents[last],
            known.codes[relation.feature.name],
            self._run.rows if is_self else self._run.tables[relation.parent].rows,
            must=self._must.get(last),
            where=f"{self._run.name}.{','.join(dict.fromkeys(columns))}",
            rng=self._rng.child("pairs"),
        )

    def _refer_to_themselves(self) -> None:
        """Let rows without a parent in their own table refer to themselves, as many as learned."""
        for place, relation in self._family.of_role(Role.SELF):
            parents: Rows = self._known.parents[place]
            alone = np.flatnonzero(parents == NULL)
            chance = self._rng.child("own", relation.name).generator().random(len(alone))
            chosen = alone[chance < relation.own]
            parents[chosen] = chosen
