"""From SRC and DEST, as users name them, to tables that can be read and written.

SRC is a file, a folder (a table a file, or one partitioned Parquet table), a pattern, or a URL.
DEST is a file for one table, a folder for any number, or a URL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from simulacra.connectors.choosing import Choice
from simulacra.connectors.files import Place, place_of, reading
from simulacra.connectors.known import Connectors
from simulacra.connectors.parquet import is_partitioned
from simulacra.connectors.publish import Room, mark, staged
from simulacra.connectors.replacing import (
    IfExists,
    check_no_append,
    check_replaceable,
    merged,
)
from simulacra.connectors.targets import DEFAULT_FORMAT, check_fits, form_of
from simulacra.core.context import RunContext
from simulacra.core.declared import DeclaredTable
from simulacra.core.errors import InputError, OutputError
from simulacra.core.protocols import BatchSource, Connector, TableWriter
from simulacra.core.schema import DatasetSpec
from simulacra.core.spec_text import SPEC_NAME, shareable, yaml_text

_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
_ALL = Choice()


def open_source(
    uri: str,
    *,
    options: Mapping[str, Any] = _NO_OPTIONS,
    choice: Choice = _ALL,
    ignore: Collection[str] = (),
    ctx: RunContext,
) -> dict[str, BatchSource]:
    """Open every table at ``uri``, or those chosen.

    A table is called as its file is, without the ending; a sheet of a workbook as the sheet is.

    Args:
        uri: A file, a folder, a glob pattern or a URL.
        options: Options of the connector, as ``delimiter`` of CSV.
        choice: Which tables are wanted.
        ignore: Names of files in the folder that are no tables.
        ctx: Limits and progress.

    Returns:
        The tables by name, sorted by file name.

    Raises:
        InputError: There is nothing there, or a file can't be read.
        UsageError: An option or URL makes no sense, no connector knows the format, or a pattern of
            the choice fits no table.
    """
    connectors = Connectors()
    if (connector := connectors.of_scheme(uri)) is not None:
        return _read(connector, uri, options, choice, ctx)
    place = place_of(uri)
    with reading(uri):
        if place.is_folder():
            return choice.among(_open_folder(place, connectors, options, ignore, ctx), where=uri)
        if not place.is_file() and any(sign in place.name for sign in "*?["):
            return choice.among(_open_pattern(place, connectors, options, ctx), where=uri)
        if not place.is_file():
            raise InputError("there is no such file or folder", where=uri)
        return _read(connectors.of_file(place), uri, options, choice, ctx)


def _read(
    connector: Connector, uri: str, options: Mapping[str, Any], choice: Choice, ctx: RunContext
) -> dict[str, BatchSource]:
    if getattr(connector, "chooses_tables", False):
        return dict(connector.read(uri, {**options, **choice.options()}, ctx))
    return choice.among(connector.read(uri, options, ctx), where=uri)


def folder_of(uri: str) -> Place | None:
    """Return the folder that ``uri`` names; None if it is anything else, or not there.

    Raises:
        InputError: It can't be looked at.
        UsageError: The URL makes no sense.
    """
    if Connectors().of_scheme(uri) is not None:
        return None
    place = place_of(uri)
    with reading(uri):
        return place if place.is_folder() else None


def declared_tables(
    uri: str, *, options: Mapping[str, Any] = _NO_OPTIONS, ctx: RunContext
) -> dict[str, DeclaredTable]:
    """Return what the store at ``uri`` declares of its tables; nothing if it declares no keys.

    Raises:
        InputError: It can't be read.
    """
    connectors = Connectors()
    connector = connectors.of_scheme(uri)
    if connector is None:
        place = place_of(uri)
        with reading(uri):
            connector = connectors.for_name(place.name) if place.is_file() else None
    declared = getattr(connector, "declared", None)
    return dict(declared(uri, options, ctx)) if declared is not None else {}


def _open_folder(
    folder: Place,
    connectors: Connectors,
    options: Mapping[str, Any],
    ignore: Collection[str],
    ctx: RunContext,
) -> dict[str, BatchSource]:
    if is_partitioned(folder):
        return dict(connectors.named(DEFAULT_FORMAT).read(folder.uri, options, ctx))
    entries = [entry for entry in folder.children() if entry.name not in ignore]
    return _open_each(folder, entries, connectors, options, ctx)


def _open_pattern(
    pattern: Place, connectors: Connectors, options: Mapping[str, Any], ctx: RunContext
) -> dict[str, BatchSource]:
    from fnmatch import fnmatchcase

    root, _, name = pattern.path.rpartition("/")
    folder = Place(
        pattern.uri.rpartition("/")[0] or ".", root, pattern.filesystem, pattern.is_local
    )
    matching = [child for child in folder.children() if fnmatchcase(child.name, name)]
    return _open_each(pattern, matching, connectors, options, ctx)


def _open_each(
    where: Place,
    entries: list[Place],
    connectors: Connectors,
    options: Mapping[str, Any],
    ctx: RunContext,
) -> dict[str, BatchSource]:
    tables: dict[str, BatchSource] = {}
    came_from: dict[str, str] = {}
    ignored: list[str] = []
    for entry in entries:
        if entry.is_folder():
            connector = connectors.named(DEFAULT_FORMAT) if is_partitioned(entry) else None
        else:
            connector = connectors.for_name(entry.name)
        if connector is None:
            ignored.append(entry.name)
            continue
        for name, source in connector.read(entry.uri, options, ctx).items():
            if name in tables:
                raise InputError(
                    f"two tables are called {name!r}",
                    where=where.uri,
                    why=f"they are in {came_from[name]} and {entry.name}",
                    mend="Rename one of the files, or name the file you mean",
                )
            tables[name], came_from[name] = source, entry.name
    if not tables:
        found = f"it holds {', '.join(ignored[:5])}" if ignored else "it is empty"
        raise InputError(
            "there is no table",
            where=where.uri,
            why=found,
            mend=f"Files end in {', '.join(connectors.suffixes())}",
        )
    if ignored:
        ctx.progress.note(f"{where.uri}: no tables, ignored: {', '.join(ignored)}")
    return tables


def open_target(  # noqa: PLR0913 - all that users can say of a target, by keyword
    uri: str,
    *,
    tables: Mapping[str, pa.Schema],
    spec: DatasetSpec | None = None,
    file_format: str | None = None,
    partitioned: bool = False,
    overwrite: bool = False,
    if_exists: str = IfExists.FAIL,
    options: Mapping[str, Any] = _NO_OPTIONS,
    room: Room | None = None,
    ctx: RunContext,
) -> AbstractContextManager[Mapping[str, TableWriter]]:
    """Return a context manager that gives a writer for each table and publishes all together.

    A target with a known file ending is one file: of one table, or of a format that holds several.
    Any other is a folder: ``TABLE.parquet`` each, or in another format; a folder ``TABLE`` of
    ``part-00000.parquet`` and so on if ``partitioned``; with several tables ``spec.yaml`` tells
    their keys. After any exception in the block nothing is left, and what was there before stays.

    Args:
        uri: A file, a folder or a URL.
        tables: The columns of every table that will be written.
        spec: Their types and keys; folders and stores keep what tells of no one.
        file_format: Name of a connector; that of the ending when None, Parquet in a folder.
        partitioned: Whether each table becomes a folder of Parquet parts.
        overwrite: Whether what is there may be replaced.
        if_exists: What is done with tables of a database that are there and hold rows: ``fail``,
            ``append`` or ``replace`` (which for files is ``overwrite``).
        options: Options of the connector.
        room: Where files are made ready, if that is to be known.
        ctx: Limits and progress.

    Raises:
        OutputError: The place can't be written, or a type can't be kept in the format.
        UsageError: The arguments make no sense together.
    """
    connectors = Connectors()
    how = merged(if_exists, overwrite=overwrite)
    if (connector := connectors.filled_by(uri)) is not None:
        options = {**options, "if_exists": how}
        if room is not None and not (place := place_of(uri)).is_file():
            return _publish_file(connector, place, tables, spec, options, room, ctx)
        return _publish(connector, uri, tables, spec, options, ctx)
    check_no_append(how, uri)
    if (connector := connectors.of_scheme(uri)) is not None:
        return _publish(connector, uri, tables, spec, options, ctx)
    place = place_of(uri)
    check_replaceable(place, overwrite=how == IfExists.REPLACE)
    connector, is_file = form_of(place, connectors, file_format, partitioned=partitioned)
    if partitioned:
        options = {**options, "partitioned": True}
    if is_file:
        return _publish_file(connector, place, tables, spec, options, room, ctx)
    suffix = "" if partitioned else connector.suffixes[0]
    return _publish_folder(connector, place, suffix, tables, spec, options, room, ctx)


def _publish(
    connector: Connector,
    uri: str,
    tables: Mapping[str, pa.Schema],
    spec: DatasetSpec | None,
    options: Mapping[str, Any],
    ctx: RunContext,
) -> AbstractContextManager[Mapping[str, TableWriter]]:
    """Open several tables in one place, by the connector's own ``publish`` if it has one."""
    publish = getattr(connector, "publish", None)
    if publish is not None:
        together: AbstractContextManager[Mapping[str, TableWriter]]
        together = publish(uri, tables, spec, options, ctx)
        return together
    check_fits(len(tables), connector, uri)
    return _writers(
        {name: connector.writer(uri, name, schema, options, ctx) for name, schema in tables.items()}
    )


@contextmanager
def _writers(writers: Mapping[str, TableWriter]) -> Iterator[Mapping[str, TableWriter]]:
    yield writers


@contextmanager
def _publish_file(
    connector: Connector,
    place: Place,
    tables: Mapping[str, pa.Schema],
    spec: DatasetSpec | None,
    options: Mapping[str, Any],
    room: Room | None,
    ctx: RunContext,
) -> Iterator[Mapping[str, TableWriter]]:
    with (
        staged(place, room) as path,
        _publish(connector, str(path), tables, spec, options, ctx) as writers,
    ):
        yield writers


@contextmanager
def _publish_folder(
    connector: Connector,
    place: Place,
    suffix: str,
    tables: Mapping[str, pa.Schema],
    spec: DatasetSpec | None,
    options: Mapping[str, Any],
    room: Room | None,
    ctx: RunContext,
) -> Iterator[Mapping[str, TableWriter]]:
    names = {table: f"{file_name(table, place.uri)}{suffix}" for table in tables}
    with staged(place, room) as folder:
        folder.mkdir()
        if spec is not None and len(tables) > 1 and tables.keys() <= spec.tables.keys():
            text = yaml_text(shareable(spec, tables))
            (folder / SPEC_NAME).write_text(text, encoding="utf-8")
        yield {
            table: connector.writer(str(folder / name), table, tables[table], options, ctx)
            for table, name in names.items()
        }
        mark(folder)


def file_name(table: str, where: str) -> str:
    """Return a table's name if it can be a file's.

    Raises:
        OutputError: It has a slash, or begins with a dot, or is the specification's.
    """
    if table in {"", SPEC_NAME} or table.startswith((".", "_")) or set(table) & set("/\\\0"):
        raise OutputError(
            f"a table called {table!r} can't be a file", where=where, mend="Rename the table"
        )
    return table
