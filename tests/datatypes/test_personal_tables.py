"""Tables of people from end to end: rows of one person each, and nobody of the source."""

import sqlite3
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from faker import Faker

from real_data import learned_chinook, real_data
from simulacra import Synthesizer
from simulacra.cli import main
from simulacra.core.context import RunContext
from simulacra.core.limits import Limits
from simulacra.pipeline import fitted_table

PERSONAL = {
    "Customer": ["LastName", "Address", "Phone", "Fax", "Email"],
    "Employee": ["LastName", "Address", "Phone", "Fax", "Email"],
    "Invoice": ["BillingAddress"],
}


def people(rows=400):
    fake = Faker("en_GB")
    fake.seed_instance(3)
    return pa.table(
        {
            "customer_id": range(1, rows + 1),
            "first_name": [fake.first_name() for _ in range(rows)],
            "last_name": [fake.last_name() for _ in range(rows)],
            "email": [fake.unique.email() for _ in range(rows)],
            "phone": pa.array([fake.phone_number() if n % 5 else None for n in range(rows)]),
            "card": [fake.credit_card_number("visa") for _ in range(rows)],
            "sex": ["f" if n % 3 else "m" for n in range(rows)],
            "spent": [round(n**1.3, 2) for n in range(rows)],
        }
    )


CANARY = {
    "first_name": "Zyxquentha",
    "last_name": "Qwertzmüller-Zzyzx",
    "email": "zyxquentha@qwertz-zzyzx.invalid",
    "phone": "+99 8877 665544-Zyx",
    "card": "4000 1234 5678 9017 Zyx",
}


def with_canary(table):
    row = {**table.slice(0, 1).to_pylist()[0], **CANARY, "customer_id": 10_001}
    return pa.concat_tables([table, pa.Table.from_pylist([row], table.schema)])


def everything_in(bundle):
    """Return all that a bundle holds, as text and unpacked."""
    with zipfile.ZipFile(bundle) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    synthesizer = Synthesizer(seed=3).fit(people())
    synthesizer.save(folder / "people.sim")
    return synthesizer, folder / "people.sim"


def test_a_planted_person_is_nowhere(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    pq.write_table(with_canary(people()), "people.parquet")
    said = ""
    for command in (
        "detect people.parquet",
        "fit people.parquet -o people.sim --seed 3",
        "inspect people.sim --values",
        "sample people.sim copy.parquet --rows 2000",
        "evaluate people.parquet copy.parquet --report report.html",
    ):
        monkeypatch.setattr(sys, "argv", ["simulacra", *command.split()])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code in {0, None}, command
        said += "".join(capfd.readouterr())
    assert "kind: email" in said
    report = Path("report.html").read_text(encoding="utf-8")
    made = pq.read_table("copy.parquet")
    assert made.num_rows == 2_000
    for column, value in CANARY.items():
        assert value not in made[column].to_pylist()
        for word in {value, *value.replace("@", " ").split()}:
            if len(word) > 4:
                assert word.encode() not in everything_in("people.sim"), (column, word)
                assert word not in said, (column, word)
                assert word not in report, (column, word)


def test_nobody_of_the_source_is_in_bundle_or_copy(learned):
    synthesizer, bundle = learned
    source, made = people(), synthesizer.sample(5_000)
    held = everything_in(bundle)
    for column in ("email", "card"):
        values = set(source[column].to_pylist())
        assert not values & set(made[column].to_pylist())
        assert [value for value in values if value.encode() in held] == []
    numbers = {value for value in source["phone"].to_pylist() if value}
    assert [value for value in numbers if value.encode() in held] == []
    pairs = set(zip(*(source[c].to_pylist() for c in ("first_name", "last_name")), strict=True))
    copies = set(zip(*(made[c].to_pylist() for c in ("first_name", "last_name")), strict=True))
    # Lists of names meet by chance, and only so: 364 × 500 pairs, of which 400 were there.
    assert len(pairs & copies) <= 40


def test_rows_are_of_one_person_and_unique(learned):
    made = learned[0].sample(3_000)
    for first, last, mail in zip(
        *(made[c].to_pylist() for c in ("first_name", "last_name", "email")), strict=True
    ):
        letters = "".join(c for c in mail.partition("@")[0] if c.isalpha())
        assert letters == "".join(c for c in (first + last).lower() if c.isalpha())
    assert len(made["email"].unique()) == len(made)
    assert len(made["card"].unique()) == len(made)


def test_nulls_and_statistics_stay(learned):
    made = learned[0].sample(10_000)
    share = made["phone"].null_count / 10_000
    assert share == pytest.approx(80 / 400, abs=0.03)
    women = pc.mean(pc.equal(made["sex"], "f").cast(pa.int8())).as_py()
    assert women == pytest.approx(266 / 400, abs=0.03)


def test_the_result_does_not_depend_on_threads(monkeypatch):
    monkeypatch.setattr(fitted_table, "BLOCK_ROWS", 500)
    table = people(200)
    one, two = (
        Synthesizer(seed=3, ctx=RunContext(Limits(threads=threads))).fit(table).sample(3_200)
        for threads in (1, 2)
    )
    assert one.equals(two)


@pytest.fixture(scope="module")
def chinook(tmp_path_factory):
    bundle = tmp_path_factory.mktemp("chinook") / "chinook.sim"
    learned_chinook().save(bundle)
    return learned_chinook(), bundle


def values_of(table, column):
    with sqlite3.connect(real_data("chinook.sqlite")) as connection:
        rows = connection.execute(f'SELECT DISTINCT "{column}" FROM "{table}"').fetchall()
    connection.close()
    return {value for (value,) in rows if value}


def test_no_customer_of_chinook_is_in_copy_or_bundle(chinook):
    synthesizer, bundle = chinook
    made = synthesizer.sample()
    held = everything_in(bundle)
    for table, columns in PERSONAL.items():
        for column in columns:
            values = values_of(table, column)
            copied = values & set(made[table][column].to_pylist())
            if column != "LastName":  # names may be on the list
                assert copied == set()
                assert [v for v in values if v.encode() in held] == []


def test_invoices_bear_their_customers_addresses(chinook):
    made = chinook[0].sample()
    homes = dict(
        zip(*(made["Customer"][c].to_pylist() for c in ("CustomerId", "Address")), strict=True)
    )
    bills = made["Invoice"]
    for customer, address in zip(
        *(bills[c].to_pylist() for c in ("CustomerId", "BillingAddress")), strict=True
    ):
        assert address == homes[customer]
