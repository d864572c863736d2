"""Primary keys that are personal data: never the source's, none twice, and followed by others."""

import sqlite3

import pyarrow as pa
import pytest
from faker import Faker

from simulacra import Metadata, Synthesizer

USERS, POSTS = 200, 500


@pytest.fixture(scope="module")
def forum(tmp_path_factory):
    """Users known by their addresses, whom they were asked by, and what they wrote."""
    path = tmp_path_factory.mktemp("forum") / "forum.sqlite"
    fake = Faker("en_GB")
    fake.seed_instance(5)
    mails = [f"{fake.unique.user_name()}@bigfirm.com" for _ in range(USERS)]
    with sqlite3.connect(path) as store:
        store.execute(
            "CREATE TABLE users (email TEXT PRIMARY KEY, first_name TEXT, last_name TEXT,"
            " invited_by TEXT REFERENCES users(email), age INTEGER)"
        )
        store.execute(
            "CREATE TABLE posts (id INTEGER PRIMARY KEY, author TEXT NOT NULL"
            " REFERENCES users(email), score INTEGER)"
        )
        store.executemany(
            "INSERT INTO users VALUES (?, ?, ?, ?, ?)",
            [
                (
                    m,
                    fake.first_name(),
                    fake.last_name(),
                    mails[n // 3] if n % 4 else None,
                    20 + n % 50,
                )
                for n, m in enumerate(mails)
            ],
        )
        store.executemany(
            "INSERT INTO posts VALUES (?, ?, ?)",
            [(n, mails[(n * n) % USERS], n % 7) for n in range(1, POSTS + 1)],
        )
    store.close()
    return f"sqlite:///{path}", set(mails)


@pytest.fixture(scope="module")
def copied(forum):
    metadata = Metadata.detect(forum[0])
    return metadata.spec, Synthesizer(seed=5).fit(forum[0], metadata).sample()


def test_an_address_that_is_a_key_stays_personal(copied):
    column = copied[0].tables["users"].columns["email"]
    assert (column.type, column.options["kind"]) == ("personal", "email")
    assert copied[0].tables["users"].primary_key == ["email"]


def test_keys_are_made_anew_and_unique(forum, copied):
    made = copied[1]["users"]["email"].to_pylist()
    assert len(set(made)) == len(made) == USERS
    assert not set(made) & forum[1]
    assert not any("bigfirm" in mail for mail in made)


def test_foreign_keys_follow(copied):
    users, posts = copied[1]["users"], copied[1]["posts"]
    known = set(users["email"].to_pylist())
    assert set(posts["author"].to_pylist()) <= known
    invited = {mail for mail in users["invited_by"].to_pylist() if mail}
    assert invited
    assert invited <= known


def test_rows_still_tell_of_one_person(copied):
    users = copied[1]["users"]
    for first, last, mail in zip(
        *(users[c].to_pylist() for c in ("first_name", "last_name", "email")), strict=True
    ):
        assert mail.partition("@")[0].startswith(first.lower()[:2])
        assert last.lower()[:2] in mail


def test_personal_columns_that_are_unique_are_no_keys_of_others():
    fake = Faker("en_GB")
    fake.seed_instance(6)
    mails = [fake.unique.email() for _ in range(300)]
    phones = [f"+44 20 7946 {n:04d}" for n in range(300)]
    people = pa.table({"id": range(1, 301), "email": mails, "phone": phones})
    calls = pa.table({"call_id": range(1, 501), "phone_model": [n % 7 + 1 for n in range(500)]})
    visits = pa.table({"visit_id": range(1, 401), "person_id": [n % 300 + 1 for n in range(400)]})
    spec = Metadata.detect({"people": people, "calls": calls, "visits": visits}).spec
    keys = {(t, tuple(k.columns), k.parent) for t, s in spec.tables.items() for k in s.foreign_keys}
    assert keys == {("visits", ("person_id",), "people")}
    assert spec.tables["people"].primary_key == ["id"]
