"""Arrow's own formats: IPC files and streams, Feather."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any, ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from simulacra.connectors.files import Place, parse_options, place_of, reading, split_suffix
from simulacra.connectors.publish import staged, sync, writing
from simulacra.core.batches import check_names
from simulacra.core.context import RunContext
from simulacra.core.errors import InputError, OutputError
from simulacra.core.protocols import BLOCK_ROWS, BatchSource, Config, TableWriter

_FILE_MARK = b"ARROW1"
_OLD_FEATHER_MARK = b"FEA1"


class ArrowOptions(Config):
    """Options of Arrow files."""

    compression: Annotated[
        Literal["lz4", "zstd", "none"], Field(description="Compression of the columns")
    ] = "lz4"


class Arrow:
    """Reads and writes Arrow IPC files, which Feather (version 2) files are too."""

    name: ClassVar[str] = "arrow"
    suffixes: ClassVar[tuple[str, ...]] = (".arrow", ".feather", ".ipc")
    schemes: ClassVar[tuple[str, ...]] = ()

    def read(
        self, uri: str, options: Mapping[str, Any], ctx: RunContext
    ) -> Mapping[str, BatchSource]:
        """Open a file or a stream.

        Raises:
            InputError: It is damaged, or of Feather's first version.
        """
        del ctx
        parse_options(ArrowOptions, options, self.name)
        place = place_of(uri)
        stem, _ = split_suffix(place.name, self.suffixes)
        return {stem: ArrowSource(place)}

    def writer(
        self, uri: str, table: str, schema: pa.Schema, options: Mapping[str, Any], ctx: RunContext
    ) -> TableWriter:
        """Return a writer of one file; it keeps all types."""
        del ctx
        check_names(schema, table)
        return ArrowWriter(
            place_of(uri), table, schema, parse_options(ArrowOptions, options, self.name)
        )


class ArrowSource:
    """A table in an Arrow file or stream.

    Args:
        place: The file.

    Raises:
        InputError: It is damaged, or of Feather's first version.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        with reading(place.uri), place.open() as file:
            mark = file.read(len(_FILE_MARK))
        if not mark:
            raise InputError("the file is empty", where=place.uri)
        if mark.startswith(_OLD_FEATHER_MARK):
            raise InputError(
                "this is Feather of version 1",
                where=place.uri,
                mend="Write it anew with pyarrow.feather.write_feather",
            )
        self._is_stream = mark != _FILE_MARK
        self._rows: int | None = None
        with reading(place.uri), self._open(None) as reader:
            self._schema: pa.Schema = reader.schema
            if not self._is_stream:
                self._rows = reader.count_rows()
        check_names(self._schema, place.uri)

    @contextmanager
    def _open(
        self, columns: list[str] | None
    ) -> Iterator[pa.RecordBatchFileReader | pa.RecordBatchStreamReader]:
        fields = None if columns is None else [self._schema.names.index(name) for name in columns]
        options = pa.ipc.IpcReadOptions(included_fields=fields)
        with self._place.mapped() as file:
            if self._is_stream:
                yield pa.ipc.open_stream(file, options=options)
            else:
                yield pa.ipc.open_file(file, options=options)

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns."""
        return self._schema

    def rows(self) -> int | None:
        """Return the number of rows; None for a stream, which doesn't say."""
        return self._rows

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order, decoding only the columns wanted."""
        names = None if columns is None else list(columns)
        with reading(self._place.uri), self._open(names) as reader:
            batches = (
                reader
                if self._is_stream
                else map(reader.get_batch, range(reader.num_record_batches))
            )
            for batch in batches:
                wanted = batch if names is None else batch.select(names)
                for start in range(0, wanted.num_rows, batch_rows):
                    yield wanted.slice(start, batch_rows)


class ArrowWriter:
    """Writes one Arrow IPC file.

    Args:
        place: Where it shall appear.
        table: The table's name, for messages.
        schema: Its columns.
        options: How to write.
    """

    def __init__(self, place: Place, table: str, schema: pa.Schema, options: ArrowOptions) -> None:
        self._place = place
        self._schema = schema
        self._compression = None if options.compression == "none" else options.compression
        self._dictionaries = {
            field.name: _GrowingDictionary(field, table)
            for field in schema
            if pa.types.is_dictionary(field.type)
        }
        self._stack = ExitStack()

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        columns = [
            self._dictionaries[name].encode(column) if name in self._dictionaries else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        with writing(self._place.uri):
            self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def __enter__(self) -> Self:
        """Open the output."""
        options = pa.ipc.IpcWriteOptions(compression=self._compression, emit_dictionary_deltas=True)
        with ExitStack() as stack, writing(self._place.uri):
            path = stack.enter_context(staged(self._place))
            stack.push(lambda kind, *_: sync(path) if kind is None else None)
            file = stack.enter_context(pa.OSFile(str(path), "wb"))
            self._writer = pa.ipc.new_file(file, self._schema, options=options)
            stack.push(lambda kind, *_: self._writer.close() if kind is None else None)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Publish the output, or drop it after an exception."""
        self._stack.__exit__(*exc_info)  # type: ignore[arg-type]


class _GrowingDictionary:
    """One dictionary for all batches: an IPC file lets a dictionary grow, not change."""

    def __init__(self, field: pa.Field, table: str) -> None:
        self._type = field.type
        self._where = f"{table}.{field.name}"
        self._values: pa.Array | None = None

    def encode(self, values: pa.Array) -> pa.Array:
        """Return the same values as indices into the common dictionary."""
        known = values.dictionary if self._values is None else self._values
        if values.dictionary.equals(known):
            self._values = known
            return values
        fresh = values.dictionary.filter(pc.invert(pc.is_in(values.dictionary, known)))
        known = pa.concat_arrays([known, fresh])
        places = pc.index_in(values.dictionary, known)
        try:
            indices = places.take(values.indices).cast(self._type.index_type)
        except pa.ArrowInvalid as error:
            raise OutputError(
                f"{len(known):,} categories don't fit {self._type.index_type} indices",
                where=self._where,
            ) from error
        self._values = known
        return pa.DictionaryArray.from_arrays(indices, known, ordered=self._type.ordered)
