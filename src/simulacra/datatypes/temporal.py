"""Dates, times, both, and durations: Arrow's types, and text in any common format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field

from simulacra.core.artifacts import ArtifactReader
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.protocols import ColumnProfile, Config, Detection
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.datatypes.arrow_kinds import is_text
from simulacra.datatypes.category import CategoryCodec, CategoryConfig, CategoryFitter
from simulacra.datatypes.format_search import find_format
from simulacra.datatypes.formats import Program
from simulacra.datatypes.forms import Form, WholeForm
from simulacra.datatypes.number import NumberType
from simulacra.datatypes.offsets import OffsetTimeCodec, OffsetTimeFitter, body_format, follows
from simulacra.datatypes.options import read_options
from simulacra.datatypes.ordered import OrderedCodec, OrderedConfig
from simulacra.datatypes.temporal_fit import TemporalFitter
from simulacra.datatypes.text_times import TextTimeForm
from simulacra.datatypes.wall_clock import WallForm

_NEARLY_ALL = 0.95
_COMPACT_LENGTH = 8
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86_400


class TemporalConfig(OrderedConfig):
    """Options of dates and times."""

    format: Annotated[
        str | None, Field(description="Format of the text, as %d/%m/%Y; None for Arrow's own types")
    ] = None


class _Temporal:
    """What the kinds share."""

    name: ClassVar[str]
    config: ClassVar[type[Config]] = TemporalConfig

    @staticmethod
    def _is_mine(arrow_type: pa.DataType) -> bool:
        raise NotImplementedError

    @staticmethod
    def _reads(program: Program) -> bool:
        """Say whether a text format is of this kind."""
        raise NotImplementedError

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim the Arrow types, and text nearly all of which follows one format."""
        if self._is_mine(profile.type):
            return Detection(0.9)
        if not is_text(profile.type) or not len(profile.sample):
            return Detection(0.0)
        found = find_format(profile.sample.cast(pa.large_string()))
        if found is None or found.share < _NEARLY_ALL or not self._reads(found.program):
            return Detection(0.0)
        # Eight digits may be a number; with separators there is no doubt.
        doubt = 0.1 if found.program.longest <= _COMPACT_LENGTH and found.program.has_date else 0.0
        doubt += 0.05 if found.share < 1.0 else 0.0
        return Detection(0.95 - doubt, {"format": found.format})

    def accepts(self, values: pa.Array, options: Mapping[str, Any]) -> pa.BooleanArray:
        """Say which texts follow the format; every value of the Arrow types does."""
        config = TemporalConfig.model_validate(options)
        if config.format is None or not is_text(values.type):
            return pa.array(np.full(len(values), self._is_mine(values.type)))
        good = follows(config.format, values)
        if values.null_count:
            good |= values.is_null().to_numpy(zero_copy_only=False)
        return pa.array(good)

    def start(
        self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext
    ) -> TemporalFitter | OffsetTimeFitter:
        """Begin to learn a column.

        Raises:
            SpecError: An option is wrong, or the Arrow type is another.
        """
        del rng, ctx
        arrow_type = column.arrow_type()
        config = read_options(name, column, TemporalConfig)
        if is_text(arrow_type):
            return self._start_text(name, arrow_type, config)
        if not self._is_mine(arrow_type):
            raise SpecError(
                f"{column.arrow} can't be a column of type {self.name}",
                where=name,
                mend="Choose another datatype for it in the specification",
            )
        if not pa.types.is_timestamp(arrow_type):
            form = WholeForm(arrow_type)
            return TemporalFitter(name, form, form, 0, config)
        unit = _UNITS[arrow_type.unit] * _DAY
        return TemporalFitter(name, WholeForm(arrow_type), _wall(arrow_type), unit, config)

    def _start_text(
        self, name: str, arrow_type: pa.DataType, config: TemporalConfig
    ) -> TemporalFitter | OffsetTimeFitter:
        body = body_format(config.format or "")
        if body is None:
            return _text_fitter(name, self._text_form(name, arrow_type, config.format), config)
        form = self._text_form(name, pa.large_string(), body)
        offsets = CategoryFitter(name, pa.large_string(), CategoryConfig())
        return OffsetTimeFitter(arrow_type, body, _text_fitter(name, form, config), offsets)

    def _text_form(self, name: str, arrow_type: pa.DataType, format_: str | None) -> TextTimeForm:
        if format_ is None:
            raise SpecError(
                f"a column of text can be of type {self.name} only with a format",
                where=name,
                mend="Add the option format, as format: '%d/%m/%Y'",
            )
        try:
            form = TextTimeForm(arrow_type, format_)
        except ValueError as error:
            raise SpecError(
                f"the format {format_!r} is wrong", where=name, why=str(error)
            ) from error
        if not self._reads(form.program):
            raise SpecError(
                f"the format {format_!r} is none of a {self.name}",
                where=name,
                mend="Choose the type date, time or datetime, as the format's parts say",
            )
        return form

    def load(self, src: ArtifactReader) -> OrderedCodec | OffsetTimeCodec:
        """Read a codec that ``save`` wrote.

        Raises:
            BundleError: The members do not make a codec.
        """
        if not src.has("offsets"):
            return OrderedCodec.load(src, _make_form)
        times = OrderedCodec.load(src.child("time"), _make_form)
        offsets = CategoryCodec.load(src.child("offset"))
        return OffsetTimeCodec.load(src, times, offsets)


def _text_fitter(name: str, form: TextTimeForm, config: TemporalConfig) -> TemporalFitter:
    unit = form.program.per_second * _DAY if form.program.has_date else 0
    return TemporalFitter(name, form, form, unit, config)


def _wall(arrow_type: pa.DataType) -> Form:
    if arrow_type.tz in {None, "UTC", "Etc/UTC", "Z", "+00:00"}:
        return WholeForm(arrow_type)
    return WallForm(arrow_type)


def _make_form(arrow_type: pa.DataType, facts: dict[str, Any]) -> Form:
    if "format" in facts:
        return TextTimeForm(arrow_type, facts["format"], tuple(facts["kept"]))
    return WallForm(arrow_type) if facts.get("wall") else WholeForm(arrow_type)


class Datetime(_Temporal):
    """Instants, with or without a time zone."""

    name = "datetime"

    @staticmethod
    def _is_mine(arrow_type: pa.DataType) -> bool:
        return bool(pa.types.is_timestamp(arrow_type))

    @staticmethod
    def _reads(program: Program) -> bool:
        return program.has_date and program.has_time


class Date(_Temporal):
    """Days."""

    name = "date"

    @staticmethod
    def _is_mine(arrow_type: pa.DataType) -> bool:
        return bool(pa.types.is_date(arrow_type))

    @staticmethod
    def _reads(program: Program) -> bool:
        return program.has_date and not program.has_time


class Time(_Temporal):
    """Times of day."""

    name = "time"

    @staticmethod
    def _is_mine(arrow_type: pa.DataType) -> bool:
        return bool(pa.types.is_time(arrow_type))

    @staticmethod
    def _reads(program: Program) -> bool:
        return program.has_time and not program.has_date


class Duration(NumberType):
    """Spans of time."""

    name = "duration"

    @staticmethod
    def _is_mine(arrow_type: pa.DataType) -> bool:
        return bool(pa.types.is_duration(arrow_type))
