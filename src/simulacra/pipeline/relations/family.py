"""What is learned of a table's place among others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from simulacra.core import registry
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.protocols import FittedModel
from simulacra.core.registry import Kind
from simulacra.pipeline.flat_model import NamedCodec
from simulacra.pipeline.relations.among_siblings import AmongSiblings
from simulacra.pipeline.relations.context import AncestorFeature, Given
from simulacra.pipeline.relations.fitted_relation import FittedRelation, owner_of
from simulacra.pipeline.relations.from_children import FromChildren
from simulacra.pipeline.relations.graph import Role
from simulacra.pipeline.relations.parent_view import ParentView, load_codecs, save_codecs


@dataclass(frozen=True, slots=True)
class EarlyModel:
    """Draws what must be known of all rows before parents are chosen.

    Attributes:
        model_name: The registry name of the model.
        model: Draws the features given those of the owner.
        given: What it is given: columns of the owner and those above.
        columns: Columns drawn along (which parents a row may have; its own children).
    """

    model_name: str
    model: FittedModel
    given: Given
    columns: Mapping[str, NamedCodec]

    def save(self, out: ArtifactWriter) -> None:
        """Write everything :meth:`load` needs."""
        out.json(
            "links",
            {
                "model": self.model_name,
                "context": [feature.to_json() for feature in self.given.ancestors],
                "place": self.given.last_place,
                "columns": {name: named.datatype for name, named in self.columns.items()},
            },
        )
        self.model.save(out.child("model"))
        save_codecs(self.columns, out.child("columns"))

    @classmethod
    def load(cls, src: ArtifactReader) -> EarlyModel:
        """Read what :meth:`save` wrote."""
        early: dict[str, Any] = src.json("links")
        return cls(
            early["model"],
            registry.load(Kind.MODEL, early["model"]).load(src.child("model")),
            Given(
                ancestors=tuple(map(AncestorFeature.from_json, early["context"])),
                last_place=early["place"],
            ),
            load_codecs(early["columns"], src.child("columns")),
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
        early: What is drawn before parents are chosen; None if there is nothing.
        given: What its columns are drawn given.
        numbered: Columns that number a parent's rows, and the number of the first.
        sorted_by: Columns in which a parent's rows ascend.
        distinct: Its keys with foreign keys in them.
        view: How its columns look from below.
        below: The names of its columns about its own children.
        from_children: Rules that are kept once its children are drawn.
        unsettled: The columns that may change then.
        among_siblings: Rules about all rows of one owner, in the order in which they are kept.
        arranged: The columns that change when they are kept.
    """

    relations: tuple[FittedRelation, ...]
    early: EarlyModel | None = None
    given: Given = field(default_factory=Given)
    numbered: Mapping[str, int] = field(default_factory=dict)
    sorted_by: tuple[str, ...] = ()
    distinct: tuple[Distinct, ...] = ()
    view: ParentView = field(default_factory=lambda: ParentView({}))
    below: tuple[str, ...] = ()
    from_children: tuple[FromChildren, ...] = ()
    unsettled: frozenset[str] = frozenset()
    among_siblings: tuple[AmongSiblings, ...] = ()
    arranged: frozenset[str] = frozenset()

    @property
    def owner(self) -> int | None:
        """The place of the owner among the relations."""
        return owner_of(self.relations)

    def columns_of(self, key: Distinct) -> tuple[str, ...]:
        """Return all columns of a key with foreign keys in it."""
        filled = [c for place in key.relations for c in self.relations[place].key.columns]
        return tuple(dict.fromkeys([*filled, *key.columns]))

    def of_role(self, *roles: Role) -> Sequence[tuple[int, FittedRelation]]:
        """Return the relations of some roles with their places."""
        return [(n, r) for n, r in enumerate(self.relations) if r.role in roles]

    def save(self, out: ArtifactWriter) -> None:
        """Write everything :meth:`load` needs."""
        out.json(
            "family",
            {
                "relations": [relation.to_json() for relation in self.relations],
                "has_links": self.early is not None,
                "context": [feature.to_json() for feature in self.given.ancestors],
                "linked": list(self.given.early),
                "place": self.given.last_place,
                "places": dict(self.numbered),
                "sorted_by": list(self.sorted_by),
                "distinct": [asdict(distinct) for distinct in self.distinct],
                "below": list(self.below),
                "from_children": len(self.from_children),
                "unsettled": sorted(self.unsettled),
                "among_siblings": len(self.among_siblings),
                "arranged": sorted(self.arranged),
            },
        )
        if self.early is not None:
            self.early.save(out.child("links"))
        self.view.save(out.child("view"))
        for place, learned in enumerate(self.from_children):
            learned.save(out.child("from_children").child(place))
        for place, about in enumerate(self.among_siblings):
            about.save(out.child("among_siblings").child(place))

    @classmethod
    def load(cls, src: ArtifactReader) -> Family:
        """Read what :meth:`save` wrote."""
        family: dict[str, Any] = src.json("family")
        return cls(
            relations=tuple(map(FittedRelation.from_json, family["relations"])),
            early=EarlyModel.load(src.child("links")) if family["has_links"] else None,
            given=Given(
                tuple(map(AncestorFeature.from_json, family["context"])),
                tuple(family["linked"]),
                family["place"],
            ),
            numbered=family["places"],
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
            view=ParentView.load(src.child("view")),
            below=tuple(family["below"]),
            from_children=tuple(
                FromChildren.load(src.child("from_children").child(place))
                for place in range(family["from_children"])
            ),
            unsettled=frozenset(family["unsettled"]),
            among_siblings=tuple(
                AmongSiblings.load(src.child("among_siblings").child(place))
                for place in range(family["among_siblings"])
            ),
            arranged=frozenset(family["arranged"]),
        )
