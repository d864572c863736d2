"""Validity: could every synthetic value have stood in the real table?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.errors import PluginError
from simulacra.core.protocols import DataType
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind as PluginKind
from simulacra.core.registry import load
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import KEY_TYPE, Kind, Leaf, leaves
from simulacra.metrics.encode import as_labels, as_numbers, is_text
from simulacra.metrics.intervals import wilson
from simulacra.metrics.sides import Floor
from simulacra.metrics.text_formats import fixed_format, matches

Faults = dict[str, NDArray[np.bool_]]


class Validity:
    """One score a column: the share of values that could have stood in the real table.

    A value is invalid, and ``details["invalid"]`` counts why, if it is

    - ``type``: not of the column's datatype, with the options of the specification;
    - ``null``: null or NaN where no real value is;
    - ``range``: a number, date or time below the least or above the greatest real one;
    - ``category``: a category or constant that no real row has;
    - ``format``: a text or identifier that doesn't have the one format of all real values, where
      they have one (:func:`simulacra.metrics.text_formats.fixed_format`; ``details["format"]``);
      the format of dates and times in text is part of their type;
    - ``duplicate``: a repetition in a column that is unique, or of a primary key.

    Primary and unique keys of several columns have scores of their own. All rows given are looked
    at. The floor is the validity of the hold-out: new people also bring new categories and
    extremes; without one, that of the real rows, which are valid but for types and repetitions.
    Intervals are Wilson's. Types are checked by the datatype's own ``accepts``; where that plug-in
    is not installed, ``details["type_unchecked"]`` says so. That values are valid does not show
    that they are likely, or go together.
    """

    name: ClassVar[str] = "validity"
    scope: ClassVar[str] = "column"
    measures: ClassVar[tuple[Measure, ...]] = (Measure("validity", "Validity", Group.VALIDITY),)
    optional: ClassVar[bool] = False

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
        """Return one score a leaf column, and one for each key of several columns."""
        del options, rng
        floor = Floor.REAL if holdout is None else Floor.HOLDOUT
        others = [synthetic, real if holdout is None else holdout]
        scores = [self._column(leaf, table, real, others, floor) for leaf in leaves(table, real)]
        keys = dict.fromkeys(map(tuple, [table.primary_key, *table.unique]))
        return scores + [self._key(key, others, floor) for key in keys if len(key) > 1]

    def _column(
        self,
        leaf: Leaf,
        table: TableSpec,
        real: pa.Table,
        others: Sequence[pa.Table],
        floor: Floor,
    ) -> Score:
        values = [leaf.values(side) for side in (real, *others)]
        faults = [_nulls(values[0], side) for side in values[1:]]
        if leaf.kind is Kind.NUMBER and real.num_rows:
            _add(faults, "range", _outside(leaf, values))
        elif leaf.kind is Kind.CATEGORY and real.num_rows:
            _add(faults, "category", _unseen(values))
        details: dict[str, Any] = {}
        if form := _format(leaf, values[0]):
            _add(faults, "format", [~matches(side, form) for side in values[1:]])
            details["format"] = form
        if leaf.spec.unique or list(leaf.path) in [table.primary_key, *table.unique]:
            _add(faults, "duplicate", [_repeated([side]) for side in values[1:]])
        details |= _add_types(faults, leaf, values[1:])
        return self._score((leaf.name,), faults, others, details | {"floor": floor.value})

    def _key(self, key: tuple[str, ...], others: Sequence[pa.Table], floor: Floor) -> Score:
        columns = [[side.column(name) for name in key] for side in others]
        faults = [{"duplicate": _repeated(side)} for side in columns]
        return self._score(key, faults, others, {"floor": floor.value})

    def _score(
        self,
        columns: tuple[str, ...],
        faults: Sequence[Faults],
        others: Sequence[pa.Table],
        details: dict[str, Any],
    ) -> Score:
        share, floor = (_valid_share(f, table) for f, table in zip(faults, others, strict=True))
        rows = others[0].num_rows
        details |= {"rows": rows}
        details["invalid"] = {why: int(bad.sum()) for why, bad in faults[0].items() if bad.any()}
        if share is None:
            details["why"] = "there are no synthetic rows"
            return Score(self.name, None, columns, floor, details)
        return Score(self.name, share, columns, floor, details, wilson(share, rows))


def _valid_share(faults: Faults, table: pa.Table) -> float | None:
    if not table.num_rows:
        return None
    invalid = np.zeros(table.num_rows, dtype=bool)
    for bad in faults.values():
        invalid |= bad
    return 1.0 - float(invalid.mean())


def _add(faults: Sequence[Faults], why: str, found: Sequence[NDArray[np.bool_]]) -> None:
    for side, bad in zip(faults, found, strict=True):
        side[why] = bad


def _format(leaf: Leaf, real: pa.ChunkedArray) -> str | None:
    """Return the one format of the real texts of a column that isn't compared by its values."""
    if leaf.kind in (Kind.NUMBER, Kind.CATEGORY) or leaf.spec.type == KEY_TYPE:
        return None
    return fixed_format(real) if is_text(real.type) else None


def _is_null(values: pa.ChunkedArray) -> NDArray[np.bool_]:
    null: NDArray[np.bool_] = values.is_null(nan_is_null=True).to_numpy()
    return null


def _nulls(real: pa.ChunkedArray, values: pa.ChunkedArray) -> Faults:
    """Return the nulls of a column whose real values hold none (where there are real values)."""
    if not len(real) or _is_null(real).any():
        return {}
    return {"null": _is_null(values)}


def _outside(leaf: Leaf, values: Sequence[pa.ChunkedArray]) -> list[NDArray[np.bool_]]:
    """Return which numbers lie outside the real range; all of them if no real row has one."""
    real, *others = [as_numbers(side, leaf.spec) for side in values]
    present = real.present()
    if not len(present):
        return [~side.null for side in others]
    low, high = present.min(), present.max()
    return [~side.null & ((side.values < low) | (side.values > high)) for side in others]


def _unseen(values: Sequence[pa.ChunkedArray]) -> list[NDArray[np.bool_]]:
    labels = as_labels(values)
    seen = np.zeros(max(side.max(initial=0) for side in labels) + 1, dtype=bool)
    seen[labels[0]] = True
    return [
        ~seen[side] & ~_is_null(column) for side, column in zip(labels[1:], values[1:], strict=True)
    ]


def _repeated(columns: Sequence[pa.ChunkedArray]) -> NDArray[np.bool_]:
    """Return which rows repeat, in all the columns, an earlier row; nulls never repeat."""
    whole = np.ones(len(columns[0]), dtype=bool)
    rows = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        (labels,) = as_labels([column])
        whole &= ~_is_null(column)
        rows = np.unique(rows * (len(labels) + 1) + labels, return_inverse=True)[1]
    repeated = whole.copy()
    _, first = np.unique(np.where(whole, rows, -1), return_index=True)
    repeated[first] = False
    return repeated


def _add_types(
    faults: Sequence[Faults], leaf: Leaf, values: Sequence[pa.ChunkedArray]
) -> dict[str, Any]:
    """Add the values that the column's datatype doesn't accept; return why if none can tell."""
    if leaf.spec.items is not None or leaf.spec.type == KEY_TYPE:
        return {}
    try:
        datatype: DataType = load(PluginKind.DATATYPE, leaf.spec.type)
    except PluginError as error:
        return {"type_unchecked": str(error)}
    _add(faults, "type", [_refused(datatype, leaf, side) for side in values])
    return {}


def _refused(datatype: DataType, leaf: Leaf, values: pa.ChunkedArray) -> NDArray[np.bool_]:
    if not len(values):
        return np.zeros(0, dtype=bool)
    accepted = [datatype.accepts(chunk, leaf.spec.options) for chunk in values.chunks]
    return np.concatenate(
        [~chunk.fill_null(True).to_numpy(zero_copy_only=False) for chunk in accepted]  # noqa: FBT003 - Arrow's own signature
    )
