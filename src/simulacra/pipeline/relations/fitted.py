"""What is learned of a table's place among others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core import registry
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.features import FeatureKind, FeatureSpec
from simulacra.core.protocols import FittedModel
from simulacra.core.registry import Kind
from simulacra.core.schema import ForeignKey
from simulacra.pipeline.flat_model import NamedCodec
from simulacra.pipeline.relations.context import ContextFeature
from simulacra.pipeline.relations.graph import Graph, Relation, Role
from simulacra.pipeline.relations.summaries import Summary
from simulacra.pipeline.relations.view import View

COUNT = "#count "
KIND = "#kind "


def count_column(relation: Relation) -> str:
    """Return the name of the parent's column with the number of children."""
    return COUNT + relation.full_name


def kind_column(relation: Relation) -> str:
    """Return the name of the parent's column with the kind of the children."""
    return KIND + relation.full_name


def parent_column(number: int) -> str:
    """Return the name of a kept table's column with its rows' parents in one relation."""
    return f"#parent {number}"


def below_columns(
    name: str, summaries: Mapping[str, Summary], graph: Graph
) -> dict[str, NDArray[np.int32]]:
    """Return the columns in which a table's rows know of their children, by name."""
    found: dict[str, NDArray[np.int32]] = {}
    for relation in graph.children(name):
        summary = summaries.get(relation.full_name)
        if summary is None:
            continue
        found[count_column(relation)] = summary.counts
        if summary.kinds_known > 1:
            found[kind_column(relation)] = summary.kinds.astype(np.int32)
    return found


@dataclass(frozen=True, slots=True)
class Tie:
    """An ancestor that a linked parent shares with the row: its owner's, or the owner itself.

    Attributes:
        owner_path: Relations to follow from the owner; none if the owner itself is shared.
        parent_path: Relations to follow from the linked parent.
    """

    owner_path: tuple[int, ...]
    parent_path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FittedRelation:
    """A relation and what its rows tell.

    Attributes:
        relation: The foreign key and its role.
        kinds: How many kinds of parents there are; of kept ones, how many rows.
        nulls: Share of rows without a parent.
        orphan_share: Share of rows whose key names no parent, where those are kept.
        orphans: How many different keys those have.
        is_single: Whether a parent has at most one child.
        depth: The most rows above one, in a relation of a table to itself.
        counts: Numbers of children, rising, and how many parents have each.
        ties: What the parent shares with the row.
        own: Share of rows without a parent that refer to themselves.
        meant_nulls: Share of the rows for which the key is meant that have no parent.
    """

    relation: Relation
    kinds: int
    nulls: float
    counts: tuple[tuple[int, int], ...] = ()
    orphan_share: float = 0.0
    orphans: int = 0
    is_single: bool = False
    depth: int = 0
    ties: tuple[Tie, ...] = ()
    own: float = 0.0
    meant_nulls: float = 0.0

    @property
    def role(self) -> Role:
        """What the relation is for."""
        return self.relation.role

    @property
    def parent(self) -> str:
        """The table it leads to."""
        return self.relation.key.parent

    @property
    def feature(self) -> FeatureSpec:
        """The feature that says which kind of parent a row has.

        Codes below ``kinds`` are kinds (or kept rows), then comes none, then an orphan.
        """
        kind = FeatureKind.NOMINAL if self.role is Role.KEPT else FeatureKind.ORDINAL
        name = f"~{self.relation.name}"
        return FeatureSpec(name, name, kind, self.kinds + 1 + (self.orphans > 0))

    @property
    def level(self) -> FeatureSpec:
        """The feature that says how many rows are above a row of the same table."""
        name = f"~level {self.relation.name}"
        return FeatureSpec(name, name, FeatureKind.ORDINAL, self.depth + 1)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        values = {name: getattr(self, name) for name in self.__slots__ if name != "relation"}
        values["ties"] = [asdict(tie) for tie in self.ties]
        relation = {
            "child": self.relation.child,
            "key": self.relation.key.model_dump(mode="json"),
            "role": self.relation.role.value,
        }
        return {"relation": relation, **values}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FittedRelation:
        """Undo :meth:`to_json`."""
        relation = value["relation"]
        key = ForeignKey.model_validate(relation["key"])
        ties = tuple(
            Tie(tuple(tie["owner_path"]), tuple(tie["parent_path"])) for tie in value["ties"]
        )
        made = Relation(relation["child"], key, Role(relation["role"]))
        counts = tuple((number, parents) for number, parents in value["counts"])
        return cls(**{**value, "relation": made, "ties": ties, "counts": counts})


@dataclass(frozen=True, slots=True)
class LinkModel:
    """Draws what must be known of all rows before parents are chosen.

    Attributes:
        model_name: The registry name of the model.
        model: Draws the features given those of the owner.
        context: What it is given.
        place: The highest place among siblings that is told apart, None if the place is not given.
        columns: Columns drawn along (which parents a row may have; its own children).
    """

    model_name: str
    model: FittedModel
    context: tuple[ContextFeature, ...]
    place: int | None
    columns: Mapping[str, NamedCodec]

    def save(self, out: ArtifactWriter) -> None:
        """Write everything :meth:`load` needs."""
        out.json(
            "links",
            {
                "model": self.model_name,
                "context": [feature.to_json() for feature in self.context],
                "place": self.place,
                "columns": {name: named.datatype for name, named in self.columns.items()},
            },
        )
        self.model.save(out.child("model"))
        for place, named in enumerate(self.columns.values()):
            named.codec.save(out.child("columns").child(place))

    @classmethod
    def load(cls, src: ArtifactReader) -> LinkModel:
        """Read what :meth:`save` wrote."""
        links: dict[str, Any] = src.json("links")
        columns = {
            name: NamedCodec.of(
                name,
                datatype,
                registry.load(Kind.DATATYPE, datatype).load(src.child("columns").child(place)),
            )
            for place, (name, datatype) in enumerate(links["columns"].items())
        }
        return cls(
            links["model"],
            registry.load(Kind.MODEL, links["model"]).load(src.child("model")),
            tuple(map(ContextFeature.from_json, links["context"])),
            links["place"],
            columns,
        )


@dataclass(frozen=True, slots=True)
class Distinct:
    """A key that no two rows may share, with foreign keys in it.

    Attributes:
        relations: The relations that are part of it.
        columns: Its other columns, but for those numbered by place: these are moved apart.
        grids: For each column the least and greatest number and the step between them.
        choices: For each column of no numbers its values, else empty.
    """

    relations: tuple[int, ...]
    columns: tuple[str, ...]
    grids: tuple[tuple[int, int, int], ...]
    choices: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Family:
    """A table's place among others.

    Attributes:
        relations: Its foreign keys.
        links: What is drawn before parents are chosen; None if there is nothing.
        context: What its rows are drawn given, from all parents.
        linked: Of the features drawn before, the names of those its rows are drawn given.
        place: See :class:`LinkModel`.
        places: Columns that number a parent's rows, and the number of the first.
        sorted_by: Columns in which a parent's rows ascend.
        distinct: Its keys with foreign keys in them.
        view: How its columns look from below.
        below: The names of its columns about its own children.
    """

    relations: tuple[FittedRelation, ...]
    links: LinkModel | None = None
    context: tuple[ContextFeature, ...] = ()
    linked: tuple[str, ...] = ()
    place: int | None = None
    places: Mapping[str, int] = field(default_factory=dict)
    sorted_by: tuple[str, ...] = ()
    distinct: tuple[Distinct, ...] = ()
    view: View = field(default_factory=lambda: View({}))
    below: tuple[str, ...] = ()

    @property
    def owner(self) -> int | None:
        """The place of the owner among the relations."""
        roles = [relation.role for relation in self.relations]
        return roles.index(Role.OWNER) if Role.OWNER in roles else None

    def columns_of(self, key: Distinct) -> tuple[str, ...]:
        """Return all columns of a key with foreign keys in it."""
        filled = [c for place in key.relations for c in self.relations[place].relation.key.columns]
        return tuple(dict.fromkeys([*filled, *key.columns]))

    def key_columns(self) -> Iterator[str]:
        """Yield the columns that foreign keys fill."""
        for relation in self.relations:
            yield from relation.relation.key.columns

    def of_role(self, *roles: Role) -> Sequence[tuple[int, FittedRelation]]:
        """Return the relations of some roles with their places."""
        return [(n, r) for n, r in enumerate(self.relations) if r.role in roles]

    def save(self, out: ArtifactWriter) -> None:
        """Write everything :meth:`load` needs."""
        out.json(
            "family",
            {
                "relations": [relation.to_json() for relation in self.relations],
                "has_links": self.links is not None,
                "context": [feature.to_json() for feature in self.context],
                "linked": list(self.linked),
                "place": self.place,
                "places": dict(self.places),
                "sorted_by": list(self.sorted_by),
                "distinct": [asdict(distinct) for distinct in self.distinct],
                "below": list(self.below),
            },
        )
        if self.links is not None:
            self.links.save(out.child("links"))
        self.view.save(out.child("view"))

    @classmethod
    def load(cls, src: ArtifactReader) -> Family:
        """Read what :meth:`save` wrote."""
        family: dict[str, Any] = src.json("family")
        return cls(
            relations=tuple(map(FittedRelation.from_json, family["relations"])),
            links=LinkModel.load(src.child("links")) if family["has_links"] else None,
            context=tuple(map(ContextFeature.from_json, family["context"])),
            linked=tuple(family["linked"]),
            place=family["place"],
            places=family["places"],
            sorted_by=tuple(family["sorted_by"]),
            distinct=tuple(
                Distinct(
                    tuple(entry["relations"]),
                    tuple(entry["columns"]),
                    tuple(tuple(grid) for grid in entry["grids"]),
                    tuple(tuple(values) for values in entry["choices"]),
                )
                for entry in family["distinct"]
            ),
            view=View.load(src.child("view")),
            below=tuple(family["below"]),
        )
