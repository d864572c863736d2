"""Learns one flat table, and the items of its lists, from a sample and a stream of all rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from simulacra.core import registry
from simulacra.core.arrow_types import type_to_text
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.features import Features, TrainingData
from simulacra.core.protection import MIN_COUNT
from simulacra.core.protocols import FittedColumn, FittedRule, Fitter, ReplacingCodec
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.pipeline.flat_model import FlatModel, NamedCodec, as_context, encode_columns
from simulacra.pipeline.nesting import ITEM, Flat, flat_columns, list_columns, list_lengths
from simulacra.pipeline.options import FitOptions, checked_config
from simulacra.pipeline.rule_fitting import RuleFitting


class TableLearner:
    """Learns one flat table.

    Args:
        where: Its name, for messages.
        spec: Its (nested) specification.
        sample: A uniform sample of its rows, flat.
        options: What to learn with.
        given: Columns of the rows that rules may use but nothing is learned of, because they are
            known before the rows are drawn (values of their parents).
        fixed: Columns that rules must not rewrite, but may measure others from.
        elsewhere: Columns that no rule of a row may make, and what makes them.
        rng: The key of the table.
        ctx: Limits and progress.

    Raises:
        SpecError: A column doesn't suit its datatype.
    """

    def __init__(  # noqa: PLR0913 - all but the first four are keyword-only
        self,
        where: str,
        spec: TableSpec,
        sample: Flat,
        options: FitOptions,
        *,
        given: Sequence[str] = (),
        fixed: Sequence[str] = (),
        elsewhere: Mapping[str, str] | None = None,
        rng: RngKey,
        ctx: RunContext,
    ) -> None:
        self._where = where
        self._options = options
        self._given = frozenset(given)
        self._fixed = frozenset(fixed)
        self._elsewhere = elsewhere or {}
        self._rng = rng
        self._ctx = ctx
        self._names = tuple(name for name in sample.batch.schema.names if name not in self._given)
        self._columns = dict(flat_columns(spec.columns))
        self._rules = self._fit_rules(spec, sample.batch)
        # No row is needed to tell the columns that rules make.
        self._fitters = self._start(encode_columns(sample.batch.slice(0, 0), self._rules))
        self._children = {
            name: TableLearner(
                f"{where}.{name}[]",
                TableSpec(columns={ITEM: items}),
                sample.lists[name],
                options,
                rng=rng.child("items", name),
                ctx=ctx,
            )
            for name, items in list_columns(spec.columns)
        }

    def _fit_rules(
        self, spec: TableSpec, sample: pa.RecordBatch
    ) -> tuple[tuple[str, FittedRule], ...]:
        fitting = RuleFitting(
            self._where,
            spec.model_copy(update={"columns": self._columns}),
            sample,
            given=self._given,
            fixed=self._fixed,
            elsewhere=self._elsewhere,
            rng=self._rng.child("rules"),
            ctx=self._ctx,
        )
        checks = self._options.checks.get(self._where, ())
        return fitting.fit(checks, find=self._options.find_rules)

    def _start(self, encoded: pa.RecordBatch) -> dict[str, tuple[str, Fitter]]:
        fitters = {}
        for name, kind in zip(encoded.schema.names, encoded.schema.types, strict=True):
            if name in self._given:
                continue
            column = self._columns.get(name)
            if column is None or column.arrow_type() != kind:
                column = _made_column(name, kind)
            datatype = registry.load(Kind.DATATYPE, column.type)
            checked_config(datatype.config, column.options, where=f"{self._where}.{name}")
            fitter = datatype.start(
                f"{self._where}.{name}", column, rng=self._rng.child("fit", name), ctx=self._ctx
            )
            fitters[name] = (column.type, fitter)
        return fitters

    @property
    def used(self) -> frozenset[str]:
        """The given columns that rules use: those that ``update`` needs."""
        return self._given & {column for _, rule in self._rules for column in rule.columns}

    def update(self, flat: Flat) -> None:
        """Take the next rows of the table."""
        encoded = encode_columns(flat.batch, self._rules)
        work = [(fitter, encoded.column(name)) for name, (_, fitter) in self._fitters.items()]
        for _ in self._ctx.map(lambda item: item[0].update(item[1]), work):
            pass
        for name, child in self._children.items():
            child.update(flat.lists[name])

    def finish(
        self,
        sample: Flat,
        *,
        context: Features | Callable[[Features], Features | None] | None,
    ) -> FlatModel:
        """Learn the structure of the sample and return everything learned.

        Args:
            sample: The sample the learner was built with.
            context: Features that the sample's rows are drawn given, as those of the rows they
                belong to; or what chooses them by the features that will be drawn.
        """
        fitted = {name: fitter.finish() for name, (_, fitter) in self._fitters.items()}
        codecs = {
            name: NamedCodec.of(name, self._fitters[name][0], column.codec)
            for name, column in fitted.items()
        }
        self._tell_rare_values(fitted)
        self._tell_replaced(fitted)
        encoded = encode_columns(sample.batch, self._rules)
        features = self._encode(encoded, codecs)
        if callable(context):
            context = context(features)
        model = registry.load(Kind.MODEL, self._options.model).fit(
            _training_data(features, fitted, context),
            self._options.model_config(),
            rng=self._rng.child("model"),
            ctx=self._ctx,
        )
        items = {}
        for name, child in self._children.items():
            lengths = list_lengths(sample.batch.column(name))
            owner = np.repeat(np.arange(sample.batch.num_rows), lengths)
            items[name] = child.finish(sample.lists[name], context=as_context(features.take(owner)))
        name = self._options.model
        return FlatModel(self._names, self._rules, codecs, name, model, items, self.used)

    def _tell_rare_values(self, fitted: dict[str, FittedColumn]) -> None:
        """Say which categories name so few rows that keeping them may tell of a person."""
        rare = {}
        for name, column in fitted.items():
            if self._fitters[name][0] == "category":
                counts = column.counts[0]
                rare[name] = int(((counts > 0) & (counts < MIN_COUNT)).sum())
        told = ", ".join(f"{count:,} of {name}" for name, count in rare.items() if count)
        if told:
            self._ctx.progress.note(
                f"{self._where}: values in fewer than {MIN_COUNT} rows are kept: {told}; "
                "the option min_count of a category drops them"
            )

    def _tell_replaced(self, fitted: dict[str, FittedColumn]) -> None:
        """Say in which columns values are replaced, and how many: personal, rare, extreme ones."""
        told = [
            f"{name} ({', '.join(f'{times:,} {what}' for what, times in made.items())})"
            for name, column in fitted.items()
            if isinstance(column.codec, ReplacingCodec)
            if (made := column.codec.replaced())
        ]
        if told:
            self._ctx.progress.note(f"{self._where}: replaced: {', '.join(told)}")

    def _encode(self, encoded: pa.RecordBatch, codecs: dict[str, NamedCodec]) -> Features:
        work = [(named.codec, encoded.column(name)) for name, named in codecs.items()]
        arrays = [
            array
            for arrays in self._ctx.map(lambda item: item[0].encode(item[1]), work)
            for array in arrays
        ]
        specs = [spec for named in codecs.values() for spec in named.features]
        return Features.of(specs, arrays, rows=encoded.num_rows)


def _training_data(
    features: Features, fitted: dict[str, FittedColumn], context: Features | None
) -> TrainingData:
    counts = [count for column in fitted.values() for count in column.counts]
    total = max((int(count.sum()) for count in counts), default=features.rows)
    if context is None:
        return TrainingData(features, tuple(counts), total)
    given = [
        np.bincount(codes, minlength=spec.cardinality).astype(np.int64)
        for spec, codes in zip(context.specs, context.codes, strict=True)
    ]
    together = Features.of(
        (*context.specs, *features.specs), (*context.codes, *features.codes), rows=features.rows
    )
    return TrainingData(together, (*given, *counts), total)


def _made_column(name: str, kind: pa.DataType) -> ColumnSpec:
    """Return the spec of a column that a rule made."""
    families = (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "integer"),
        (pa.types.is_floating, "float"),
        (pa.types.is_decimal, "decimal"),
        (pa.types.is_duration, "duration"),
        (pa.types.is_timestamp, "datetime"),
        (pa.types.is_date, "date"),
        (pa.types.is_time, "time"),
        (pa.types.is_string, "category"),
    )
    for belongs, datatype in families:
        if belongs(kind):
            return ColumnSpec(type=datatype, arrow=type_to_text(kind))
    raise SpecError(f"a rule turned the column into {kind}, which can't be learned", where=name)
