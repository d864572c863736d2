"""Whole numbers: each becomes another of as many digits, whatever type holds it.

A range ends where a type does, so that a number which a column of 16 bits can hold becomes one that
it can hold, and keys agree across columns of different types.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.compiled import Ints
from simulacra.core.errors import SpecError
from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.masking.permuting import permuted

_EXACT = {16: 2**11 - 1, 32: 2**24 - 1, 64: 2**53 - 1}
"""Floats of so many bits hold all whole numbers up to these."""
_ENDS = sorted(
    {0, *(10**digits - 1 for digits in range(1, 19))}
    | {2**bits - 1 for bits in (7, 8, 15, 16, 31, 32, 62, 63)}
    | set(_EXACT.values())
)
"""The last number of each range; nought, which often means none, is a range of its own."""


def masked_numbers(numbers: Ints, secret: SecretKey) -> Ints:
    """Return the number that each becomes: a bijection of all int64, nought and -1 aside.

    Args:
        numbers: Shape ``(rows,)``, dtype int64.
        secret: What it depends on.
    """
    negative = numbers < 0
    # The complement of -128 is 127: types hold as many numbers on either side.
    sizes = np.where(negative, ~numbers, numbers)
    ranges = np.searchsorted(np.array(_ENDS), sizes)
    made = sizes.copy()
    for place in np.unique(ranges):
        if place == 0:
            continue
        least, size = _ENDS[place - 1] + 1, _ENDS[place] - _ENDS[place - 1]
        rows = np.flatnonzero(ranges == place)
        made[rows] = least + permuted(secret, sizes[rows] - least, size, "integer", int(place))
    return np.where(negative, ~made, made)


def masked_integers(values: pa.Array, secret: SecretKey, *, where: str) -> pa.Array:
    """Return whole numbers of any type (integers, decimals, floats of a frame with nulls), masked.

    Nulls stay, and so does NaN.

    Args:
        values: Of a type that ``arrow_kinds.holds_integers`` takes.
        secret: What it depends on.
        where: The column, for messages.

    Raises:
        SpecError: A number isn't whole, or has more than 63 bits.
    """
    kind = values.type
    filled = values.is_valid()
    if pa.types.is_floating(kind):
        filled = pc.and_(filled, pc.invert(pc.is_nan(values)).fill_null(False))  # noqa: FBT003
    try:
        numbers = values.filter(filled).cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise _beyond(where) from error
    if pa.types.is_floating(kind) and len(numbers):
        reach = pc.max(pc.abs(numbers)).as_py()
        if reach > _EXACT[kind.bit_width]:
            raise _beyond(where)
    made = masked_numbers(numbers.to_numpy(zero_copy_only=False), secret)
    if len(numbers) == len(values):
        return _as(kind, made)
    places = np.cumsum(filled.to_numpy(zero_copy_only=False)) - 1
    spread = made[np.maximum(places, 0)] if len(made) else np.zeros(len(values), np.int64)
    return pc.if_else(filled, _as(kind, spread), values)


def _as(kind: pa.DataType, numbers: Ints) -> pa.Array:
    made = pa.array(numbers)
    if pa.types.is_decimal(kind):
        # Arrow wants room for all of int64 first.
        made = made.cast(pa.decimal128(19, 0))
    return made.cast(kind)


def _beyond(where: str) -> SpecError:
    return SpecError(
        "a number can't be masked",
        where=where,
        why="only whole numbers can, of at most 63 bits (53 in a column of floats)",
        mend="Leave the column as it is with --keep",
    )
