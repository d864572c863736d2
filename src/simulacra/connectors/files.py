"""What file connectors share: places, what can go wrong in them, options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from simulacra.connectors.secret import ENV, shown
from simulacra.core.errors import InputError, UsageError
from simulacra.core.protocols import Config

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import fs

C = TypeVar("C", bound=Config)

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
    if uri.startswith(ENV):
        name = uri.removeprefix(ENV)
        raise UsageError(
            f"the environment variable {name} holds no URL of a database",
            where=uri,
            mend=f"Set it, as {name}=postgresql://user:password@host/database",
        )
    if not is_url or scheme == "file":
        path = Path(rest if is_url else uri).expanduser()
        return Place(uri, str(path.absolute()), fs.LocalFileSystem(), is_local=True)
    import fsspec

    try:
        filesystem, path_there = fsspec.core.url_to_fs(uri)
    except ImportError as error:
        package = (error.name or scheme).split(".")[0]
        mend = f"pip install {_PACKAGES.get(scheme, package)}"
        raise UsageError(f"{scheme}:// needs a package", where=shown(uri), mend=mend) from error
    except ValueError as error:
        why = str(error)
        raise UsageError("this is no place that can be opened", where=shown(uri), why=why) from None
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
