"""The features of one column and uniform numbers, each turned into the other.

A code stands for a stretch of [0, 1) as wide as its share of the rows; a uniform number drawn there
and the code tell the same (the distributional transform: Rüschendorf, "On the distributional
transform, Sklar's theorem, and the empirical copula process", 2009). Later features of a column are
placed within the stretch of the earlier ones (Rosenblatt, "Remarks on a multivariate
transformation", 1952). So coarse and fine codes come out as they belong together, and a model is
left with one question: how the uniform numbers of different columns depend on each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.errors import UsageError
from simulacra.core.features import (
    Codes,
    FeatureKind,
    Features,
    FeatureSpec,
    Role,
    TrainingData,
    code_dtype,
)
from simulacra.core.tempering import PLAIN, Tempering
from simulacra.models.column_kernels import invert, locate, pick
from simulacra.models.tempering import Way, pick_tempered, tempered_upto

if TYPE_CHECKING:
    from simulacra.core.artifacts import ArtifactReader, ArtifactWriter

_TEMPERED_ROWS = 1 << 53
"""Rows that tempered probabilities are told in: as fine as double-precision numbers are."""

Uniforms = NDArray[np.float64]
"""Numbers in [0, 1), shape ``(rows,)``."""


@dataclass(frozen=True, slots=True)
class Marginal:
    """One feature's distribution over all rows.

    Attributes:
        order: The codes from the lowest uniform numbers to the highest, shape ``(cardinality,)``.
        place: The inverse of ``order``.
        cumulative: Rows in all codes before each in that order and in total, shape
            ``(cardinality + 1,)``, dtype int64.
        guide: For each of ``cardinality`` equal stretches of [0, 1] the place where the search for
            a code begins (Chen and Asau, "On generating random variates from an empirical
            distribution", 1974): a code is found in constant time.
    """

    order: Codes
    place: Codes
    cumulative: NDArray[np.int64]
    guide: Codes

    @classmethod
    def of(cls, counts: NDArray[np.int64], order: NDArray[np.integer] | None = None) -> Marginal:
        """Build it from rows per code; without any row every code is as likely.

        Args:
            counts: Rows per code, shape ``(cardinality,)``.
            order: The codes in the order wanted; their own unless given.
        """
        size = len(counts)
        dtype = code_dtype(size)
        codes = np.arange(size, dtype=dtype) if order is None else order.astype(dtype)
        place = np.empty(size, dtype)
        place[codes] = np.arange(size, dtype=dtype)
        rows = counts if counts.any() else np.ones_like(counts)
        cumulative = np.concatenate([[0], np.cumsum(rows[codes])]).astype(np.int64)
        begins = np.arange(size) * (cumulative[-1] / size)
        guide = np.searchsorted(cumulative, begins, side="right") - 1
        # Rounding may set a stretch's begin a hair too far; the search only moves forwards.
        guide = np.maximum(np.minimum(guide, size - 1) - 1, 0).astype(dtype)
        return cls(codes, place, cumulative, guide)

    @property
    def cardinality(self) -> int:
        """The number of codes."""
        return len(self.order)

    def tempered(self, how: Tempering, kind: FeatureKind) -> Marginal:
        """Return the distribution with other probabilities."""
        counts = np.diff(self.cumulative)[self.place]
        upto = np.rint(tempered_upto(counts, Way.of(how, kind)) * _TEMPERED_ROWS)
        rows = np.diff(upto, prepend=0.0).astype(np.int64)
        return Marginal.of(rows, self.order)

    def codes(self, uniforms: Uniforms) -> Codes:
        """Return the codes in whose stretches uniform numbers lie."""
        out = np.empty(len(uniforms), self.order.dtype)
        invert(uniforms, self.cumulative, self.guide, self.order, out)
        return out

    def bounds(self) -> tuple[Uniforms, Uniforms]:
        """Return for each code the begin and the end of its stretch, shape ``(cardinality,)``."""
        total = self.cumulative[-1]
        return self.cumulative[:-1][self.place] / total, self.cumulative[1:][self.place] / total


@dataclass(frozen=True, slots=True)
class Detail:
    """The later features of a column given its first: the sample's rows, sorted.

    Attributes:
        begin: For each code of the first feature its first row here, shape ``(cardinality,)``,
            dtype int64; a code the sample lacks has the rows of the nearest one that it holds.
        end: The row after its last one.
        bags: The later features' codes, one array each, shape ``(sample rows,)``; sorted by the
            column's features in turn.
        tempering: How boldly codes are drawn.
    """

    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    bags: tuple[Codes, ...]
    tempering: Tempering = PLAIN

    @classmethod
    def of(cls, first: Codes, later: Sequence[Codes], cardinality: int) -> Detail:
        """Sort the sample's rows; without any row, later features are 0."""
        if not len(first):
            empty = np.zeros(1, np.uint8)
            later = [np.zeros(1, codes.dtype) for codes in later]
            return cls.of(empty, later, cardinality)
        order = np.lexsort([*reversed(later), first])
        bounds = np.searchsorted(first[order], np.arange(cardinality + 1))
        seen = np.flatnonzero(np.diff(bounds))
        following = np.searchsorted(seen, np.arange(cardinality)).clip(max=len(seen) - 1)
        above, below = seen[following], seen[np.maximum(following - 1, 0)]
        codes = np.arange(cardinality)
        nearest = np.where(np.abs(codes - below) < np.abs(above - codes), below, above)
        return cls(bounds[nearest], bounds[nearest + 1], tuple(codes[order] for codes in later))

    def codes(
        self, first: Codes, uniforms: Sequence[Uniforms], kinds: Sequence[FeatureKind]
    ) -> list[Codes]:
        """Return the later features' codes in whose stretches uniform numbers lie."""
        begin, end = self.begin[first], self.end[first]
        how, found = self.tempering, []
        for bag, numbers, kind in zip(self.bags, uniforms, kinds, strict=True):
            out = np.empty(len(first), bag.dtype)
            if how.is_plain:
                pick(numbers, bag, begin, end, out)
            else:
                order = np.lexsort([end, begin])
                pick_tempered(numbers, bag, begin, end, order, Way.of(how, kind), out)
            found.append(out)
        return found

    def stretches(self, first: Codes, later: Sequence[Codes]) -> list[tuple[Uniforms, Uniforms]]:
        """Return begin and end of each row's stretch, for each later feature."""
        begin, end = self.begin[first], self.end[first]
        found = []
        for bag, codes in zip(self.bags, later, strict=True):
            low, high = np.empty(len(first)), np.empty(len(first))
            locate(codes, bag, begin, end, low, high)
            found.append((low, high))
        return found


@dataclass(frozen=True, slots=True)
class Column:
    """All features of one column.

    Attributes:
        specs: Its features, coarse first.
        first: The first feature's distribution over all rows.
        detail: The later ones' given it; None if there are none.
    """

    specs: tuple[FeatureSpec, ...]
    first: Marginal
    detail: Detail | None = None

    def codes(self, uniforms: Sequence[Uniforms]) -> list[Codes]:
        """Turn uniform numbers, one array a feature, into codes."""
        first = self.first.codes(uniforms[0])
        if self.detail is None:
            return [first]
        kinds = [spec.kind for spec in self.specs[1:]]
        return [first, *self.detail.codes(first, uniforms[1:], kinds)]

    def tempered(self, how: Tempering) -> Column:
        """Return the column with other probabilities."""
        detail = None if self.detail is None else replace(self.detail, tempering=how)
        return Column(self.specs, self.first.tempered(how, self.specs[0].kind), detail)

    def stretches(self, codes: Sequence[Codes]) -> list[tuple[Uniforms, Uniforms]]:
        """Return for each feature begin and end of the stretches that codes stand for."""
        low, high = self.first.bounds()
        found = [(low[codes[0]], high[codes[0]])]
        if self.detail is not None:
            found += self.detail.stretches(codes[0], codes[1:])
        return found


def columns_of(specs: Sequence[FeatureSpec], role: Role) -> list[list[int]]:
    """Return the positions of the features of each column in one role, in order."""
    columns: dict[str, list[int]] = {}
    for position, spec in enumerate(specs):
        if spec.role is role:
            columns.setdefault(spec.column, []).append(position)
    return list(columns.values())


def learn_column(
    data: TrainingData, positions: Sequence[int], order: NDArray[np.integer] | None = None
) -> Column:
    """Learn the column whose features are at ``positions``; see :meth:`Marginal.of`."""
    specs = tuple(data.features.specs[position] for position in positions)
    first, *later = (data.features.codes[position] for position in positions)
    marginal = Marginal.of(data.counts[positions[0]], order)
    detail = Detail.of(first, later, marginal.cardinality) if later else None
    return Column(specs, marginal, detail)


def save_columns(out: ArtifactWriter, name: str, columns: Sequence[Column]) -> None:
    """Write columns under one name."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, column in enumerate(columns):
        arrays[f"{number}.order"] = column.first.order
        arrays[f"{number}.rows"] = np.diff(column.first.cumulative)
        if column.detail is not None:
            arrays[f"{number}.begin"] = column.detail.begin
            arrays[f"{number}.end"] = column.detail.end
            for later, bag in enumerate(column.detail.bags):
                arrays[f"{number}.bag{later}"] = bag
    out.json(name, [[spec.to_json() for spec in column.specs] for column in columns])
    out.arrays(name, arrays)


def load_columns(src: ArtifactReader, name: str) -> tuple[Column, ...]:
    """Read the columns that :func:`save_columns` wrote."""
    arrays = src.arrays(name)
    columns = []
    for number, entries in enumerate(src.json(name)):
        specs = tuple(FeatureSpec.from_json(entry) for entry in entries)
        order = arrays[f"{number}.order"]
        counts = np.empty(len(order), np.int64)
        counts[order] = arrays[f"{number}.rows"]
        detail = None
        if len(specs) > 1:
            bags = tuple(arrays[f"{number}.bag{later}"] for later in range(len(specs) - 1))
            detail = Detail(arrays[f"{number}.begin"], arrays[f"{number}.end"], bags)
        columns.append(Column(specs, Marginal.of(counts, order), detail))
    return tuple(columns)


def in_order(
    targets: Sequence[FeatureSpec],
    columns: Sequence[Column],
    codes: Sequence[Sequence[Codes]],
    rows: int,
) -> Features:
    """Put the codes of columns, one list of arrays a column, in the order of ``targets``."""
    arrays = {
        spec.name: array
        for column, found in zip(columns, codes, strict=True)
        for spec, array in zip(column.specs, found, strict=True)
    }
    return Features.of(targets, [arrays[spec.name] for spec in targets], rows=rows)


def given_columns(columns: Sequence[Column], given: Features | None) -> dict[int, list[Codes]]:
    """Return the codes of the columns that are given, by their number in ``columns``.

    Raises:
        UsageError: A given feature is unknown, or only a part of its column is given.
    """
    codes = (
        {spec.name: array for spec, array in zip(given.specs, given.codes, strict=True)}
        if given
        else {}
    )
    found = {}
    for number, column in enumerate(columns):
        named = [spec.name for spec in column.specs if spec.name in codes]
        if named and len(named) < len(column.specs):
            raise UsageError(
                f"only {', '.join(named)} of its features is given",
                where=column.specs[0].column,
                mend="Give all features of a column, or none",
            )
        if named:
            found[number] = [codes.pop(name) for name in named]
    if codes:
        raise UsageError(
            f"there is no feature {next(iter(codes))!r} to give",
            mend="Give features that were learned",
        )
    return found
