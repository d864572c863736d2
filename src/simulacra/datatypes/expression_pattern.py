"""Identifiers in the form that a regular expression of the specification gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.datatypes.expression import Texts, split, texts_of_expression
from simulacra.datatypes.forms import Marks, without_marked

_TRIED = 20_000


@dataclass(frozen=True)
class ExpressionPattern:
    """Texts that a regular expression matches whole.

    The stretch of the expression that has most texts gets a bijection of the row numbers, and so
    makes texts differ; if the whole has more than 2**62, the other stretches are drawn.

    Attributes:
        expression: The regular expression.
    """

    expression: str

    @cached_property
    def _stretches(self) -> list[Texts]:
        return split(texts_of_expression(self.expression))

    def check(self) -> None:
        """Check that the expression can be made, and makes no text in several ways.

        Raises:
            ValueError: It can't, or does.
        """
        rows = np.arange(min(self._room(), _TRIED), dtype=np.uint64)
        texts = self.draw(rows, None, RngKey(0), pa.large_string())
        if pc.count_distinct(texts).as_py() < len(rows):
            raise ValueError("it matches some texts in several ways, so they would not be unique")

    def has_room(self, rows: int, arrow_type: pa.DataType) -> bool:
        """Say whether it has as many texts."""
        del arrow_type
        return self._room() >= rows

    def _room(self) -> int:
        return max((stretch.count for stretch in self._stretches), default=1)

    def draw(
        self, rows: NDArray[np.uint64], marks: Marks | None, key: RngKey, arrow_type: pa.DataType
    ) -> pa.Array:
        """Make texts."""
        from simulacra.datatypes.permutation import KEYS, permute, scramble

        counts = [stretch.count for stretch in self._stretches]
        unique = counts.index(max(counts)) if counts else 0
        texts = [pa.scalar("", pa.large_string())]
        for place, stretch in enumerate(self._stretches):
            numbers, own = np.empty(len(rows), np.uint64), key.child(f"stretch {place}")
            if place == unique:
                permute(rows, stretch.count, own.words(KEYS), numbers)
            else:
                scramble(rows, own.words(1)[0], numbers)
                numbers %= np.uint64(stretch.count)
            texts.insert(-1, stretch.of(numbers))
        if len(texts) == 1:
            texts.insert(0, pa.array([""] * len(rows), pa.large_string()))
        whole = pc.binary_join_element_wise(*texts)
        return without_marked(whole, marks).cast(arrow_type)

    def describe(self) -> str:
        """Return the expression."""
        return f"the expression {self.expression!r}"

    def kept(self, arrow_type: pa.DataType) -> Iterable[str]:
        """Yield nothing: it is the specification's, not the data's."""
        del arrow_type
        return ()

    def facts(self) -> dict[str, Any]:
        """Return the expression."""
        return {"kind": "expression", "expression": self.expression}
