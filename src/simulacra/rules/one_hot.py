"""Columns of which exactly one is set in every row: a category spread over several columns.

They become one column, which says which of them is set.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules.columns import Names, column_of, unused_name


class OneHotConfig(Config):
    """Options of the rule ``one_hot``."""

    columns: Annotated[
        Names, Field(min_length=2, description="The columns, of 0 and 1 or of booleans")
    ]
    at_most: Annotated[bool, Field(description="Whether none of them may be set, too")] = False


class OneHot:
    """Keeps exactly one (or at most one) of several columns set."""

    name: ClassVar[str] = "one_hot"
    config: ClassVar[type[Config]] = OneHotConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Check that one is set in every row.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which columns.
            table: The table's specification; unused.

        Raises:
            SpecError: A column is missing, holds more than 0 and 1, or several are set.
        """
        del table
        options = cast("OneHotConfig", config)
        columns = {name: column_of(sample, name) for name in options.columns}
        for name, column in columns.items():
            if not _is_flag(column):
                raise SpecError(
                    "values are not all 0 or 1",
                    where=name,
                    mend="Leave the column out of the rule one_hot",
                )
        kinds = tuple(column.type for column in columns.values())
        fitted = FittedOneHot(options, unused_name(" or ".join(columns), sample), kinds)
        broken = int(_broken(list(columns.values()), at_most=options.at_most).sum())
        if broken:
            raise SpecError(
                f"{broken:,} of {sample.num_rows:,} rows have none or several of "
                f"{', '.join(columns)} set",
                where=options.columns[0],
                mend="Remove the rule one_hot, or set at_most where none may be set",
            )
        return fitted

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        saved = src.json("one_hot")
        kinds = tuple(type_from_text(text) for text in saved["types"])
        return FittedOneHot(OneHotConfig(**saved["options"]), saved["name"], kinds)


class FittedOneHot:
    """The rule ``one_hot`` of known columns."""

    def __init__(self, options: OneHotConfig, name: str, kinds: tuple[pa.DataType, ...]) -> None:
        self.columns: tuple[str, ...] = options.columns
        self.made = name
        self._options = options
        self._kinds = kinds

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Replace the columns by the number of the one that is set, as text; null if none is."""
        flags = _flags([batch[name] for name in self.columns])
        which = pa.array(flags.argmax(axis=0), mask=~flags.any(axis=0)).cast(pa.string())
        return batch.drop_columns(list(self.columns)).append_column(self.made, which)

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Set the one that is named."""
        which = batch[self.made].cast(pa.int64()).fill_null(-1 if self._options.at_most else 0)
        batch = batch.drop_columns([self.made])
        for place, (name, kind) in enumerate(zip(self.columns, self._kinds, strict=True)):
            batch = batch.append_column(name, pc.equal(which, place).cast(pa.int8()).cast(kind))
        return batch

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say in which rows none or several are set, or a value is neither 0 nor 1."""
        columns = [batch[name] for name in self.columns]
        return pa.array(_broken(columns, at_most=self._options.at_most))

    def save(self, out: ArtifactWriter) -> None:
        """Write names and types."""
        out.json(
            "one_hot",
            {
                "options": self._options.model_dump(mode="json"),
                "name": self.made,
                "types": [type_to_text(kind) for kind in self._kinds],
            },
        )


def _is_flag(column: pa.Array) -> bool:
    kind = column.type
    if pa.types.is_boolean(kind):
        return bool(column.null_count == 0)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return False
    return bool(column.null_count == 0 and set(column.unique().to_pylist()) <= {0, 1})


def _flags(columns: list[pa.Array]) -> NDArray[np.bool_]:
    """Return whether each column is set, shape ``(columns, rows)``."""
    return np.stack([_numbers(column) == 1.0 for column in columns])


def _broken(columns: list[pa.Array], *, at_most: bool) -> NDArray[np.bool_]:
    values = np.stack([_numbers(column) for column in columns])
    odd = ~np.isin(values, (0.0, 1.0)).all(axis=0)
    count = (values == 1.0).sum(axis=0)
    wrong: NDArray[np.bool_] = odd | (count > 1 if at_most else count != 1)
    return wrong


def _numbers(column: pa.Array) -> NDArray[np.float64]:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    values: NDArray[np.float64] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values
