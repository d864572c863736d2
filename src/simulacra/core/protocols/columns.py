"""Contracts of columns: datatypes, what they learn, and what they may do besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import pyarrow as pa

from simulacra.core.protocols.config import Config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
    from simulacra.core.context import RunContext
    from simulacra.core.features import Codes, FeatureSpec
    from simulacra.core.random import RngKey
    from simulacra.core.schema import ColumnSpec
    from simulacra.core.secret_key import SecretKey


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What one pass over all rows told about a column.

    Attributes:
        name: The column's name.
        type: Its Arrow type as found.
        rows: The number of rows.
        nulls: How many of them are null (NaN is a value, not a null).
        distinct: Distinct non-null values, about (HyperLogLog, ±2 %).
        unique: Whether no non-null value occurs twice; exact.
        minimum: The least value, None where values have no order or there are none.
        maximum: The greatest value.
        sample: Up to some 20,000 non-null values drawn uniformly from all rows, in row order.
    """

    name: str
    type: pa.DataType
    rows: int
    nulls: int
    distinct: int
    unique: bool
    minimum: Any
    maximum: Any
    sample: pa.Array


@dataclass(frozen=True, slots=True)
class Detection:
    """A datatype's claim on a column.

    Attributes:
        confidence: From 0 (not mine) to 1 (certain); the highest claim wins.
        options: The options found, such as a date format.
    """

    confidence: float
    options: Mapping[str, Any] = field(default_factory=dict)


class Codec(Protocol):
    """A fitted column: values to codes and back."""

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        """The features a column becomes, coarse first; at least one.

        A column in which nothing is drawn, as a key without nulls, has one of a single code.
        """
        ...

    def encode(self, values: pa.Array) -> list[Codes]:
        """Turn values into codes, one array a feature, each of shape ``(len(values),)``.

        Values never seen while fitting get the codes nearest to them; nothing is dropped.
        """
        ...

    def decode(self, codes: Sequence[Codes], *, rng: RngKey, start: int) -> pa.Array:
        """Turn codes into values of the column's Arrow type.

        Args:
            codes: One array a feature, shape ``(rows,)``.
            rng: The key of this block and column.
            start: The number of the block's first row in the whole table (keys need it).
        """
        ...

    def kept_values(self) -> Iterable[str]:
        """Yield the real values that the bundle holds, as text, for ``simulacra inspect``."""
        ...

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        ...


@runtime_checkable
class ReplacingCodec(Codec, Protocol):
    """A codec that keeps some values of people out of the copy, and counts them: optional."""

    def replaced(self) -> Mapping[str, int]:
        """Return how many of the values learned were replaced, by what they were."""
        ...


@runtime_checkable
class FollowingCodec(Codec, Protocol):
    """A codec whose values follow other columns of their row: two optional attributes.

    They are decoded after those columns, which no rule may have rewritten; where one has, they
    are decoded as if they followed none.
    """

    @property
    def follows(self) -> tuple[str, ...]:
        """The columns that values follow; none if they don't."""
        ...

    def decode_beside(
        self, codes: Sequence[Codes], *, rng: RngKey, start: int, beside: Mapping[str, pa.Array]
    ) -> pa.Array:
        """Turn codes into values, as ``decode`` does, given the columns that they follow."""
        ...


@dataclass(frozen=True, slots=True)
class FittedColumn:
    """What fitting a column gives.

    Attributes:
        codec: Values to codes and back.
        counts: For each feature the rows per code over all rows seen, dtype int64.
    """

    codec: Codec
    counts: tuple[NDArray[np.int64], ...]


class Fitter(Protocol):
    """Learns one column from a stream, in bounded memory."""

    def update(self, values: pa.Array) -> None:
        """Take the next rows' values, of the column's Arrow type."""
        ...

    def finish(self) -> FittedColumn:
        """Return what was learned; called once, after the last ``update`` (or none)."""
        ...


class DataType(Protocol):
    """A kind of column."""

    name: ClassVar[str]
    config: ClassVar[type[Config]]
    """The options a column of this type takes (``ColumnSpec.options``)."""

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim a column, or not (confidence 0)."""
        ...

    def accepts(self, values: pa.Array, options: Mapping[str, Any]) -> pa.BooleanArray:
        """Say for each value whether it is of this type with these options (null: yes)."""
        ...

    def start(self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext) -> Fitter:
        """Begin to learn a column.

        Args:
            name: The column, as ``table.column``.
            column: What the specification says of it.
            rng: The key of this column; the one above it is the same for all of the table.
            ctx: Limits and progress.

        Raises:
            SpecError: The options or the Arrow type don't suit this datatype.
        """
        ...

    def load(self, src: ArtifactReader) -> Codec:
        """Read a codec that ``save`` wrote."""
        ...


@runtime_checkable
class Agreeing(DataType, Protocol):
    """A datatype whose columns in one table fit their options to each other: an optional method."""

    def agree(
        self, claims: Mapping[str, Detection], sample: pa.Table | None = None
    ) -> Mapping[str, Detection]:
        """Return the claims on the columns that it got in a table, with options that fit.

        Args:
            claims: The claims by the names of their columns.
            sample: A uniform sample of the table's rows, as found; None if there is none.
        """
        ...


@runtime_checkable
class TellingApart(DataType, Protocol):
    """A datatype whose values can be keys, as they are made of row numbers: an optional method."""

    def tells_apart(self, options: Mapping[str, Any]) -> bool:
        """Say whether a column with these options gets a value of its own for each row."""
        ...


@runtime_checkable
class Lacking(DataType, Protocol):
    """A datatype that can do without something, but says so: an optional method."""

    def lacks(self) -> str:
        """Return what it lacks and how to mend it, for the user; empty if nothing."""
        ...


@runtime_checkable
class Masking(DataType, Protocol):
    """A datatype whose values can become pseudonyms, one by one: two optional attributes."""

    leads_to_people: ClassVar[bool]
    """Whether its columns are masked unless told otherwise; else only keys are."""

    def mask(
        self, name: str, values: pa.Array, options: Mapping[str, Any], secret: SecretKey
    ) -> pa.Array:
        """Return the pseudonym of each value, of the same Arrow type; null stays null.

        It depends on the value, the options and the secret, and on nothing else: not on the column,
        nor on other values.

        Args:
            name: The column, as ``table.column``, for messages.
            values: Some rows.
            options: The options of the column.
            secret: What pseudonyms are made by.

        Raises:
            SpecError: A value, or the Arrow type, can't be masked.
        """
        ...
