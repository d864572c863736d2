"""Sources over what other libraries keep: Arrow datasets, DuckDB relations, lazy polars frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from simulacra.connectors.files import reading
from simulacra.core.protocols import BLOCK_ROWS

if TYPE_CHECKING:
    import duckdb
    import polars as pl
    from pyarrow import dataset


class DatasetSource:
    """A pyarrow dataset, read fragment by fragment.

    Args:
        data: The dataset.
    """

    def __init__(self, data: dataset.Dataset) -> None:
        self._data = data

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns."""
        return self._data.schema

    def rows(self) -> int:
        """Return the number of rows."""
        return int(self._data.count_rows())

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the dataset's order, a little read ahead."""
        names = None if columns is None else list(columns)
        with reading("dataset"):
            yield from self._data.to_batches(
                columns=names, batch_size=batch_rows, batch_readahead=2, fragment_readahead=1
            )


class RelationSource:
    """A DuckDB relation, run anew at every pass.

    Args:
        relation: The relation; its connection must stay open.
    """

    def __init__(self, relation: duckdb.DuckDBPyRelation) -> None:
        self._relation = relation
        self._schema: pa.Schema = _stream(relation.limit(0), 1).schema

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns."""
        return self._schema

    def rows(self) -> None:
        """Return None: the relation would have to be run."""
        return

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Run the relation and yield its rows."""
        relation = self._relation
        if columns is not None:
            import duckdb

            relation = relation.select(*(duckdb.ColumnExpression(name) for name in columns))
        with reading("DuckDB relation"):
            yield from _stream(relation, batch_rows)


def _stream(relation: Any, batch_rows: int) -> pa.RecordBatchReader:
    # DuckDB has renamed the method; both are there for some versions.
    make = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return make(batch_rows)


class LazySource:
    """A lazy polars frame, collected anew at every pass, only the columns wanted.

    Args:
        frame: The frame.
    """

    def __init__(self, frame: pl.LazyFrame) -> None:
        from simulacra.connectors.polars_frames import from_polars

        self._frame = frame
        self._schema: pa.Schema = from_polars(frame.head(0).collect()).schema

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns."""
        return self._schema

    def rows(self) -> None:
        """Return None: the frame would have to be collected."""
        return

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Collect the frame and yield its rows."""
        from simulacra.connectors.polars_frames import from_polars

        frame = self._frame if columns is None else self._frame.select(list(columns))
        yield from from_polars(frame.collect(engine="streaming")).to_batches(
            max_chunksize=batch_rows
        )
