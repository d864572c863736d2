"""Families of Arrow types that differ in layout only."""

from __future__ import annotations

import pyarrow as pa


def is_text(arrow_type: pa.DataType) -> bool:
    """Say whether a type is a string type."""
    kinds = pa.types
    return bool(
        kinds.is_string(arrow_type)
        or kinds.is_large_string(arrow_type)
        or kinds.is_string_view(arrow_type)
    )


def is_bytes(arrow_type: pa.DataType) -> bool:
    """Say whether a type is a binary type."""
    kinds = pa.types
    return bool(
        kinds.is_binary(arrow_type)
        or kinds.is_large_binary(arrow_type)
        or kinds.is_binary_view(arrow_type)
        or kinds.is_fixed_size_binary(arrow_type)
    )


def holds_integers(arrow_type: pa.DataType) -> bool:
    """Say whether a type may hold whole numbers that name something."""
    kinds = pa.types
    return bool(
        kinds.is_integer(arrow_type)
        or kinds.is_floating(arrow_type)
        or (kinds.is_decimal(arrow_type) and arrow_type.scale == 0)
    )
