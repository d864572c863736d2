"""Columns of one value, and columns of none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.context import RunContext
from simulacra.core.errors import InputError
from simulacra.core.features import Codes, FeatureKind, FeatureSpec
from simulacra.core.protocols import ColumnProfile, Config, Detection, FittedColumn
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.datatypes.bins import damaged
from simulacra.datatypes.category import CategoryCodec, CategoryConfig, CategoryFitter
from simulacra.datatypes.options import read_options, require_type
from simulacra.datatypes.tally import plain_type


class ConstantConfig(Config):
    """A constant or empty column has no options."""


class Constant:
    """One value, nulls aside. Should more turn up, they are learned as categories."""

    name: ClassVar[str] = "constant"
    config: ClassVar[type[Config]] = ConstantConfig

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim columns in which all values are equal."""
        if plain_type(profile.type) is None or profile.distinct != 1:
            return Detection(0.0)
        same = len(profile.sample.unique()) == 1 and profile.minimum == profile.maximum
        if not same:
            return Detection(0.0)
        # A single row says little: a key is a key even in a table of one row.
        return Detection(0.97 if profile.rows - profile.nulls > 1 else 0.8)

    def accepts(self, values: pa.Array, options: Mapping[str, Any]) -> pa.BooleanArray:
        """Accept every value of a type that can be counted."""
        del options
        return pa.array(np.full(len(values), plain_type(values.type) is not None))

    def start(
        self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext
    ) -> CategoryFitter:
        """Begin to learn a column.

        Raises:
            SpecError: An option is given, or values of the Arrow type can't be counted.
        """
        del rng, ctx
        read_options(name, column, ConstantConfig)
        arrow_type = require_type(name, column, self.name, lambda t: plain_type(t) is not None)
        return CategoryFitter(name, arrow_type, CategoryConfig())

    def load(self, src: ArtifactReader) -> CategoryCodec:
        """Read a codec that ``save`` wrote."""
        return CategoryCodec.load(src)


@dataclass(frozen=True, slots=True)
class EmptyCodec:
    """A column of nulls.

    Attributes:
        column: The column's name.
        type: Its Arrow type.
    """

    column: str
    type: pa.DataType

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        """One feature of one code: null."""
        return (FeatureSpec(self.column, self.column, FeatureKind.NOMINAL, 1),)

    def encode(self, values: pa.Array) -> list[Codes]:
        """Return code 0 for everything."""
        return [np.zeros(len(values), np.uint8)]

    def decode(self, codes: Sequence[Codes], *, rng: RngKey, start: int) -> pa.Array:
        """Return nulls."""
        del rng, start
        return pa.nulls(len(codes[0]), self.type)

    def kept_values(self) -> Iterable[str]:
        """Yield nothing."""
        return ()

    def save(self, out: ArtifactWriter) -> None:
        """Write name and type."""
        out.json("empty", {"column": self.column, "type": type_to_text(self.type)})


class EmptyFitter:
    """Sees to it that an empty column is empty.

    Args:
        column: The column's name.
        arrow_type: Its Arrow type.
    """

    def __init__(self, column: str, arrow_type: pa.DataType) -> None:
        self._codec = EmptyCodec(column, arrow_type)
        self._rows = 0

    def update(self, values: pa.Array) -> None:
        """Take the next rows.

        Raises:
            InputError: One of them has a value.
        """
        if values.null_count != len(values):
            raise InputError(
                "an empty column has values",
                where=self._codec.column,
                mend="Give it another type in the specification, or detect that anew",
            )
        self._rows += len(values)

    def finish(self) -> FittedColumn:
        """Return the codec."""
        return FittedColumn(self._codec, (np.array([self._rows], np.int64),))


class Empty:
    """No value at all, whatever the Arrow type."""

    name: ClassVar[str] = "empty"
    config: ClassVar[type[Config]] = ConstantConfig

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim columns of nulls."""
        return Detection(1.0 if profile.nulls == profile.rows else 0.0)

    def accepts(self, values: pa.Array, options: Mapping[str, Any]) -> pa.BooleanArray:
        """Accept nulls."""
        del options
        return values.is_null()

    def start(self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext) -> EmptyFitter:
        """Begin to learn a column.

        Raises:
            SpecError: An option is given.
        """
        del rng, ctx
        read_options(name, column, ConstantConfig)
        return EmptyFitter(name, column.arrow_type())

    def load(self, src: ArtifactReader) -> EmptyCodec:
        """Read a codec that ``save`` wrote.

        Raises:
            BundleError: The members do not make a codec.
        """
        facts = src.json("empty")
        try:
            return EmptyCodec(str(facts["column"]), type_from_text(facts["type"]))
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(str(error)) from error
