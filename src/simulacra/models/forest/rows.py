"""Rows that are being drawn, one feature after the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from simulacra.core.features import Codes
from simulacra.models.forest.view import View


class Rows:
    """Rows that are being drawn.

    Attributes:
        rows: How many.
        drawn: The codes of each feature, None while it has none.
        seen: What trees see of them, shape ``(rows, features)``, dtype uint16.
    """

    def __init__(
        self, view: View, rows: int, drawn: list[Codes | None], seen: NDArray[np.uint16]
    ) -> None:
        self._view = view
        self.rows = rows
        self.drawn = drawn
        self.seen = seen

    @classmethod
    def of(cls, view: View, rows: int, given: Mapping[int, Codes]) -> Rows:
        """Begin rows of which some features are given, by number."""
        features = len(view.groups)
        made = cls(view, rows, [None] * features, np.zeros((rows, features), np.uint16))
        for number, codes in given.items():
            made.put(number, codes)
        return made

    def put(self, number: int, codes: Codes) -> None:
        """Set the codes of a feature."""
        self.drawn[number] = codes
        self.seen[:, number] = self._view.seen(number, codes)

    def repeated(self, times: int) -> Rows:
        """Return the same rows, each several times in a row."""
        return self.taken(np.repeat(np.arange(self.rows), times))

    def taken(self, places: NDArray[np.int64]) -> Rows:
        """Return the rows at the given places."""
        drawn = [None if codes is None else codes[places] for codes in self.drawn]
        return Rows(self._view, len(places), drawn, self.seen[places])
