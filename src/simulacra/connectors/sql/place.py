"""Which database a URL or path means, and what may be said of it.

A password may be in the URL, in an environment variable that the URL names in its place
(``postgresql://me:env:PGPASSWORD@host/db``), or in the driver's own files (``~/.pgpass``,
``~/.my.cnf``). A whole URL may be in a variable, too: ``env:DATABASE_URL``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from simulacra.connectors.secret import ENV, is_secret, scrubbed
from simulacra.connectors.sql.dialects import (
    DIALECTS,
    GENERIC,
    POSTGRESQL,
    Dialect,
    dialect_of_scheme,
)
from simulacra.core.errors import InputError, OutputError, PluginError, SimulacraError, UsageError

if TYPE_CHECKING:
    from sqlalchemy import URL

INSTALL = "pip install 'simulacra[sql]'"
_MEMORY = {None, "", ":memory:"}


@dataclass(frozen=True, slots=True)
class Database:
    """A database that can be connected to.

    Attributes:
        url: Where it is, password and all: never to be shown.
        dialect: What it can do.
        safe: The same without password and parameters: the only form for people to see.
    """

    url: URL = field(repr=False)
    dialect: Dialect = field(repr=False)
    safe: str

    @property
    def path(self) -> Path:
        """The file of a database that is one."""
        return Path(self.url.database or "")

    def scrubbed(self, text: object) -> str:
        """Return what a driver says, on one line, without this database's secrets."""
        parameters = [
            value
            for name, values in self.url.normalized_query.items()
            if is_secret(name)
            for value in values
        ]
        files = [os.environ.get(name, "") for name in ("PGPASSWORD", "MYSQL_PWD")]
        if self.dialect is POSTGRESQL:
            from simulacra.connectors.sql.postgresql.login import settings

            files.append(settings(self.url).get("password", ""))
        secrets = [str(self.url.password or ""), *parameters, *files]
        return scrubbed(" ".join(str(text).split()), secrets).rstrip(". ")


def database_of(uri: str) -> Database:
    """Return the database that a URL, a path or ``env:NAME`` means.

    Raises:
        UsageError: It can't be understood, or names a variable that is not set.
        PluginError: SQLAlchemy is not installed.
    """
    if find_spec("sqlalchemy") is None:
        raise PluginError("databases need SQLAlchemy", mend=INSTALL)
    from sqlalchemy import URL

    if uri.startswith(ENV):
        uri = _variable(uri.removeprefix(ENV), uri)
    scheme, is_url, _ = uri.partition("://")
    if not is_url:
        path = Path(uri).expanduser()
        dialect = _dialect_of_file(path)
        return Database(URL.create(dialect.schemes[0], database=str(path)), dialect, uri)
    url = _parsed(uri)
    safe = _safe(url)
    if url.password is not None and url.password.startswith(ENV):
        url = url.set(password=_variable(url.password.removeprefix(ENV), safe))
    dialect = dialect_of_scheme(scheme) or GENERIC
    if dialect.is_file:
        if url.host or url.database in _MEMORY:
            raise UsageError(
                "this names no database file",
                where=safe,
                mend=f"Write {scheme}:///folder/file, or {scheme}:////folder/file from the root",
            )
        url = url.set(database=str(Path(url.database or "").expanduser()))
    return Database(url, dialect, safe)


def _safe(url: URL) -> str:
    from sqlalchemy import URL

    bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database)
    return bare.render_as_string()


def _parsed(uri: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(uri)
    except (ArgumentError, ValueError):
        url = None
    if url is None or "@" in (url.host or "") or "@" in (url.database or "").partition("?")[0]:
        raise UsageError(
            "this is no URL of a database",
            where=f"{uri.partition('://')[0]}://…",
            mend="Write it as postgresql://user@host:5432/database; in a password write @ as %40, "
            ": as %3A, / as %2F",
        )
    return url


def _variable(name: str, where: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise UsageError(f"the environment variable {name} is not set", where=where)
    return value


def _dialect_of_file(path: Path) -> Dialect:
    """Return the dialect that a file's first bytes name, else its ending."""
    files = [dialect for dialect in DIALECTS if dialect.is_file]
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(32)
        for dialect in files:
            magic, offset = dialect.magic or (b"", -1)
            if offset >= 0 and head[offset:].startswith(magic):
                return dialect
    for dialect in files:
        if path.suffix.lower() in dialect.suffixes:
            return dialect
    raise UsageError(
        "this is no database file by its ending",
        where=str(path),
        mend=f"Known endings: {', '.join(suffix for d in files for suffix in d.suffixes)}",
    )


@contextmanager
def connecting(database: Database, *, where: str = "") -> Iterator[None]:
    """Turn what drivers raise into an :class:`InputError` without secrets.

    Args:
        database: What is read.
        where: The table or column that is; the database unless told.
    """
    with _translating(database, InputError, "can't read the database", where):
        yield


@contextmanager
def failing(database: Database, *, where: str = "") -> Iterator[None]:
    """Turn what drivers raise into an :class:`OutputError` without secrets.

    Args:
        database: What is written.
        where: The table or column that is; the database unless told.
    """
    with _translating(database, OutputError, "can't write to the database", where):
        yield


@contextmanager
def _translating(
    database: Database, kind: type[SimulacraError], what: str, where: str
) -> Iterator[None]:
    try:
        yield
    except _driver_errors() as error:
        why = database.scrubbed(_told(error))
        # What the driver raised may quote the password: it is not shown as the cause.
        raise kind(what, where=where or database.safe, why=why) from None


def _driver_errors() -> tuple[type[Exception], ...]:
    """Return what the drivers that are loaded raise."""
    import pyarrow as pa
    from sqlalchemy.exc import SQLAlchemyError

    drivers = ("adbc_driver_manager", "pg8000", "pymysql", "sqlite3", "duckdb")
    loaded = [sys.modules[driver].Error for driver in drivers if driver in sys.modules]
    return (SQLAlchemyError, OSError, pa.ArrowException, *loaded)


def _told(error: BaseException) -> str:
    """Return the driver's own words, without the statement that SQLAlchemy adds."""
    error = getattr(error, "orig", None) or error
    told = error.args[0] if len(error.args) == 1 else None
    if isinstance(told, dict):  # pg8000: the fields of PostgreSQL's message
        return ". ".join(str(told[key]) for key in "MDH" if key in told)
    if len(error.args) == 2 and isinstance(error.args[0], int):  # pymysql: number and text
        return str(error.args[1])
    return str(error)
