"""Rows a second read from databases and written to them, beside each one's own way in the same run.

    python benchmarks/sql.py

TPC-H lineitem at scale 0.1 (600,572 rows, 16 columns) goes into PostgreSQL, MariaDB, SQLite and
DuckDB and out again; then all eight tables go from one PostgreSQL database to another. The servers
are those of SIMULACRA_TEST_POSTGRESQL and SIMULACRA_TEST_MARIADB, else local ones. Clients that
take part: psql and mariadb.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from _common import Row, Run, command, run, tpch, write_result
from sqlalchemy import make_url

import simulacra
from simulacra.connectors.locate import open_source, open_target
from simulacra.connectors.sql.connections import engine
from simulacra.connectors.sql.place import database_of
from simulacra.core.context import RunContext
from simulacra.core.progress import silent

POSTGRESQL = os.environ.get("SIMULACRA_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1/test")
MARIADB = os.environ.get("SIMULACRA_TEST_MARIADB", "mysql://root@127.0.0.1/test")
SCALE = 0.1
RUNS = 3
TABLE = "lineitem"
CTX = RunContext(progress=silent())


@dataclass(frozen=True, slots=True)
class Store:
    """One kind of database.

    Attributes:
        name: What it is called.
        url: A database of its own.
        native: What its own way is.
        write: Writes lineitem by that into a table that is there, empty.
        read: Reads lineitem by that.
    """

    name: str
    url: str
    native: str
    write: Callable[[], Run]
    read: Callable[[], Run]


def main() -> None:
    """Measure and write ``results/sql.json``."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        files = Files(Path(folder))
        for kind in (_postgresql, _mariadb, _sqlite, _duckdb):
            with kind(files) as store:
                rows += _lineitem(store, files.table)
        rows += _whole(files)
    write_result("sql", "Databases, rows a second (TPC-H at scale 0.1)", rows)


class Files:
    """The tables as files: Parquet, and text that servers' own clients load.

    Args:
        folder: Where text is put.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parquet = tpch(SCALE)
        self.table = self.read(TABLE)

    def read(self, name: str) -> pa.Table:
        """Return a table."""
        table = pq.read_table(self.parquet / f"{name}.parquet")
        text = {pa.string_view(): pa.string()}  # of which Arrow writes no CSV
        fields = [(field.name, text.get(field.type, field.type)) for field in table.schema]
        return table.cast(pa.schema(fields))

    def text(self, name: str) -> Path:
        """Return a table as CSV without a header."""
        path = self.folder / f"{name}.csv"
        if not path.exists():
            options = pacsv.WriteOptions(include_header=False)
            pacsv.write_csv(self.read(name), path, options)
        return path

    def names(self) -> list[str]:
        """Return the names of all tables."""
        return sorted(path.stem for path in self.parquet.glob("*.parquet"))


# --- one table ---------------------------------------------------------------------------------


def _lineitem(store: Store, table: pa.Table) -> list[Row]:
    """Measure one store; its own way is timed on the table that ours has made."""
    written = _typical(lambda: _timed(partial(_write, store.url, table)))
    read = _typical(lambda: _timed(partial(_read, store.url)))
    own_read = _typical(store.read)
    own_written = _typical(store.write)
    pairs = (("read", read, own_read), ("write", written, own_written))
    return [
        Row(
            f"{store.name}: {what} lineitem",
            round(table.num_rows / ours.seconds / 1e3),
            "k rows/s",
            "",
            f"{store.native}: {table.num_rows / own.seconds / 1e3:,.0f} k rows/s; seconds of CPU "
            f"here: {ours.cpu_seconds:.2f}, {own.cpu_seconds:.2f}",
        )
        for what, ours, own in pairs
    ]


def _timed(work: Callable[[], object]) -> Run:
    begun, cpu = time.perf_counter(), time.process_time()
    work()
    return Run(time.perf_counter() - begun, time.process_time() - cpu, 0)


def _typical(measure: Callable[[], Run]) -> Run:
    """Return the run of median time of a few, after one that doesn't count."""
    measure()
    runs = sorted((measure() for _ in range(RUNS)), key=lambda one: one.seconds)
    return runs[RUNS // 2]


def _write(url: str, table: pa.Table) -> None:
    target = open_target(url, tables={TABLE: table.schema}, if_exists="replace", ctx=CTX)
    with target as writers, writers[TABLE] as writer:
        for batch in table.to_batches(max_chunksize=65_536):
            writer.write(batch)


def _read(url: str) -> int:
    sources = open_source(url, ctx=CTX)
    return sum(batch.num_rows for source in sources.values() for batch in source.batches())


# --- the stores' own ways ----------------------------------------------------------------------


@contextmanager
def _fresh(server: str) -> Iterator[str]:
    """Give the URL of a new database on a server."""
    name = f"simulacra_{secrets.token_hex(6)}"
    _run_sql(server, f"CREATE DATABASE {name}")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        force = " WITH (FORCE)" if server.startswith("postgres") else ""
        _run_sql(server, f"DROP DATABASE {name}{force}")


def _run_sql(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = engine(database_of(url)).connect()
    with connection.execution_options(isolation_level="AUTOCOMMIT", no_parameters=True) as open_one:
        found = open_one.exec_driver_sql(statement)
        return [tuple(row) for row in found] if found.returns_rows else []


@contextmanager
def _postgresql(files: Files) -> Iterator[Store]:
    with _fresh(POSTGRESQL) as url:
        yield Store(
            "PostgreSQL",
            url,
            "COPY by psql",
            partial(_psql_write, url, files, [TABLE]),
            partial(_psql_read, url, [TABLE]),
        )


def _psql(url: str, *lines: str) -> Run:
    words = [word for line in lines for word in ("-c", line)]
    return run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, *words])


def _psql_write(url: str, files: Files, tables: list[str]) -> Run:
    empty = f"TRUNCATE {', '.join(tables)}"
    _run_sql(url, empty)
    copies = (f"\\copy {name} FROM '{files.text(name)}' (FORMAT csv)" for name in tables)
    return _psql(url, *copies)


def _psql_read(url: str, tables: list[str]) -> Run:
    return _psql(url, *(f"\\copy {name} TO '/dev/null'" for name in tables))


@contextmanager
def _mariadb(files: Files) -> Iterator[Store]:
    with _fresh(MARIADB) as url:
        place = make_url(url)
        client = ["mariadb", "-h", place.host or "", "-P", str(place.port or 3306),
                  "-u", place.username or "", str(place.database)]  # fmt: skip
        login = {"MYSQL_PWD": str(place.password or "")}

        def write() -> Run:
            _run_sql(url, f"TRUNCATE {TABLE}")
            load = (
                f"LOAD DATA LOCAL INFILE '{files.text(TABLE)}' INTO TABLE {TABLE} "
                "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"'"
            )
            return run([*client, "--local-infile=1", "-e", load], env=login)

        def read() -> Run:
            select = f"SELECT * FROM {TABLE}"  # noqa: S608 - our own name
            return run([*client, "--quick", "--batch", "-e", select], env=login)

        yield Store("MariaDB", url, "LOAD DATA and SELECT by its client", write, read)


@contextmanager
def _sqlite(files: Files) -> Iterator[Store]:
    path = files.folder / "tpch.sqlite"
    columns = [column.to_pylist() for column in files.table.cast(_plain(files.table)).columns]
    places = ", ".join("?" for _ in columns)

    def write() -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(f"DELETE FROM {TABLE}")  # noqa: S608 - our own name
            insert = f"INSERT INTO {TABLE} VALUES ({places})"  # noqa: S608 - our own name
            connection.executemany(insert, zip(*columns, strict=True))

    def read() -> int:
        with closing(sqlite3.connect(path)) as connection:
            return sum(1 for _ in connection.execute(f"SELECT * FROM {TABLE}"))  # noqa: S608 - our own name

    yield Store(
        "SQLite",
        f"sqlite:///{path}",
        "sqlite3 of Python",
        lambda: _timed(write),
        lambda: _timed(read),
    )


def _plain(table: pa.Table) -> pa.Schema:
    """Return the columns as types whose Python objects SQLite takes."""
    known: Mapping[Callable[[pa.DataType], bool], pa.DataType] = {
        pa.types.is_decimal: pa.float64(),
        pa.types.is_date: pa.string(),
    }

    def plain(kind: pa.DataType) -> pa.DataType:
        return next((wanted for fits, wanted in known.items() if fits(kind)), kind)

    return pa.schema([(field.name, plain(field.type)) for field in table.schema])


@contextmanager
def _duckdb(files: Files) -> Iterator[Store]:
    path = files.folder / "tpch.duckdb"

    def write() -> None:
        with duckdb.connect(str(path)) as connection:
            source = files.parquet / f"{TABLE}.parquet"
            connection.execute(f"DELETE FROM {TABLE}")  # noqa: S608 - our own name
            connection.execute(f"INSERT INTO {TABLE} SELECT * FROM '{source}'")  # noqa: S608 - ours

    def read() -> int:
        with duckdb.connect(str(path), read_only=True) as connection:
            reader = connection.sql(f"SELECT * FROM {TABLE}").to_arrow_reader(65_536)  # noqa: S608 - our own
            return sum(batch.num_rows for batch in reader)

    yield Store(
        "DuckDB",
        f"duckdb:///{path}",
        "DuckDB by itself",
        lambda: _timed(write),
        lambda: _timed(read),
    )


# --- all tables --------------------------------------------------------------------------------


def _whole(files: Files) -> list[Row]:
    """From one PostgreSQL database to another, all constraints on."""
    names = files.names()
    count = sum(pq.read_metadata(files.parquet / f"{name}.parquet").num_rows for name in names)
    with _fresh(POSTGRESQL) as source, _fresh(POSTGRESQL) as target, _fresh(POSTGRESQL) as bare:
        whole = simulacra.subset(str(files.parquet), scale=1.0, ctx=CTX)
        write = partial(whole.write, if_exists="replace")
        written = _typical(lambda: _timed(partial(write, source)))
        read = _typical(lambda: _timed(partial(_read, source)))
        own_read = _typical(partial(_psql_read, source, names))
        _bare_copy(source, bare)
        own_written = _typical(partial(_psql_write, bare, files, names))
        made = [run([command(), "synth", source, target, "--if-exists", "replace", "--quiet"])
                for _ in range(2)][-1]  # fmt: skip
        keys = _kept(target)
    what = f"PostgreSQL, eight tables, {count / 1e3:,.0f} k rows"
    return [
        Row(f"{what}: synth to another database", round(made.seconds, 1), "s", "works",
            f"{count / made.seconds / 1e3:,.0f} k rows/s; {made.cpu_seconds:.1f} s of CPU; peak "
            f"{made.peak_bytes / 1e9:.1f} GB; {keys} keys and foreign keys stand in the target"),
        Row(f"{what}: read", round(count / read.seconds / 1e3), "k rows/s", "",
            f"COPY alone: {count / own_read.seconds / 1e3:,.0f} k rows/s; seconds of CPU here: "
            f"{read.cpu_seconds:.2f}, {own_read.cpu_seconds:.2f}"),
        Row(f"{what}: write, with keys, foreign keys and their checks",
            round(count / written.seconds / 1e3), "k rows/s", "",
            f"COPY alone, no keys: {count / own_written.seconds / 1e3:,.0f} k rows/s; seconds of "
            f"CPU here: {written.cpu_seconds:.2f} (Parquet read, too), "
            f"{own_written.cpu_seconds:.2f}"),
    ]  # fmt: skip


def _bare_copy(source: str, bare: str) -> None:
    """Make the same tables without any key."""
    columns = _run_sql(
        source,
        "SELECT c.relname, string_agg(quote_ident(a.attname) || ' ' || "
        "format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) "
        "FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 "
        "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1",
    )
    for name, described in columns:
        _run_sql(bare, f"CREATE TABLE {name} ({described})")


def _kept(url: str) -> int:
    found = _run_sql(
        url,
        "SELECT count(*) FROM pg_constraint WHERE convalidated AND contype IN ('p', 'u', 'f') "
        "AND connamespace = 'public'::regnamespace",
    )
    return int(str(found[0][0]))


if __name__ == "__main__":
    main()
