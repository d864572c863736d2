"""What a user may choose about learning, checked at the door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from simulacra.core import registry
from simulacra.core.errors import UsageError
from simulacra.core.protocols import Config
from simulacra.core.registry import Kind
from simulacra.rules.custom import Check

STRUCTURE_ROWS = 1_000_000
"""Rows that structure is learned from, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What the user may choose about learning.

    Attributes:
        model: Registry name of the model.
        model_options: Options of the model's config.
        structure_rows: The most rows that structure is learned from.
        find_rules: Whether to look for differences and the like that columns obey.
        infer_keys: Whether to look for foreign keys where none is declared.
        keep_orphans: Whether rows whose key names no parent are drawn too.
        keep: Tables that are written as they are.
        checks: By table, functions that say which rows are as they must be.
    """

    model: str = "forest"
    model_options: Mapping[str, Any] = field(default_factory=dict)
    structure_rows: int = STRUCTURE_ROWS
    find_rules: bool = True
    infer_keys: bool = True
    keep_orphans: bool = False
    keep: tuple[str, ...] = ()
    checks: Mapping[str, tuple[Check, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a budget of nothing."""
        if self.structure_rows < 1:
            raise UsageError(
                f"{self.structure_rows} rows to learn structure from", mend="Give at least 1"
            )

    def model_config(self) -> Config:
        """Return the checked options of the model.

        Raises:
            UsageError: An option is unknown or out of range.
        """
        config: type[Config] = registry.load(Kind.MODEL, self.model).config
        return checked_config(config, self.model_options, where=f"model {self.model}")


def checked_config(config: type[Config], options: Mapping[str, Any], *, where: str) -> Config:
    """Build a plug-in's options.

    Raises:
        UsageError: An option is unknown or out of range.
    """
    try:
        return config(**options)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        known = ", ".join(config.model_fields) or "none"
        raise UsageError(
            f"option {name!r}: {first['msg']}", where=where, mend=f"Its options are: {known}"
        ) from error
