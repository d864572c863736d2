"""The contracts of every plug-in kind. Small on purpose: implement one and you are in.

A plug-in is a class named by an entry point (``simulacra.models`` and so on). It is built without
arguments; whatever it learns lives in what its ``fit`` returns, so "not fitted yet" cannot exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar, runtime_checkable

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
    from simulacra.core.context import RunContext
    from simulacra.core.features import Codes, Features, FeatureSpec, TrainingData
    from simulacra.core.random import RngKey
    from simulacra.core.references import DatasetView
    from simulacra.core.schema import ColumnSpec, DatasetSpec, TableSpec
    from simulacra.core.scores import Measure, Score
    from simulacra.core.secret_key import SecretKey

BLOCK_ROWS = 65_536
"""Rows in one block: the unit of drawing, with its own key; part of the format of a result."""

T = TypeVar("T")
R = TypeVar("R")


class Config(BaseModel):
    """Base of every plug-in's options: unknown names are errors, values can't change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- data in and out -----------------------------------------------------------------------


@runtime_checkable
class BatchSource(Protocol):
    """A table that can be read again and again, a batch at a time."""

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns, in order."""
        ...

    def rows(self) -> int | None:
        """Return the number of rows when it is known without reading, else None."""
        ...

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Start over and yield the rows in order.

        Args:
            columns: The columns wanted, in the order wanted; all when None.
            batch_rows: The most rows in one batch.

        Raises:
            InputError: The data can't be read; says where.
        """
        ...


class TableWriter(Protocol):
    """Takes batches and makes a table visible only when it is whole.

    A context manager: leaving it after an exception drops everything written.
    """

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows; ``batch.schema`` is the schema the writer was opened with."""
        ...

    def __enter__(self) -> Self:
        """Open the output."""
        ...

    def __exit__(self, *exc_info: object) -> None:
        """Publish the output, or drop it after an exception."""
        ...


class Connector(Protocol):
    """Reads and writes tables in one kind of place.

    Two methods more are optional. A target of several tables offers ``publish(uri, tables, spec,
    options, ctx)``: a context manager that gives a writer for each table (``tables`` holds their
    schemas, ``spec`` their keys, or is None) and publishes all together. A store that knows keys
    offers ``declared(uri, options, ctx)``: a :class:`~simulacra.core.declared.DeclaredTable` for
    each table that ``read`` gives.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    """File endings it claims, as ``(".csv", ".csv.gz")``; empty if none."""
    schemes: ClassVar[tuple[str, ...]]
    """URL schemes it claims, as ``("postgresql",)``; empty if none."""

    def read(
        self, uri: str, options: Mapping[str, Any], ctx: RunContext
    ) -> Mapping[str, BatchSource]:
        """Open every table at ``uri``; nothing but schemas need be read yet.

        Raises:
            InputError: There is nothing there, or it can't be read.
        """
        ...

    def writer(
        self, uri: str, table: str, schema: pa.Schema, options: Mapping[str, Any], ctx: RunContext
    ) -> TableWriter:
        """Return a writer of one table to ``uri``.

        Raises:
            OutputError: The place can't be written, or a type can't be kept there.
        """
        ...


# --- columns -------------------------------------------------------------------------------


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
class CodecOfPeople(Codec, Protocol):
    """A codec that replaces personal data by made ones, and counts them: an optional method."""

    def made_anew(self) -> Mapping[str, int]:
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


# --- rules ---------------------------------------------------------------------------------


class FittedRule(Protocol):
    """A rule of one table, as a change of its columns that makes breaking it impossible.

    One that can't mend rows says so by an attribute ``redraws`` that is true, on its plug-in too:
    then rows that violate it are drawn again, and ``encode`` and ``decode`` leave rows as they are.
    """

    columns: tuple[str, ...]
    """The columns it reads or changes."""

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Rewrite real rows into the form that is learned."""
        ...

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Undo ``encode``; the result keeps the rule."""
        ...

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say for each row, as found or as made, whether it breaks the rule."""
        ...

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        ...


class Rule(Protocol):
    """A kind of thing that must hold between the columns of a table.

    One that needs the rows of a child table, or all rows of one parent, says so by a further
    method; see ``simulacra.rules.relatives``.
    """

    name: ClassVar[str]
    config: ClassVar[type[Config]]

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Learn what the rule needs from a uniform sample of the rows."""
        ...

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        ...


# --- models --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelTraits:
    """What a model promises; the conformance kit checks it.

    Attributes:
        context: It can draw target features given context features.
        conditional: It can hold some target features fixed (``fixed=``).
        deterministic: The same key gives the same codes.
        private: It gives a formal privacy guarantee.
        tempered: It can draw more or less boldly; see
            :class:`~simulacra.core.tempering.Temperable`.
    """

    context: bool = True
    conditional: bool = False
    deterministic: bool = True
    private: bool = False
    tempered: bool = False


class FittedModel(Protocol):
    """A learned joint distribution of features."""

    def sample(
        self, rows: int, *, context: Features | None, fixed: Features | None, rng: RngKey
    ) -> Features:
        """Draw ``rows`` rows of the target features; called from several threads at once.

        Args:
            rows: How many.
            context: The context features of those rows, or None if the model has none.
            fixed: Target features that are given (traits ``conditional``), or None.
            rng: The key of this block.

        Returns:
            The target features, in the order of the training data.
        """
        ...

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        ...


class Model(Protocol):
    """An algorithm that learns the joint distribution of features."""

    name: ClassVar[str]
    config: ClassVar[type[Config]]
    traits: ClassVar[ModelTraits]

    def fit(self, data: TrainingData, config: Any, *, rng: RngKey, ctx: RunContext) -> FittedModel:
        """Learn from coded rows.

        Raises:
            UsageError: An option makes no sense for this data.
        """
        ...

    def load(self, src: ArtifactReader) -> FittedModel:
        """Read a model that ``save`` wrote."""
        ...


# --- metrics -------------------------------------------------------------------------------


class Metric(Protocol):
    """A measure of a synthetic table against a real one."""

    name: ClassVar[str]
    scope: ClassVar[str]
    """``column``, ``pair`` or ``table``; see :class:`DatasetMetric` for ``dataset``."""
    measures: ClassVar[tuple[Measure, ...]]
    """What its scores are, one for each name that they have."""
    optional: ClassVar[bool]
    """Measured only when asked for by name: it takes long, or needs options."""

    def compute(
        self,
        real: pa.Table,
        synthetic: pa.Table,
        *,
        holdout: pa.Table | None,
        table: TableSpec,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> list[Score]:
        """Measure; a ``column`` metric gives one score a column, a ``pair`` metric one a pair."""
        ...


class DatasetMetric(Protocol):
    """A measure of a whole synthetic dataset: its keys, and tables joined by them.

    It is a metric plug-in like others, of the scope ``dataset``.
    """

    name: ClassVar[str]
    scope: ClassVar[str]
    """``dataset``."""
    measures: ClassVar[tuple[Measure, ...]]
    """What its scores are, one for each name that they have."""
    optional: ClassVar[bool]
    """Measured only when asked for by name: it takes long, or needs options."""

    def compute(
        self,
        real: DatasetView,
        synthetic: DatasetView,
        *,
        holdout: DatasetView | None,
        spec: DatasetSpec,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> list[Score]:
        """Measure.

        ``Score.columns`` name their tables, as ``orders.customer_id``; ``details["table"]`` is the
        table that a score is about and ``details["references"]`` holds the label of each
        :class:`~simulacra.core.references.Reference` that it is about.

        Args:
            real: The data that was learned from.
            synthetic: The data to judge.
            holdout: A second real sample, whole in itself, or None.
            spec: The specification, in which columns that hold nothing but keys have the type
                ``key``.
            options: ``rows`` and ``threads``, as for other metrics.
            rng: The key of whatever is drawn.
        """
        ...


# --- engines -------------------------------------------------------------------------------


class Engine(Protocol):
    """Runs independent tasks somewhere."""

    name: ClassVar[str]

    def map(self, fn: Callable[[T], R], tasks: Iterable[T], *, ctx: RunContext) -> Iterator[R]:
        """Yield ``fn(task)`` in the order of the tasks, working a bounded number ahead."""
        ...
