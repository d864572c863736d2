"""Which columns are personal data: on real tables, and on made-up ones of every kind."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from faker import Faker

from datatypes.columns import profile_of, winner
from simulacra import Metadata
from simulacra.connectors.locate import open_source
from simulacra.core.context import RunContext
from simulacra.core.protocols import Detection
from simulacra.core.random import RngKey
from simulacra.datatypes.personal import extra
from simulacra.datatypes.personal.agreement import agree
from simulacra.datatypes.personal.column_names import joined, owner
from simulacra.datatypes.personal.datatype import Personal
from simulacra.datatypes.personal.registry import kind_of
from simulacra.pipeline.detect import detect_table

DATA = Path(__file__).parents[3] / "shared" / "data"


def detected(uri, table):
    source = open_source(str(uri), ctx=RunContext())[table]
    found = detect_table(
        source, where=table, sample_rows=20_000, rng=RngKey(1), ctx=RunContext()
    ).spec
    return found.columns


def kinds(uri, table):
    return {
        name: column.options["kind"]
        for name, column in detected(uri, table).items()
        if column.type == "personal"
    }


CHINOOK = {
    "Customer": {
        "FirstName": "first_name",
        "LastName": "last_name",
        "Company": "company",
        "Address": "street_address",
        "City": "city",
        "PostalCode": "postcode",
        "Phone": "phone",
        "Fax": "phone",
        "Email": "email",
    },
    "Employee": {
        "FirstName": "first_name",
        "LastName": "last_name",
        "Address": "street_address",
        "PostalCode": "postcode",
        "Phone": "phone",
        "Fax": "phone",
        "Email": "email",
    },
    # 412 rows of 59 customers: towns and postcodes repeat, and have statistics.
    "Invoice": {"BillingAddress": "street_address"},
    "Album": {},
    "Artist": {},
    "Genre": {},
    "MediaType": {},
    "Playlist": {},
    "Track": {},
}


@pytest.mark.parametrize("table", CHINOOK)
def test_chinook(table):
    assert kinds(DATA / "chinook.sqlite", table) == CHINOOK[table]


def test_columns_of_a_table_agree_on_the_locale():
    columns = detected(DATA / "chinook.sqlite", "Customer")
    locales = {c.options["locale"] for c in columns.values() if c.type == "personal"}
    assert len(locales) == 1


def test_invoices_tell_how_many_people_there_are():
    options = detected(DATA / "chinook.sqlite", "Invoice")["BillingAddress"].options
    assert options["person"] == "billing"
    assert options["people"] == pytest.approx(59, abs=3)  # HyperLogLog


@pytest.mark.parametrize("name", ["adult", "default"])
def test_tables_without_people_stay_as_they_are(name):
    assert kinds(DATA / f"{name}.parquet", name) == {}


@pytest.mark.parametrize("name", ["airlines", "airports", "planes", "weather"])
def test_flights_tell_of_nobody(name):
    assert kinds(DATA / "nycflights" / f"{name}.parquet", name) == {}


def test_tpch(tmp_path):
    import subprocess
    import sys

    program = Path(sys.executable).with_name("tpchgen-cli")
    for table in ("customer", "supplier", "nation", "part"):
        subprocess.run([program, "parquet", "-s", "0.01", "-T", table, "-o", tmp_path], check=True)
    # Addresses are random characters, and names are numbered: neither is anybody's.
    assert kinds(tmp_path / "customer.parquet", "customer") == {"c_phone": "phone"}
    assert kinds(tmp_path / "supplier.parquet", "supplier") == {"s_phone": "phone"}
    assert kinds(tmp_path / "nation.parquet", "nation") == {}
    assert kinds(tmp_path / "part.parquet", "part") == {}
    types = {
        name: c.type for name, c in detected(tmp_path / "customer.parquet", "customer").items()
    }
    assert types["c_name"] == "identifier"
    assert types["c_address"] == "text"
    assert pq.read_metadata(tmp_path / "customer.parquet").num_rows == 1_500


def fakes(locale, method, count=400, **options):
    fake = Faker(locale)
    fake.seed_instance(5)
    return [str(getattr(fake, method)(**options)).replace("\n", ", ") for _ in range(count)]


@pytest.mark.parametrize(
    ("name", "locale", "method", "kind"),
    [
        ("mail", "en_US", "email", "email"),
        ("contact", "de_DE", "email", "email"),
        ("x17", "fr_FR", "iban", "iban"),
        ("konto", "de_DE", "iban", "iban"),
        ("cc", "en_US", "credit_card_number", "card"),
        ("ssn", "en_US", "ssn", "ssn"),
        ("sfz", "zh_CN", "ssn", "national_id"),
        ("cpf", "pt_BR", "cpf", "national_id"),
        ("telefon", "de_DE", "phone_number", "phone"),
        ("cellPhone", "en_US", "phone_number", "phone"),
        ("手机号", "zh_CN", "phone_number", "phone"),
        ("姓名", "zh_CN", "name", "person_name"),
        ("customer_name", "en_US", "name", "person_name"),
        ("name", "de_DE", "name", "person_name"),
        ("Vorname", "de_DE", "first_name", "first_name"),
        ("surname", "sv_SE", "last_name", "last_name"),
        ("地址", "zh_CN", "address", "street_address"),
        ("street", "fr_FR", "street_address", "street_address"),
        ("shipping_address", "en_GB", "street_address", "street_address"),
        ("client_ip", "en_US", "ipv4", "ip"),
        ("source", "en_US", "ipv6", "ip"),
        ("device", "en_US", "mac_address", "mac"),
        ("website", "en_US", "url", "url"),
        ("login", "en_US", "user_name", "user_name"),
        ("employer", "en_US", "company", "company"),
    ],
)
def test_a_column_of_each_kind_is_found(name, locale, method, kind):
    won, options = winner(name, pa.array(fakes(locale, method)))
    assert (won, options.get("kind")) == ("personal", kind)
    assert 0.5 < options["share"] <= 1


@pytest.mark.parametrize(
    ("name", "locale"), [("first_name", "de_DE"), ("first_name", "ja_JP"), ("last_name", "pl_PL")]
)
def test_the_locale_is_told_by_names(name, locale):
    found = winner(name, pa.array(fakes(locale, name)))[1]["locale"]
    assert found.partition("_")[0] == locale.partition("_")[0]


def test_the_kind_of_national_number_is_told():
    assert winner("sfz", pa.array(fakes("zh_CN", "ssn")))[1]["number"] == "cn.ric"
    assert winner("cpf", pa.array(fakes("pt_BR", "cpf")))[1]["number"] == "br.cpf"


def test_the_share_is_that_of_the_values_that_match():
    values = fakes("en_US", "email", 180) + [f"unknown {n}" for n in range(20)]
    won, options = winner("email", pa.array(values))
    assert won == "personal"
    distinct = len(set(values))
    assert options["share"] == pytest.approx((distinct - 20) / distinct, abs=0.002)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("country", fakes("en_US", "country", 20)),
        ("city", ["Bonn", "Köln", "Aachen", "Essen"] * 200),
        ("sex", ["female", "male"] * 50),
        ("email", ["sales@x.org", "help@x.org"] * 100),
        ("product_name", [f"Chair model {n}" for n in range(300)]),
        ("description", fakes("en_US", "sentence", 100)),
        ("order_no", [f"{n:08d}" for n in range(500)]),
        ("uuid", fakes("en_US", "uuid4")),
        ("sku", [f"AB-{n:05d}" for n in range(500)]),
        ("day", [f"2024-{1 + n % 12:02d}-{1 + n % 28:02d}" for n in range(400)]),
        ("price", [f"{n}.99" for n in range(400)]),
        ("address", [f"{n:x}" for n in np.arange(10**6, 10**6 + 400)]),
    ],
)
def test_what_is_not_personal_is_left_to_others(name, values):
    assert winner(name, pa.array(values))[0] != "personal"


def test_without_the_extra_columns_are_what_they_were_and_a_note_says_so(monkeypatch, caplog):
    real = extra.find_spec
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "faker" else real(name))
    table = pa.table({"email": [f"ann{n}@x.org" for n in range(100)]})
    with caplog.at_level("INFO", "simulacra"):
        found = Metadata.detect(table).spec.tables["table"]
    assert found.columns["email"].type == "text"
    assert "Personal data are not looked for without Faker: pip install" in caplog.text
    monkeypatch.undo()
    assert Metadata.detect(table).spec.tables["table"].columns["email"].type == "personal"
    assert Personal().lacks() == ""


def test_numbers_are_not_claimed():
    assert Personal().detect(profile_of("phone", pa.array(range(100)))).confidence == 0


@pytest.mark.parametrize(
    ("name", "kind", "whose"),
    [
        ("BillingCity", "city", "billing"),
        ("contact_name", "person_name", ""),
        ("emergencyContactPhone", "phone", "emergency_contact"),
        ("customer_email", "email", ""),
        ("c_phone", "phone", ""),
        ("FirstName", "first_name", ""),
        ("mother_last_name", "last_name", "mother"),
    ],
)
def test_a_columns_name_tells_whose_data_it_holds(name, kind, whose):
    assert owner(name, kind_of(kind).said) == whose


def test_names_are_split_into_words():
    assert joined("BillingPostalCode") == "billing_postal_code"
    assert joined("HTTPUrl") == "http_url"
    assert joined("c-phone 2") == "c_phone_2"


def claim(kind, **options):
    return Detection(0.9, {"kind": kind, **options, "share": 1.0})


def test_claims_of_one_table_agree():
    agreed = agree(
        {
            "mail": claim("email", people=90),
            "tel": claim("phone", people=80),
            "last": claim("last_name", locale="de_DE"),
            "first": claim("first_name", locale="de_AT"),
            "billing": claim("street_address", person="billing"),
        }
    )
    assert {name: c.options["locale"] for name, c in agreed.items()} == dict.fromkeys(
        agreed, "de_DE"
    )
    people = {name: c.options.get("people") for name, c in agreed.items()}
    assert people == {"mail": 90, "tel": 90, "last": 90, "first": 90, "billing": None}
    own = agree({"mail": claim("email"), "tel": claim("phone", people=80)})
    assert [c.options.get("people") for c in own.values()] == [None, None]
