"""Values of key columns as one or two 64-bit words, equal exactly where the values are.

The parent's column decides the form: whole numbers, dates and times are themselves, in the parent's
unit; anything longer (text, bytes, long decimals) is its 128-bit hash. A child's values are brought
into that form. Those that no value of the parent's type can equal (1.5 among whole numbers) are
marked, so that types may differ as long as values are of one family.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.compiled import Flags
from simulacra.core.errors import SpecError
from simulacra.pipeline.relations.keys.words import (
    Words,
    as_numpy,
    exact,
    hashed,
    one_word,
    real,
    unsigned,
    whole,
)

_DIGITS_IN_A_WORD = 18
_TICKS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_DAY = 86_400 * 10**9
_INT64 = np.iinfo(np.int64)
_TYPES = pa.types


class Form(Enum):
    """How the values of a column become words."""

    WHOLE = "whole numbers"
    UNSIGNED = "whole numbers of 64 bits without a sign"
    REAL = "numbers"
    EXACT = "decimals"
    BYTES = "text"
    MOMENT = "dates and times"
    CLOCK = "times of day"
    SPAN = "durations"
    NOTHING = "nulls"


_NUMBERS = frozenset({Form.WHOLE, Form.UNSIGNED, Form.REAL, Form.EXACT})
_LONG = frozenset({Form.EXACT, Form.BYTES})


@dataclass(frozen=True, slots=True)
class KeyForm:
    """The form of one key column of a parent.

    Attributes:
        form: How values become words.
        tick: Nanoseconds in one unit, for dates, times and durations; else 1.
        text: The parent's Arrow type, for messages.
    """

    form: Form
    tick: int
    text: str

    @classmethod
    def of(cls, kind: pa.DataType, where: str) -> KeyForm:
        """Return the form of a parent's column.

        Raises:
            SpecError: Values of this type can't be keys.
        """
        form, tick = _form(kind, where)
        return cls(form, tick, str(kind))

    @property
    def width(self) -> int:
        """Words per value."""
        return 2 if self.form in _LONG else 1

    def words(self, values: pa.Array, where: str) -> Words:
        """Return the words of a column of the parent's or a child's values.

        Raises:
            SpecError: The values are of another family than the parent's.
        """
        if _TYPES.is_dictionary(values.type):
            return self._of_dictionary(values, where)
        values = _plain(values)
        form, tick = _form(values.type, where)
        null = np.asarray(values.is_null())
        if Form.NOTHING in (form, self.form):
            return self._nothing(null)
        if form is not self.form and not {form, self.form} <= _NUMBERS:
            raise SpecError(
                f"{form.value} ({values.type}) can't refer to {self.form.value} ({self.text})",
                where=where,
                mend="Leave this foreign key out, or read one of the columns as the other's type",
            )
        if self.form is Form.BYTES:
            return Words(hashed(values), null, np.zeros(len(values), bool))
        if self.form in _NUMBERS:
            return _NUMBER_WORDS[self.form](values, null)
        return self._of_ticks(values, null, tick)

    def _of_dictionary(self, values: pa.DictionaryArray, where: str) -> Words:
        known = self.words(values.dictionary, where)
        null = np.asarray(values.is_null())
        if not len(values.dictionary):
            return self._nothing(null)
        # Casting keeps nulls and slices right, whatever the width of the indices.
        places = np.asarray(values.indices.cast(pa.int64()).fill_null(0))
        return Words(known.words[places], null | known.null[places], known.foreign[places])

    def _nothing(self, null: Flags) -> Words:
        return Words(np.zeros((len(null), self.width), np.uint64), null, ~null)

    def _of_ticks(self, values: pa.Array, null: Flags, tick: int) -> Words:
        plain = pa.int32() if values.type.bit_width == 32 else pa.int64()
        numbers = as_numpy(values.view(plain)).astype(np.int64)
        foreign = np.zeros(len(numbers), bool)
        if tick > self.tick:
            factor = tick // self.tick
            foreign = np.abs(numbers) > _INT64.max // factor
            numbers = np.where(foreign, 0, numbers) * factor
        elif tick < self.tick:
            numbers, rest = np.divmod(numbers, self.tick // tick)
            foreign = rest != 0
        return Words(one_word(numbers), null, foreign & ~null)


def _form(kind: pa.DataType, where: str) -> tuple[Form, int]:
    if isinstance(kind, pa.BaseExtensionType):
        return _form(kind.storage_type, where)
    if _TYPES.is_dictionary(kind) or _TYPES.is_run_end_encoded(kind):
        return _form(kind.value_type, where)
    for belongs, form in _FORMS:
        if belongs(kind):
            return form, _tick(kind, form)
    raise SpecError(f"values of type {kind} can't be keys", where=where)


def _tick(kind: pa.DataType, form: Form) -> int:
    if form not in {Form.MOMENT, Form.CLOCK, Form.SPAN}:
        return 1
    if _TYPES.is_date32(kind):
        return _DAY
    return _TICKS["ms" if _TYPES.is_date64(kind) else kind.unit]


def _is_short_decimal(kind: pa.DataType) -> bool:
    decimal = _TYPES.is_decimal(kind)
    return bool(decimal and kind.scale == 0 and kind.precision <= _DIGITS_IN_A_WORD)


_FORMS: tuple[tuple[Callable[[pa.DataType], bool], Form], ...] = (
    (_TYPES.is_null, Form.NOTHING),
    (_TYPES.is_uint64, Form.UNSIGNED),
    (_TYPES.is_integer, Form.WHOLE),
    (_TYPES.is_boolean, Form.WHOLE),
    (_is_short_decimal, Form.WHOLE),
    (_TYPES.is_decimal, Form.EXACT),
    (_TYPES.is_floating, Form.REAL),
    (_TYPES.is_string, Form.BYTES),
    (_TYPES.is_large_string, Form.BYTES),
    (_TYPES.is_string_view, Form.BYTES),
    (_TYPES.is_binary, Form.BYTES),
    (_TYPES.is_large_binary, Form.BYTES),
    (_TYPES.is_binary_view, Form.BYTES),
    (_TYPES.is_fixed_size_binary, Form.BYTES),
    (_TYPES.is_date, Form.MOMENT),
    (_TYPES.is_timestamp, Form.MOMENT),
    (_TYPES.is_time, Form.CLOCK),
    (_TYPES.is_duration, Form.SPAN),
)


def _plain(values: pa.Array) -> pa.Array:
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    if _TYPES.is_run_end_encoded(values.type):
        values = pc.run_end_decode(values)
    if _TYPES.is_string_view(values.type):
        values = values.cast(pa.large_string())
    if _TYPES.is_binary_view(values.type):
        values = values.cast(pa.large_binary())
    return values


_NUMBER_WORDS: dict[Form, Callable[[pa.Array, Flags], Words]] = {
    Form.WHOLE: whole,
    Form.UNSIGNED: unsigned,
    Form.REAL: real,
    Form.EXACT: exact,
}
