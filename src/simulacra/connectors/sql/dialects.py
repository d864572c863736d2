"""What each database can do, as data: nothing else in this package asks which one it has."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from simulacra.connectors.sql import catalogs


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of database.

    Attributes:
        name: What users call it.
        title: What it calls itself.
        schemes: URL schemes, without a driver.
        driver: The SQLAlchemy dialect and driver; None where SQLAlchemy is not used, or the URL's
            own is.
        needs: Modules that must be there.
        suffixes: File endings, for databases that are files.
        magic: What such a file holds, and at which offset.
        quote: What identifiers are quoted with.
        folds: What is the same if only the case differs: ``table``, ``column``.
        has_schemas: Whether a database holds schemas, in which tables are.
        default_schema: Where tables are unless told; None if the URL or the server says so.
        package: Where what is special to it is, in modules of the same names for all:
            ``connection``, ``reader``, ``store``, ``errors``.
        reflector: The package whose ``reflect`` tells of its tables.
        reflect_first: What to tell the database before it is asked of its tables.
        native_types: A query (of :mod:`.catalogs`, as the next two) of (schema, table, column, type
            as the database writes it); None if SQLAlchemy's own view of the types has to do.
        foreign_keys: A query of a row for each column of each foreign key
            (:data:`.catalogs.POSTGRESQL_KEYS`); None if SQLAlchemy's own view of them has to do.
        more_checks: A query of (schema, table, SQL) for check constraints that SQLAlchemy doesn't
            see.
        snapshot: Statements that begin a read-only transaction in which all reads see one state.
        isolation: The SQLAlchemy isolation levels that give that, best first, where statements
            differ too much.
        export_snapshot: A query that names the transaction's snapshot, where others can join it.
        join_snapshot: A statement that joins it; ``{}`` takes the name.
        swaps: Whether new tables can take the place of others at once; else rows are replaced.
        tested: Whether each release is tested against a real one.
    """

    name: str
    title: str
    schemes: tuple[str, ...]
    driver: str | None
    needs: tuple[str, ...]
    suffixes: tuple[str, ...] = ()
    magic: tuple[bytes, int] | None = None
    quote: str = '"'
    folds: frozenset[str] = frozenset()
    has_schemas: bool = False
    default_schema: str | None = None
    package: str = "sqlalchemy"
    reflector: str = "sqlalchemy"
    reflect_first: str | None = None
    native_types: str | None = None
    foreign_keys: str | None = None
    more_checks: str | None = None
    snapshot: tuple[str, ...] = ()
    isolation: tuple[str, ...] = ()
    export_snapshot: str | None = None
    join_snapshot: str | None = None
    swaps: bool = True
    tested: bool = True

    @property
    def is_file(self) -> bool:
        """Whether a database is a file."""
        return bool(self.suffixes)

    def part(self, module: str) -> Any:
        """Return a module of its package, as ``reader``."""
        return import_module(f"{__package__}.{self.package}.{module}")

    def reflect(self) -> Any:
        """Return the module that tells of its tables."""
        return import_module(f"{__package__}.{self.reflector}.reflect")

    def quoted(self, *names: str | None) -> str:
        """Return identifiers, quoted, joined by dots; None is left out."""
        from sqlalchemy.engine.default import DefaultDialect
        from sqlalchemy.sql.compiler import IdentifierPreparer

        preparer = IdentifierPreparer(
            DefaultDialect(), initial_quote=self.quote, escape_quote=self.quote
        )
        return ".".join(preparer.quote_identifier(name) for name in names if name is not None)


POSTGRESQL = Dialect(
    name="postgresql",
    title="PostgreSQL",
    schemes=("postgresql", "postgres"),
    driver="postgresql+pg8000",
    needs=("sqlalchemy", "pg8000", "adbc_driver_postgresql"),
    package="postgresql",
    has_schemas=True,
    default_schema="public",
    reflect_first="SET search_path TO ''",  # so that it names the schema of everything
    native_types=catalogs.POSTGRESQL_TYPES,
    foreign_keys=catalogs.POSTGRESQL_KEYS,
    snapshot=("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",),
    export_snapshot="SELECT pg_export_snapshot()",
    join_snapshot="SET TRANSACTION SNAPSHOT '{}'",
)

MYSQL = Dialect(
    name="mysql",
    title="MySQL or MariaDB",
    schemes=("mysql", "mariadb"),
    driver="mysql+pymysql",
    needs=("sqlalchemy", "pymysql"),
    package="mysql",
    quote="`",
    folds=frozenset({"column"}),
    native_types=catalogs.MYSQL_TYPES,
    foreign_keys=catalogs.MYSQL_KEYS,
    more_checks=catalogs.MYSQL_CHECKS,
    snapshot=(
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ),
)

SQLITE = Dialect(
    name="sqlite",
    title="SQLite",
    schemes=("sqlite",),
    driver=None,
    needs=("sqlalchemy", "adbc_driver_sqlite"),
    package="sqlite",
    suffixes=(".sqlite", ".sqlite3", ".db"),
    magic=(b"SQLite format 3\0", 0),
    folds=frozenset({"table", "column"}),
    default_schema="main",
    reflector="sqlite",
    snapshot=("BEGIN",),
)

DUCKDB = Dialect(
    name="duckdb",
    title="DuckDB",
    schemes=("duckdb",),
    driver=None,
    needs=("sqlalchemy", "duckdb"),
    suffixes=(".duckdb",),
    magic=(b"DUCK", 8),
    folds=frozenset({"table", "column"}),
    has_schemas=True,
    default_schema="main",
    package="duckdb",
    reflector="duckdb",
    snapshot=("BEGIN TRANSACTION",),
)

PACKAGES = {
    "access": "sqlalchemy-access",
    "awsathena": "PyAthena[SQLAlchemy]",
    "bigquery": "sqlalchemy-bigquery",
    "clickhouse": "clickhouse-sqlalchemy",
    "clickhousedb": "clickhouse-connect[sqlalchemy]",
    "cockroachdb": "sqlalchemy-cockroachdb psycopg2",
    "crate": "sqlalchemy-cratedb",
    "databricks": "databricks-sqlalchemy",
    "db2": "ibm_db_sa",
    "denodo": "denodo-sqlalchemy",
    "drill": "sqlalchemy-drill",
    "exa": "sqlalchemy-exasol",
    "firebird": "sqlalchemy-firebird",
    "firebolt": "firebolt-sqlalchemy",
    "hana": "sqlalchemy-hana",
    "hive": "PyHive[hive]",
    "ibm_db_sa": "ibm_db_sa",
    "impala": "impyla",
    "monetdb": "sqlalchemy-monetdb",
    "mssql": "pymssql, with mssql+pymssql://",
    "netezza": "nzalchemy",
    "ocient": "sqlalchemy-ocient",
    "oracle": "oracledb, with oracle+oracledb://",
    "redshift": "sqlalchemy-redshift redshift_connector",
    "risingwave": "sqlalchemy-risingwave psycopg2",
    "singlestoredb": "sqlalchemy-singlestoredb",
    "snowflake": "snowflake-sqlalchemy",
    "spanner": "sqlalchemy-spanner",
    "starrocks": "starrocks",
    "teradatasql": "teradatasqlalchemy",
    "trino": "trino[sqlalchemy]",
    "vertica": "sqlalchemy-vertica-dialect",
    "yugabytedb": "sqlalchemy-yugabytedb",
}
"""Schemes of other SQLAlchemy dialects, and what pip installs for them."""

GENERIC = Dialect(
    name="sql",
    title="a database reached through SQLAlchemy alone",
    schemes=tuple(PACKAGES),
    driver=None,
    needs=("sqlalchemy",),
    isolation=("SNAPSHOT", "REPEATABLE READ", "SERIALIZABLE"),
    swaps=False,
    tested=False,
)

DIALECTS = (POSTGRESQL, MYSQL, SQLITE, DUCKDB, GENERIC)


def dialect_of_scheme(scheme: str) -> Dialect | None:
    """Return the dialect that a URL's scheme names, with a driver or without."""
    base = scheme.partition("+")[0].lower()
    return next((dialect for dialect in DIALECTS if base in dialect.schemes), None)
