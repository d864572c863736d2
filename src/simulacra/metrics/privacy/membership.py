"""How well scores tell people learned from apart from people who were not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.intervals import auc, wilson

FALSE_ALARMS = {"1_percent": 0.01, "0.1_percent": 0.001}
"""Shares of people not learned from that an attacker may accuse wrongly."""

Scores = NDArray[np.float64]


def measures(name: str, title: str) -> tuple[Measure, ...]:
    """Return the measures of a membership attack: the AUC, and hits at few false alarms.

    Args:
        name: The attack's.
        title: What people call it.
    """
    return (
        Measure(name, f"{title} (AUC)", Group.PRIVACY, higher_is_better=False, ideal=0.5),
        *(
            Measure(
                _hits_name(name, share),
                f"{title} (hits at {100 * rate:g} % false alarms)",
                Group.PRIVACY,
                higher_is_better=False,
                ideal=rate,
            )
            for share, rate in FALSE_ALARMS.items()
        ),
    )


def unmeasured(name: str, why: str) -> list[Score]:
    """Return the scores of an attack that can't be made."""
    return [
        Score(each, None, details={"why": why})
        for each in (name, *(_hits_name(name, share) for share in FALSE_ALARMS))
    ]


def judged(
    name: str, members: Scores, others: Scores, details: dict[str, Any], does_not_show: str
) -> list[Score]:
    """Return the scores of an attack: AUC, and hits at 1 % and 0.1 % false alarms.

    An attack that names few people for sure harms them, however poor it is on average; so the
    AUC alone won't do (Carlini et al., "Membership inference attacks from first principles",
    IEEE S&P 2022).

    Args:
        name: The attack's.
        members: How surely it takes people learned from for such, shape ``(members,)``.
        others: The same of people not learned from, shape ``(others,)``.
        details: For ``Score.details``.
        does_not_show: What it does not show.
    """
    value, interval = auc(members, others)
    said = (
        f"someone who holds the synthetic rows, shown a person learned from and one who was not, "
        f"tells which is which in {value:.1%} of tries (95 %: {interval[0]:.1%} to "
        f"{interval[1]:.1%}); a coin does in 50 %."
    )
    verdict = f"Leak: {said}" if interval[0] > 0.5 else f"No leak found: {said}"
    shown = {"does_not_show": does_not_show, **details}
    found = [
        Score(name, value, floor=0.5, interval=interval, details={"verdict": verdict, **shown})
    ]
    for share, rate in FALSE_ALARMS.items():
        found.append(_hits(_hits_name(name, share), members, others, rate, shown))
    return found


def _hits(name: str, members: Scores, others: Scores, rate: float, shown: dict[str, Any]) -> Score:
    """Return the share of members above all but ``rate`` of the others."""
    alarms = int(rate * len(others))
    if not alarms:
        fewest = f"{round(1 / rate):,} people not learned from"
        why = f"it takes {fewest} to measure hits at {100 * rate:g} % false alarms"
        return Score(name, None, details={"why": why})
    threshold = np.partition(others, len(others) - 1 - alarms)[len(others) - 1 - alarms]
    value = float((members > threshold).mean())
    # By chance alone, a member stands above the (alarms + 1)-th of the others so often.
    floor = (alarms + 1) / (len(others) + 1)
    # The threshold is as uncertain as the share: together they are worth fewer people.
    worth = round(len(members) * len(others) / (len(members) + len(others)))
    interval = wilson(value, worth)
    said = (
        f"an attacker who may accuse {100 * rate:g} % of other people wrongly finds {value:.2%} "
        f"of the people learned from (95 %: {interval[0]:.2%} to {interval[1]:.2%}); chance finds "
        f"{floor:.2%}."
    )
    verdict = f"Leak: {said}" if interval[0] > floor else f"No leak found: {said}"
    return Score(name, value, floor=floor, interval=interval, details={"verdict": verdict, **shown})


def _hits_name(name: str, share: str) -> str:
    return f"{name}_hits_at_{share}"
