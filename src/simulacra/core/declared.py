"""What a store itself says of its tables: keys that it enforces, and how to make them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulacra.core.schema import ForeignKey


@dataclass(frozen=True, slots=True)
class DeclaredTable:
    """The constraints of one table. The store enforces them, so every row obeys.

    Attributes:
        primary_key: Its columns, empty if there is none.
        unique: Further unique keys.
        foreign_keys: To tables of the same store that were read too.
        not_null: Columns that take no nulls.
        origin: What the store needs to make the table again (native types, defaults, checks,
            indexes, comments), JSON-able; see ``TableSpec.origin``.
    """

    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    not_null: frozenset[str] = frozenset()
    origin: Mapping[str, Any] = field(default_factory=dict)
