"""True and false."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simulacra.core.artifacts import ArtifactReader
from simulacra.core.context import RunContext
from simulacra.core.protocols import ColumnProfile, Config, Detection
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.datatypes.category import CategoryCodec, CategoryConfig, CategoryFitter
from simulacra.datatypes.options import read_options, require_type


class BooleanConfig(Config):
    """A boolean column has no options."""


class Boolean:
    """Arrow booleans; texts such as yes and no are categories, which loses nothing."""

    name: ClassVar[str] = "boolean"
    config: ClassVar[type[Config]] = BooleanConfig

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim booleans."""
        return Detection(0.95 if pa.types.is_boolean(profile.type) else 0.0)

    def accepts(self, values: pa.Array, options: Mapping[str, Any]) -> pa.BooleanArray:
        """Accept booleans."""
        del options
        return pa.array(np.full(len(values), pa.types.is_boolean(values.type)))

    def start(
        self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext
    ) -> CategoryFitter:
        """Begin to learn a column.

        Raises:
            SpecError: An option is given, or the Arrow type is another.
        """
        del rng, ctx
        read_options(name, column, BooleanConfig)
        arrow_type = require_type(name, column, self.name, pa.types.is_boolean)
        return CategoryFitter(name, arrow_type, CategoryConfig())

    def load(self, src: ArtifactReader) -> CategoryCodec:
        """Read a codec that ``save`` wrote."""
        return CategoryCodec.load(src)
