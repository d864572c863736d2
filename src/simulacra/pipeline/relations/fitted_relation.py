"""What is learned of a foreign key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from simulacra.core.features import FeatureKind, FeatureSpec
from simulacra.core.schema import ForeignKey
from simulacra.pipeline.relations.graph import Relation, Role

_COUNT = "#count "
_KIND = "#kind "


def count_column(relation: Relation) -> str:
    """Return the name of the parent's column with the number of children."""
    return _COUNT + relation.full_name


def kind_column(relation: Relation) -> str:
    """Return the name of the parent's column with the kind of the children."""
    return _KIND + relation.full_name


def parent_column(number: int) -> str:
    """Return the name of a kept table's column with its rows' parents in one relation."""
    return f"#parent {number}"


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
    def key(self) -> ForeignKey:
        """The foreign key."""
        return self.relation.key

    @property
    def name(self) -> str:
        """See :attr:`Relation.name`."""
        return self.relation.name

    @property
    def parent(self) -> str:
        """The table it leads to."""
        return self.relation.key.parent

    def with_parents(self, rows: int) -> int:
        """Return how many of some rows have a parent."""
        return rows - round(self.nulls * rows) - round(self.orphan_share * rows)

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


def owner_of(relations: Sequence[FittedRelation]) -> int | None:
    """Return the place of the owner among a table's relations, None if it has none."""
    places = (place for place, relation in enumerate(relations) if relation.role is Role.OWNER)
    return next(places, None)
