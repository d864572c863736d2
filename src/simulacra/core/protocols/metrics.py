"""Contracts of metrics: measures of synthetic data against real data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import pyarrow as pa

if TYPE_CHECKING:
    from simulacra.core.random import RngKey
    from simulacra.core.references import DatasetView
    from simulacra.core.schema import DatasetSpec, TableSpec
    from simulacra.core.scores import Measure, Score


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
