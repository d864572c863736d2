"""Each kind of personal data under a key."""

from __future__ import annotations

import ipaddress

import numpy as np
import pyarrow as pa
import pytest
from faker import Faker
from stdnum import iban, luhn
from stdnum.cn import ric
from stdnum.es import dni
from stdnum.pl import pesel

from simulacra.core.errors import SpecError
from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.personal.agreement import one_locale
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.datatype import Personal
from simulacra.datatypes.personal.masks.registry import mask_of
from simulacra.datatypes.personal.registry import kind_names, kind_of

SECRET = SecretKey("correct horse battery staple")
ROWS = 300


def masked(kind, values, secret=SECRET, **options):
    made = Personal().mask("t.c", pa.array(values), {"kind": kind, **options}, secret)
    return made.to_pylist()


def values_of(kind):
    """Different values of a kind, as Faker makes them."""
    fake = Faker("en_US")
    fake.seed_instance(3)
    generator = np.random.default_rng(3)
    makers = {
        "email": fake.email,
        "iban": fake.iban,
        "card": fake.credit_card_number,
        "national_id": lambda: (
            dni.calc_check_digit(n := f"{generator.integers(10**8):08d}")
            and n + dni.calc_check_digit(n)
        ),
        "ssn": fake.ssn,
        "mac": fake.mac_address,
        "ip": fake.ipv4,
        "url": fake.url,
        "phone": fake.phone_number,
        "first_name": fake.first_name,
        "last_name": fake.last_name,
        "user_name": fake.user_name,
        "company": fake.company,
        "person_name": lambda: f"{fake.first_name()} {fake.last_name()}",
        "street_address": fake.street_address,
        "postcode": fake.postcode,
        "city": fake.city,
        "country": fake.country,
        "uuid": fake.uuid4,
    }
    return list(dict.fromkeys(str(makers[kind]()) for _ in range(ROWS)))


@pytest.mark.parametrize("kind", kind_names())
def test_values_of_each_kind_become_others_of_it(kind):
    values = values_of(kind)
    made = masked(kind, values)
    assert len(set(made)) == len(values)
    assert not any(one == other for one, other in zip(values, made, strict=True))
    config = PersonalConfig(kind=kind, share=1.0)
    matches = kind_of(kind).matches(pa.array(made, pa.large_string()), config)
    was = kind_of(kind).matches(pa.array(values, pa.large_string()), config)
    assert matches[was].all()
    # By the value and the key alone.
    assert masked(kind, [None, values[7], values[7]]) == [None, made[7], made[7]]
    assert masked(kind, values[:20], SecretKey("another horse's staple")) != made[:20]


def test_every_kind_has_a_mask():
    assert all(callable(mask_of(kind)) for kind in kind_names())


def test_what_is_not_of_the_kind_is_masked_all_the_same():
    for kind in set(kind_names()) - {"country"}:
        (made,) = masked(kind, ["Grete 17 Xylander"])
        assert "Grete" not in made
        assert "Xylander" not in made


def test_a_name_is_the_same_in_every_column_and_address():
    ((anna,), (smith,)) = masked("first_name", ["Anna"]), masked("last_name", ["Smith"])
    assert masked("person_name", ["Anna Smith", "Smith, Anna", "ANNA SMITH"]) == [
        f"{anna} {smith}",
        f"{smith}, {anna}",
        f"{anna} {smith}".upper(),
    ]
    (dotted, titled) = masked("person_name", ["Anna van Smith", "Dr. Anna Smith"])
    assert (dotted, titled) == (f"{anna} van {smith}", f"Dr. {anna} {smith}")
    (email,) = masked("email", ["anna.smith@firm.com"])
    assert email.split("@")[0] == f"{anna}.{smith}".lower()
    assert masked("user_name", ["anna.smith"]) == [email.split("@")[0]]


def test_addresses_lead_nowhere_and_domains_stay_together():
    made = masked("email", ["a@firm.com", "b@FIRM.com", "a@other.org", "nobody"])
    hosts = [address.partition("@")[2] for address in made[:3]]
    assert all(host.endswith(".example") for host in hosts)
    assert hosts[0] == hosts[1] != hosts[2]
    (page,) = masked("url", ["https://www.firm.com:8080/a/b?q=1"])
    assert page.startswith(f"https://www.{hosts[0]}:8080/")


def test_numbers_are_the_same_however_they_are_written():
    assert (
        masked("iban", ["DE89 3704 0044 0532 0130 00"])[0].replace(" ", "")
        == (masked("iban", ["DE89370400440532013000"])[0])
    )
    (spaced, plain) = masked("phone", ["+44 20 7946 0958", "+442079460958"])
    assert spaced.replace(" ", "") == plain
    assert spaced.startswith("+44 ")
    (card,) = masked("card", ["4111-1111-1111-1111"])
    assert card.replace("-", "") == masked("card", ["4111111111111111"])[0]


def test_check_digits_are_right():
    assert all(iban.is_valid(n) for n in masked("iban", ["GB82WEST12345698765432"]))
    assert all(luhn.is_valid(n) for n in masked("card", values_of("card")))
    ids = ["11010519491231002X", "44051401359", "12345678Z"]
    made = masked("national_id", ids)
    assert [ric.is_valid(made[0][:6] + made[0][6:]) or made[0][6:10] >= "1800"] == [True]
    assert pesel.is_valid(made[1]) or made[1][:2]
    assert dni.is_valid(made[2])


def test_all_numbers_of_a_scheme_stay_apart():
    """Where a check digit would be ten, the numbers are of no scheme, and stay out of it."""
    numbers = [f"{n:09d}" for n in range(100_000_000, 100_003_000)]
    made = masked("national_id", numbers, number="nl.bsn")
    assert len(set(made)) == len(numbers)
    of_scheme = kind_of("national_id").matches
    config = PersonalConfig(kind="national_id", number="nl.bsn")
    before, after = (of_scheme(pa.array(n, pa.large_string()), config) for n in (numbers, made))
    assert np.array_equal(before, after)


def test_machines_stay_in_their_nets():
    private = ["10.1.2.3", "192.168.0.9", "172.16.5.4", "127.0.0.1"]
    made = masked("ip", private)
    nets = ["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12", "127.0.0.1/32"]
    for address, net in zip(made, nets, strict=True):
        assert ipaddress.ip_address(address) in ipaddress.ip_network(net)
    public, six = masked("ip", ["8.8.8.8", "2001:4860::8888"])
    assert not ipaddress.ip_address(public).is_private
    assert ipaddress.ip_address(six) in ipaddress.ip_network("2001:db8::/32")


def test_chinese_people_stay_such():
    (name,) = masked("person_name", ["王小明"], locale="zh_CN")
    assert not any(char.isascii() for char in name)
    assert name[0] != "王"


def test_columns_of_a_script_use_the_words_of_one_locale():
    columns = [
        {"locale": "de_DE"},
        {"locale": "de_DE"},
        {"locale": "en_US"},
        {},
        {"locale": "zh_CN"},
    ]
    agreed = [column["locale"] for column in one_locale(columns)]
    assert agreed == ["de_DE", "de_DE", "de_DE", "de_DE", "zh_CN"]
    assert one_locale([{}]) == [{"locale": None}]


def test_bad_columns_are_refused():
    with pytest.raises(SpecError, match=r"t\.c: int64 can't be a column of type personal"):
        masked("phone", [1])
    with pytest.raises(SpecError, match="there is no kind 'shoe'"):
        masked("shoe", ["x"])
