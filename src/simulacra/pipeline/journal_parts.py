"""The blocks of one table in a journal: parts of some blocks, each whole or not there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

import pyarrow as pa

from simulacra.core.errors import OutputError

PART_BLOCKS = 16
"""Blocks in one part: about a million rows."""
_CHUNK = 1 << 20

T = TypeVar("T")
Make = Callable[[Sequence[T]], Iterator[pa.RecordBatch]]
"""Makes the rows of some blocks, in order."""


class Record(Protocol):
    """Where the blocks of a table are kept once they are made."""

    @property
    def is_whole(self) -> bool:
        """Whether all blocks are there."""
        ...

    def made(self) -> Iterator[pa.RecordBatch]:
        """Yield all blocks, if they are there."""
        ...

    def through(self, blocks: Iterable[T], make: Make[T]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of all blocks in order, making only those that are not there."""
        ...


class Unrecorded:
    """Keeps nothing."""

    is_whole = False

    def made(self) -> Iterator[pa.RecordBatch]:
        """Yield nothing: there is nothing."""
        return iter(())

    def through(self, blocks: Iterable[T], make: Make[T]) -> Iterator[pa.RecordBatch]:
        """Make all blocks."""
        return make(list(blocks))


class TableRecord:
    """Keeps the blocks of one table in files.

    Args:
        folder: Where; made when there is something to keep.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[int, Path] = {}

    @cached_property
    def is_whole(self) -> bool:
        """Whether all blocks are there; reads them to see that they are sound."""
        try:
            parts = int(json.loads((self._folder / "whole.json").read_bytes())["parts"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return all(self._is_there(number) for number in range(parts))

    def made(self) -> Iterator[pa.RecordBatch]:
        """Yield all blocks of a whole table."""
        for number in sorted(self._parts):
            yield from self._read(number)

    def through(self, blocks: Iterable[T], make: Make[T]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of all blocks in order; parts that are there are read.

        Args:
            blocks: What tells ``make`` which rows to make; the same in every run.
            make: Makes them.

        Raises:
            OutputError: The disk is full, or the folder can't be written.
        """
        rest = iter(blocks)
        parts = list(iter(lambda: list(islice(rest, PART_BLOCKS)), []))
        numbered = enumerate(parts)
        for is_there, some in groupby(numbered, key=lambda part: self._is_there(part[0])):
            if is_there:
                for number, _ in some:
                    yield from self._read(number)
                continue
            missing = list(some)
            rows = make([block for _, part in missing for block in part])
            for number, part in missing:
                yield from self._keep(number, islice(rows, len(part)))
        self._finish(len(parts))

    def _is_there(self, number: int) -> bool:
        """Say whether a part is there and sound; remove it if it isn't."""
        if number in self._parts:
            return True
        for path in self._folder.glob(f"{number:06d}.*.arrow"):
            if path.suffixes[0] == f".{digest_of(path)}":
                self._parts[number] = path
                return True
            path.unlink()
        return False

    def _read(self, number: int) -> Iterator[pa.RecordBatch]:
        with pa.OSFile(str(self._parts[number])) as file, pa.ipc.open_stream(file) as reader:
            yield from reader

    def _keep(self, number: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield batches, and write them to a part."""
        temporary = self._folder / f"{number:06d}.tmp"
        with keeping(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("wb") as file:
                    sink = _Digesting(file)
                    yield from _written(batches, sink)
                # Not synced: what a power cut tears, the digest shows.
                path = self._folder / f"{number:06d}.{sink.digest}.arrow"
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        self._parts[number] = path

    def _finish(self, parts: int) -> None:
        temporary = self._folder / "whole.tmp"
        with keeping(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps({"parts": parts}), encoding="utf-8")
            temporary.replace(self._folder / "whole.json")


@contextmanager
def keeping(folder: Path) -> Iterator[None]:
    """Turn what the file system raises into an :class:`OutputError` that names the folder."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            "can't keep a journal",
            where=str(folder),
            why=error.strerror or str(error),
            mend="Mend that and run the same command again to go on",
        ) from error


class _Digesting:
    """A file that digests what is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._state = hashlib.blake2b(digest_size=16)
        self.closed = False

    @property
    def digest(self) -> str:
        return self._state.hexdigest()

    def write(self, data: bytes) -> int:
        self._state.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.closed = True


def _written(batches: Iterator[pa.RecordBatch], sink: _Digesting) -> Iterator[pa.RecordBatch]:
    """Yield batches; each is written in a thread of its own while the next one is made."""
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    writer = under_way = None
    with ThreadPoolExecutor(1, thread_name_prefix="simulacra-journal") as thread:
        for batch in batches:
            if writer is None:
                writer = pa.ipc.new_stream(pa.PythonFile(sink, "w"), batch.schema, options=options)
            if under_way is not None:
                under_way.result()
            under_way = thread.submit(writer.write_batch, batch)
            yield batch
        if writer is not None and under_way is not None:
            under_way.result()
            writer.close()


def digest_of(path: Path) -> str:
    """Return a digest of a file's content."""
    state = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()
