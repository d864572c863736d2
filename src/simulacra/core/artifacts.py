"""Bundles: what was learned, in a file that holds data only. Opening one never runs code.

A ``.sim`` file is a zip of ``manifest.json`` (format version; sha256 and size per member), JSON,
safetensors and Arrow IPC members. There is no pickle, and plug-ins are named by their registry
names, never by import paths.
"""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.errors import BundleError
from simulacra.core.storage import atomic_file

FORMAT = "simulacra-bundle"
FORMAT_VERSION = 1
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 64 * 2**20
_MOST_MEMBERS = 1_000_000
_DAMAGED = "The file is damaged or was changed; write it again"

_UNZIP_ERRORS = (
    zipfile.BadZipFile,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    zlib.error,
)


class ArtifactWriter:
    """Writes named members below one prefix of a bundle."""

    def __init__(self, archive: zipfile.ZipFile, members: dict[str, Any], prefix: str = "") -> None:
        self._archive = archive
        self._members = members
        self._prefix = prefix

    def child(self, name: str | int) -> ArtifactWriter:
        """Return a writer below ``name``."""
        return ArtifactWriter(self._archive, self._members, f"{self._prefix}{name}/")

    def json(self, name: str, value: Any) -> None:
        """Write a JSON value."""
        text = json.dumps(value, ensure_ascii=False, allow_nan=True, separators=(",", ":"))
        self._write(f"{name}.json", text.encode())

    def arrays(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write named numeric arrays (safetensors)."""
        from safetensors.numpy import save

        self._write(
            f"{name}.safetensors", save({key: np.ascontiguousarray(a) for key, a in arrays.items()})
        )

    def table(self, name: str, table: pa.Table) -> None:
        """Write an Arrow table (IPC)."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        self._write(f"{name}.arrow", sink.getvalue().to_pybytes())

    def _write(self, name: str, data: bytes) -> None:
        path = self._prefix + name
        if path in self._members:
            msg = f"bundle member {path!r} written twice"
            raise ValueError(msg)
        # A fixed date: the same model gives the same bytes.
        info = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        self._archive.writestr(info, data, compresslevel=1)
        self._members[path] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


class ArtifactReader:
    """Reads the members that an :class:`ArtifactWriter` wrote below the same prefix."""

    def __init__(
        self, archive: zipfile.ZipFile, members: Mapping[str, Any], where: str, prefix: str = ""
    ) -> None:
        self._archive = archive
        self._members = members
        self._where = where
        self._prefix = prefix

    def child(self, name: str | int) -> ArtifactReader:
        """Return a reader below ``name``."""
        return ArtifactReader(self._archive, self._members, self._where, f"{self._prefix}{name}/")

    def has(self, name: str) -> bool:
        """Say whether anything was written under ``name`` here."""
        path = self._prefix + name
        return any(m.startswith((f"{path}.", f"{path}/")) for m in self._members)

    def json(self, name: str) -> Any:
        """Return a JSON value."""
        data = self._read(f"{name}.json")
        try:
            return json.loads(data)
        except ValueError as error:
            raise self._damaged(f"{name}.json", str(error)) from error

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Return named numeric arrays."""
        from safetensors import SafetensorError
        from safetensors.numpy import load

        data = self._read(f"{name}.safetensors")
        try:
            return load(data)
        except SafetensorError as error:
            raise self._damaged(f"{name}.safetensors", str(error)) from error

    def table(self, name: str) -> pa.Table:
        """Return an Arrow table."""
        data = self._read(f"{name}.arrow")
        try:
            table = pa.ipc.open_file(pa.py_buffer(data)).read_all()
            table.validate(full=True)
        except pa.ArrowException as error:
            raise self._damaged(f"{name}.arrow", str(error)) from error
        return table

    def _damaged(self, name: str, why: str) -> BundleError:
        return BundleError(
            f"bundle member {self._prefix + name!r} is unusable",
            where=self._where,
            why=why,
            mend=_DAMAGED,
        )

    def _read(self, name: str) -> bytes:
        path = self._prefix + name
        expected = self._members.get(path)
        if expected is None:
            raise self._damaged(name, "it is missing")
        try:
            with self._archive.open(path) as member:
                # One byte more than stated shows a member that unpacks to more than it says.
                data = member.read(expected["size"] + 1)
        except (*_UNZIP_ERRORS, KeyError) as error:
            raise self._damaged(name, str(error)) from error
        if len(data) != expected["size"] or hashlib.sha256(data).hexdigest() != expected["sha256"]:
            raise self._damaged(name, "its contents don't match the manifest")
        return data


@contextmanager
def write_bundle(path: Path, **header: Any) -> Iterator[ArtifactWriter]:
    """Write a bundle; it appears at ``path`` when the block ends without an exception.

    Args:
        path: Where to.
        header: JSON values for the manifest, such as what made the bundle.

    Raises:
        OutputError: The place can't be written.
    """
    with atomic_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        members: dict[str, Any] = {}
        yield ArtifactWriter(archive, members)
        manifest = {"format": FORMAT, "version": FORMAT_VERSION, **header, "members": members}
        info = zipfile.ZipInfo(_MANIFEST, date_time=(1980, 1, 1, 0, 0, 0))
        archive.writestr(info, json.dumps(manifest, ensure_ascii=False))


@contextmanager
def open_bundle(path: Path) -> Iterator[tuple[Mapping[str, Any], ArtifactReader]]:
    """Open a bundle: gives its manifest and a reader of its members.

    Raises:
        BundleError: It is no bundle, is damaged or hostile, or is of an unknown version.
    """
    where = str(path)
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise BundleError("there is no such bundle", where=where) from error
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BundleError(
            "this is no bundle", where=where, why=str(error), mend="Write one with simulacra fit"
        ) from error
    with archive:
        manifest = _checked_manifest(archive, where)
        yield manifest, ArtifactReader(archive, manifest["members"], where)


def _checked_manifest(archive: zipfile.ZipFile, where: str) -> dict[str, Any]:
    """Return the manifest of an archive whose entries are all harmless and accounted for."""
    entries = {entry.filename: entry for entry in archive.infolist()}
    if len(entries) != len(archive.infolist()) or len(entries) > _MOST_MEMBERS:
        raise BundleError("members repeat or are too many", where=where, mend=_DAMAGED)
    for entry in entries.values():
        _check_entry(entry, where)
    manifest = _read_manifest(archive, where)
    if manifest.get("version") != FORMAT_VERSION:
        raise BundleError(
            f"its format version is {manifest.get('version')!r}, known is {FORMAT_VERSION}",
            where=where,
            mend="Open it with a newer simulacra",
        )
    members = manifest.get("members")
    if not isinstance(members, dict) or entries.keys() != {*members, _MANIFEST}:
        raise BundleError("its members are not those of the manifest", where=where, mend=_DAMAGED)
    for name, member in members.items():
        if not isinstance(member, dict) or member.get("size") != entries[name].file_size:
            raise BundleError(f"member {name!r} has another size", where=where, mend=_DAMAGED)
    return manifest


def _check_entry(entry: zipfile.ZipInfo, where: str) -> None:
    parts = entry.filename.split("/")
    if entry.filename.startswith("/") or ".." in parts or "\\" in entry.filename:
        raise BundleError(f"member {entry.filename!r} points outside", where=where, mend=_DAMAGED)
    if stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG}:
        raise BundleError(f"member {entry.filename!r} is no file", where=where, mend=_DAMAGED)


def _read_manifest(archive: zipfile.ZipFile, where: str) -> dict[str, Any]:
    try:
        with archive.open(_MANIFEST) as file:
            data = file.read(_LARGEST_MANIFEST + 1)
        manifest = json.loads(data) if len(data) <= _LARGEST_MANIFEST else None
    except KeyError as error:
        raise BundleError("it has no manifest", where=where, mend="It is no bundle") from error
    except (*_UNZIP_ERRORS, ValueError) as error:
        raise BundleError(
            "its manifest is unreadable", where=where, why=str(error), mend=_DAMAGED
        ) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BundleError("its manifest is not a simulacra manifest", where=where, mend=_DAMAGED)
    return manifest
