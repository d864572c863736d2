"""Parquet: one file, a folder of parts, or a folder partitioned the Hive way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import unquote

import pyarrow as pa

from simulacra.connectors.files import Place, parse_options, place_of, reading
from simulacra.connectors.parquet_writer import ParquetOptions, ParquetWriter, PartsWriter
from simulacra.core.batches import check_names
from simulacra.core.context import RunContext
from simulacra.core.errors import InputError
from simulacra.core.protocols import BLOCK_ROWS, BatchSource, TableWriter

_SUFFIXES = (".parquet", ".pq", ".parq")
_HIVE_FOLDER = re.compile(r"([^=/]+)=([^/]*)")
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_PART_FILE = re.compile(r"part[-._]?\d+.*")
_BUFFER_BYTES = 1 << 20


class Parquet:
    """Reads and writes Parquet."""

    name: ClassVar[str] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = _SUFFIXES
    schemes: ClassVar[tuple[str, ...]] = ()

    def read(
        self, uri: str, options: Mapping[str, Any], ctx: RunContext
    ) -> Mapping[str, BatchSource]:
        """Open a file, or a folder whose files are the parts of one table.

        Raises:
            InputError: There is nothing there, it is damaged, or parts differ in their columns.
        """
        parse_options(ParquetOptions, options, self.name)
        place = place_of(uri)
        stem = place.name
        for suffix in _SUFFIXES:
            stem = stem.removesuffix(suffix)
        return {stem: ParquetSource(place, threads=ctx.limits.threads)}

    def writer(
        self, uri: str, table: str, schema: pa.Schema, options: Mapping[str, Any], ctx: RunContext
    ) -> TableWriter:
        """Return a writer of one file, or of a folder of parts (option ``partitioned``)."""
        chosen = parse_options(ParquetOptions, options, self.name)
        check_names(schema, table)
        if chosen.partitioned:
            return PartsWriter(place_of(uri), schema, chosen, ctx)
        return ParquetWriter(place_of(uri), schema, chosen, ctx)


def is_partitioned(folder: Place) -> bool:
    """Say whether a folder holds the parts of one table rather than a table a file.

    It does if it is called ``NAME.parquet``, or has folders ``column=value``, or nothing but files
    called ``part-00000…`` as Simulacra, Spark, DuckDB and Dask write them.
    """
    if folder.name.endswith(_SUFFIXES):
        return True
    children = folder.children()
    if any(_HIVE_FOLDER.fullmatch(child.name) for child in children):
        return True
    return bool(children) and all(
        child.name.endswith(_SUFFIXES) and _PART_FILE.fullmatch(child.name) for child in children
    )


@dataclass(frozen=True, slots=True)
class _Part:
    place: Place
    rows: int
    schema: pa.Schema
    constants: Mapping[str, str | None]


class ParquetSource:
    """A table in one or more Parquet files, read a row group at a time.

    Args:
        place: A file, or a folder of parts.
        threads: How many threads may decode columns.

    Raises:
        InputError: There is nothing there, it is damaged, or parts differ in their columns.
    """

    def __init__(self, place: Place, *, threads: int) -> None:
        self._use_threads = threads > 1
        self._parts = [_part(file, place) for file in _files(place)]
        self._constants = _constant_fields(self._parts)
        self._schema = self._joint_schema(place)
        check_names(self._schema, place.uri)

    def _joint_schema(self, place: Place) -> pa.Schema:
        try:
            joint = pa.unify_schemas([part.schema for part in self._parts])
        except pa.ArrowException as error:
            raise InputError(
                "the parts differ in a column's type",
                where=place.uri,
                why=str(error),
                mend="Write them with one schema, or move tables to folders of their own",
            ) from error
        for field in self._constants:
            joint = joint.append(field)
        return joint

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns; those of the folders' names come last."""
        return self._schema

    def rows(self) -> int:
        """Return the number of rows, as the files' footers state it."""
        return sum(part.rows for part in self._parts)

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows part by part, decoding only the columns wanted.

        Raises:
            InputError: A file is damaged, or has gone.
        """
        names = self._schema.names if columns is None else list(columns)
        schema = pa.schema([self._schema.field(name) for name in names], self._schema.metadata)
        for part in self._parts:
            with reading(part.place.uri):
                yield from self._part_batches(part, schema, batch_rows)

    def _part_batches(
        self, part: _Part, schema: pa.Schema, batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        import pyarrow.parquet as pq

        stored = [name for name in schema.names if name in part.schema.names]
        with (
            part.place.open() as file,
            pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False) as parquet,
        ):
            if not stored:
                for start in range(0, part.rows, batch_rows):
                    rows = min(batch_rows, part.rows - start)
                    yield _completed(None, rows, schema, part)
                return
            for batch in parquet.iter_batches(
                batch_rows, columns=stored, use_threads=self._use_threads
            ):
                yield _completed(batch, batch.num_rows, schema, part)


def _files(place: Place) -> list[Place]:
    if place.is_file():
        return [place]
    if not place.is_folder():
        raise InputError("there is no such file or folder", where=place.uri)
    files = [file for file in place.children(recursive=True) if file.name.endswith(_SUFFIXES)]
    if not files:
        raise InputError("there is no Parquet file", where=place.uri)
    return files


def _part(file: Place, root: Place) -> _Part:
    import pyarrow.parquet as pq

    if file.size() == 0:
        raise InputError("the file is empty", where=file.uri)
    with reading(file.uri), file.open() as opened, pq.ParquetFile(opened) as parquet:
        folders = file.path.removeprefix(root.path).split("/")[:-1]
        matches = [_HIVE_FOLDER.fullmatch(folder) for folder in folders]
        constants = {unquote(m[1]): _partition_value(m[2]) for m in matches if m}
        rows = parquet.metadata.num_rows
        schema = pa.schema(
            [field.remove_metadata() for field in parquet.schema_arrow],
            parquet.schema_arrow.metadata,
        )
    check_names(schema, file.uri)
    return _Part(file, rows, schema, constants)


def _partition_value(text: str) -> str | None:
    return None if text == _HIVE_NULL else unquote(text)


def _constant_fields(parts: Sequence[_Part]) -> list[pa.Field]:
    """Return a field for each column whose values are in the folders' names."""
    values: dict[str, list[str]] = {}
    for part in parts:
        for name, value in part.constants.items():
            if name not in part.schema.names:
                values.setdefault(name, []).extend([] if value is None else [value])
    whole = re.compile(r"0|-?[1-9]\d{0,17}")
    return [
        pa.field(name, pa.int64() if all(map(whole.fullmatch, found)) and found else pa.string())
        for name, found in values.items()
    ]


def _completed(
    batch: pa.RecordBatch | None, rows: int, schema: pa.Schema, part: _Part
) -> pa.RecordBatch:
    """Bring a batch to the joint schema: its order, columns it lacks, types it has narrower."""
    arrays = []
    for field in schema:
        if batch is not None and field.name in batch.schema.names:
            array = batch.column(field.name)
            arrays.append(array if array.type.equals(field.type) else array.cast(field.type))
        elif field.name in part.constants:
            value = part.constants[field.name]
            arrays.append(pa.repeat(pa.scalar(value, pa.string()).cast(field.type), rows))
        else:
            arrays.append(pa.nulls(rows, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
