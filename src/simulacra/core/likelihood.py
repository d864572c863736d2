"""Models that tell how likely rows are; not all do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simulacra.core.features import Features


@runtime_checkable
class Likelihood(Protocol):
    """A fitted model that tells the probability of rows."""

    def log_prob(self, features: Features, *, context: Features | None) -> NDArray[np.float64]:
        """Return the logarithm of the probability with which each row would be drawn.

        Args:
            features: The target features.
            context: The context features, if there were any.

        Returns:
            Natural logarithms, shape ``(rows,)``.
        """
        ...
