"""Whole tables and databases masked: what changes, what stays, and that keys agree."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import simulacra
from real_data import real_data
from simulacra.core.errors import SpecError, UsageError
from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, TableSpec
from simulacra.datatypes.personal.masks.known import book
from simulacra.datatypes.personal.words import plain

KEY = "correct horse battery staple"


def chinook():
    return real_data("chinook.sqlite")


def rows_of(database, query):
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    file = tmp_path_factory.mktemp("masked") / "chinook.sqlite"
    found = simulacra.anonymize(chinook(), key=KEY)
    return file, found.write(file), found


PERSONAL = {
    "Customer": ("FirstName", "LastName", "Address", "City", "PostalCode", "Phone", "Fax", "Email"),
    "Employee": ("FirstName", "LastName", "Address", "City", "PostalCode", "Phone", "Fax", "Email"),
    "Invoice": ("BillingAddress", "BillingCity", "BillingPostalCode"),
}


SHAPES = {
    "invoices of customers": """
        SELECT count(*), round(sum(Total), 2) FROM Invoice GROUP BY CustomerId""",
    "customers of employees": "SELECT count(*) FROM Customer GROUP BY SupportRepId",
    "a tree": "SELECT count(*) FROM Employee GROUP BY ReportsTo",
    "genres by country": """
        SELECT c.Country, g.Name, count(*) FROM Customer c JOIN Invoice i USING (CustomerId)
        JOIN InvoiceLine USING (InvoiceId) JOIN Track USING (TrackId)
        JOIN Genre g USING (GenreId) GROUP BY 1, 2""",
    "a composite key": """
        SELECT p.Name, count(*), sum(t.Milliseconds) FROM Playlist p
        JOIN PlaylistTrack USING (PlaylistId) JOIN Track t USING (TrackId) GROUP BY PlaylistId""",
}


def test_chinook_stays_whole(masked):
    file, written, _ = masked
    assert rows_of(file, "PRAGMA foreign_key_check") == []
    counts = {name: rows_of(chinook(), f'SELECT count(*) FROM "{name}"')[0][0] for name in written}
    assert written == counts


@pytest.mark.parametrize("shape", SHAPES)
def test_joins_are_shaped_as_before(masked, shape):
    made, real = (Counter(rows_of(file, SHAPES[shape])) for file in (masked[0], chinook()))
    assert made == real


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, some in PERSONAL.items() for column in some]
)
def test_nothing_personal_is_left_in_chinook(masked, table, column):
    file, _, found = masked
    assert f"{table}.{column}" in found.columns
    query = f"SELECT {column} FROM {table}"
    real, made = (Counter(value for (value,) in rows_of(db, query)) for db in (chinook(), file))
    assert made.pop(None, 0) == real.pop(None, 0)
    # As often as before: the same value became the same one, and others did not join it. Luis and
    # Luís are one name.
    told = Counter(plain(value) for value in real.elements()) if "Name" in column else real
    assert sorted(made.values()) == sorted(told.values())
    if column in {"Email", "Address", "BillingAddress", "Phone", "Fax"}:
        assert not made.keys() & real.keys()


def test_no_row_keeps_its_person(masked):
    # Keys are others, so rows are told by what stays.
    query = "SELECT BirthDate, HireDate, FirstName, LastName, Phone, Email FROM Employee"
    real, made = ({row[:2]: row[2:] for row in rows_of(f, query)} for f in (chinook(), masked[0]))
    assert real.keys() == made.keys()
    for person, values in real.items():
        assert all(one != other for one, other in zip(values, made[person], strict=True))


def test_what_tables_share_stays_shared(masked):
    file, _, _ = masked
    query = "SELECT count(*) FROM Customer c JOIN Invoice i USING (CustomerId) WHERE {}"
    for condition in (
        "c.Address = i.BillingAddress",
        "c.City = i.BillingCity",
        "c.PostalCode = i.BillingPostalCode",
    ):
        asked = query.format(condition)
        assert rows_of(file, asked) == rows_of(chinook(), asked), condition
    # Names that a list knows are the same in an address; that of Bjørn has no ø.
    query = "SELECT FirstName, Email FROM Customer"
    real, made = (
        [
            plain(first)
            for first, email in rows_of(db, query)
            if email.startswith(plain(first) + ".")
        ]
        for db in (chinook(), file)
    )
    assert len(made) >= sum(name in book("first", "en_US").homes for name in real) > 10


def test_all_else_stays(masked):
    file, _, found = masked
    for query in (
        "SELECT Name, Composer, Milliseconds, Bytes, UnitPrice FROM Track",
        "SELECT Title, BirthDate, HireDate, Country FROM Employee",
        "SELECT State, Country FROM Customer",
        "SELECT Name FROM Artist",
    ):
        assert Counter(rows_of(file, query)) == Counter(rows_of(chinook(), query))
    assert "Track.Name" not in found.columns
    assert found.columns["Invoice.CustomerId"] == "code"
    assert found.reasons["Invoice.CustomerId"] == "it holds what Customer.CustomerId does"


def test_the_key_alone_decides(masked, tmp_path):
    file, _, found = masked
    columns = "CustomerId, FirstName, LastName, Phone, Email"
    query = f"SELECT {columns} FROM Customer ORDER BY CustomerId"
    source = simulacra.source(chinook(), include=["Customer"])
    options = {"metadata": found.metadata, "keep": ["Customer.SupportRepId"]}
    for place, key in enumerate((KEY, KEY, "another horse's staple", None, None)):
        simulacra.anonymize(source, key=key, **options).write(tmp_path / f"{place}.sqlite")
    first, *others = (rows_of(tmp_path / f"{place}.sqlite", query) for place in range(5))
    assert first == rows_of(file, query) == others[0]
    made = [set(first), *map(set, others[1:])]
    assert not any(one & other for i, one in enumerate(made) for other in made[:i])


# --- keys ------------------------------------------------------------------------------------


def column(type_, arrow, **more):
    return ColumnSpec(type=type_, arrow=arrow, **more)


def tenants():
    """Orders that are numbered within tenants, and lines that lead to them by both."""
    orders = pa.table(
        {
            "tenant": pa.array(np.repeat([7, 8, 9], 50), pa.int32()),
            "order_no": [f"ORD-{n:04d}" for n in range(50)] * 3,
            "paid": np.arange(150) / 4,
        }
    )
    lines = orders.select(["tenant", "order_no"]).take(np.repeat(np.arange(150), 2))
    lines = lines.set_column(0, "tenant", lines["tenant"].cast(pa.int64()))
    lines = lines.append_column("line", pa.array(np.tile([1, 2], 150)))
    names = pa.table({"id": pa.array([7, 8, 9], pa.int64()), "mood": ["good", "bad", "odd"]})
    spec = DatasetSpec(
        tables={
            "tenants": TableSpec(
                columns={"id": column("identifier", "int64"), "mood": column("category", "string")},
                primary_key=["id"],
            ),
            "orders": TableSpec(
                columns={
                    "tenant": column("integer", "int32"),
                    "order_no": column("category", "string"),
                    "paid": column("float", "double"),
                },
                primary_key=["tenant", "order_no"],
                foreign_keys=[
                    ForeignKey(columns=["tenant"], parent="tenants", parent_columns=["id"])
                ],
            ),
            "lines": TableSpec(
                columns={
                    "tenant": column("integer", "int64"),
                    "order_no": column("category", "string"),
                    "line": column("integer", "int64"),
                },
                primary_key=["tenant", "order_no", "line"],
                foreign_keys=[
                    ForeignKey(
                        columns=["tenant", "order_no"],
                        parent="orders",
                        parent_columns=["tenant", "order_no"],
                    )
                ],
            ),
        }
    )
    return {"tenants": names, "orders": orders, "lines": lines}, simulacra.Metadata(spec)


def test_composite_keys_agree_across_types():
    tables, metadata = tenants()
    found = simulacra.anonymize(tables, key=KEY, metadata=metadata)
    assert set(found.columns) == {
        "tenants.id", "orders.tenant", "orders.order_no", "lines.tenant", "lines.order_no",
    }  # fmt: skip
    made = found.frames()
    assert {name: frame.schema for name, frame in made.items()} == {
        name: frame.schema for name, frame in tables.items()
    }
    orders = list(
        zip(*(made["orders"][c].to_pylist() for c in ("tenant", "order_no")), strict=True)
    )
    lines = Counter(
        zip(*(made["lines"][c].to_pylist() for c in ("tenant", "order_no")), strict=True)
    )
    assert lines == dict.fromkeys(orders, 2)
    assert len(set(orders)) == 150
    assert all(text.startswith("ORD-") and len(text) == 8 for _, text in orders)
    assert made["lines"]["line"].equals(tables["lines"]["line"])
    assert made["orders"]["paid"].equals(tables["orders"]["paid"])


def test_keys_can_be_kept_all_or_by_name():
    tables, metadata = tenants()
    assert not simulacra.anonymize(tables, metadata=metadata, keep_keys=True).columns
    found = simulacra.anonymize(tables, metadata=metadata, keep=["lines.order_no"])
    # With a key, all that hold its values stay.
    assert set(found.columns) == {"tenants.id", "orders.tenant", "lines.tenant"}
    whole = simulacra.anonymize(tables, metadata=metadata, keep=["tenants"])
    assert set(whole.columns) == {"orders.order_no", "lines.order_no"}


def test_a_key_that_leads_to_people_is_masked_as_what_it_is():
    people = pa.table({"email": [f"p{n}@firm.com" for n in range(60)]})
    visits = pa.table({"id": range(100), "who": [f"p{n % 60}@firm.com" for n in range(100)]})
    spec = DatasetSpec(
        tables={
            "people": TableSpec(
                columns={"email": column("identifier", "string")}, primary_key=["email"]
            ),
            "visits": TableSpec(
                columns={"id": column("integer", "int64"), "who": column("category", "string")},
                foreign_keys=[
                    ForeignKey(columns=["who"], parent="people", parent_columns=["email"])
                ],
            ),
        }
    )
    found = simulacra.anonymize(
        {"people": people, "visits": visits}, metadata=simulacra.Metadata(spec), keep_keys=False
    )
    assert found.columns == {"people.email": "email", "visits.who": "email"}
    made = found.frames()
    assert set(made["visits"]["who"].to_pylist()) == set(made["people"]["email"].to_pylist())
    assert all(email.endswith(".example") for email in made["people"]["email"].to_pylist())


def test_keys_of_frames_with_nulls_and_lost_rows():
    """pandas holds keys that may be null as floats; keys that name no row are masked too."""
    boss = pd.DataFrame({"id": range(100, 160), "boss": [None, *[100.0] * 58, 999.0]})
    spec = DatasetSpec(
        tables={
            "boss": TableSpec(
                columns={"id": column("identifier", "int64"), "boss": column("float", "double")},
                primary_key=["id"],
                foreign_keys=[ForeignKey(columns=["boss"], parent="boss", parent_columns=["id"])],
            )
        }
    )
    made = simulacra.anonymize({"boss": boss}, metadata=simulacra.Metadata(spec)).frames()["boss"]
    assert isinstance(made, pd.DataFrame)
    counts = made["boss"].value_counts()
    assert counts.tolist() == [58, 1]
    assert counts.index[0] == made["id"][0] != 100
    assert counts.index[1] not in {999.0, *made["id"]}
    assert made["boss"].isna().sum() == 1


def test_pseudonyms_fit_where_the_values_came_from(tmp_path):
    """Keys agree, although only one of the columns has no room for a longer address."""
    file = tmp_path / "people.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript(
            """CREATE TABLE people (email VARCHAR(90) PRIMARY KEY, name VARCHAR(9));
            CREATE TABLE visits (id INTEGER PRIMARY KEY,
                who VARCHAR(14) NOT NULL REFERENCES people (email));"""
        )
        people = [(f"p{n}@firm.com", f"Anna {n}") for n in range(60)]
        connection.executemany("INSERT INTO people VALUES (?, ?)", people)
        visits = [(n, f"p{n % 60}@firm.com") for n in range(120)]
        connection.executemany("INSERT INTO visits VALUES (?, ?)", visits)
    found = simulacra.anonymize(file, mask=["people.name=company"])
    assert found.columns["visits.who"] == found.columns["people.email"] == "email"
    found.write(tmp_path / "made.sqlite")
    made = tmp_path / "made.sqlite"
    assert rows_of(made, "PRAGMA foreign_key_check") == []
    (longest,) = rows_of(made, "SELECT max(length(email)), max(length(name)) FROM people")
    assert longest == rows_of(file, "SELECT max(length(email)), max(length(name)) FROM people")[0]
    counts = "SELECT count(*) FROM visits GROUP BY who"
    assert rows_of(made, counts) == rows_of(file, counts)


# --- what is masked --------------------------------------------------------------------------


def customers(rows=200):
    return pa.table(
        {
            "first_name": ["Anna", "Bert", "Clara", "David"] * (rows // 4),
            "email": [f"person{n}@firm.com" for n in range(rows)],
            "note": [f"likes {n % 7} cats" for n in range(rows)],
            "badge": np.arange(rows) * 13 % 211,
            "height": np.arange(rows) / 3,
        }
    )


def test_columns_are_added_and_left():
    table = customers()
    found = simulacra.anonymize(table, keep=["first_name"], mask=["note", "badge", "email=code"])
    assert found.columns == {
        "table.email": "code", "table.note": "code", "table.badge": "code",
    }  # fmt: skip
    made = found.frames()
    assert made["first_name"].equals(table["first_name"])
    assert made["height"].equals(table["height"])
    assert len(set(made["badge"].to_pylist())) == len(set(table["badge"].to_pylist()))
    assert not {"likes"} & set(" ".join(made["note"].to_pylist()).split())
    named = simulacra.anonymize(table, mask="note=company", keep=["email"])
    assert named.columns["table.note"] == "company"


def test_blocks_and_threads_do_not_matter(tmp_path):
    from simulacra.core.context import RunContext
    from simulacra.core.limits import Limits

    table = customers()
    parts = pa.concat_tables([table.slice(start, 7) for start in range(0, 200, 7)])
    one = RunContext(limits=Limits(threads=1))
    whole = simulacra.anonymize(table, key=KEY, ctx=one).frames()
    assert simulacra.anonymize(parts, key=KEY).frames().equals(whole)
    pq.write_table(table, tmp_path / "people.parquet")
    simulacra.anonymize(tmp_path / "people.parquet", key=KEY).write(tmp_path / "made.parquet")
    assert pq.read_table(tmp_path / "made.parquet").to_pylist() == whole.to_pylist()


def test_parts_of_nested_columns_are_masked():
    emails = [[f"a{n}@firm.com", None, f"b{n}@firm.com"][: n % 4] or None for n in range(60)]
    person = [{"phone": f"+1 212 555 {n:04d}", "size": n} if n % 5 else None for n in range(60)]
    table = pa.table({"person": person, "emails": emails})
    found = simulacra.anonymize(table, mask=["person.phone", "emails"], key=KEY)
    assert found.columns == {"table.person.phone": "phone", "table.emails[]": "email"}
    made = found.frames()
    assert made.schema == table.schema
    assert made["person"].is_null().equals(table["person"].is_null())
    for before, after in zip(person, made["person"].to_pylist(), strict=True):
        if before is not None:
            assert after["size"] == before["size"]
            assert after["phone"].startswith("+1 ")
            assert after["phone"] != before["phone"]
    for before, after in zip(emails, made["emails"].to_pylist(), strict=True):
        assert (before is None) == (after is None)
        assert [e is None for e in before or []] == [e is None for e in after or []]
        assert all(e is None or e.endswith(".example") for e in after or [])


def test_a_folder_says_its_keys_and_people_are_looked_for(tmp_path):
    """What lies beside files tells keys, and need not tell who is in them."""
    tables = {
        "people": customers().append_column("id", pa.array(range(200))),
        "visits": pa.table({"number": range(300), "who": [n % 200 for n in range(300)]}),
    }
    spec = simulacra.Metadata.detect(tables).spec
    spec.tables["people"].primary_key = ["id"]
    spec.tables["visits"].foreign_keys = [
        ForeignKey(columns=["who"], parent="people", parent_columns=["id"])
    ]
    simulacra.subset(tables, scale=1.0, metadata=simulacra.Metadata(spec)).write(tmp_path / "shop")
    found = simulacra.anonymize(tmp_path / "shop")
    assert found.columns["people.email"] == "email"
    assert found.columns["visits.who"] == "code"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"mask": ["table.shoe"]},
            "table.shoe: there is no such column: --mask names it. table h",
        ),
        ({"keep": ["shoes.size"]}, "there is no such column: --keep names it. Write TABLE.COLUMN"),
        ({"mask": ["height"]}, r"table.height: a column of type float \(double\) can't be masked"),
        ({"mask": ["badge=email"]}, "can't be masked as email: texts can, and whole numbers"),
        ({"mask": ["note=shoe"]}, "note: there is no kind 'shoe'"),
        ({"mask": ["note"], "keep": ["note"]}, "table.note: it is to be masked and kept"),
        ({"key": "swordfish"}, "the key is too short"),
        ({"key": "env:NO_SUCH_KEY"}, "the environment variable NO_SUCH_KEY is not set"),
    ],
)
def test_mistakes_are_told(options, text, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(UsageError, match=text):
        simulacra.anonymize(customers(), **options)


def test_a_number_that_is_none_stops_all(tmp_path):
    spec = DatasetSpec(
        tables={
            "table": TableSpec(columns={"id": column("identifier", "uint64")}, primary_key=["id"])
        }
    )
    table = pa.table({"id": pa.array([1, 2**64 - 1], pa.uint64())})
    found = simulacra.anonymize(table, metadata=simulacra.Metadata(spec))
    with pytest.raises(SpecError, match=r"table\.id: a number can't be masked"):
        found.write(tmp_path / "made.parquet")
    assert not list(tmp_path.iterdir())


def test_the_specification_decides_and_the_rest_is_told():
    class Notes(list):
        def note(self, message):
            self.append(message)

    table = pa.table({"email": [f"a{n}@b.com" for n in range(9)], "work_email": ["x@y.com"] * 9})
    spec = DatasetSpec(
        tables={
            "table": TableSpec(
                columns={
                    "email": column("personal", "string", options={"kind": "email"}),
                    "work_email": column("category", "string"),
                }
            )
        }
    )
    from simulacra.core.context import RunContext

    notes = Notes()
    ctx = RunContext(progress=notes)
    found = simulacra.anonymize(table, metadata=simulacra.Metadata(spec), ctx=ctx)
    assert list(found.columns) == ["table.email"]
    assert [n for n in notes if "table.work_email stays as it is" in n]
