"""Chooses rows of tables that refer to each other, so that no row lacks one that it refers to.

First down: from rows drawn at random to all rows below them, then up: to every row that a chosen
one refers to. Rows taken on the way up bring no further ones below them, or all would come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

import numpy as np

from simulacra.core.compiled import Flags, Ints, SmallInts, kernel
from simulacra.core.context import RunContext
from simulacra.core.random import RngKey
from simulacra.core.schema import DatasetSpec, ForeignKey
from simulacra.pipeline.relations.graph import Graph, begins_like
from simulacra.pipeline.relations.keys.resolve import LinkedTable
from simulacra.pipeline.wanted_rows import Wanted

_FEWEST_DRAWN = 10
"""Whole families are drawn rather than single rows if there would be so many at least."""
_WORDS_AT_ONCE = 1 << 20


@kernel
def _mark_below(parents: SmallInts, marked: Flags) -> bool:
    """Mark all rows of a table that have a marked row above them in it; return whether any was."""
    unknown, ahead, out = 0, 1, 2
    state = np.zeros(len(parents), np.uint8)
    path = np.empty(len(parents), np.int64)
    any_new = False
    for row in range(len(parents)):
        length, at = 0, row
        while at >= 0 and not marked[at] and state[at] == unknown:
            state[at] = ahead
            path[length] = at
            length += 1
            at = parents[at]
        below = at >= 0 and marked[at]
        for step in range(length):
            state[path[step]] = out
            if below:
                marked[path[step]] = True
                any_new = True
    return any_new


class RowChoice:
    """The rows chosen of each table.

    Args:
        linked: The tables and the parents of their rows.
        spec: The tables' keys.
        graph: The order of the tables.
        rng: Decides which rows are drawn.
        ctx: Where to say what was drawn.
    """

    def __init__(
        self,
        linked: Mapping[str, LinkedTable],
        spec: DatasetSpec,
        graph: Graph,
        *,
        rng: RngKey,
        ctx: RunContext,
    ) -> None:
        self._linked = linked
        self._spec = spec
        self._graph = graph
        self._rng = rng
        self._ctx = ctx

    def choose(self, wanted: Wanted) -> dict[str, Flags]:
        """Return which rows of each table are chosen, shape ``(rows,)`` each."""
        if isinstance(wanted.rows, Mapping):
            return self._with_parents(self._below(wanted.rows, None))
        largest = max((self._rows(name) for name in self._drawable()), default=0)
        share = wanted.scale
        if share is None:
            share = min((wanted.rows or 0) / max(largest, 1), 1.0)
        if share == 1:
            return {name: np.ones(self._rows(name), bool) for name in self._spec.tables}
        below = self._below(self._heads(share), share)
        return self._with_parents(below | self._childless(set(below), share))

    def _rows(self, name: str) -> int:
        return self._linked[name].rows

    def _drawable(self) -> list[str]:
        return [name for name in self._graph.order if not self._spec.tables[name].keep]

    # --- which tables are drawn from -------------------------------------------------------

    def _heads(self, share: float) -> dict[str, int]:
        """Return the tables to draw from, so that all tables get rows, and how many rows.

        From the largest table it goes up as long as its rows are parts of the parent's (lines of an
        order). What neither lies below nor above its rows has a head of its own.
        """
        heads: dict[str, int] = {}
        left = {name: self._rows(name) for name in self._drawable() if self._rows(name)}
        while left:
            head = max(left, key=lambda name: left[name])
            while (parent := self._whole(head)) in left and (
                share * self._rows(parent) >= _FEWEST_DRAWN
            ):
                head = parent
            heads[head] = round(share * self._rows(head)) or int(share > 0)
            for name in self._reached(head):
                left.pop(name, None)
        return heads

    def _whole(self, name: str) -> str:
        """Return the table whose rows those of a table are parts of, empty if there is none.

        They are if the parent's key is in their own, or they are called after it.
        """
        owner = self._graph.owner(name)
        table = self._spec.tables[name]
        if owner is None:
            return ""
        uniques = [table.primary_key, *table.unique]
        in_key = any(set(owner.key.columns) <= set(unique) for unique in uniques)
        return owner.key.parent if in_key or begins_like(name, owner.key.parent) else ""

    def _reached(self, head: str) -> set[str]:
        """Return the tables that get rows if some of one are drawn."""
        reached = {head}
        for name in self._graph.order:
            if any(key.parent in reached for _, key in self._followed(name)):
                reached.add(name)
        ahead = list(reached)
        while ahead:
            for key in self._spec.tables[ahead.pop()].foreign_keys:
                if key.parent not in reached:
                    reached.add(key.parent)
                    ahead.append(key.parent)
        return reached

    # --- down ------------------------------------------------------------------------------

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self._graph.order)}

    def _followed(self, name: str) -> Iterator[tuple[int, ForeignKey]]:
        """Yield the keys of a table by which its rows come along with their parents."""
        table = self._spec.tables[name]
        if table.keep:
            return
        for place, key in enumerate(table.foreign_keys):
            kept = self._spec.tables[key.parent].keep
            if self._places[key.parent] < self._places[name] and not kept:
                yield place, key

    def _below(self, drawn: Mapping[str, int], share: float | None) -> dict[str, Flags]:
        """Draw rows of some tables and take all that lie below them, or as many as are wanted.

        Args:
            drawn: How many rows are wanted of which tables.
            share: Of rows that lie below no rows at all, what share comes.
        """
        chosen: dict[str, Flags] = {}
        for name in self._graph.order:
            rng = self._rng.child(name)
            keys = [(place, key) for place, key in self._followed(name) if key.parent in chosen]
            if keys and (share is None or name not in drawn):
                chosen[name] = self._candidates(name, keys, chosen, share, rng)
                if name in drawn:
                    chosen[name] = _drawn(chosen[name], drawn[name], rng)
                    self._say_short(name, drawn[name], int(chosen[name].sum()))
            elif name in drawn:
                count = min(drawn[name], self._rows(name))
                chosen[name] = _drawn(np.ones(self._rows(name), bool), count, rng)
                self._ctx.progress.note(
                    f"{name}: {count:,} of {self._rows(name):,} rows drawn; the rows below them "
                    "come along, and every row that one of all those refers to"
                )
                self._say_short(name, drawn[name], count)
        return chosen

    def _candidates(
        self,
        name: str,
        keys: list[tuple[int, ForeignKey]],
        chosen: Mapping[str, Flags],
        share: float | None,
        rng: RngKey,
    ) -> Flags:
        """Return the rows that lie below chosen ones, and a share of those that lie below none."""
        linked, table = self._linked[name], self._spec.tables[name]
        found = np.zeros(linked.rows, bool)
        loose = np.full(linked.rows, share is not None)
        for place, key in keys:
            parents = linked.parents[place]
            found |= (parents >= 0) & chosen[key.parent][np.maximum(parents, 0)]
            loose &= parents < 0
        own = [p for p, key in enumerate(table.foreign_keys) if key.parent == name]
        for place in own:
            above = linked.parents[place]
            # Some trees have roots that refer to themselves.
            loose &= (above < 0) | (above == np.arange(linked.rows))
        if share is not None and loose.any():
            found |= _drawn(loose, round(share * int(loose.sum())), rng.child("loose"))
        while any(_mark_below(linked.parents[place], found) for place in own):
            pass
        return found

    def _say_short(self, name: str, wanted: int, count: int) -> None:
        if count < wanted:
            self._ctx.progress.note(
                f"{name}: {wanted:,} rows are wanted, only {count:,} can be had"
            )

    def _childless(self, drawn: Collection[str], share: float) -> dict[str, Flags]:
        """Draw a share of the rows that nothing refers to, of tables that are not drawn from.

        Else there would be no customers without orders.
        """
        alone = {name: np.ones(self._rows(name), bool) for name in self._drawable()}
        for name, table in self._spec.tables.items():
            for place, key in enumerate(table.foreign_keys):
                if key.parent in alone:
                    parents = self._linked[name].parents[place]
                    alone[key.parent][parents[parents >= 0]] = False
        return {
            name: _drawn(rows, round(share * int(rows.sum())), self._rng.child(name, "childless"))
            for name, rows in alone.items()
            if name not in drawn
        }

    # --- up --------------------------------------------------------------------------------

    def _with_parents(self, chosen: Mapping[str, Flags]) -> dict[str, Flags]:
        """Return rows with all that they refer to, over any number of steps."""
        whole = {
            name: np.full(self._rows(name), table.keep) | chosen.get(name, False)
            for name, table in self._spec.tables.items()
        }
        ahead: list[tuple[str, Ints]] = [(n, np.flatnonzero(flags)) for n, flags in whole.items()]
        while ahead:
            name, rows = ahead.pop()
            for place, key in enumerate(self._spec.tables[name].foreign_keys):
                parents = self._linked[name].parents[place][rows]
                parents = parents[parents >= 0]
                new = np.unique(parents[~whole[key.parent][parents]]).astype(np.int64)
                if len(new):
                    whole[key.parent][new] = True
                    ahead.append((key.parent, new))
        return whole


def _drawn(candidates: Flags, count: int, rng: RngKey) -> Flags:
    """Draw some of the candidates uniformly; of fewer the same rows are drawn, and no others.

    Each row has a random word, and the smallest win: those of 32 bits suffice, as of equal ones the
    earlier row wins.
    """
    rows = np.flatnonzero(candidates)
    if count >= len(rows):
        return candidates
    stream = rng.generator().bit_generator
    words = np.empty(len(candidates), np.uint32)
    for start in range(0, len(words), _WORDS_AT_ONCE):
        part = words[start : start + _WORDS_AT_ONCE]
        part[:] = stream.random_raw(len(part)) >> np.uint64(32)
    words = words[rows]
    drawn = np.zeros(len(candidates), bool)
    if count:
        last = np.partition(words, count - 1)[count - 1]
        drawn[rows[words < last]] = True
        drawn[rows[words == last][: count - int((words < last).sum())]] = True
    return drawn
