"""Outputs that appear whole or not at all, here or in an object store."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulacra.connectors.files import Place, first_line
from simulacra.core.errors import OutputError, SimulacraError

MARKER = ".simulacra.json"
"""In a folder that Simulacra wrote: which entries are its own and may be replaced."""


@contextmanager
def writing(where: str) -> Iterator[None]:
    """Turn what file systems and Arrow raise into an :class:`OutputError` that names the place."""
    import pyarrow as pa

    try:
        yield
    except OSError as error:
        raise OutputError(
            "can't write",
            where=where,
            why=error.strerror or first_line(error),
            mend="Nothing was left behind; free space or choose another place",
        ) from error
    except pa.ArrowException as error:
        raise OutputError("can't write", where=where, why=first_line(error)) from error


@dataclass(frozen=True, slots=True)
class Room:
    """Where a local target is made ready, for runs that may be killed and go on.

    Attributes:
        folder: In the target's file system; what a killed process left in it is thrown away.
        ready: Called with the whole target just before it is renamed into its place.
    """

    folder: Path
    ready: Callable[[Path], None]


@contextmanager
def staged(target: Place, room: Room | None = None) -> Iterator[Path]:
    """Give a local path that ends in the target's name; what it holds at the end is published.

    The path, a file or a folder to be made, lies in a hidden folder beside a local target and takes
    its place by renaming. Object stores can't rename: there it is uploaded once whole, and what was
    uploaded is removed if a later file fails. After any exception, Ctrl-C included, nothing is left
    and what ``target`` held before stays (in an object store: what was not yet uploaded over).

    Args:
        target: Where it shall appear.
        room: The hidden folder beside a local target; one of a new name when None.

    Raises:
        OutputError: The place can't be written, or the disk is full.
    """
    with writing(target.uri), _folder(target, room) as folder:
        work = folder / target.name
        try:
            yield work
        except SimulacraError as error:
            # Writers name the file they were given; users know only the final one.
            error.args = tuple(str(part).replace(str(work), target.uri) for part in error.args)
            error.what, error.where, error.why, error.mend = error.args
            raise
        if target.is_local:
            if room is not None:
                room.ready(work)
            _move(work, Path(target.path), folder)
        else:
            _upload(work, target)


@contextmanager
def _folder(target: Place, given: Room | None) -> Iterator[Path]:
    """Give a folder that goes away, and with it the parents made for it if nothing came of it."""
    if not target.is_local:
        with tempfile.TemporaryDirectory(prefix="simulacra-") as name:
            yield Path(name)
        return
    final = Path(target.path)
    made = [parent for parent in final.parents if not parent.exists()]
    room = final.with_name(f".{final.name}.{secrets.token_hex(4)}.tmp")
    if given is not None:
        room = given.folder
        shutil.rmtree(room, ignore_errors=True)
    try:
        room.mkdir(parents=True)
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)
        for parent in made:
            with suppress(OSError):  # not empty: it holds the result
                parent.rmdir()


def _move(work: Path, final: Path, room: Path) -> None:
    if final.exists() and (final.is_dir() or work.is_dir()):
        replaced = room / "replaced"
        final.rename(replaced)
        try:
            work.rename(final)
        except BaseException:
            replaced.rename(final)
            raise
    else:
        work.replace(final)
    descriptor = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _upload(work: Path, target: Place) -> None:
    root = target.path.rstrip("/")
    if work.is_dir():
        found = sorted(path for path in work.rglob("*") if path.is_file())
        files = {f"{root}/{path.relative_to(work).as_posix()}": path for path in found}
    else:
        files = {root: work}
    filesystem = target.filesystem.handler.fs
    before = filesystem.find(root) if filesystem.exists(root) else []
    begun: list[str] = []
    try:
        for path, file in files.items():
            begun.append(path)
            filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
            filesystem.put_file(str(file), path)
    except BaseException:
        _remove(filesystem, begun)
        raise
    _remove(filesystem, [path for path in before if path not in files])


def _remove(filesystem: Any, paths: Iterable[str]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            filesystem.rm_file(path)


def mark(folder: Path) -> None:
    """Note in a folder what Simulacra wrote there, so that it may be replaced later."""
    entries = sorted(path.name for path in folder.iterdir())
    text = json.dumps({"written_by": "simulacra", "entries": entries})
    (folder / MARKER).write_text(f"{text}\n", encoding="utf-8")


def sync(path: Path) -> None:
    """Make sure that a file's content is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
