"""Times in text whose offset from UTC differs from row to row, as in summer and winter.

In a format that ends in ``%z`` the time is what clocks showed, and the offset (``Z``, ``+02``,
``+0200`` or ``+02:00``, as found) is a feature of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.features import Codes, FeatureSpec
from simulacra.core.protocols import Codec, FittedColumn, Fitter
from simulacra.core.random import RngKey
from simulacra.datatypes.bins import damaged
from simulacra.datatypes.formats import compile_format

_DIRECTIVE = "%z"
_NO_OFFSET = pa.scalar(None, pa.large_string())
_NOTHING = pa.scalar("", pa.large_string())
_PARTS = r"^(?P<body>.*[^ ])(?P<offset> ?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?))$"


def body_format(format_: str) -> str | None:
    """Return what comes before a varying offset, None if a format has none."""
    return format_.removesuffix(_DIRECTIVE) if format_.endswith(_DIRECTIVE) else None


def with_offset(format_: str) -> str:
    """Return a format followed by a varying offset."""
    return format_ + _DIRECTIVE


def split_offsets(values: pa.Array, format_: str) -> tuple[pa.Array, pa.Array]:
    """Return times without their offsets, and the offsets.

    Args:
        values: Texts.
        format_: The format without the offset; texts that are no such time stay whole, and their
            offset is null.

    Returns:
        Two arrays of type ``large_string``.
    """
    texts = values.cast(pa.large_string())
    parts = pc.extract_regex(texts, _PARTS)
    bodies, offsets = pc.struct_field(parts, "body"), pc.struct_field(parts, "offset")
    _, good = compile_format(format_).read(bodies)
    good &= parts.is_valid().to_numpy(zero_copy_only=False)
    found = pa.array(good)
    return pc.if_else(found, bodies, texts), pc.if_else(found, offsets, _NO_OFFSET)


def follows(format_: str, values: pa.Array) -> NDArray[np.bool_]:
    """Say which texts follow a format, with a varying offset or without (null: not)."""
    body = body_format(format_)
    if body is None:
        return compile_format(format_).read(values)[1]
    _, offsets = split_offsets(values, body)
    good: NDArray[np.bool_] = offsets.is_valid().to_numpy(zero_copy_only=False)
    return good


@dataclass(frozen=True, slots=True)
class OffsetTimeCodec:
    """Times and offsets.

    Attributes:
        type: The column's Arrow type.
        format: The format without the offset.
        times: The codec of the texts without their offsets.
        offsets: The codec of the offsets.
    """

    type: pa.DataType
    format: str
    times: Codec
    offsets: Codec

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        """Those of the time, and the offset."""
        (offset,) = self.offsets.features
        return (*self.times.features, replace(offset, name=f"{offset.column}.offset"))

    def encode(self, values: pa.Array) -> list[Codes]:
        """Turn texts into codes."""
        bodies, offsets = split_offsets(values, self.format)
        return [*self.times.encode(bodies), *self.offsets.encode(offsets)]

    def decode(self, codes: Sequence[Codes], *, rng: RngKey, start: int) -> pa.Array:
        """Turn codes into texts; what is no time gets no offset."""
        bodies = self.times.decode(codes[:-1], rng=rng.child("time"), start=start)
        offsets = self.offsets.decode(codes[-1:], rng=rng.child("offset"), start=start)
        _, good = compile_format(self.format).read(bodies)
        tails = pc.if_else(pa.array(good), offsets.fill_null(""), _NOTHING)
        return pc.binary_join_element_wise(bodies, tails, _NOTHING).cast(self.type)

    def kept_values(self) -> Iterator[str]:
        """Yield the real values held."""
        yield from self.times.kept_values()
        yield from self.offsets.kept_values()

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        out.json("offsets", {"type": type_to_text(self.type), "format": self.format})
        self.times.save(out.child("time"))
        self.offsets.save(out.child("offset"))

    @classmethod
    def load(cls, src: ArtifactReader, times: Codec, offsets: Codec) -> OffsetTimeCodec:
        """Read what ``save`` wrote, given its two parts.

        Raises:
            BundleError: The members do not make a codec.
        """
        facts = src.json("offsets")
        try:
            compile_format(facts["format"])
            return cls(type_from_text(facts["type"]), facts["format"], times, offsets)
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(str(error)) from error


class OffsetTimeFitter:
    """Learns times and offsets.

    Args:
        arrow_type: The column's Arrow type.
        format_: The format without the offset.
        times: Learns the texts without their offsets.
        offsets: Learns the offsets.
    """

    def __init__(
        self, arrow_type: pa.DataType, format_: str, times: Fitter, offsets: Fitter
    ) -> None:
        self._type = arrow_type
        self._format = format_
        self._times = times
        self._offsets = offsets

    def update(self, values: pa.Array) -> None:
        """Take the next rows."""
        bodies, offsets = split_offsets(values, self._format)
        self._times.update(bodies)
        self._offsets.update(offsets)

    def finish(self) -> FittedColumn:
        """Choose codes."""
        times, offsets = self._times.finish(), self._offsets.finish()
        codec = OffsetTimeCodec(self._type, self._format, times.codec, offsets.codec)
        return FittedColumn(codec, (*times.counts, *offsets.counts))
