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
from simulacra.metrics.encode import as_labels, as_numbers

Faults = dict[str, NDArray[np.bool_]]


class Validity:
    """One score a column: the share of values that could have stood in the real table.

    A value is invalid, and ``details["invalid"]`` counts why, if it is

    - ``type``: not of the column's datatype, with the options of the specification;
    - ``null``: null or NaN where no real value is;
    - ``range``: a number, date or time below the least or above the greatest real one;
    - ``category``: a category or constant that no real row has;
    - ``duplicate``: a repetition in a column that is unique, or of a primary key.

    A primary key of several columns has a score of its own. All rows given are looked at. The
    floor is the validity of the hold-out: new people also bring new categories and extremes.
    Types are checked by the datatype's own ``accepts``; where that plug-in is not installed,
    ``details["type_unchecked"]`` says so.
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
        """Return one score a leaf column, and one for a primary key of several columns."""
        del options, rng
        others = [synthetic] if holdout is None else [synthetic, holdout]
        scores = [self._column(leaf, table, real, others) for leaf in leaves(table, real)]
        if len(table.primary_key) > 1:
            scores.append(self._key(table, others))
        return scores

    def _column(
        self, leaf: Leaf, table: TableSpec, real: pa.Table, others: Sequence[pa.Table]
    ) -> Score:
        values = [leaf.values(side) for side in (real, *others)]
        faults = [_nulls(values[0], side) for side in values[1:]]
        if leaf.kind is Kind.NUMBER and real.num_rows:
            _add(faults, "range", _outside(leaf, values))
        elif leaf.kind is Kind.CATEGORY and real.num_rows:
            _add(faults, "category", _unseen(values))
        if leaf.spec.unique or table.primary_key == list(leaf.path):
            _add(faults, "duplicate", [_repeated([side]) for side in values[1:]])
        unchecked = _add_types(faults, leaf, values[1:])
        return self._score((leaf.name,), faults, others, unchecked)

    def _key(self, table: TableSpec, others: Sequence[pa.Table]) -> Score:
        columns = [[side.column(name) for name in table.primary_key] for side in others]
        faults = [{"duplicate": _repeated(side)} for side in columns]
        return self._score(tuple(table.primary_key), faults, others, {})

    def _score(
        self,
        columns: tuple[str, ...],
        faults: Sequence[Faults],
        others: Sequence[pa.Table],
        details: dict[str, Any],
    ) -> Score:
        shares = [_valid_share(side, table) for side, table in zip(faults, others, strict=True)]
        details |= {"rows": others[0].num_rows}
        if shares[0] is None:
            details["why"] = "there are no synthetic rows"
        details["invalid"] = {why: int(bad.sum()) for why, bad in faults[0].items() if bad.any()}
        floor = shares[1] if len(shares) > 1 else None
        return Score(self.name, shares[0], columns, floor, details)


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
