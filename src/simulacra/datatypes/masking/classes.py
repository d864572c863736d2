"""Texts of different sorts masked each in its own way, and yet never two made one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.datatypes.letters import in_order


@dataclass(frozen=True, slots=True)
class TextClass:
    """A sort of texts.

    Attributes:
        belongs: Says which of some large strings are of it.
        step: A bijection of texts, of which some may leave the class.
    """

    belongs: Callable[[pa.Array], NDArray[np.bool_]]
    step: Callable[[pa.Array], pa.Array]


def everything(texts: pa.Array) -> NDArray[np.bool_]:
    """Say that all texts belong: for the last of some classes."""
    return np.ones(len(texts), np.bool_)


def masked_by_class(texts: pa.Array, classes: Sequence[TextClass]) -> pa.Array:
    """Return each text, changed by the first class that it is of into another of that class.

    A step is repeated until it comes back to the class: what stays within is a bijection of it.

    Args:
        texts: Large strings without nulls.
        classes: The last takes whatever is left.
    """
    found = _classified(texts, classes)
    parts = []
    for place, one in enumerate(classes):
        rows = np.flatnonzero(found == place)
        if not len(rows):
            continue
        at, made = rows, one.step(texts.take(pa.array(rows)))
        while True:
            home = _classified(made, classes) == place
            parts.append((at[home], made.filter(pa.array(home))))
            if home.all():
                break
            at = at[~home]
            made = one.step(made.filter(pa.array(~home)))
    return in_order(parts, len(texts))


def _classified(texts: pa.Array, classes: Sequence[TextClass]) -> NDArray[np.int64]:
    found = np.full(len(texts), -1, np.int64)
    for place, one in enumerate(classes):
        left = np.flatnonzero(found < 0)
        if not len(left):
            break
        found[left[one.belongs(texts.take(pa.array(left)))]] = place
    return found
