"""Bytes that repeat little: images, hashes, blobs. Only their lengths are learned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.context import RunContext
from simulacra.core.features import Codes, FeatureSpec
from simulacra.core.protocols import ColumnProfile, Config, Detection, FittedColumn
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.datatypes.arrow_kinds import is_bytes
from simulacra.datatypes.bins import damaged
from simulacra.datatypes.forms import null_marks, validity
from simulacra.datatypes.number import NumberFitter, make_form
from simulacra.datatypes.options import read_options, require_type
from simulacra.datatypes.ordered import OrderedCodec, OrderedConfig

_LENGTH_TYPE = pa.int64()


class BinaryConfig(OrderedConfig):
    """Options of bytes; they are about lengths."""


@dataclass(frozen=True, slots=True)
class BinaryCodec:
    """A fitted column of bytes.

    Attributes:
        type: Its Arrow type.
        lengths: The codec of the lengths.
    """

    type: pa.DataType
    lengths: OrderedCodec

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        """One ordinal feature: the length."""
        return self.lengths.features

    def encode(self, values: pa.Array) -> list[Codes]:
        """Turn values into codes of their lengths."""
        return self.lengths.encode(_lengths(values))

    def decode(self, codes: Sequence[Codes], *, rng: RngKey, start: int) -> pa.Array:
        """Draw random bytes of the lengths coded."""
        drawn = self.lengths.decode(codes, rng=rng.child("length"), start=start)
        sizes = drawn.fill_null(0).to_numpy()
        fixed = pa.types.is_fixed_size_binary(self.type)
        width = self.type.byte_width if fixed else 0
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        count = width * len(sizes) if fixed else int(offsets[-1])
        data = rng.child("bytes").words(-(-count // 8)).view(np.uint8)[:count]
        mask = validity(null_marks(drawn))
        if fixed:
            return pa.Array.from_buffers(self.type, len(sizes), [mask, pa.py_buffer(data)])
        return pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), len(sizes), [mask, pa.py_buffer(offsets), pa.py_buffer(data)]
        ).cast(self.type)

    def kept_values(self) -> Iterable[str]:
        """Yield nothing: no byte is kept."""
        return ()

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        out.json("binary", {"type": type_to_text(self.type)})
        self.lengths.save(out)


class BinaryFitter:
    """Learns the lengths.

    Args:
        column: The column's name.
        arrow_type: Its Arrow type.
        config: Its options.
    """

    def __init__(self, column: str, arrow_type: pa.DataType, config: OrderedConfig) -> None:
        self._type = arrow_type
        self._lengths = NumberFitter(column, _LENGTH_TYPE, config)

    def update(self, values: pa.Array) -> None:
        """Take the next rows."""
        self._lengths.update(_lengths(values))

    def finish(self) -> FittedColumn:
        """Choose codes."""
        fitted = self._lengths.finish()
        if not isinstance(fitted.codec, OrderedCodec):
            raise TypeError(fitted.codec)
        return FittedColumn(BinaryCodec(self._type, fitted.codec), fitted.counts)


class Binary:
    """Bytes; where they repeat, they are better a category."""

    name: ClassVar[str] = "binary"
    config: ClassVar[type[Config]] = BinaryConfig

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim bytes; categories claim those that repeat with more confidence."""
        return Detection(0.6 if is_bytes(profile.type) else 0.0)

    def accepts(self, values: pa.Array, options: Mapping[str, Any]) -> pa.BooleanArray:
        """Accept bytes."""
        del options
        return pa.array(np.full(len(values), is_bytes(values.type)))

    def start(self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext) -> BinaryFitter:
        """Begin to learn a column.

        Raises:
            SpecError: An option is wrong, or the Arrow type is another.
        """
        del rng, ctx
        arrow_type = require_type(name, column, self.name, is_bytes)
        return BinaryFitter(name, arrow_type, read_options(name, column, BinaryConfig))

    def load(self, src: ArtifactReader) -> BinaryCodec:
        """Read a codec that ``save`` wrote.

        Raises:
            BundleError: The members do not make a codec.
        """
        facts = src.json("binary")
        try:
            arrow_type = type_from_text(facts["type"])
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(str(error)) from error
        lengths = OrderedCodec.load(src, make_form)
        if not is_bytes(arrow_type) or lengths.form.type != _LENGTH_TYPE:
            raise damaged("a column of bytes can't be right")
        return BinaryCodec(arrow_type, lengths)


def _lengths(values: pa.Array) -> pa.Array:
    if pa.types.is_fixed_size_binary(values.type):
        width = pa.scalar(values.type.byte_width, _LENGTH_TYPE)
        return pc.if_else(values.is_valid(), width, pa.scalar(None, _LENGTH_TYPE))
    return pc.binary_length(values.cast(pa.large_binary())).cast(_LENGTH_TYPE)
