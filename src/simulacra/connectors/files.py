"""What file connectors share: places, options, and outputs that appear whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from simulacra.core.errors import InputError, OutputError, SimulacraError, UsageError
from simulacra.core.protocols import Config

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import fs

C = TypeVar("C", bound=Config)

MARKER = ".simulacra.json"
"""In a folder that Simulacra wrote: which entries are its own and may be replaced."""

_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder, here or in an object store.

    Attributes:
        uri: As the user named it, for messages.
        path: Its path within the file system; absolute if local.
        filesystem: Where it is.
        is_local: Whether it is in this machine's file system.
    """

    uri: str
    path: str
    filesystem: fs.FileSystem
    is_local: bool

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rstrip("/").rpartition("/")[2]

    def is_file(self) -> bool:
        """Say whether there is a file."""
        return bool(self.filesystem.get_file_info(self.path).is_file)

    def is_folder(self) -> bool:
        """Say whether there is a folder."""
        from pyarrow import fs

        return bool(self.filesystem.get_file_info(self.path).type == fs.FileType.Directory)

    def children(self, *, recursive: bool = False) -> list[Place]:
        """Return what is in this folder, sorted by path, without hidden files."""
        from pyarrow import fs

        root = self.path.rstrip("/")
        selector = fs.FileSelector(root, recursive=recursive)
        paths = sorted(info.path for info in self.filesystem.get_file_info(selector))
        children = []
        for path in paths:
            inside = path.removeprefix(root).strip("/")
            if inside and not any(part.startswith((".", "_")) for part in inside.split("/")):
                uri = f"{self.uri.rstrip('/')}/{inside}"
                children.append(Place(uri, path, self.filesystem, self.is_local))
        return children

    def size(self) -> int:
        """Return the file's size in bytes."""
        return int(self.filesystem.get_file_info(self.path).size or 0)

    def version(self) -> tuple[int, int | None]:
        """Return the file's size and time of change: if they stay, so does its content."""
        info = self.filesystem.get_file_info(self.path)
        return int(info.size or 0), info.mtime_ns

    def open(self) -> pa.NativeFile:
        """Open the file for reading at any offset.

        Raises:
            InputError: It can't be read.
        """
        with reading(self.uri):
            return self.filesystem.open_input_file(self.path)

    def mapped(self) -> pa.NativeFile:
        """Open the file for reading at any offset, without copying it if it is local."""
        import pyarrow as pa

        if not self.is_local or self.size() == 0:
            return self.open()
        with reading(self.uri):
            return pa.memory_map(self.path)

    def stream(self, compression: str | None = None) -> pa.NativeFile:
        """Open the file for reading from its start, decompressed.

        Raises:
            InputError: It can't be read.
        """
        with reading(self.uri):
            return self.filesystem.open_input_stream(
                self.path, compression=compression, buffer_size=_BUFFER_BYTES
            )


def place_of(uri: str) -> Place:
    """Return the place that a path or URL names.

    Raises:
        UsageError: The URL's scheme is unknown, or needs a package that is not installed.
    """
    from pyarrow import fs

    scheme, is_url, rest = uri.partition("://")
    if not is_url or scheme == "file":
        path = Path(rest if is_url else uri).expanduser()
        return Place(uri, str(path.absolute()), fs.LocalFileSystem(), is_local=True)
    import fsspec

    try:
        filesystem, path_there = fsspec.core.url_to_fs(uri)
    except ImportError as error:
        package = (error.name or scheme).split(".")[0]
        mend = f"pip install {_PACKAGES.get(scheme, package)}"
        raise UsageError(f"{scheme}:// needs a package", where=uri, mend=mend) from error
    except ValueError as error:
        raise UsageError("this is no place that can be opened", where=uri, why=str(error)) from None
    handler = fs.FSSpecHandler(filesystem)
    return Place(uri, str(path_there), fs.PyFileSystem(handler), is_local=False)


_PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "adl": "adlfs",
    "http": "aiohttp",
    "https": "aiohttp",
    "sftp": "paramiko",
    "ssh": "paramiko",
}


@contextmanager
def reading(where: str) -> Iterator[None]:
    """Turn what file systems and Arrow raise into an :class:`InputError` that names the place."""
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError as error:
        raise InputError("there is no such file or folder", where=where) from error
    except (OSError, EOFError) as error:
        why = (isinstance(error, OSError) and error.strerror) or str(error)
        raise InputError("can't read", where=where, why=first_line(why)) from error
    except pa.ArrowException as error:
        raise InputError(
            "the file is damaged or not what its name says", where=where, why=first_line(error)
        ) from error


def first_line(message: object) -> str:
    """Return a message's first line, without a full stop: Arrow adds lists and stack traces."""
    return (str(message).splitlines() or [""])[0].rstrip(". ")


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


@contextmanager
def staged(target: Place) -> Iterator[Path]:
    """Give a local path that ends in the target's name; what it holds at the end is published.

    The path, a file or a folder to be made, lies in a hidden folder beside a local target and takes
    its place by renaming. Object stores can't rename: there it is uploaded once whole, and what was
    uploaded is removed if a later file fails. After any exception, Ctrl-C included, nothing is left
    and what ``target`` held before stays (in an object store: what was not yet uploaded over).

    Raises:
        OutputError: The place can't be written, or the disk is full.
    """
    with writing(target.uri), _room(target) as room:
        work = room / target.name
        try:
            yield work
        except SimulacraError as error:
            # Writers name the file they were given; users know only the final one.
            error.args = tuple(str(part).replace(str(work), target.uri) for part in error.args)
            error.what, error.where, error.why, error.mend = error.args
            raise
        if target.is_local:
            _move(work, Path(target.path), room)
        else:
            _upload(work, target)


@contextmanager
def _room(target: Place) -> Iterator[Path]:
    """Give a folder that goes away, and with it the parents made for it if nothing came of it."""
    if not target.is_local:
        with tempfile.TemporaryDirectory(prefix="simulacra-") as name:
            yield Path(name)
        return
    final = Path(target.path)
    made = [parent for parent in final.parents if not parent.exists()]
    room = final.with_name(f".{final.name}.{secrets.token_hex(4)}.tmp")
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


def parse_options(kind: type[C], options: Mapping[str, Any], connector: str) -> C:
    """Check the options given to a connector.

    Raises:
        UsageError: One is unknown, or has a value that makes no sense.
    """
    from pydantic import ValidationError

    try:
        return kind(**options)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in problem["loc"])
        known = ", ".join(kind.model_fields) or "none"
        raise UsageError(
            f"the option {name!r} of {connector} files", why=problem["msg"], mend=f"Known: {known}"
        ) from None


def split_suffix(name: str, suffixes: tuple[str, ...]) -> tuple[str, str]:
    """Split a file name into its stem and the longest of the suffixes that it ends in."""
    lower = name.lower()
    fitting = [suffix for suffix in suffixes if lower.endswith(suffix) and len(name) > len(suffix)]
    suffix = max(fitting, key=len, default="")
    return (name[: -len(suffix)], suffix) if suffix else (name, "")
