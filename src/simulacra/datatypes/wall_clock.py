"""Instants as a clock on the wall of their time zone shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.datatypes.forms import (
    Marks,
    Reading,
    from_storage,
    null_marks,
    storage,
)
from simulacra.datatypes.summary import Values


@dataclass(frozen=True, slots=True)
class WallForm:
    """Timestamps with a time zone, positions being local time.

    An hour that the clock shows twice, when summer ends, is written as its first pass; times that
    it skips, when summer begins, become the instant of the change.
    """

    type: pa.DataType

    def facts(self) -> dict[str, Any]:
        """Return that positions are local."""
        return {"wall": True}

    def read(self, values: pa.Array) -> Reading:
        """Turn instants into local time."""
        local = pc.local_timestamp(values)
        return Reading(storage(local, np.dtype(np.int64)), null_marks(values))

    def write(self, positions: Values, marks: Marks | None) -> pa.Array:
        """Turn local time into instants."""
        local = from_storage(pa.timestamp(self.type.unit), positions, len(positions), marks)
        return pc.assume_timezone(local, self.type.tz, ambiguous="earliest", nonexistent="latest")
