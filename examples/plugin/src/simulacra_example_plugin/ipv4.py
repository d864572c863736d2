"""IPv4 addresses as octets: networks are learned, hosts are made up.

A nominal code per address would learn nothing about networks and copy whole addresses. Octets are
features of their own, each drawn given those before it; the last ones are drawn anew when
decoding, so a synthetic address is real only by chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.context import RunContext
from simulacra.core.errors import InputError, SpecError
from simulacra.core.features import Codes, FeatureKind, FeatureSpec, code_dtype
from simulacra.core.protocols import ColumnProfile, Config, Detection, FittedColumn
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_ADDRESS = rf"^{_OCTET}(\.{_OCTET}){{3}}$"
_OCTETS = 4
_ZERO = ".".join("0" * _OCTETS)
_NULL = 256
"""The code of a null, in the first octet; the other octets then are 0."""


class IPv4Config(Config):
    """Options of a column of IPv4 addresses."""

    learned_octets: int = Field(
        default=3, ge=1, le=4, description="Leading octets to learn; the rest is made up"
    )


class IPv4Codec:
    """Addresses to octets and back.

    Args:
        column: The column's name.
        arrow_type: Its Arrow type, a string type.
        learned: The number of leading octets that are features.
    """

    def __init__(self, column: str, arrow_type: pa.DataType, learned: int) -> None:
        self._column = column
        self._type = arrow_type
        self._learned = learned

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        """One ordinal feature a learned octet; the first has a code more, for nulls."""
        return tuple(
            FeatureSpec(
                f"{self._column}.octet{place + 1}",
                self._column,
                FeatureKind.ORDINAL,
                256 if place else 257,
            )
            for place in range(self._learned)
        )

    def encode(self, values: pa.Array) -> list[Codes]:
        """Return the learned octets of each address.

        Raises:
            InputError: A value is no IPv4 address.
        """
        wrong = values.filter(pc.invert(is_address(values)))
        if len(wrong):
            raise InputError(
                f"{wrong[0].as_py()!r} is no IPv4 address",
                where=self._column,
                mend="Give the column the type text or category in the specification",
            )
        known = pc.fill_null(values.cast(pa.string()), _ZERO)
        parts = pc.list_flatten(pc.split_pattern(known, ".")).cast(pa.uint16())
        octets = parts.to_numpy().reshape(-1, _OCTETS).copy()
        octets[values.is_null().to_numpy(zero_copy_only=False), 0] = _NULL
        return [
            octets[:, place].astype(code_dtype(spec.cardinality))
            for place, spec in enumerate(self.features)
        ]

    def decode(self, codes: Sequence[Codes], *, rng: RngKey, start: int) -> pa.Array:
        """Join learned octets with made-up ones."""
        del start
        made_up = rng.generator().integers(
            0, 256, size=(_OCTETS - self._learned, len(codes[0])), dtype=np.uint16
        )
        octets = [pa.array(octet).cast(pa.string()) for octet in (*codes, *made_up)]
        addresses = pc.binary_join_element_wise(*octets, ".")
        known = pa.array(codes[0] != _NULL)
        return pc.if_else(known, addresses, pa.scalar(None, pa.string())).cast(self._type)

    def kept_values(self) -> Iterable[str]:
        """Yield nothing: the codec holds no address."""
        return ()

    def save(self, out: ArtifactWriter) -> None:
        """Write the column, its type and what is learned."""
        out.json(
            "ipv4",
            {"column": self._column, "type": str(self._type), "learned": self._learned},
        )


class IPv4Fitter:
    """Counts octets; there is nothing else to learn.

    Args:
        codec: The codec, complete from the start.
    """

    def __init__(self, codec: IPv4Codec) -> None:
        self._codec = codec
        self._counts = [np.zeros(f.cardinality, dtype=np.int64) for f in codec.features]

    def update(self, values: pa.Array) -> None:
        """Count the octets of the next rows."""
        for place, codes in enumerate(self._codec.encode(values)):
            self._counts[place] += np.bincount(codes, minlength=len(self._counts[place]))

    def finish(self) -> FittedColumn:
        """Return the codec and the rows per code."""
        return FittedColumn(self._codec, tuple(self._counts))


class IPv4:
    """The datatype."""

    name: ClassVar[str] = "ipv4"
    config: ClassVar[type[Config]] = IPv4Config

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim columns of text in which every sampled value is an address."""
        values = profile.sample
        if not _is_text(profile.type) or not len(values):
            return Detection(0.0)
        return Detection(0.95 if pc.all(is_address(values)).as_py() else 0.0)

    def accepts(self, values: pa.Array, options: Mapping[str, Any]) -> pa.BooleanArray:
        """Say which values are addresses."""
        del options
        return is_address(values)

    def start(self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext) -> IPv4Fitter:
        """Begin to learn a column; neither randomness nor context is needed."""
        del rng, ctx
        if not _is_text(column.arrow_type()):
            raise SpecError(
                f"an IPv4 column holds text, this one {column.arrow}",
                where=name,
                mend="Choose another datatype for it in the specification",
            )
        options = IPv4Config(**column.options)
        return IPv4Fitter(IPv4Codec(name, column.arrow_type(), options.learned_octets))

    def load(self, src: ArtifactReader) -> IPv4Codec:
        """Read a codec that ``save`` wrote."""
        saved = src.json("ipv4")
        return IPv4Codec(saved["column"], pa.type_for_alias(saved["type"]), saved["learned"])


def is_address(values: pa.Array) -> pa.BooleanArray:
    """Say for each value whether it is a dotted IPv4 address; a null is."""
    return pc.fill_null(pc.match_substring_regex(values, _ADDRESS), fill_value=True)


def _is_text(arrow_type: pa.DataType) -> bool:
    return bool(pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type))
