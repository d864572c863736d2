"""How PostgreSQL's two drivers are told where to go and who asks: by libpq's rules.

libpq (under ADBC) reads ``~/.pgpass`` and the variables ``PG…`` itself, pg8000 doesn't. Both are
given the same values here.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.core.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import URL

_SOCKETS = (Path("/var/run/postgresql"), Path("/tmp"))  # noqa: S108 - where servers put them
_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "options": "PGOPTIONS",
    "application_name": "PGAPPNAME",
}


def settings(url: URL) -> Mapping[str, str]:
    """Return libpq's settings: from the URL, else the variables, else ``~/.pgpass``."""
    given = {
        "host": url.host,
        "port": url.port and str(url.port),
        "user": url.username,
        "password": url.password and str(url.password),
        "dbname": url.database,
        **{name: values[-1] for name, values in url.normalized_query.items()},
    }
    found = {name: os.environ.get(variable) for name, variable in _VARIABLES.items()}
    found |= {name: value for name, value in given.items() if value}
    port = found["port"] or "5432"
    found["port"] = port
    found["host"] = found["host"] or _local(port)
    found["user"] = found["user"] or _me()
    found["dbname"] = found["dbname"] or found["user"]
    found["password"] = found["password"] or _from_pgpass(found)
    return {name: value for name, value in found.items() if value}


def _local(port: str) -> str:
    for folder in _SOCKETS:
        if (folder / f".s.PGSQL.{port}").exists():
            return str(folder)
    return "localhost"


def _me() -> str:
    import getpass

    return getpass.getuser()


def _from_pgpass(wanted: Mapping[str, str | None]) -> str | None:
    """Return the password of the first line of the password file that fits."""
    path = Path(os.environ.get("PGPASSFILE") or "~/.pgpass").expanduser()
    if not path.is_file() or (os.name == "posix" and path.stat().st_mode & 0o077):
        return None  # libpq, too, leaves alone a file that others can read
    host = wanted["host"] or ""
    values = ("localhost" if host.startswith("/") else host, wanted["port"], wanted["dbname"])
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = [re.sub(r"\\(.)", r"\1", f) for f in re.findall(r"((?:\\.|[^:\\])*)(?::|$)", line)]
        if line.startswith("#") or len(fields) < 5:
            continue
        pairs = zip(fields[:4], (*values, wanted["user"]), strict=True)
        if all(pattern in {"*", value} for pattern, value in pairs):
            return fields[4]
    return None


def conninfo(url: URL) -> str:
    """Return libpq's connection string, which ADBC takes."""
    quoted = {
        name: value.replace("\\", "\\\\").replace("'", "\\'")
        for name, value in settings(url).items()
    }
    return " ".join(f"{name}='{value}'" for name, value in quoted.items())


def pg8000_arguments(url: URL) -> dict[str, Any]:
    """Return what ``pg8000.dbapi.connect`` takes.

    Raises:
        UsageError: A parameter makes no sense.
    """
    found = settings(url)
    arguments: dict[str, Any] = {
        "user": found["user"],
        "password": found.get("password"),
        "database": found["dbname"],
        "port": _port(found["port"]),
        "application_name": found.get("application_name"),
        "ssl_context": _tls(found),
    }
    if found["host"].startswith("/"):
        arguments["unix_sock"] = f"{found['host']}/.s.PGSQL.{found['port']}"
        arguments["ssl_context"] = False
    else:
        arguments["host"] = found["host"]
    if "options" in found:
        arguments["startup_params"] = {"options": found["options"]}
    return arguments


def _port(text: str) -> int:
    if not text.isdecimal():
        raise UsageError(f"the port {text!r} is not a number")
    return int(text)


def _tls(found: Mapping[str, str]) -> ssl.SSLContext | bool | None:
    """Return pg8000's choice: False never, None if the server offers it, else what must hold."""
    mode = found.get("sslmode", "prefer")
    root = found.get("sslrootcert")
    if mode in {"disable", "allow", "prefer"}:
        return False if mode == "disable" else None
    if mode not in {"require", "verify-ca", "verify-full"}:
        raise UsageError(
            f"{mode!r} is no sslmode",
            mend="Choose disable, allow, prefer, require, verify-ca or verify-full",
        )
    context = ssl.create_default_context(cafile=root if root != "system" else None)
    context.check_hostname = mode == "verify-full"
    if mode == "require" and root is None:
        context.verify_mode = ssl.CERT_NONE
    if "sslcert" in found:
        context.load_cert_chain(found["sslcert"], found.get("sslkey"), found.get("sslpassword"))
    return context
