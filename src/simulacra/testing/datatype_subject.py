"""A datatype under examination, and what the checks of datatypes do with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from simulacra.core.features import Codes
from simulacra.core.protocols import Codec, ColumnProfile, DataType, Detection, FittedColumn
from simulacra.core.random import RngKey
from simulacra.testing import corpus
from simulacra.testing.check import require
from simulacra.testing.guards import quiet

SEED = 13
_KEY = RngKey(5, ("fit",))


@dataclass
class DatatypeSubject:
    """A datatype and the columns to try it on."""

    datatype: DataType
    columns: Mapping[str, pa.Array]
    profiles: Callable[[], Mapping[str, ColumnProfile]]
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _fitted: dict[str, FittedColumn] = field(default_factory=dict)

    @cached_property
    def claims(self) -> dict[str, Detection]:
        """What it detects, for each column; a column that was given options, it claims."""
        told = {name: Detection(1.0, options) for name, options in self.options.items()}
        return {
            name: told[name] if name in told else self.datatype.detect(profile)
            for name, profile in self.profiles().items()
        }

    @property
    def claimed(self) -> list[str]:
        """The names of the columns that it claims."""
        return [name for name, claim in self.claims.items() if claim.confidence > 0]

    def learn(self, name: str, batches: Iterable[pa.Array]) -> FittedColumn:
        """Learn a column from some of its values."""
        spec = corpus.column_spec(
            self.datatype.name, self.profiles()[name], self.claims[name].options
        )
        fitter = self.datatype.start(name, spec, rng=_KEY, ctx=quiet())
        for batch in batches:
            fitter.update(batch)
        return fitter.finish()

    def fitted(self, name: str) -> FittedColumn:
        """Return the column learned from all its values, in two batches."""
        if name not in self._fitted:
            values = self.columns[name]
            cut = len(values) // 3
            self._fitted[name] = self.learn(name, [values.slice(0, cut), values.slice(cut)])
        return self._fitted[name]


def decode(codec: Codec, codes: Sequence[Codes]) -> pa.Array:
    """Decode a block that follows one of its own length."""
    values = codec.decode(codes, rng=RngKey(SEED), start=len(codes[0]) if codes else 0)
    require(isinstance(values, pa.Array), f"decode gave {type(values).__name__}, not an array")
    values.validate(full=True)
    return values


def same_codes(one: Sequence[Codes], other: Sequence[Codes]) -> bool:
    """Say whether the codes of all features are equal."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def same_values(one: pa.Array, other: pa.Array) -> bool:
    """Say whether arrays are equal, NaN being equal to itself."""
    if one.type != other.type or len(one) != len(other):
        return False
    if pa.types.is_floating(one.type):
        return bool(
            np.array_equal(one.is_null().to_numpy(False), other.is_null().to_numpy(False))  # noqa: FBT003
            and np.array_equal(
                one.to_numpy(zero_copy_only=False),
                other.to_numpy(zero_copy_only=False),
                equal_nan=True,
            )
        )
    return bool(one.equals(other))
