"""Latitudes and longitudes: numbers that lead to a person's door.

They are drawn jointly, as other numbers are. But extremes are kept no more where a table is small,
no sums or differences are looked for in them, and masks move them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.protection import MIN_COUNT
from simulacra.core.protocols import ColumnProfile, Config, Detection
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.number import NumberFitter, NumberType
from simulacra.datatypes.options import read_options, require_type
from simulacra.datatypes.ordered import OrderedConfig
from simulacra.datatypes.personal.column_names import words_of

Axis = Literal["latitude", "longitude"]

_WORDS: Mapping[Axis, frozenset[str]] = {
    "latitude": frozenset({"lat", "latitude", "latitud", "breite", "breitengrad", "纬度"}),
    "longitude": frozenset(
        {"lon", "long", "lng", "longitude", "longitud", "länge", "laenge", "längengrad",
         "laengengrad", "经度"}
    ),
}  # fmt: skip
_DEGREES: Mapping[Axis, tuple[float, float]] = {
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 360.0),  # some count from -180, some from 0
}
_LEAST_SHARE = 0.95
"""Some tables have a number that means none, as 999."""
_LEAST_FINE = 0.5
"""Values, at least, that are no whole tenths: those say no more than a region."""
_CONFIDENCE = 0.8
_CELLS_A_DEGREE = 10
"""A mask leaves a position in its tenth of a degree, up to eleven kilometres wide."""
_MOST_DECIMALS = 6
"""Of masked degrees: a tenth of a metre."""


class CoordinateConfig(OrderedConfig):
    """Options of a latitude or a longitude."""

    kind: Annotated[Axis, Field(description="Which of the two: latitude or longitude")]
    min_count: Annotated[
        int | None,
        Field(
            ge=1,
            description="Rows a value must be seen in to be kept as it is, unless most repeat",
        ),
    ] = MIN_COUNT
    share: Annotated[
        float | None, Field(ge=0, le=1, description="Share of the values that match, as found")
    ] = None


class Coordinate(NumberType):
    """Degrees north or east, as floats or decimals."""

    name = "coordinate"
    config: ClassVar[type[Config]] = CoordinateConfig
    leads_to_people: ClassVar[bool] = True

    @staticmethod
    def _is_mine(arrow_type: pa.DataType) -> bool:
        return bool(pa.types.is_floating(arrow_type) or pa.types.is_decimal(arrow_type))

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim columns that are called so and hold fractions of degrees."""
        if not self._is_mine(profile.type) or not len(profile.sample):
            return Detection(0.0)
        words = words_of(profile.name)
        for axis, known in _WORDS.items():
            if len(known.intersection(words)) == 1:
                share = _share(_floats(profile.sample), axis)
                if share >= _LEAST_SHARE:
                    return Detection(_CONFIDENCE, {"kind": axis, "share": share})
        return Detection(0.0)

    def start(self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext) -> NumberFitter:
        """Begin to learn a column.

        Raises:
            SpecError: An option is wrong, or the Arrow type is neither float nor decimal.
        """
        del rng, ctx
        arrow_type = require_type(name, column, self.name, self._is_mine)
        return NumberFitter(name, arrow_type, read_options(name, column, CoordinateConfig))

    def mask(
        self, name: str, values: pa.Array, options: Mapping[str, Any], secret: SecretKey
    ) -> pa.Array:
        """Return degrees elsewhere in the same tenth of a degree; what is no degree stays.

        Raises:
            SpecError: The Arrow type is neither float nor decimal.
        """
        if not self._is_mine(values.type):
            raise SpecError(
                f"{values.type} holds no degrees",
                where=name,
                mend="Keep the column, or give it another type in the specification",
            )
        axis: Axis = options["kind"]
        degrees = _floats(values)
        least, most = _DEGREES[axis]
        cell = np.floor(degrees * _CELLS_A_DEGREE)
        moved = (cell + _within(degrees, axis, secret)) / _CELLS_A_DEGREE
        # Towards nought: rounding might make it a digit longer than a decimal column holds.
        steps = 10.0 ** min(_MOST_DECIMALS, getattr(values.type, "scale", _MOST_DECIMALS))
        moved = np.trunc(moved * steps) / steps
        inside = (degrees >= least) & (degrees < most)
        null = values.is_null().to_numpy(zero_copy_only=False)
        return pa.array(np.where(inside, moved, degrees), mask=null).cast(values.type)


def _floats(values: pa.Array) -> NDArray[np.float64]:
    """Return values as floats, NaN for null."""
    return np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _share(degrees: NDArray[np.float64], axis: Axis) -> float:
    """Return the share of values that are degrees, 0 if most say no more than a region."""
    least, most = _DEGREES[axis]
    inside = (degrees >= least) & (degrees <= most)
    tenths = degrees[inside] * _CELLS_A_DEGREE
    if not len(tenths) or np.mean(tenths != np.rint(tenths)) < _LEAST_FINE:
        return 0.0
    return float(inside.mean())


def _within(degrees: NDArray[np.float64], axis: Axis, secret: SecretKey) -> NDArray[np.float64]:
    """Return where in its cell each value goes, from 0 to below 1, by the value and the secret."""
    distinct, places = np.unique(degrees, return_inverse=True)
    numbers = secret.numbers([value.hex() for value in distinct.tolist()], "coordinate", axis)
    return np.array([number / 2**128 for number in numbers])[places]
