"""Reading a column's options and Arrow type from its specification."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pyarrow as pa
from pydantic import ValidationError

from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config
from simulacra.core.schema import ColumnSpec

C = TypeVar("C", bound=Config)


def read_options(name: str, column: ColumnSpec, config: type[C]) -> C:
    """Return a column's options.

    Raises:
        SpecError: An option is unknown or out of range.
    """
    try:
        return config.model_validate(column.options)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SpecError(
            f"the option {place!r} is wrong",
            where=name,
            why=first["msg"],
            mend=f"Options of {column.type}: {', '.join(config.model_fields) or 'none'}",
        ) from error


def require_type(
    name: str, column: ColumnSpec, datatype: str, fits: Callable[[pa.DataType], bool]
) -> pa.DataType:
    """Return a column's Arrow type.

    Raises:
        SpecError: The datatype can't hold it.
    """
    arrow_type = column.arrow_type()
    if not fits(arrow_type):
        raise SpecError(
            f"{column.arrow} can't be a column of type {datatype}",
            where=name,
            mend="Choose another datatype for it in the specification",
        )
    return arrow_type
