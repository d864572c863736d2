"""Features: what models see. Small integer codes, a column each, and what each code means.

A datatype turns a column into one or more features and back; a model draws target features given
context features and never meets a dtype, a string, a null or a date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.unsignedinteger]
"""One feature's codes, shape ``(rows,)``; see :func:`code_dtype` for the dtype."""


class FeatureKind(StrEnum):
    """How the codes of a feature relate."""

    ORDINAL = "ordinal"
    """Neighbouring codes are alike (numbers, dates, ordered categories)."""
    NOMINAL = "nominal"
    """Codes are names, numbered from the most frequent to the rarest."""


class Role(StrEnum):
    """Whether a feature is given or drawn."""

    CONTEXT = "context"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """What one feature is.

    Attributes:
        name: Unique among the features of a table, as ``age`` or ``born.day``.
        column: The column that it encodes (or the whole of it, or a part).
        kind: Whether codes are ordered.
        cardinality: Codes run from 0 to ``cardinality - 1``; at least 1.
        role: Whether a model is given this feature or draws it.
    """

    name: str
    column: str
    kind: FeatureKind
    cardinality: int
    role: Role = Role.TARGET

    def as_context(self) -> FeatureSpec:
        """Return the same feature in the role of context."""
        return replace(self, role=Role.CONTEXT)

    def to_json(self) -> dict[str, Any]:
        """Return the specification as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FeatureSpec:
        """Return the specification that :meth:`to_json` gave."""
        return cls(
            name=value["name"],
            column=value["column"],
            kind=FeatureKind(value["kind"]),
            cardinality=int(value["cardinality"]),
            role=Role(value["role"]),
        )


def code_dtype(cardinality: int) -> np.dtype[np.unsignedinteger]:
    """Return the smallest of uint8, uint16 and uint32 that holds ``cardinality`` codes."""
    if cardinality <= 1 << 8:
        return np.dtype(np.uint8)
    if cardinality <= 1 << 16:
        return np.dtype(np.uint16)
    return np.dtype(np.uint32)


@dataclass(frozen=True, slots=True)
class Features:
    """A block of rows as codes, one array a feature.

    Attributes:
        specs: What each array holds, in order.
        codes: One array a spec, shape ``(rows,)``, C-contiguous, dtype
            ``code_dtype(spec.cardinality)``.
        rows: The number of rows (kept apart, as there may be no feature at all).
    """

    specs: tuple[FeatureSpec, ...]
    codes: tuple[Codes, ...]
    rows: int

    @classmethod
    def of(
        cls, specs: Iterable[FeatureSpec], codes: Sequence[Codes], *, rows: int | None = None
    ) -> Features:
        """Build a block, checking that arrays and specs agree.

        Args:
            specs: What each array holds.
            codes: One array a spec, any integer dtype, shape ``(rows,)``.
            rows: The number of rows; needed only when there is no feature.

        Raises:
            ValueError: The arrays don't agree with the specs or with each other.
        """
        specs = tuple(specs)
        if len(specs) != len(codes):
            msg = f"{len(specs)} feature specs for {len(codes)} arrays"
            raise ValueError(msg)
        count = rows if rows is not None else (len(codes[0]) if codes else 0)
        arrays = []
        for spec, array in zip(specs, codes, strict=True):
            if array.shape != (count,):
                msg = f"feature {spec.name!r}: shape {array.shape}, expected ({count},)"
                raise ValueError(msg)
            if count and int(array.max()) >= spec.cardinality:
                msg = f"feature {spec.name!r}: code {array.max()} of {spec.cardinality}"
                raise ValueError(msg)
            arrays.append(np.ascontiguousarray(array, dtype=code_dtype(spec.cardinality)))
        return cls(specs, tuple(arrays), count)

    def __getitem__(self, name: str) -> Codes:
        """Return the codes of the feature called ``name``."""
        for spec, array in zip(self.specs, self.codes, strict=True):
            if spec.name == name:
                return array
        raise KeyError(name)

    def take(self, rows: NDArray[np.integer]) -> Features:
        """Return the rows at the given positions, in that order."""
        return Features(self.specs, tuple(array[rows] for array in self.codes), len(rows))


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a model learns from.

    Attributes:
        features: A uniform sample of the rows (all of them when they fit the budget): context
            features first, then targets.
        counts: For each feature, the rows per code over *all* rows, shape ``(cardinality,)``,
            dtype int64. They hold codes that the sample may lack.
        total_rows: The number of rows the counts were taken over.
    """

    features: Features
    counts: tuple[NDArray[np.int64], ...]
    total_rows: int
