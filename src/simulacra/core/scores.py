"""Scores: what a metric finds, and what it says its scores are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Group(StrEnum):
    """What a measure is about; reports are arranged so, and thresholds are set so."""

    FIDELITY = "fidelity"
    """Whether columns, alone and together, are distributed as in the real data."""
    VALIDITY = "validity"
    """Whether every value, key and rule could have stood in the real data."""
    UTILITY = "utility"
    """Whether the synthetic data serve as the real data do."""
    PRIVACY = "privacy"
    """Whether the synthetic data say more of the people learned from than of others."""
    RELATIONS = "relations"
    """Whether tables go together by their keys as in the real data."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What the scores of one name are.

    Attributes:
        name: The name, as in ``Score.metric``.
        title: What people call it.
        group: What it is about.
        higher_is_better: Whether a higher value is better.
        ideal: The value of a perfect copy; None where only the floor tells how good it can be.
    """

    name: str
    title: str
    group: Group
    higher_is_better: bool = True
    ideal: float | None = 1.0


@dataclass(frozen=True, slots=True)
class Score:
    """One measurement.

    Attributes:
        metric: The name of what was measured, that of a :class:`Measure`.
        value: The measured value; None where it can't be defined (``details["why"]`` says why).
        columns: The columns it is about; empty for a whole table.
        floor: What a second real sample scores: a hold-out or, without one, rows drawn from the
            real ones (``details["floor"]`` says which).
        details: Whatever else is worth keeping, JSON-able.
        interval: The 95 % confidence interval of the value; None where none can be given.
    """

    metric: str
    value: float | None
    columns: tuple[str, ...] = ()
    floor: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    interval: tuple[float, float] | None = None
