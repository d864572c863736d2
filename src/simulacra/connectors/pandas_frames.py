"""pandas frames as Arrow tables and back, with the types that Arrow lacks."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from simulacra.connectors.frames import mixed_types
from simulacra.core.batches import check_names
from simulacra.core.errors import InputError

_KEY = b"simulacra.pandas"


def is_frame(frame: Any) -> bool:
    """Say whether this is a pandas data frame."""
    return isinstance(frame, pd.DataFrame)


def from_pandas(frame: pd.DataFrame) -> pa.Table:
    """Return the frame as an Arrow table whose metadata keeps the dtypes; the index is dropped.

    Raises:
        InputError: Names repeat, a column mixes types, or holds what Arrow can't.
    """
    check_names(pa.schema([(str(name), pa.null()) for name in frame.columns]), "data frame")
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, OverflowError, ValueError, TypeError) as error:
        raise _unreadable(frame, error) from error
    kept = {str(name): _dtype(frame[name].dtype) for name in frame.columns}
    names: list[Any] = list(frame.columns)
    described = {
        "dtypes": {name: dtype for name, dtype in kept.items() if dtype is not None},
        "whole_names": [str(name) for name in names if isinstance(name, int)],
    }
    return table.replace_schema_metadata(
        {**(table.schema.metadata or {}), _KEY: json.dumps(described)}
    )


def _unreadable(frame: pd.DataFrame, error: Exception) -> InputError:
    for name in frame.columns:
        try:
            pa.array(frame[name], from_pandas=True)
        except (pa.ArrowException, OverflowError, ValueError, TypeError) as column_error:
            values = frame[name].dropna()
            if frame[name].dtype == object:
                return mixed_types(str(name), values, column_error)
            return InputError(
                f"the column's dtype {frame[name].dtype} can't be read",
                where=f"data frame.{name}",
                why=str(column_error),
                mend="Convert it with astype",
            )
    return InputError("the data frame can't be read", why=str(error))


def _dtype(dtype: Any) -> dict[str, Any] | None:
    """Describe what the Arrow type and pandas' own metadata don't tell apart."""
    if dtype == np.dtype(object):
        return {"dtype": "object"}
    if isinstance(dtype, pd.StringDtype):
        return {"dtype": "string", "storage": dtype.storage, "nan": dtype.na_value is not pd.NA}
    return None


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Return the table as a pandas frame, its dtypes as :func:`from_pandas` found them."""
    described = json.loads((table.schema.metadata or {}).get(_KEY, b"{}"))
    dtypes, whole_names = described.get("dtypes", {}), set(described.get("whole_names", []))
    frame: pd.DataFrame = table.to_pandas()
    for name in frame.columns:
        dtype = dtypes.get(str(name))
        if dtype is not None:
            frame[name] = _as_described(frame[name], dtype)
    if whole_names:
        frame.columns = pd.Index(
            [int(name) if name in whole_names else name for name in map(str, frame.columns)]
        )
    return frame


def _as_described(values: pd.Series[Any], dtype: dict[str, Any]) -> pd.Series[Any]:
    if dtype["dtype"] == "object":
        if values.dtype == object:
            return values
        plain = values.astype(object)
        return plain.where(plain.notna(), None)
    if dtype["nan"]:
        return values.astype(pd.StringDtype(dtype["storage"], na_value=float("nan")))
    return values.astype(pd.StringDtype(dtype["storage"]))
