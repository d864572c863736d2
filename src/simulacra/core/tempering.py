"""How boldly codes are drawn: the temperature and top-p of language models, for tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from simulacra.core.errors import UsageError

if TYPE_CHECKING:
    from simulacra.core.protocols import FittedModel


@dataclass(frozen=True, slots=True)
class Tempering:
    """How boldly codes are drawn.

    Attributes:
        temperature: What log-probabilities are divided by in each draw: below 1 what is frequent
            comes up more often, above 1 what is rare. Positive.
        top_p: Of each draw the smallest set of codes is kept that holds this share of the
            probability (Holtzman et al., "The curious case of neural text degeneration", ICLR
            2020). Above 0, at most 1.
    """

    temperature: float = 1.0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            UsageError: One is out of range.
        """
        if not (math.isfinite(self.temperature) and self.temperature > 0.0):
            raise UsageError(
                f"a temperature of {self.temperature:g}",
                mend="Give a positive number; 1 draws as learned",
            )
        if not 0.0 < self.top_p <= 1.0:
            raise UsageError(
                f"a top-p of {self.top_p:g}", mend="Give a share above 0, up to 1, which keeps all"
            )

    @property
    def is_plain(self) -> bool:
        """Whether it changes nothing."""
        return self.temperature == self.top_p == 1.0


PLAIN = Tempering()
"""Draws as learned."""


@runtime_checkable
class Temperable(Protocol):
    """A fitted model that can draw more or less boldly (trait ``tempered``)."""

    def tempered(self, how: Tempering) -> FittedModel:
        """Return the model that draws so; it is for drawing only, not for keeping.

        Target features that are given stay as they are, and tell what they told.

        Args:
            how: What each draw's probabilities become.
        """
        ...
