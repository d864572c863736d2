"""Writes Parquet, streaming."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from simulacra.connectors.files import Place
from simulacra.connectors.publish import mark, staged, sync, writing
from simulacra.core.context import RunContext
from simulacra.core.protocols import Config

_GROUP_ROWS = 1_048_576
_GROUP_MEMORY_SHARE = 0.05
_LOOK_ROWS = 100_000
_FEW_DISTINCT = 0.5


class ParquetOptions(Config):
    """Options of Parquet files."""

    partitioned: Annotated[bool, Field(description="Write a folder of parts")] = False
    part_rows: Annotated[int, Field(ge=1, description="Most rows in one part")] = 4 * _GROUP_ROWS
    compression: Annotated[
        Literal["zstd", "snappy", "lz4", "gzip", "none"], Field(description="Compression")
    ] = "zstd"


class _File:
    """One Parquet file: row groups of about a million rows, encoded in a thread of their own.

    The caller draws the next rows meanwhile; at most one row group is under way.
    """

    def __init__(
        self, path: Path, schema: pa.Schema, options: ParquetOptions, ctx: RunContext
    ) -> None:
        self._path = path
        self._schema = schema
        self._compression = options.compression
        self._bytes = int(ctx.limits.memory * _GROUP_MEMORY_SHARE)
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0
        self._under_way: Future[None] | None = None
        self._sink = pa.OSFile(str(path), "wb")
        self._writer: pa.parquet.ParquetWriter | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="simulacra-parquet")

    def write(self, batch: pa.RecordBatch) -> None:
        while batch.num_rows:
            taken = batch.slice(0, _GROUP_ROWS - self._waiting_rows)
            batch = batch.slice(taken.num_rows)
            self._waiting.append(taken)
            self._waiting_rows += taken.num_rows
            # As written: the same rows count the same, however they lie in memory.
            self._waiting_bytes += pa.ipc.get_record_batch_size(taken)
            if self._waiting_rows >= _GROUP_ROWS or self._waiting_bytes >= self._bytes:
                self._write_group()

    def _write_group(self) -> None:
        group = pa.Table.from_batches(self._waiting, self._schema)
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        self._finish_group()
        if self._writer is None:
            self._writer = self._open(group)
        self._under_way = self._thread.submit(
            self._writer.write_table, group, row_group_size=_GROUP_ROWS
        )

    def _finish_group(self) -> None:
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None

    def _open(self, first: pa.Table) -> pa.parquet.ParquetWriter:
        import pyarrow.parquet as pq

        compression = self._compression
        return pq.ParquetWriter(
            self._sink,
            self._schema,
            compression=compression,
            compression_level=1 if compression == "zstd" else None,
            use_dictionary=_repeating(first.slice(0, _LOOK_ROWS)),
        )

    def finish(self) -> None:
        if self._waiting or self._writer is None:
            self._write_group()
        self._finish_group()
        if self._writer is not None:
            self._writer.close()
        self._thread.shutdown()
        self._sink.close()
        sync(self._path)

    def drop(self) -> None:
        self._thread.shutdown(cancel_futures=True)
        self._sink.close()


def _repeating(rows: pa.Table) -> list[str]:
    """Return the columns worth a dictionary: building one costs most where it is thrown away."""
    names = []
    for field in rows.schema:
        column = rows.column(field.name)
        if pa.types.is_nested(field.type) or pa.types.is_dictionary(field.type):
            names.append(field.name)
        elif not pa.types.is_null(field.type):
            distinct = len(pc.unique(column))
            if distinct <= _FEW_DISTINCT * max(len(column), 1):
                names.append(field.name)
    return names


@contextmanager
def _open_file(
    path: Path, schema: pa.Schema, options: ParquetOptions, ctx: RunContext
) -> Iterator[_File]:
    file = _File(path, schema, options, ctx)
    try:
        yield file
        file.finish()
    except BaseException:
        file.drop()
        raise


class ParquetWriter:
    """Writes one file.

    Args:
        place: Where it shall appear.
        schema: Its columns.
        options: How to write.
        ctx: Limits.
    """

    def __init__(
        self, place: Place, schema: pa.Schema, options: ParquetOptions, ctx: RunContext
    ) -> None:
        self._place = place
        self._how = (schema, options, ctx)
        self._stack = ExitStack()

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        with writing(self._place.uri):
            self._file.write(batch)

    def __enter__(self) -> Self:
        """Open the output."""
        with ExitStack() as stack:
            path = stack.enter_context(staged(self._place))
            self._file = stack.enter_context(_open_file(path, *self._how))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Publish the output, or drop it after an exception."""
        self._stack.__exit__(*exc_info)  # type: ignore[arg-type]


class PartsWriter:
    """Writes a folder of files ``part-00000.parquet``, ``part-00001.parquet`` and so on.

    Args:
        place: Where the folder shall appear.
        schema: The columns.
        options: How to write.
        ctx: Limits.
    """

    def __init__(
        self, place: Place, schema: pa.Schema, options: ParquetOptions, ctx: RunContext
    ) -> None:
        self._place = place
        self._part_rows = options.part_rows
        self._how = (schema, options, ctx)
        self._stack = ExitStack()
        self._part = ExitStack()
        self._folder = Path()
        self._parts = self._room = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows, to the next part when one is full."""
        with writing(self._place.uri):
            while batch.num_rows:
                if self._room == 0:
                    self._next_part()
                taken = batch.slice(0, self._room)
                batch = batch.slice(taken.num_rows)
                self._file.write(taken)
                self._room -= taken.num_rows

    def _next_part(self) -> None:
        self._part.close()
        path = self._folder / f"part-{self._parts:05d}.parquet"
        self._file = self._part.enter_context(_open_file(path, *self._how))
        self._parts += 1
        self._room = self._part_rows

    def __enter__(self) -> Self:
        """Open the first part: a table without rows has one, for its columns."""
        with ExitStack() as stack:
            self._folder = stack.enter_context(staged(self._place))
            self._folder.mkdir()
            stack.push(self._mark)
            stack.enter_context(self._part)
            self._next_part()
            self._stack = stack.pop_all()
        return self

    def _mark(self, kind: object, *_: object) -> None:
        if kind is None:
            mark(self._folder)

    def __exit__(self, *exc_info: object) -> None:
        """Publish the folder, or drop it after an exception."""
        self._stack.__exit__(*exc_info)  # type: ignore[arg-type]
