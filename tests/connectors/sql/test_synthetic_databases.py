"""Synthetic databases of every shape in real servers, whose own constraints judge them."""

from __future__ import annotations

import pytest

from servers import run_sql
from simulacra.connectors.locate import open_target
from simulacra.core.schema import DatasetSpec, ForeignKey
from simulacra.testing.guards import quiet
from simulacra.testing.shapes import SHAPES, database
from simulacra.testing.whole_databases import draw_database

NOT_FOR_SERVERS = {
    "orphans_keep": "its keys lead nowhere, on purpose",
    "repeated_keys": "what they refer to is no key",
    "nested": "servers have no structs and lists of their own",
}
KINDS = {"p": "PRIMARY KEY", "u": "UNIQUE", "f": "FOREIGN KEY"}


def renamed(spec, shape):
    """Return the tables of a shape under names of their own."""

    def key(one):
        return ForeignKey.model_validate({**one.model_dump(), "parent": f"{shape}: {one.parent}"})

    return {
        f"{shape}: {name}": table.model_copy(
            update={"foreign_keys": [key(one) for one in table.foreign_keys]}
        )
        for name, table in spec.tables.items()
    }


@pytest.fixture(scope="module")
def everything():
    """All shapes drawn, in one database."""
    spec, made = {}, {}
    for shape in SHAPES:
        if shape not in NOT_FOR_SERVERS:
            fitted = database(shape).learn()
            tables = draw_database(fitted, fitted.plan(None, 1.5))
            spec |= renamed(fitted.spec, shape)
            made |= {f"{shape}: {name}": table for name, table in tables.items()}
    return DatasetSpec(tables=spec), made


def write(url, spec, made):
    schemas = {name: table.schema for name, table in made.items()}
    with open_target(url, tables=schemas, spec=spec, ctx=quiet(2)) as writers:
        for name, table in made.items():
            with writers[name] as writer:
                for batch in table.to_batches():
                    writer.write(batch)


def wanted(spec):
    """Return how many constraints of each kind there must be; keys for some rows are none."""
    keys = [key for table in spec.tables.values() for key in table.foreign_keys if not key.when]
    return {
        "PRIMARY KEY": sum(bool(table.primary_key) for table in spec.tables.values()),
        "UNIQUE": sum(len(table.unique) for table in spec.tables.values()),
        "FOREIGN KEY": len(keys),
    }


def counted(url, quote, made):
    """Return the rows of each table on the server."""
    names = list(made)
    counts = [
        f"SELECT {place}, count(*) FROM {quote}{name.replace(quote, 2 * quote)}{quote}"
        for place, name in enumerate(names)
    ]
    return {names[place]: rows for place, rows in run_sql(url, " UNION ALL ".join(counts))}


def test_postgresql_takes_every_shape(postgres_url, everything):
    spec, made = everything
    write(postgres_url, spec, made)
    found = run_sql(
        postgres_url,
        "SELECT contype::text, count(*) FROM pg_constraint JOIN pg_namespace n"
        " ON n.oid = connamespace AND nspname = 'public' WHERE contype IN ('p', 'u', 'f')"
        " AND convalidated GROUP BY 1",
    )
    found = {KINDS[kind]: count for kind, count in found}
    assert found["PRIMARY KEY"] == wanted(spec)["PRIMARY KEY"]
    assert found["FOREIGN KEY"] == wanted(spec)["FOREIGN KEY"]
    assert found["UNIQUE"] >= wanted(spec)["UNIQUE"]
    rows = {name: table.num_rows for name, table in made.items()}
    assert counted(postgres_url, '"', made) == rows


def test_mariadb_takes_every_shape(mariadb_url, everything):
    spec, made = everything
    write(mariadb_url, spec, made)
    found = dict(
        run_sql(
            mariadb_url,
            "SELECT constraint_type, count(*) FROM information_schema.table_constraints"
            " WHERE table_schema = database() GROUP BY 1",
        )
    )
    assert found["PRIMARY KEY"] == wanted(spec)["PRIMARY KEY"]
    assert found["FOREIGN KEY"] == wanted(spec)["FOREIGN KEY"]
    assert found["UNIQUE"] >= wanted(spec)["UNIQUE"]
    rows = {name: table.num_rows for name, table in made.items()}
    assert counted(mariadb_url, "`", made) == rows


def test_sqlite_finds_no_key_that_leads_nowhere(sqlite_url, everything):
    spec, made = everything
    write(sqlite_url, spec, made)
    assert run_sql(sqlite_url, "PRAGMA foreign_key_check") == []
    assert run_sql(sqlite_url, "PRAGMA integrity_check") == [("ok",)]
    assert counted(sqlite_url, '"', made) == {name: t.num_rows for name, t in made.items()}
