"""What a rule may be about beyond its row: the rows of a child table, or rows of one parent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from simulacra.core.protocols import Config, Rule


class Take(StrEnum):
    """What is made of the values of all children of a row."""

    SUM = "sum"
    COUNT = "count"
    LEAST = "min"
    MOST = "max"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class ChildValues:
    """What is made of the children of each row.

    Attributes:
        table: The child table.
        key: The columns of its foreign key; empty if there is only one that leads here.
        take: What is made of their values.
        expression: SQL over a child's columns that gives its value; empty to count rows.
    """

    table: str
    key: tuple[str, ...]
    take: Take
    expression: str

    @property
    def name(self) -> str:
        """The name of the column that holds it beside the parent's own."""
        key = f"[{','.join(self.key)}]" if self.key else ""
        return f"{self.table}{key}.{self.take}({self.expression or '*'})"


@runtime_checkable
class NeedsChildren(Protocol):
    """A rule of a table that is kept once the rows of a child table are drawn.

    Its columns are learned and drawn as they are, so that children can follow them. When the
    children are there, ``decode`` is given a column of what was made of them and changes the
    table's own.
    """

    def children(self, config: Config) -> ChildValues:
        """Return what it must be told of the children."""
        ...


def children_of(rule: Rule, config: Config) -> ChildValues | None:
    """Return what a rule must be told of a table's children, None if nothing."""
    return rule.children(config) if isinstance(rule, NeedsChildren) else None


@dataclass(frozen=True, slots=True)
class Siblings:
    """Which rows a rule is about together, and what it does with them.

    Attributes:
        within: The columns that rows of one parent share: a foreign key.
        column: The column whose values change places among them.
        by: The column that says where they go; empty for the order of the rows.
    """

    within: tuple[str, ...]
    column: str
    by: str


@runtime_checkable
class NeedsSiblings(Protocol):
    """A rule about all rows of one parent, which ``decode`` is given together.

    It rewrites nothing before learning: its column is learned and drawn row by row.
    """

    def siblings(self, config: Config) -> Siblings:
        """Return which rows it is about."""
        ...


def siblings_of(rule: Rule, config: Config) -> Siblings | None:
    """Return which rows a rule is about together, None if about each alone."""
    return rule.siblings(config) if isinstance(rule, NeedsSiblings) else None


def is_beyond_rows(rule: Rule) -> bool:
    """Say whether a rule is about more than a row: it is kept when other rows are there."""
    return isinstance(rule, NeedsChildren | NeedsSiblings)
