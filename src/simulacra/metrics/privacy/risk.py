"""How often an attack succeeds, and how much of that is due to having been learned from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.scores import Score
from simulacra.metrics.intervals import Interval, wilson

FEWEST = 10
"""Guesses that a rate is told of: fewer could speak of single people."""

NO_HOLDOUT = (
    "it needs held-out rows: what the attack finds out about people who were not learned from "
    "is no leak, and can't be told from one without them"
)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often an attack succeeds.

    Attributes:
        share: The share of guesses that are right.
        count: How many independent guesses that is worth.
    """

    share: float
    count: int

    @classmethod
    def of(cls, right: NDArray[np.bool_]) -> Rate:
        """Return the rate of independent guesses, shape ``(guesses,)``."""
        return cls(float(right.mean()), len(right))

    @classmethod
    def of_repeated(cls, right: NDArray[np.bool_]) -> Rate:
        """Return the rate of several guesses about each of many people.

        Guesses about one person go together, so they are worth fewer (the design effect: Kish,
        "Survey Sampling", 1965).

        Args:
            right: Shape ``(guesses, people)``.
        """
        guesses, people = right.shape
        share = float(right.mean())
        spread = float(right.mean(axis=0).var(ddof=1)) / people if people > 1 else 0.0
        worth = round(share * (1 - share) / spread) if spread > 0 else people
        return cls(share, min(max(worth, 1), guesses * people))

    @property
    def interval(self) -> Interval:
        """Wilson's interval of 95 %."""
        return wilson(self.share, self.count)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attack achieved (Giomi et al., PoPETs 2023).

    Attributes:
        attack: Against people who were learned from, by means of the synthetic rows.
        control: The same against as many people who were not learned from.
        baseline: Against the former, by guessing at random.
    """

    attack: Rate
    control: Rate
    baseline: Rate

    @property
    def risk(self) -> float:
        """The share of what could be found out beyond the control that is: 0 to 1."""
        return max(self._excess, 0.0)

    @property
    def _excess(self) -> float:
        room = 1.0 - self.control.share
        return (self.attack.share - self.control.share) / room if room > 0 else 0.0

    @property
    def interval(self) -> Interval:
        """The interval of 95 % of the risk.

        The limits of both rates are carried through the quotient by its derivatives, and added as
        squares (Zou and Donner, "Construction of confidence limits about effect measures",
        Statistics in Medicine 2008).
        """
        attack, control = self.attack.share, self.control.share
        room = 1.0 - control
        if room <= 0:
            return 0.0, 1.0
        low, high = self.attack.interval
        control_low, control_high = self.control.interval
        slope, control_slope = 1.0 / room, (1.0 - attack) / room**2
        below = math.hypot(slope * (attack - low), control_slope * (control_high - control))
        above = math.hypot(slope * (high - attack), control_slope * (control - control_low))
        low, high = self._excess - below, self._excess + above
        return min(max(low, 0.0), self.risk), min(max(high, self.risk), 1.0)

    @property
    def is_leak(self) -> bool:
        """Whether the risk is beyond chance."""
        return self.interval[0] > 0

    @property
    def is_weak(self) -> bool:
        """Whether the attack does no better than guessing."""
        return self.attack.share <= self.baseline.interval[1]

    def details(self) -> dict[str, Any]:
        """Return the rates with their intervals, for ``Score.details``."""
        return {
            name: {"rate": rate.share, "interval": list(rate.interval), "guesses": rate.count}
            for name, rate in (
                ("attack", self.attack),
                ("control", self.control),
                ("baseline", self.baseline),
            )
        }

    def verdict(self, act: str) -> str:
        """Return in plain language what the outcome means.

        Args:
            act: What the attacker does, in the infinitive: ``link two records of a person``.
        """
        low, high = self.interval
        rates = (
            f"guesses that would {act} are right for {self.attack.share:.1%} of tries against "
            f"people learned from and {self.control.share:.1%} against people never seen"
        )
        if self.control.share >= 1:
            return f"Nothing to find out: {rates}."
        if self.is_leak:
            return (
                f"Leak: {rates}. The synthetic rows give away {self.risk:.1%} (95 %: {low:.1%} to "
                f"{high:.1%}) of what could be learned about the former alone."
            )
        said = f"No leak found: {rates}. A risk above {high:.1%} is unlikely."
        if self.is_weak:
            said += (
                f" But guessing blindly does as well ({self.baseline.share:.1%}): this attack is "
                "too weak here to reassure."
            )
        return said

    def score(self, name: str, act: str, details: dict[str, Any], does_not_show: str) -> Score:
        """Return the score of the outcome."""
        return Score(
            name,
            self.risk,
            floor=0.0,
            interval=self.interval,
            details={
                "verdict": self.verdict(act),
                "does_not_show": does_not_show,
                **self.details(),
                **details,
            },
        )
