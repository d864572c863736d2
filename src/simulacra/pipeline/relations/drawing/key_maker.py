"""Keys of any row, made without drawing the rows before it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulacra.core.errors import SpecError
from simulacra.core.random import RngKey
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.flat_model import followed_by
from simulacra.pipeline.made_keys import is_made_apart


class KeyMaker:
    """Makes the identifiers of a table, each a function of its row number.

    Args:
        fitted: What was learned of the table.
        rng: The key of the table in this run.
    """

    def __init__(self, fitted: FittedTable, rng: RngKey) -> None:
        self._fitted = fitted
        self._rng = rng

    def makes(self, column: str) -> bool:
        """Say whether a column is made of row numbers, without nulls."""
        model = self._fitted.model
        if model is None or column not in model.codecs:
            return False
        spec = self._fitted.spec.columns.get(column)
        features = model.codecs[column].features
        return (
            spec is not None
            and is_made_apart(spec)
            and spec.type == model.codecs[column].datatype
            and len(features) == 1
            and features[0].cardinality == 1
            and not followed_by(model.codecs[column].codec)
        )

    def values(self, column: str, start: int, count: int) -> pa.Array:
        """Return the keys of ``count`` rows from row ``start`` on.

        Raises:
            SpecError: The column is no identifier, nor personal data that tell rows apart.
            LimitError: Its pattern has no room for so many.
        """
        if not self.makes(column):
            raise SpecError(
                "rows of this table refer to it, which must be known before they are drawn",
                where=column,
                why="it is no identifier without nulls",
                mend="Set its type to identifier",
            )
        assert self._fitted.model is not None  # noqa: S101 - it makes the column
        codec = self._fitted.model.codecs[column].codec
        return codec.decode([np.zeros(count, np.uint8)], rng=self._rng, start=start)
