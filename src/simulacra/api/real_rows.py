"""Real rows on their way to a target: what ``subset`` and ``anonymize`` return."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from simulacra.api.metadata import Metadata
from simulacra.connectors.frames import FrameKind, to_frame
from simulacra.connectors.locate import open_target
from simulacra.core.context import RunContext
from simulacra.core.schema import DatasetSpec


class _Table(Protocol):
    @property
    def schema(self) -> pa.Schema: ...

    def batches(self, ctx: RunContext) -> Iterator[pa.RecordBatch]: ...


class _Tables(Protocol):
    @property
    def spec(self) -> DatasetSpec: ...

    @property
    def tables(self) -> Mapping[str, _Table]: ...


class RealRows:
    """Tables of real rows; they are read when they are asked for."""

    def __init__(
        self, found: _Tables, kinds: Mapping[str, FrameKind], *, is_single: bool, ctx: RunContext
    ) -> None:
        self._found = found
        self._kinds = kinds
        self._is_single = is_single
        self._ctx = ctx

    @property
    def metadata(self) -> Metadata:
        """What the tables are."""
        return Metadata(self._found.spec)

    def frames(self) -> Any:
        """Return the rows as frames of the type that was given, by table; one if one was given.

        Raises:
            InputError: The data can't be read.
            SpecError: A value can't be masked.
        """
        frames = {}
        for name in self._found.spec.tables:
            table = self._found.tables[name]
            rows = pa.Table.from_batches(table.batches(self._ctx), table.schema)
            frames[name] = to_frame(rows, self._kinds.get(name, FrameKind.ARROW))
        return next(iter(frames.values())) if self._is_single else frames

    def write(
        self,
        dest: str | Path,
        *,
        file_format: str | None = None,
        partitioned: bool = False,
        overwrite: bool = False,
        if_exists: str = "fail",
    ) -> dict[str, int]:
        """Write the rows, a batch at a time.

        Args:
            dest: A file for one table, a folder for one or more, or a URL.
            file_format: The format in a folder; that of the file's ending, or Parquet.
            partitioned: Whether each table becomes a folder of Parquet parts.
            overwrite: Whether what is at ``dest`` may be replaced.
            if_exists: What is done with tables of a database that are there and hold rows:
                ``fail``, ``append`` or ``replace``.

        Returns:
            The number of rows written, by table. All tables appear together, or none does.

        Raises:
            InputError: The data can't be read.
            OutputError: ``dest`` can't be written.
            SpecError: A value can't be masked.
            UsageError: The arguments make no sense.
        """
        spec = self._found.spec
        target = open_target(
            str(dest),
            tables={name: self._found.tables[name].schema for name in spec.tables},
            spec=spec,
            file_format=file_format,
            partitioned=partitioned,
            overwrite=overwrite,
            if_exists=if_exists,
            ctx=self._ctx,
        )
        written = dict.fromkeys(spec.tables, 0)
        with target as writers:
            for name, table in self._found.tables.items():
                with writers[name] as writer:
                    for batch in table.batches(self._ctx):
                        writer.write(batch)
                        written[name] += batch.num_rows
        return written
