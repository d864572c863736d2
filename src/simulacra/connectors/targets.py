"""What a DEST means, and whether it can be: asked before anything is read.

With a known file ending it is one file, else a folder.
"""

from __future__ import annotations

import re

from simulacra.connectors.files import Place, place_of, reading
from simulacra.connectors.known import Connectors
from simulacra.connectors.parquet import is_partitioned
from simulacra.connectors.replacing import (
    IfExists,
    check_apart,
    check_no_append,
    check_replaceable,
    merged,
)
from simulacra.core.errors import OutputError, UsageError
from simulacra.core.protocols import Connector

DEFAULT_FORMAT = "parquet"
_ENDING = re.compile(r"\.[A-Za-z]\w{0,9}$")
"""What looks like the ending of a file rather than a part of a folder's name."""


def check_target(
    dest: str,
    *,
    source: str | None = None,
    file_format: str | None = None,
    partitioned: bool = False,
    overwrite: bool = False,
    if_exists: str = IfExists.FAIL,
) -> None:
    """Refuse a target early that can't or must not be written.

    Args:
        dest: Where tables shall go.
        source: Where they come from, None if from nowhere.
        file_format: Name of a connector; that of the ending when None.
        partitioned: Whether each table becomes a folder of Parquet parts.
        overwrite: Whether what Simulacra wrote before, or a file, may be replaced.
        if_exists: What is done with tables of a database: ``fail``, ``append`` or ``replace``.

    Raises:
        UsageError: The target is the source, in it or around it; or the arguments make no sense
            together.
        OutputError: There is something already that may not be replaced, or no way to write.
    """
    connectors = Connectors()
    how = merged(if_exists, overwrite=overwrite)
    if (database := connectors.filled_by(dest)) is not None:
        if file_format not in {None, database.name} or partitioned:
            raise UsageError("a database has no file format", where=dest)
        if source is not None and connectors.filled_by(source) is not None:
            check_other_database(dest, source)
        return
    check_no_append(how, dest)
    if connectors.of_scheme(dest) is not None:
        return
    target = place_of(dest)
    connector, is_file = form_of(target, connectors, file_format, partitioned=partitioned)
    if source is not None and connectors.of_scheme(source) is None:
        check_apart(target, place_of(source))
        if is_file:
            check_fits(_count_tables(place_of(source), connectors), connector, target.uri)
    check_replaceable(target, overwrite=how == IfExists.REPLACE)


def check_other_database(dest: str, source: str) -> None:
    """Refuse to write into the database that is read.

    Raises:
        UsageError: They are the same.
    """
    from simulacra.connectors.sql.place import database_of

    places = []
    for database in (database_of(dest), database_of(source)):
        url = database.url
        if database.dialect.is_file:
            places.append(("", "", str(database.path.resolve())))
        else:
            host = (url.host or "localhost").replace("127.0.0.1", "localhost")
            places.append((database.dialect.name, f"{host}:{url.port}", str(url.database)))
    if places[0] == places[1]:
        raise UsageError(
            "the target is the source itself",
            where=database_of(dest).safe,
            mend="Write to another database: what is real is not to be mixed with what is not",
        )


def check_product(path: str, *sources: str) -> None:
    """Refuse to write what was learned or found of sources over one of them.

    Args:
        path: A local file that will be written, and replaced if it is there.
        sources: What was read.

    Raises:
        UsageError: The file is a source, or lies in one.
        OutputError: It is a folder.
    """
    target = place_of(path)
    for source in sources:
        if Connectors().of_scheme(source) is None:
            check_apart(target, place_of(source))
    if target.is_folder():
        raise OutputError("this is a folder", where=path, mend="Give the name of a file")


def form_of(
    place: Place, connectors: Connectors, file_format: str | None, *, partitioned: bool
) -> tuple[Connector, bool]:
    """Return what writes a target, and whether it is one file or a folder of them."""
    claimed = connectors.for_name(place.name)
    named = connectors.named(file_format) if file_format is not None else None
    if named is not None and claimed is not None and named.name != claimed.name:
        raise UsageError(
            f"the ending says {claimed.name}, the format {named.name}",
            where=place.uri,
            mend="Drop the format, or choose another ending",
        )
    connector = named or claimed
    if partitioned and connector is not None and connector.name != DEFAULT_FORMAT:
        raise UsageError(f"{connector.name} can't be partitioned", mend="Write Parquet")
    is_new_folder = place.uri.endswith("/") or not _ENDING.search(place.name)
    if connector is None and not (partitioned or is_new_folder or place.is_folder()):
        raise UsageError(
            "no connector writes files that end so",
            where=place.uri,
            mend=f"Known endings: {', '.join(connectors.suffixes())}. If it is to be a folder, "
            "put a slash behind it",
        )
    return connector or connectors.named(DEFAULT_FORMAT), claimed is not None


def _count_tables(source: Place, connectors: Connectors) -> int:
    """Return how many tables a folder holds by the look of it; 1 for anything else."""
    with reading(source.uri):
        if not source.is_folder() or is_partitioned(source):
            return 1
        return sum(
            is_partitioned(child)
            if child.is_folder()
            else connectors.for_name(child.name) is not None
            for child in source.children()
        )


def check_fits(tables: int, connector: Connector, uri: str) -> None:
    """Refuse several tables in a file of a format that holds one.

    Raises:
        UsageError: They don't fit.
    """
    if tables > 1 and not hasattr(connector, "publish"):
        raise UsageError(
            f"{tables} tables don't fit one {connector.name} file",
            where=uri,
            mend="Give a folder, without an ending",
        )
