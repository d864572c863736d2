"""Categories: a code a value, of any Arrow type, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.features import Codes, FeatureKind, FeatureSpec, code_dtype
from simulacra.core.protection import least_count
from simulacra.core.protocols import ColumnProfile, Config, Detection, FittedColumn
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.datatypes.arrow_kinds import is_bytes, is_text
from simulacra.datatypes.bins import damaged
from simulacra.datatypes.options import read_options, require_type
from simulacra.datatypes.protection import MOSTLY
from simulacra.datatypes.tally import Tally, plain, plain_type

_FEW = 1_000
_OFTEN = 10


class CategoryConfig(Config):
    """Options of a category."""

    ordered: Annotated[bool, Field(description="Whether the categories have an order")] = False
    categories: Annotated[
        tuple[Any, ...] | None,
        Field(description="The order, least first, where the Arrow type doesn't tell it"),
    ] = None
    min_count: Annotated[
        int | None,
        Field(
            ge=1,
            description="Rows a value must be seen in to be kept; others are redrawn. 10 by"
            " default, 1 in columns of fewer than 1,000 rows or of rare values mostly",
        ),
    ] = None


@dataclass(frozen=True)
class CategoryCodec:
    """A fitted category.

    Attributes:
        column: The column's name.
        type: Its Arrow type.
        kind: Whether codes have an order.
        table: The value of each code, null among them where nulls were seen, in the type that
            ``tally.plain_type`` gives.
        rows: The rows of each code, shape ``(codes,)``, dtype int64.
        dictionary: All values of a dictionary type, in order; None for other types.
        rare: In how many rows a value that few rows have was replaced.
    """

    column: str
    type: pa.DataType
    kind: FeatureKind
    table: pa.Array
    rows: NDArray[np.int64]
    dictionary: pa.Array | None = None
    rare: int = 0

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        """One feature."""
        return (FeatureSpec(self.column, self.column, self.kind, len(self.table)),)

    def encode(self, values: pa.Array) -> list[Codes]:
        """Turn values into codes; a value without one gets a random code, by the rows of each."""
        found = pc.index_in(plain(values), value_set=self.table)
        dtype = code_dtype(len(self.table))
        if not found.null_count:
            return [found.to_numpy().astype(dtype)]
        codes = found.fill_null(0).to_numpy(zero_copy_only=False).astype(dtype)
        unknown = np.flatnonzero(found.is_null().to_numpy(zero_copy_only=False))
        # Never null: the share of nulls is to stay.
        rows = np.where(self.table.is_valid().to_numpy(zero_copy_only=False), self.rows, 0)
        chances = np.cumsum(rows if rows.any() else np.ones_like(rows))
        draws = RngKey(0, ("category", self.column)).generator().random(len(unknown))
        codes[unknown] = np.searchsorted(chances, draws * chances[-1], side="right")
        return [codes]

    @cached_property
    def _values(self) -> pa.Array:
        """What ``decode`` takes from: values, or places in the dictionary."""
        if self.dictionary is not None:
            places = pc.index_in(self.table, value_set=self.dictionary)
            return places.cast(self.type.index_type)
        # Views can't be taken from.
        is_view = pa.types.is_string_view(self.type) or pa.types.is_binary_view(self.type)
        return self.table if is_view else self.table.cast(self.type)

    @cached_property
    def _dictionary(self) -> pa.Array:
        return self.dictionary.cast(self.type.value_type) if self.dictionary is not None else None

    def decode(self, codes: Sequence[Codes], *, rng: RngKey, start: int) -> pa.Array:
        """Turn codes into values."""
        del rng, start
        taken = self._values.take(pa.array(codes[0]))
        if self.dictionary is not None:
            return pa.DictionaryArray.from_arrays(
                taken, self._dictionary, ordered=self.type.ordered, safe=False
            )
        return taken if taken.type == self.type else taken.cast(self.type)

    def kept_values(self) -> Iterable[str]:
        """Yield every category."""
        values = self.table if self.dictionary is None else self.dictionary
        return (str(value) for value in values.drop_null().to_pylist())

    def replaced(self) -> Mapping[str, int]:
        """Return in how many rows a rare category was replaced by a frequent one."""
        return {"rare": self.rare} if self.rare else {}

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        facts = {
            "column": self.column,
            "type": type_to_text(self.type),
            "kind": self.kind.value,
            "rare": self.rare,
        }
        out.json("category", facts)
        out.table("values", pa.table({"value": self.table, "rows": self.rows}))
        if self.dictionary is not None:
            out.table("dictionary", pa.table({"value": self.dictionary}))

    @classmethod
    def load(cls, src: ArtifactReader) -> CategoryCodec:
        """Read a codec that ``save`` wrote.

        Raises:
            BundleError: The members do not make a codec.
        """
        facts = src.json("category")
        table = src.table("values")
        try:
            arrow_type = type_from_text(facts["type"])
            column, kind = str(facts["column"]), FeatureKind(facts["kind"])
            rare = int(facts["rare"])
            values, rows = _whole(table["value"]), table["rows"].to_numpy()
            is_dictionary = pa.types.is_dictionary(arrow_type)
            dictionary = _whole(src.table("dictionary")["value"]) if is_dictionary else None
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(str(error)) from error
        if not len(values) or values.type != plain_type(arrow_type) or rows.dtype != np.int64:
            raise damaged("the categories can't be right")
        return cls(column, arrow_type, kind, values, rows, dictionary, rare)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


class CategoryFitter:
    """Counts the values of a category.

    Args:
        column: The column's name.
        arrow_type: Its Arrow type.
        config: Its options.
    """

    def __init__(self, column: str, arrow_type: pa.DataType, config: CategoryConfig) -> None:
        self._column = column
        self._type = arrow_type
        self._config = config
        self._tally = Tally(arrow_type)

    def update(self, values: pa.Array) -> None:
        """Count the next rows."""
        self._tally.add(values)

    def finish(self) -> FittedColumn:
        """Number the categories.

        Raises:
            SpecError: No value is frequent enough to be kept.
        """
        values, rows, nulls = self._tally.finish()
        dictionary = self._tally.dictionary
        least = self._least(rows)
        rare = int(rows[rows < least].sum())
        if least > 1 and len(values):
            values, rows = self._frequent(values, rows, least)
            if dictionary is not None:
                dictionary = dictionary.filter(pc.is_in(dictionary, value_set=values))
        if self._config.ordered:
            order = self._order(values, dictionary)
            place = len(values)
        else:
            order = np.arange(len(values))
            # Null is numbered by its frequency, as any other value.
            place = int(np.searchsorted(-rows, -nulls, side="right"))
        values, rows = values.take(pa.array(order)), rows[order]
        if nulls or not len(values):
            null = pa.nulls(1, values.type)
            values = pa.concat_arrays([values[:place], null, values[place:]])
            rows = np.insert(rows, place, nulls)
        kind = FeatureKind.ORDINAL if self._config.ordered else FeatureKind.NOMINAL
        codec = CategoryCodec(self._column, self._type, kind, values, rows, dictionary, rare)
        return FittedColumn(codec, (rows,))

    def _least(self, rows: NDArray[np.int64]) -> int:
        """Return in how many rows a value must be seen."""
        least = least_count(self._config.min_count, int(rows.sum()))
        asked = self._config.min_count is not None
        return least if asked or rows[rows >= least].sum() >= MOSTLY * rows.sum() else 1

    def _frequent(
        self, values: pa.Array, rows: NDArray[np.int64], least: int
    ) -> tuple[pa.Array, NDArray[np.int64]]:
        kept = int(np.count_nonzero(rows >= least))
        if not kept:
            raise SpecError(
                f"no value is seen in {least} rows",
                where=self._column,
                mend="Lower min_count, or make it a column of type text or identifier",
            )
        # The rows of the others go to the kept ones, in proportion, to whole rows.
        edges = np.rint(np.cumsum(rows[:kept]) * (rows.sum() / rows[:kept].sum()))
        return values[:kept], np.diff(edges.astype(np.int64), prepend=0)

    def _order(self, values: pa.Array, dictionary: pa.Array | None) -> NDArray[np.int64]:
        if self._config.categories is not None:
            try:
                ranking = pa.array(self._config.categories, pa.string()).cast(values.type)
            except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
                ranking = pa.array(self._config.categories).cast(values.type)
        elif dictionary is not None:
            ranking = dictionary
        else:
            order: NDArray[np.int64] = pc.array_sort_indices(values).to_numpy().astype(np.int64)
            return order
        places = pc.index_in(values, value_set=ranking)
        if places.null_count:
            stranger = values.filter(places.is_null())[0].as_py()
            raise SpecError(
                f"the value {stranger!r} is not among the categories listed",
                where=self._column,
                mend="Add it to 'categories', or leave that option out",
            )
        return np.argsort(places.to_numpy(), kind="stable")


class Category:
    """Few values, or many, each of which stands for itself."""

    name: ClassVar[str] = "category"
    config: ClassVar[type[Config]] = CategoryConfig

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim dictionaries, and strings and bytes that repeat."""
        arrow_type = profile.type
        rows = profile.rows - profile.nulls
        if plain_type(arrow_type) is None or not rows:
            return Detection(0.0)
        if pa.types.is_dictionary(arrow_type):
            return Detection(0.9, {"ordered": True} if arrow_type.ordered else {})
        if not (is_text(arrow_type) or is_bytes(arrow_type)):
            return Detection(0.05)
        if profile.distinct * _OFTEN <= rows:
            return Detection(0.85)
        if profile.distinct <= min(_FEW, rows / 2):
            return Detection(0.7)
        return Detection(0.5 if profile.distinct <= rows / 2 else 0.05)

    def accepts(self, values: pa.Array, options: Mapping[str, Any]) -> pa.BooleanArray:
        """Accept every value that can be counted, or only those listed."""
        config = CategoryConfig.model_validate(options)
        if plain_type(values.type) is None or config.categories is None:
            return pa.array(np.full(len(values), plain_type(values.type) is not None))
        listed = pa.array([str(value) for value in config.categories], pa.large_string())
        texts = plain(values).cast(pa.large_string())
        return pc.or_(pc.is_in(texts, value_set=listed), values.is_null())

    def start(
        self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext
    ) -> CategoryFitter:
        """Begin to learn a column.

        Raises:
            SpecError: An option is wrong, or values of the Arrow type can't be counted.
        """
        del rng, ctx
        arrow_type = require_type(name, column, self.name, lambda t: plain_type(t) is not None)
        return CategoryFitter(name, arrow_type, read_options(name, column, CategoryConfig))

    def load(self, src: ArtifactReader) -> CategoryCodec:
        """Read a codec that ``save`` wrote."""
        return CategoryCodec.load(src)
