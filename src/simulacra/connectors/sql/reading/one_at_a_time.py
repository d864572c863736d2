"""Many passes over a connection that can have one result under way: late comers make it wait.

Where a snapshot can't be shared between connections, all reads go through one. When a pass begins
while another is under way, what is left of that one is put aside on disk first, and read from
there: rows stay the same, and memory bounded.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa


class OneAtATime:
    """Lets passes share a connection, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._current: _Pass | None = None

    def run(self, start: Callable[[], Iterator[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
        """Yield what a pass gives.

        Args:
            start: Begins the pass; closing the iterator must leave the connection ready for
                another.
        """
        with self._lock:
            self._set_aside()
            mine = self._current = _Pass(start())
        try:
            while True:
                with self._lock:
                    batch = mine.next()
                if batch is None:
                    return
                yield batch
        finally:
            with self._lock:
                mine.close()
                if self._current is mine:
                    self._current = None

    def ask(self, question: Callable[[], Any]) -> Any:
        """Return the answer to a question that needs the connection for a moment."""
        with self._lock:
            self._set_aside()
            self._current = None
            return question()

    def _set_aside(self) -> None:
        if self._current is not None:
            self._current.set_aside()


class _Pass:
    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._live = True
        self._aside: Any = None

    def next(self) -> pa.RecordBatch | None:
        return next(self._batches, None)

    def set_aside(self) -> None:
        """Move what is left to a file without a name, and go on from there."""
        if not self._live:
            return
        first = next(self._batches, None)
        self._live = False
        if first is None:
            return
        self._aside = tempfile.TemporaryFile(prefix="simulacra-")  # noqa: SIM115 - closed by close
        with pa.ipc.new_stream(self._aside, first.schema) as writer:
            writer.write_batch(first)
            for batch in self._batches:
                writer.write_batch(batch)
        self._aside.seek(0)
        self._batches = iter(pa.ipc.open_stream(self._aside))

    def close(self) -> None:
        if self._live:
            self._live = False
            close = getattr(self._batches, "close", None)
            if close is not None:
                close()
        self._batches = iter(())
        if self._aside is not None:
            self._aside.close()
            self._aside = None
