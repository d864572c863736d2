"""Data frames of any library, in and out: what comes out is of the type that came in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pyarrow as pa

from simulacra.connectors.dataset_source import DatasetSource, LazySource, RelationSource
from simulacra.core.batches import GeneratorSource, TableSource, check_names
from simulacra.core.errors import InputError, UsageError
from simulacra.core.protocols import BatchSource

_FRAME = "data frame"


class FrameKind(StrEnum):
    """What a frame came as, and what :func:`to_frame` gives back."""

    ARROW = "arrow"
    """A pyarrow table; for whatever has no frame type of its own (files, generators, readers)."""
    BATCH = "batch"
    """A pyarrow record batch."""
    PANDAS = "pandas"
    POLARS = "polars"
    POLARS_LAZY = "polars-lazy"
    DUCKDB = "duckdb"
    """A DuckDB relation, in the default connection."""
    ROWS = "rows"
    """A list of dicts."""
    COLUMNS = "columns"
    """A dict of lists."""


def from_frame(frame: Any) -> tuple[BatchSource, FrameKind]:
    """Make a source of a data frame.

    Known are pandas, polars (lazy too), pyarrow tables, batches and datasets, DuckDB relations,
    lists of dicts, dicts of lists, functions that return an iterator of batches anew at every call,
    sources, and whatever else narwhals or the Arrow PyCapsule interface knows. Nothing is changed
    or, where the library's memory is Arrow's already, copied.

    Returns:
        The source, and what :func:`to_frame` needs to give a frame of the same type.

    Raises:
        InputError: Names repeat, a column mixes types, or the data can be read only once.
        UsageError: This is no data frame.
    """
    source, kind = _open(frame)
    check_names(source.schema, _FRAME)
    return source, kind


def to_frame(table: pa.Table, kind: FrameKind) -> Any:  # noqa: PLR0911 - a case a kind
    """Return the rows as a frame of the kind that :func:`from_frame` found.

    Args:
        table: The rows; its schema's metadata holds what Arrow types don't say.
        kind: The type of frame wanted.
    """
    match kind:
        case FrameKind.ARROW:
            return table
        case FrameKind.BATCH:
            return _one_batch(table)
        case FrameKind.ROWS:
            return table.to_pylist()
        case FrameKind.COLUMNS:
            return table.to_pydict()
        case FrameKind.PANDAS:
            from simulacra.connectors.pandas_frames import to_pandas

            return to_pandas(table)
        case FrameKind.POLARS | FrameKind.POLARS_LAZY:
            from simulacra.connectors.polars_frames import to_polars

            made = to_polars(table)
            return made.lazy() if kind is FrameKind.POLARS_LAZY else made
        case FrameKind.DUCKDB:
            import duckdb

            return duckdb.from_arrow(table)


def _open(frame: Any) -> tuple[BatchSource, FrameKind]:
    if (arrow := _open_arrow(frame)) is not None:
        return arrow
    if isinstance(frame, list | tuple | Mapping):
        return _open_plain(frame)
    if (known := _open_library(frame)) is not None:
        return known
    if isinstance(frame, BatchSource) and not isinstance(frame, type):
        return frame, FrameKind.ARROW
    if callable(frame) and not hasattr(frame, "__arrow_c_stream__"):
        return GeneratorSource(frame), FrameKind.ARROW
    return _open_foreign(frame)


def _open_arrow(frame: Any) -> tuple[BatchSource, FrameKind] | None:
    if isinstance(frame, pa.Table):
        return TableSource(frame), FrameKind.ARROW
    if isinstance(frame, pa.RecordBatch):
        return TableSource(pa.Table.from_batches([frame])), FrameKind.BATCH
    if isinstance(frame, pa.RecordBatchReader):
        raise InputError(
            "a reader can be read only once, learning takes several passes",
            mend="Give reader.read_all(), or a function that opens a new reader",
        )
    if "pyarrow.dataset" in sys.modules:
        from pyarrow import dataset

        if isinstance(frame, dataset.Dataset):
            return DatasetSource(frame), FrameKind.ARROW
    return None


def _open_plain(frame: Any) -> tuple[BatchSource, FrameKind]:
    if not frame:
        raise UsageError(f"an empty {type(frame).__name__} is no table")
    if isinstance(frame, Mapping):
        columns = {str(name): _plain_column(str(name), values) for name, values in frame.items()}
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise InputError("the columns differ in length", why=str(lengths))
        return TableSource(pa.table(columns)), FrameKind.COLUMNS
    wrong = next((row for row in frame if not isinstance(row, Mapping)), None)
    if wrong is not None:
        raise UsageError(
            f"a list of {type(wrong).__name__} is no table", mend="Give a list of dicts"
        )
    names = list(dict.fromkeys(str(name) for row in frame for name in row))
    columns = {name: _plain_column(name, [row.get(name) for row in frame]) for name in names}
    return TableSource(pa.table(columns)), FrameKind.ROWS


def _plain_column(name: str, values: Any) -> pa.Array:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise mixed_types(name, values, error) from error


def mixed_types(name: str, values: Any, error: Exception) -> InputError:
    """Return the error for a column of Python objects that are of no one type."""
    kinds = sorted({type(value).__name__ for value in values if value is not None} - {"NAType"})
    mixed = len(kinds) > 1
    return InputError(
        "the column mixes types" if mixed else "the column holds what can't be read",
        where=f"{_FRAME}.{name}",
        why=", ".join(kinds) if mixed else f"{', '.join(kinds)}: {error}",
        mend="Convert it to one type, as with astype(str)",
    )


def _open_library(frame: Any) -> tuple[BatchSource, FrameKind] | None:
    library = type(frame).__module__.partition(".")[0]
    if library == "pandas" and "pandas" in sys.modules:
        from simulacra.connectors.pandas_frames import from_pandas, is_frame

        if is_frame(frame):
            return TableSource(from_pandas(frame)), FrameKind.PANDAS
    if library == "polars" and "polars" in sys.modules:
        import polars as pl

        from simulacra.connectors.polars_frames import from_polars

        if isinstance(frame, pl.LazyFrame):
            return LazySource(frame), FrameKind.POLARS_LAZY
        if isinstance(frame, pl.DataFrame):
            return TableSource(from_polars(frame)), FrameKind.POLARS
    if library in {"duckdb", "_duckdb"}:
        import duckdb

        if isinstance(frame, duckdb.DuckDBPyRelation):
            return RelationSource(frame), FrameKind.DUCKDB
    return None


def _open_foreign(frame: Any) -> tuple[BatchSource, FrameKind]:
    if hasattr(frame, "__arrow_c_stream__"):
        return TableSource(pa.table(frame)), FrameKind.ARROW
    import narwhals as nw

    known = nw.from_native(frame, pass_through=True)
    if isinstance(known, nw.LazyFrame):
        known = known.collect()
    if isinstance(known, nw.DataFrame):
        return TableSource(known.to_arrow()), FrameKind.ARROW
    raise UsageError(
        f"{type(frame).__module__}.{type(frame).__name__} is no data frame",
        mend="Give a pandas, polars, Arrow or DuckDB frame, a list of dicts, or a path",
    )


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
