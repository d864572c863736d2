"""Draws one table among others: first its parents, then its columns, block by block."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core import registry
from simulacra.core.context import RunContext
from simulacra.core.features import Codes, Features, FeatureSpec
from simulacra.core.protocols import BLOCK_ROWS
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.pipeline.fitted_table import ENGINE, FittedTable, KeptKeys, put_values
from simulacra.pipeline.journal_parts import Record
from simulacra.pipeline.nesting import Flat
from simulacra.pipeline.relations.agreement import UNKNOWN, Within, shared_columns
from simulacra.pipeline.relations.columns import take_values
from simulacra.pipeline.relations.context import Ancestors, ContextFeature, joined, place_feature
from simulacra.pipeline.relations.distinct import Separator
from simulacra.pipeline.relations.drawn import DrawnTable, alone_columns, given_by
from simulacra.pipeline.relations.filled_alone import meant, with_filled
from simulacra.pipeline.relations.fitted import Family
from simulacra.pipeline.relations.graph import Graph, Role
from simulacra.pipeline.relations.key_index import NULL, ORPHAN
from simulacra.pipeline.relations.keys_made import KeyMaker
from simulacra.pipeline.relations.learn_links import CHOSEN
from simulacra.pipeline.relations.learn_table import as_given
from simulacra.pipeline.relations.made_block import MadeBlock
from simulacra.pipeline.relations.pairs import separated
from simulacra.pipeline.relations.parents import (
    levels_of,
    matched_rows,
    owned_rows,
    require_parents,
    tied,
)
from simulacra.pipeline.relations.resolve import Rows
from simulacra.pipeline.relations.summaries import as_numbers
from simulacra.pipeline.relations.within_parent import places
from simulacra.pipeline.uniques import Uniqueness

_LARGEST_BLOCK = 4 * BLOCK_ROWS
"""A parent with more rows than this has them drawn in several blocks."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows, drawn at once: those of whole owners.

    Attributes:
        number: The block's number.
        start: The number of its first row.
        end: The number after its last one.
    """

    number: int
    start: int
    end: int

    @property
    def rows(self) -> slice:
        """The rows as a slice."""
        return slice(self.start, self.end)


class TableDrawing:
    """The drawing of one table in one run.

    Args:
        name: The table.
        fitted: What was learned of it.
        rows: How many rows to draw.
        graph: All relations.
        tables: The tables drawn so far.
        wanted: Its columns that others copy.
        makers: What makes the identifiers of each table.
        rng: The key of the table in this run.
        record: Where its blocks are kept.
        ctx: Limits and progress.
    """

    def __init__(  # noqa: PLR0913 - what one run knows
        self,
        name: str,
        fitted: FittedTable,
        rows: int,
        graph: Graph,
        tables: Mapping[str, DrawnTable],
        wanted: set[str],
        makers: Mapping[str, KeyMaker],
        *,
        rng: RngKey,
        record: Record,
        ctx: RunContext,
    ) -> None:
        assert fitted.family is not None  # noqa: S101 - it is not drawn by itself
        self._name = name
        self._fitted = fitted
        self._family: Family = fitted.family
        self._rows = rows
        self._graph = graph
        self._tables = tables
        self._wanted = wanted
        self._makers = makers
        self._rng = rng
        self._record = record
        self._ctx = ctx
        self._early: dict[str, Codes] = {}
        self._early_columns: dict[str, pa.Array] = {}
        self._must: dict[int, Within] = {}
        self.late: dict[int, Codes] = {}
        self.drawn = DrawnTable(rows, [])
        late = {
            column
            for _, relation in self._family.of_role(Role.LATE)
            for column in {*relation.relation.key.columns} - {*alone_columns(relation, fitted)}
        }
        self.late_keys = [key for key in fitted.uniques if late & set(key.columns)]
        early = self._family.links.columns if self._family.links else {}
        self._early_keys = [key for key in fitted.uniques if key.mover in early]
        done = [*self.late_keys, *self._early_keys]
        # Siblings of one block differ already; more rows than that may be of one owner.
        apart = [set(self._family.columns_of(key)) for key in self._family.distinct]
        known = apart if rows <= _LARGEST_BLOCK else []
        others = [k for k in fitted.uniques if k not in done and set(k.columns) not in known]
        self._keys = KeptKeys(fitted, others, name)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows; ``drawn`` is whole when the last one was yielded."""
        schema, start = self._fitted.layout.schema, 0
        for kept in self._kept_or_made():
            made = MadeBlock.of_batch(kept, schema)
            start = self._take_parents(made, start)
            batch = self._keys.apply(made.batch, partial(self._beside, made))
            values = {name: batch.column(name) for name in self._wanted}
            self.drawn.append(made.codes, values, made.below)
            yield batch.cast(self._fitted.schema)
        self.drawn.finish()

    def _beside(self, made: MadeBlock) -> dict[str, pa.Array]:
        """Return what rules use of a block's rows besides their own columns."""
        found = {name: pa.array(values) for name, values in made.below.items()}
        given = self._given(list(made.parents))
        if given is not None:
            found |= dict(zip(given.schema.names, given.columns, strict=True))
        return found

    def _kept_or_made(self) -> Iterator[pa.RecordBatch]:
        """Return all blocks; if every one was kept, nothing else need be known."""
        if self._record.is_whole:
            self.drawn.parents = self._no_parents()
            return self._record.made()
        self._find_parents()
        return self._record.through(self._blocks(), self._make_all)

    def _make_all(self, blocks: Sequence[Block]) -> Iterator[pa.RecordBatch]:
        engine = registry.load(Kind.ENGINE, ENGINE)
        for made in engine.map(self._make, blocks, ctx=self._ctx):
            yield made.as_batch()

    def _take_parents(self, made: MadeBlock, start: int) -> int:
        """Take over the parents of a block from its first row on; return where the next begins."""
        end: int = start + made.batch.num_rows
        for rows, parents in zip(self.drawn.parents, made.parents, strict=True):
            rows[start:end] = parents
        for number, codes in made.late.items():
            late = self.late.setdefault(number, np.empty(self._rows, codes.dtype))
            late[start:end] = codes
        return end

    # --- parents ---------------------------------------------------------------------------

    def _find_parents(self) -> None:
        """Choose the parents of all rows."""
        family, rng = self._family, self._rng.child("parents")
        self.drawn.parents = self._no_parents()
        owner = family.owner
        if owner is not None:
            relation = family.relations[owner]
            key = relation.relation.key
            self.drawn.parents[owner] = owned_rows(
                relation,
                self._tables[relation.parent],
                self._rows,
                most=self._most_owned(owner),
                usable=self._able_owners(owner),
                needed=not any(self._fitted.spec.columns[c].nullable for c in key.columns),
                where=self._name,
                rng=rng.child(relation.relation.name),
            )
        if family.links is None:
            return
        self._draw_early()
        chosen = [] if owner is None else [owner]
        for within in (False, True):
            # Rows lead to rows of their own table last, when all else of their keys is known.
            if within:
                self._keep_early_keys()
            for place, relation in family.of_role(*CHOSEN):
                if (relation.role is Role.SELF) is within:
                    self._choose_parents(place, chosen, rng)
            for pair in family.distinct:
                roles = {family.relations[place].role for place in pair.relations}
                if not pair.columns and len(pair.relations) > 1 and (Role.SELF in roles) is within:
                    self._separate(pair.relations, rng)
        self._refer_to_themselves(rng)

    def _choose_parents(self, place: int, chosen: list[int], rng: RngKey) -> None:
        """Choose the parents of all rows in one relation, unless they are drawn later."""
        relation = self._family.relations[place]
        codes = self._early[relation.feature.name]
        if relation.relation.key.when:
            codes = self._where_meant(place, codes)
        if relation.role is Role.LATE:
            self.late[place] = codes
            return
        self.drawn.parents[place] = self._choose(place, codes, chosen, rng)
        chosen.append(place)

    def _keep_early_keys(self) -> None:
        """Keep keys unique that rows of the same table will refer to.

        Raises:
            LimitError: A key has no value left.
        """
        if self._early_keys:
            names = {name for key in self._early_keys for name in key.columns}
            batch = pa.RecordBatch.from_pydict(
                {name: self._own_key(name) for name in sorted(names)}
            )
            kept = Uniqueness(self._early_keys, self._name).apply(batch, put_values)
            for key in self._early_keys:
                self._early_columns[key.mover] = kept.column(key.mover)

    def _most_owned(self, owner: int) -> NDArray[np.int64] | None:
        """Return how many rows each owner may have, None if any number."""
        relations = self._family.relations
        count = self._tables[relations[owner].parent].rows
        bounds = [np.ones(count, np.int64)] if relations[owner].is_single else []
        for key in self._family.distinct:
            if owner in key.relations and len(key.columns) <= 1 and all(key.choices):
                others = [place for place in key.relations if place != owner]
                able = [self._able_parents(owner, place) for place in others]
                able.append(np.full(count, math.prod(map(len, key.choices)), np.int64))
                if not any(relations[place].nulls for place in others):
                    bounds.append(np.prod(able, axis=0))
        return np.min(bounds, axis=0) if bounds else None

    def _able_parents(self, owner: int, place: int) -> NDArray[np.int64]:
        """Return how many parents in one relation there are for the rows of each owner."""
        relations = self._family.relations
        count = self._tables[relations[owner].parent].rows
        relation = relations[place]
        parents = self._rows if relation.role is Role.SELF else self._tables[relation.parent].rows
        rows = np.arange(count, dtype=np.int32)
        known = [rows if other == owner else rows[:0] for other in range(len(relations))]
        must = None
        if relation.role is not Role.SELF:
            must = shared_columns(place, relations, [owner], known, self._key_column, {})
        if must is None:
            return np.full(count, parents, np.int64)
        codes, counts = np.unique(must.parents, return_counts=True)
        at = np.minimum(np.searchsorted(codes, must.children), max(len(codes) - 1, 0))
        found = np.where(codes[at] == must.children, counts[at], 0) if len(codes) else at * 0
        return np.where(must.children == UNKNOWN, parents, found).astype(np.int64)

    def _no_parents(self) -> list[Rows]:
        return [np.full(self._rows, -1, np.int32) for _ in self._family.relations]

    def _where_meant(self, place: int, codes: Codes) -> Codes:
        """Return the codes of rows for which a key is meant, "none" for the others.

        Of those for which it is meant as many have a parent as in the source.
        """
        relation = self._family.relations[place]
        keep = meant(relation.relation.key, self._early_columns, len(codes))
        found = np.where(keep, codes, relation.kinds).astype(codes.dtype)
        known = found[keep & (found < relation.kinds)]
        none = np.flatnonzero(keep & (found == relation.kinds))
        generator = self._rng.child("meant", relation.relation.name).generator()
        spare = len(none) - round(relation.meant_nulls * int(keep.sum()))
        if spare > 0 and len(known):
            chosen = generator.permutation(none)[:spare]
            found[chosen] = generator.choice(known, len(chosen))
        return found

    def _able_owners(self, owner: int) -> NDArray[np.bool_]:
        """Return which owners may have rows: those for which all needed parents are there."""
        family = self._family
        above = family.relations[owner].parent
        rows = np.arange(self._tables[above].rows, dtype=np.int32)
        parents = [rows if place == owner else rows[:0] for place in range(len(family.relations))]
        able = np.ones(len(rows), np.bool_)
        for place, relation in family.of_role(Role.LINK, Role.KEPT):
            if relation.nulls or relation.orphans or relation.relation.key.when:
                continue
            must = shared_columns(place, family.relations, [owner], parents, self._key_column, {})
            should = tied(relation, rows, above, self._tables, self.drawn)
            for within in (must, should):
                if within is not None:
                    found = np.isin(within.children, within.parents)
                    able &= found | (within.children == UNKNOWN)
        return able

    def _choose(self, place: int, codes: Codes, chosen: list[int], rng: RngKey) -> Rows:
        """Choose the parents of all rows in one relation by the kinds drawn.

        Raises:
            LimitError: A row that needs a parent finds none.
        """
        family = self._family
        relation = family.relations[place]
        known = {} if relation.role is not Role.SELF else self._early_columns
        must = shared_columns(
            place, family.relations, chosen, self.drawn.parents, self._key_column, known
        )
        should = None
        if family.owner is not None:
            owners, above = self.drawn.parents[family.owner], family.relations[family.owner].parent
            should = tied(relation, owners, above, self._tables, self.drawn)
        parent = self._tables.get(relation.parent, self.drawn)
        if relation.role is Role.SELF:
            within = must.and_also(should) if must else should
            codes, levels = levels_of(relation, self._early[relation.level.name], codes, within)
            must = levels.and_also(must)
        if must is not None:
            self._must[place] = must
        key = rng.child(relation.relation.name)
        found = matched_rows(relation, codes, parent, must=must, should=should, rng=key)
        require_parents(relation, codes, found, self._fitted.spec, where=self._name)
        return found

    def _key_column(self, place: int, column: str) -> pa.Array:
        """Return a column of all parents in one relation that the relation's key refers to."""
        relation = self._family.relations[place]
        if relation.role is Role.SELF:
            return self._own_key(column)
        return self._tables[relation.parent].values[column]

    def _separate(self, key: tuple[int, ...], rng: RngKey) -> None:
        """Change parents so that no two rows share them all.

        Raises:
            LimitError: There are more rows than different parents.
        """
        relations = self._family.relations
        # Rows stay where their owner has them, and trees as they are, if others can give way.
        last = min(key, key=lambda n: (n == self._family.owner, relations[n].role is Role.SELF, -n))
        if relations[last].role is Role.LATE:
            return
        relation = relations[last]
        parents = self.drawn if relation.role is Role.SELF else self._tables[relation.parent]
        columns = [column for place in key for column in relations[place].relation.key.columns]
        self.drawn.parents[last] = separated(
            [self.drawn.parents[place] for place in key if place != last],
            self.drawn.parents[last],
            self._early[relation.feature.name],
            parents.rows,
            must=self._must.get(last),
            where=f"{self._name}.{','.join(dict.fromkeys(columns))}",
            rng=rng.child("pairs"),
        )

    def _refer_to_themselves(self, rng: RngKey) -> None:
        """Let rows without a parent in their own table refer to themselves, as many as learned."""
        for place, relation in self._family.of_role(Role.SELF):
            alone = np.flatnonzero(self.drawn.parents[place] == NULL)
            chance = rng.child("own", relation.relation.name).generator().random(len(alone))
            chosen = alone[chance < relation.own]
            self.drawn.parents[place][chosen] = chosen

    def _draw_early(self) -> None:
        """Draw, for all rows, what must be known before parents are chosen."""
        links, rng = self._family.links, self._rng.child("links")
        assert links is not None  # noqa: S101 - asked for only if there is something

        def block(number: int) -> tuple[Features, dict[str, pa.Array]]:
            part = slice(number * BLOCK_ROWS, min((number + 1) * BLOCK_ROWS, self._rows))
            key = rng.child("block", number)
            context = self._context(part, links.context, (), links.place)
            made = links.model.sample(
                part.stop - part.start, context=context, fixed=None, rng=key.child("features")
            )
            columns = {
                name: named.codec.decode(
                    [made[spec.name] for spec in named.features],
                    rng=key.child("column", name),
                    start=part.start,
                )
                for name, named in links.columns.items()
            }
            return made, columns

        parts: dict[str, list[Codes]] = {}
        columns: dict[str, list[pa.Array]] = {name: [] for name in links.columns}
        engine = registry.load(Kind.ENGINE, ENGINE)
        numbers = range(max(1, -(-self._rows // BLOCK_ROWS)))
        for made, decoded in engine.map(block, numbers, ctx=self._ctx):
            for spec, codes in zip(made.specs, made.codes, strict=True):
                parts.setdefault(spec.name, []).append(codes)
            for name, values in decoded.items():
                columns[name].append(values)
        self._early = {name: np.concatenate(codes) for name, codes in parts.items()}
        self._early_columns = {name: pa.concat_arrays(values) for name, values in columns.items()}
        self._move_apart()
        for name, values in self._early_columns.items():
            if name.startswith("#"):
                self.drawn.below[name] = values.to_numpy(zero_copy_only=False).astype(np.int32)

    def _move_apart(self) -> None:
        """Move the keys of each owner's rows apart, and put the rows into the order they give."""
        family = self._family
        separator = Separator(family, self.drawn.parents, within=set(self._early_columns))
        if not separator.is_needed or family.links is None or family.owner is None:
            return
        columns = separator.columns
        moved = separator.apply(
            pa.RecordBatch.from_pydict({name: self._early_columns[name] for name in columns})
        )
        self._early_columns |= {name: moved.column(name) for name in columns}
        for name in columns:
            named = family.links.columns[name]
            codes = named.codec.encode(self._early_columns[name])
            self._early |= {
                spec.name: part for spec, part in zip(named.features, codes, strict=True)
            }
        if any(name in columns for name in family.sorted_by):
            keys = [as_numbers(moved.column(n)) for n in family.sorted_by if n in columns]
            order = np.lexsort(
                np.vstack([*reversed(keys), _last_without(self.drawn.parents[family.owner])])
            )
            self._early = {name: codes[order] for name, codes in self._early.items()}
            take = pa.array(order)
            self._early_columns = {n: v.take(take) for n, v in self._early_columns.items()}

    def _early_features(self) -> Iterator[FeatureSpec]:
        for _, relation in self._family.of_role(*CHOSEN):
            yield relation.feature
            if relation.role is Role.SELF:
                yield relation.level

    # --- columns ---------------------------------------------------------------------------

    def _blocks(self) -> Iterator[Block]:
        """Cut the rows into blocks of whole owners."""
        owner = self._family.owner
        if owner is None:
            cuts = list(range(0, self._rows, BLOCK_ROWS))
        else:
            cuts = _cuts(self.drawn.parents[owner])
        # Without rows there is one block all the same: tables below look for columns in it.
        cuts = [*(cuts or [0]), self._rows]
        for number, (start, end) in enumerate(pairwise(cuts)):
            yield Block(number, start, end)

    @cached_property
    def _places(self) -> NDArray[np.int32]:
        owner = self._family.owner
        if owner is None:
            return np.zeros(self._rows, np.int32)
        rows = self._tables[self._family.relations[owner].parent].rows
        found: NDArray[np.int32] = places(self.drawn.parents[owner], rows)
        return found

    def _context(
        self,
        part: slice,
        features: tuple[ContextFeature, ...],
        linked: tuple[str, ...],
        place: int | None,
    ) -> Features | None:
        """Return what some rows are drawn given, as it was learned."""
        parents = [rows[part] for rows in self.drawn.parents]
        ancestors = Ancestors(self._name, parents, self._graph, self._tables)
        specs = [feature.spec for feature in features]
        codes = [ancestors.codes(feature) for feature in features]
        known = {as_given(spec).name: spec for spec in self._linked_features()} if linked else {}
        for name in linked:
            specs.append(as_given(known[name]))
            codes.append(self._early[known[name].name][part])
        if place is not None:
            specs.append(place_feature(place))
            codes.append(np.minimum(self._places[part], place))
        return joined(specs, codes, part.stop - part.start)

    def _linked_features(self) -> Iterator[FeatureSpec]:
        links = self._family.links
        yield from self._early_features()
        if links is not None:
            for named in links.columns.values():
                yield from named.features

    def _make(self, block: Block) -> MadeBlock:
        """Draw the rows of a block."""
        family, fitted, part = self._family, self._fitted, block.rows
        rng = self._rng.child("block", block.number)
        parents = [rows[part] for rows in self.drawn.parents]
        columns: dict[str, pa.Array] = {}
        lists: Mapping[str, Flat] = {}
        if fitted.model is not None:
            separator = Separator(family, parents, without=set(self._early_columns))
            flat = fitted.model.draw(
                block.end - block.start,
                context=self._context(part, family.context, family.linked, family.place),
                rng=rng,
                start=block.start,
                given=self._given(parents, part),
                adjust=separator.apply if separator.is_needed else None,
            )
            columns = dict(zip(flat.batch.schema.names, flat.batch.columns, strict=True))
            lists = flat.lists
        columns |= {name: values[part] for name, values in self._early_columns.items()}
        if not lists:
            columns = self._sorted(columns, part)
        columns |= self._numbered(part)
        columns |= with_filled(
            self._foreign_keys(part, rng),
            columns,
            family.relations,
            [rows[part] for rows in self.drawn.parents],
            fitted.spec,
        )
        early = {name: values[part] for name, values in self.drawn.below.items()}
        below = {
            name: columns[name].to_numpy(zero_copy_only=False).astype(np.int32)
            for name in family.below
            if name not in early
        }
        flat_names = fitted.layout.columns
        batch = pa.RecordBatch.from_pydict({name: columns[name] for name in flat_names})
        seen = [name for name in family.view.codecs if name not in early]
        codes = family.view.encode(columns, seen)
        codes |= family.view.encode(
            {name: pa.array(values) for name, values in early.items()},
            [name for name in family.view.codecs if name in early],
        )
        return MadeBlock(
            fitted.layout.unflatten(Flat(batch, lists)),
            codes,
            below | early,
            [rows[part] for rows in self.drawn.parents],
            {number: late[part] for number, late in self.late.items()},
        )

    def _given(self, parents: list[Rows], part: slice | None = None) -> pa.RecordBatch | None:
        """Return the parents' values that rules use, and of some rows their own drawn before."""
        model = self._fitted.model
        if model is None or not model.given:
            return None
        values = {}
        for place, relation in enumerate(self._family.relations):
            for name, column in given_by(relation, model.given):
                there = self._tables[relation.parent].values[column]
                values[name] = take_values(there, parents[place])
        if part is not None:
            own = sorted(model.given & self._early_columns.keys())
            values |= {name: self._early_columns[name][part] for name in own}
        return pa.RecordBatch.from_pydict(values)

    def _sorted(self, columns: dict[str, pa.Array], part: slice) -> dict[str, pa.Array]:
        """Put the rows of each owner into the order in which they ascend."""
        family = self._family
        wanted = [name for name in family.sorted_by if name in columns]
        if not wanted or family.owner is None:
            return columns
        keys = [np.nan_to_num(as_numbers(columns[name]), nan=-np.inf) for name in wanted]
        owners = self.drawn.parents[family.owner][part]
        owned = _last_without(owners)
        order = np.lexsort(np.vstack([*reversed(keys), owned]))
        # Rows without an owner are strangers: they stay where they are.
        order[owned[order] == np.iinfo(np.int32).max] = np.flatnonzero(owners < 0)
        if (order[1:] > order[:-1]).all():
            return columns
        for rows in self.drawn.parents:
            rows[part] = rows[part][order]
        for codes in self.late.values():
            codes[part] = codes[part][order]
        stays = {n for n, c in self._fitted.spec.columns.items() if c.type == "identifier"}
        take = pa.array(order)
        return {n: v if n in stays else v.take(take) for n, v in columns.items()}

    def _numbered(self, part: slice) -> dict[str, pa.Array]:
        """Return the columns that number the rows of each owner."""
        return {
            name: pa.array(self._places[part] + first).cast(
                self._fitted.spec.columns[name].arrow_type()
            )
            for name, first in self._family.places.items()
        }

    def _foreign_keys(self, part: slice, rng: RngKey) -> dict[str, pa.Array]:
        """Return the columns of the foreign keys."""
        columns: dict[str, pa.Array] = {}
        for place, relation in enumerate(self._family.relations):
            key = relation.relation.key
            rows = self.drawn.parents[place][part]
            for own, there in zip(key.columns, key.parent_columns, strict=True):
                kind = self._fitted.spec.columns[own].arrow_type()
                if relation.role is Role.LATE:
                    values = pa.nulls(len(rows), kind)
                else:
                    values = self._key_values(place, there, rows, rng.child(own)).cast(kind)
                columns[own] = values if own not in columns else pc.coalesce(columns[own], values)
        return columns

    def _key_values(self, place: int, column: str, rows: Rows, rng: RngKey) -> pa.Array:
        """Return the key values of parents, made up for orphans."""
        relation = self._family.relations[place]
        whole = self._key_column(place, column)
        values = take_values(whole, rows)
        orphans = rows == ORPHAN
        if not orphans.any():
            return values
        strangers = max(1, round(relation.orphans * self._rows / max(self._fitted.rows, 1)))
        made = self._makers[relation.parent].values(column, len(whole), strangers)
        chosen = rng.generator().integers(len(made), size=len(rows))
        return pc.if_else(pa.array(orphans), made.take(pa.array(chosen)).cast(values.type), values)

    def _own_key(self, column: str) -> pa.Array:
        """Return a key column of all rows, before they are drawn."""
        if column in self.drawn.values:
            return self.drawn.values[column]
        family = self._family
        found = self._early_columns.get(column)
        for place, relation in family.of_role(Role.OWNER, Role.LINK, Role.KEPT):
            key = relation.relation.key
            if column in key.columns:
                there = self._key_column(place, key.parent_columns[key.columns.index(column)])
                values = take_values(there, self.drawn.parents[place])
                found = values if found is None else pc.coalesce(values, found.cast(values.type))
        if found is not None:
            return found
        if column in family.places:
            return self._numbered(slice(0, self._rows))[column]
        return self._makers[self._name].values(column, 0, self._rows)


def _last_without(owners: Rows) -> Rows:
    """Return owners so that rows without one come last."""
    return np.where(owners < 0, np.int32(np.iinfo(np.int32).max), owners)


def _cuts(owners: Rows) -> list[int]:
    """Return where blocks begin: at the first row of an owner, some BLOCK_ROWS apart."""
    cuts = [0] if len(owners) else []
    while cuts and cuts[-1] + BLOCK_ROWS < len(owners):
        at = cuts[-1] + BLOCK_ROWS
        if owners[at] < 0:
            cuts.append(at)
            continue
        first = int(np.searchsorted(owners[:at], owners[at])) if owners[at] >= 0 else at
        if first <= cuts[-1]:
            # One owner fills the block: go on to its end, if that is near.
            same = owners[at : cuts[-1] + _LARGEST_BLOCK] == owners[at]
            first = at + (int(np.argmin(same)) if not same.all() else len(same))
        if first >= len(owners):
            break
        cuts.append(first)
    return cuts
