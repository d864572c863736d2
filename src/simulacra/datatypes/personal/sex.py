"""The column that tells a person's sex."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from simulacra.core.protocols import Config
from simulacra.datatypes.personal.people import FEMALE, MALE, UNTOLD


class SexColumn(Config):
    """The column that tells a person's sex, and which of its values say what."""

    column: Annotated[str, Field(description="The column")]
    female: Annotated[tuple[str, ...], Field(description="Its values for women")]
    male: Annotated[tuple[str, ...], Field(description="Its values for men")]

    def read(self, values: pa.Array) -> NDArray[np.int8]:
        """Return the sex that each value tells, shape ``(rows,)``, dtype int8."""
        texts = as_texts(values)
        found = np.full(len(texts), UNTOLD, np.int8)
        for sex, told in ((FEMALE, self.female), (MALE, self.male)):
            known = pa.array(told, pa.large_string())
            found[pc.is_in(texts, value_set=known).to_numpy(zero_copy_only=False)] = sex
        return found


def as_texts(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return values of any plain type as large strings."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values.cast(pa.large_string())
