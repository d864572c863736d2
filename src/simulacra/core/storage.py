"""Writing files so that they appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from simulacra.core.errors import OutputError


def _temporary_beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_file(target: Path) -> Iterator[Path]:
    """Give a temporary path in ``target``'s folder; it takes the target's name at the end.

    After any exception, Ctrl-C included, the temporary file is deleted and what ``target`` held
    before stays.

    Raises:
        OutputError: The folder can't be written, or the disk is full.
    """
    temporary = _temporary_beside(target)
    with _as_output_errors(target), _parents_of(target):
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(target)
            _sync_directory(target.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def _parents_of(target: Path) -> Iterator[None]:
    """Make the folders above a target, and remove those made if nothing came of it."""
    made = [parent for parent in target.parents if not parent.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for parent in made:
            with suppress(OSError):  # not empty: it holds the result
                parent.rmdir()


@contextmanager
def _as_output_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        is_under_file = isinstance(error, FileExistsError) and not target.parent.is_dir()
        raise OutputError(
            "can't write",
            where=str(target),
            why=f"{target.parent} is a file" if is_under_file else error.strerror or str(error),
            mend="Nothing was left behind; free space or choose another place",
        ) from error
