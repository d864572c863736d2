"""A lock on a journal, which goes away with the process that holds it, however that ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from simulacra.core.errors import OutputError

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file.

    Raises:
        OutputError: Another process holds it.
    """
    with path.open("ab") as file:
        try:
            _lock(file)
        except OSError as error:
            raise OutputError(
                "another process works with this journal",
                where=str(path.parent),
                mend="Wait until it has ended",
            ) from error
        yield
