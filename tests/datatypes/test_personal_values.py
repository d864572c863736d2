"""Personal data as they are made: valid by others' judgement, in the source's form, nobody's."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import stdnum.cn.ric
import stdnum.iban
import stdnum.luhn
import stdnum.us.ssn
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from datatypes.columns import assert_same_codec, fit, reloaded
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.protocols import BLOCK_ROWS
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.datatypes.personal import extra
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.datatype import Personal
from simulacra.datatypes.personal.patterns import form_of
from simulacra.datatypes.personal.registry import kind_names, kind_of
from simulacra.datatypes.personal.schemes import CARDS, IBANS, NATIONAL

EXAMPLES = {
    "card": ["4111 1111 1111 1111", "5500000000000004", "378282246310005"],
    "city": ["Bonn", "Aachen"],
    "company": ["Initech Ltd", "Globex"],
    "country": ["France", "Italy"],
    "email": ["Ann.Bee@real-firm.com", "c_dee@firm.de"],
    "first_name": ["Anna", "Ben"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819"],
    "ip": ["10.0.0.7", "93.184.216.34", "2001:4860:4860::8888"],
    "last_name": ["Miller", "Jones"],
    "mac": ["00:1a:2b:3c:4d:5e", "00-1B-2B-3C-4D-5F"],
    "national_id": ["11010519491231002X", "440308199901101512"],
    "person_name": ["Anna Miller", "Jones, Ben", "Cy M. Young"],
    "phone": ["+49 30 901820", "(212) 736-5000"],
    "postcode": ["SW1A 1AA", "53113"],
    "ssn": ["078-05-1120", "219-09-9999"],
    "street_address": ["10 Downing Street", "Hauptstraße 5"],
    "url": ["https://real-firm.com/ann", "http://firm.de"],
    "user_name": ["ann_bee", "cdee99"],
    "uuid": ["6fa459ea-ee8a-4ca4-894e-db77e160355e"],
}
ROWS = 2_000


def learned(kind, values=None, **options):
    texts = pa.array(values if values is not None else EXAMPLES[kind] * 100)
    return fit("personal", texts, {"kind": kind, **options}).codec


def made(codec, rows=ROWS, *, start=0, seed=1):
    return codec.decode([np.zeros(rows, np.uint8)], rng=RngKey(seed), start=start)


def valid(judge, values):
    return [value for value in values.to_pylist() if not judge(value)] == []


def test_every_kind_has_an_example():
    assert set(EXAMPLES) == set(kind_names())


@pytest.mark.parametrize("kind", kind_names())
def test_values_match_their_kind_and_are_none_of_the_source(kind):
    codec = learned(kind)
    values = made(codec)
    matches = Personal().accepts(values, {"kind": kind, "share": 1.0})
    assert pc.all(matches).as_py()
    common = {"city", "country", "first_name", "last_name"}
    if kind not in common:  # those have lists, in which the source's may stand
        assert not set(values.to_pylist()) & set(EXAMPLES[kind])
    assert list(codec.kept_values()) == []


@pytest.mark.parametrize("kind", kind_names())
def test_what_is_kept_is_no_value(kind):
    codec = learned(kind)
    kept = str(codec.facts)
    assert not [value for value in EXAMPLES[kind] if value in kept]


@pytest.mark.parametrize("kind", kind_names())
def test_values_depend_on_the_row_and_the_seed_alone(kind):
    codec = learned(kind)
    whole = made(codec, 1_000, start=BLOCK_ROWS - 500)
    assert whole.slice(700, 100).equals(made(codec, 100, start=BLOCK_ROWS + 200))
    assert not whole.equals(made(codec, 1_000, start=BLOCK_ROWS - 500, seed=2))
    assert_same_codec(codec, reloaded("personal", codec), [np.zeros(100, np.uint8)])


UNIQUE = sorted(set(kind_names()) - {"city", "country", "first_name", "last_name", "postcode"})


@pytest.mark.parametrize("kind", UNIQUE)
def test_people_get_values_of_their_own(kind):
    values = made(learned(kind), 20_000)
    assert len(values.unique()) == len(values)


def test_phones_of_few_patterns_are_all_different():
    source = [f"030 1{n:05d}" for n in range(900)]
    values = made(learned("phone", source), 9_000)
    assert len(values.unique()) == len(values)
    assert pc.all(pc.match_substring_regex(values, "^030 1[0-9]{5}$")).as_py()


def test_nulls_are_codes():
    values = pa.array(["ann@x.org", None, "ben@x.org", None, None])
    codec = fit("personal", values, {"kind": "email"}).codec
    codes = codec.encode(values)
    again = codec.decode(codes, rng=RngKey(1), start=0)
    assert again.is_null().equals(values.is_null())
    nothing = fit("personal", pa.nulls(5, pa.string()), {"kind": "email"}).codec
    assert nothing.decode([np.zeros(3, np.uint8)], rng=RngKey(1), start=0).null_count == 3


# --- check digits, by python-stdnum and phonenumbers ------------------------------------------


@pytest.mark.parametrize("number", sorted(NATIONAL))
def test_national_numbers_are_valid(number):
    judge = importlib.import_module(f"stdnum.{number}")
    compact = made(learned("national_id", ["x"] * 9, number=number), 5_000).cast(pa.large_string())
    assert valid(judge.is_valid, compact)
    assert len(compact.unique()) == len(compact)
    assert NATIONAL[number].matches(compact).all()
    # One digit changed: what stdnum refuses is refused, too.
    changed = pa.array([wrong(value) for value in compact.to_pylist()], pa.large_string())
    ours = NATIONAL[number].matches(changed)
    theirs = np.array([judge.is_valid(value) for value in changed.to_pylist()])
    assert not (theirs & ~ours).any()
    assert ours.mean() < 0.02


def wrong(number):
    place = len(number) // 2
    digit = "0123456789"[(int(number[place]) + 1) % 10] if number[place].isdigit() else "7"
    return number[:place] + digit + number[place + 1 :]


def test_cards_pass_luhn_and_keep_their_grouping():
    values = made(learned("card"))
    assert valid(stdnum.luhn.is_valid, pc.replace_substring(values, " ", ""))
    forms = set(form_of(values.cast(pa.large_string())).to_pylist())
    assert forms == {"9999 9999 9999 9999", "9999999999999999", "999999999999999"}


def test_card_issuers_keep_their_shares():
    issued = pa.array(["4111111111111111"] * 300 + ["378282246310005"] * 100)
    values = made(fit("personal", issued, {"kind": "card"}).codec, 10_000)
    amex = pc.mean(pc.starts_with(values, "3").cast(pa.int8())).as_py()
    assert amex == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 10_000) ** 0.5)


@pytest.mark.parametrize("country", sorted(IBANS))
def test_ibans_are_valid(country):
    source = made(learned("iban"), 10).to_pylist()
    only = [f"{country}00"] * 5
    codec = fit("personal", pa.array(only + source), {"kind": "iban"}).codec
    assert valid(stdnum.iban.is_valid, made(codec))
    from simulacra.datatypes.letters import texts_of
    from simulacra.datatypes.personal.people import People

    people = People(RngKey(3), np.arange(500, dtype=np.uint64), "c")
    assert valid(stdnum.iban.is_valid, texts_of(IBANS[country].template.draw(people, "x")))


def test_social_security_numbers_are_valid():
    assert valid(stdnum.us.ssn.is_valid, made(learned("ssn")))


@pytest.mark.parametrize(
    ("example", "region"),
    [
        ("+49 30 901820", "DE"),
        ("+1 (212) 736-5000", "US"),
        ("+33 1 42 68 53 00", "FR"),
        ("+86 138 0013 8000", "CN"),
        ("+55 (11) 3071-0000", "BR"),
        ("+44 20 7946 0018", "GB"),
    ],
)
def test_phones_can_be_dialled(example, region):
    values = made(learned("phone", [example] * 3)).to_pylist()
    parsed = [phonenumbers.parse(value) for value in values]
    assert {p.country_code for p in parsed} == {phonenumbers.country_code_for_region(region)}
    # The plan of a region has a few gaps behind the first four digits.
    assert np.mean([phonenumbers.is_valid_number(p) for p in parsed]) > 0.95
    assert {re.sub("[0-9]", "9", v) for v in values} == {re.sub("[0-9]", "9", example)}


def test_phones_without_a_country_keep_to_that_of_the_locale():
    values = made(learned("phone", ["030 901820"] * 3, locale="de_DE")).to_pylist()
    assert (
        np.mean([phonenumbers.is_valid_number(phonenumbers.parse(v, "DE")) for v in values]) > 0.95
    )


def test_a_phone_that_many_rows_repeat_is_not_kept():
    codec = learned("phone", ["+49 30 901820"] * 1_000)
    assert "+49 30 901820" not in made(codec).to_pylist()


def test_chinese_people():
    names = ["王伟", "李娜", "张敏", "刘洋", "陈静", "欧阳修"] * 10
    values = made(learned("person_name", names, locale="zh_CN"))
    assert pc.all(pc.match_substring_regex(values, r"^\p{Han}{2,4}$")).as_py()
    assert len(values.unique()) == len(values)
    mobiles = made(learned("phone", ["13800138000"] * 3, locale="zh_CN")).to_pylist()
    assert all(re.fullmatch("1[3-9][0-9]{9}", number) for number in mobiles)
    mail = made(learned("email", locale="zh_CN"))
    assert pc.all(pc.match_substring_regex(mail, "^[a-z]+[._][a-z]+@")).as_py()


# --- one person in a row ----------------------------------------------------------------------


def test_names_addresses_and_logins_of_a_row_are_one_persons():
    first, last = learned("first_name"), learned("last_name")
    mail = learned("email", ["a.b@x.org"] * 9)
    login = learned("user_name", ["a_b"] * 9)
    whole = learned("person_name", ["Anna Miller"] * 9)
    columns = [
        made(codec, 500, start=77).to_pylist() for codec in (first, last, mail, login, whole)
    ]
    for given_name, family_name, address, handle, full in zip(*columns, strict=True):
        slug = given_name.lower(), family_name.lower()
        assert address.partition("@")[0] == ".".join(slug)
        assert handle == "_".join(slug)
        assert full == f"{given_name} {family_name}"


def test_people_of_another_word_are_others():
    mine, theirs = learned("last_name"), learned("last_name", person="contact")
    assert not made(mine).equals(made(theirs))


def test_cities_have_postcodes_of_their_own():
    town = made(learned("city"), 20_000).to_pylist()
    code = made(
        learned("postcode", [f"{n}" for n in range(10_000, 99_999, 37)]), 20_000
    ).to_pylist()
    beginnings: dict[str, set[str]] = {}
    for name, number in zip(town, code, strict=True):
        beginnings.setdefault(name, set()).add(number[:2])
    assert max(map(len, beginnings.values())) == 1


def test_a_table_of_the_same_people_again_and_again_stays_one():
    mail = learned("email", [f"a{n}.b@x.org" for n in range(50)] * 20, people=50)
    name = learned("last_name", ["Miller"] * 1_000, people=50)
    addresses, names = made(mail, 1_000), made(name, 1_000)
    # 1,000 draws of 50 people: one is missed with probability 50 × 0.98^1000 < 1e-7.
    assert len(addresses.unique()) == 50
    pairs = {*zip(addresses.to_pylist(), names.to_pylist(), strict=True)}
    assert len(pairs) == 50


# --- form -------------------------------------------------------------------------------------


@given(
    st.lists(
        st.from_regex(r"\A(\+[1-9] )?\(?[0-9]{3}\)?[ .-][0-9]{3}[ .-]?[0-9]{4}\Z"),
        min_size=1,
        max_size=20,
    )
)
def test_phones_have_only_patterns_of_the_source(source):
    values = made(learned("phone", source), 100)
    assert {re.sub("[0-9]", "9", v) for v in values.to_pylist()} <= {
        re.sub("[0-9]", "9", v) for v in source
    }


@given(st.lists(st.from_regex(r"\A[A-Z]{1,2}[0-9]{1,2} [0-9][A-Z]{2}\Z"), min_size=1, max_size=9))
def test_postcodes_have_only_patterns_of_the_source(source):
    forms = set(form_of(pa.array(source, pa.large_string())).to_pylist())
    values = made(learned("postcode", source), 50).cast(pa.large_string())
    assert set(form_of(values).to_pylist()) <= forms


@given(
    st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=20),
    st.sampled_from(kind_names()),
)
def test_any_text_can_be_learned_as_any_kind(source, kind):
    values = made(learned(kind, source), 20)
    assert values.null_count == 0
    assert pc.min(pc.utf8_length(values)).as_py() >= 0


@pytest.mark.parametrize("case", [str.upper, str.lower])
@pytest.mark.parametrize("kind", ["email", "last_name", "person_name", "street_address", "city"])
def test_case_is_kept(kind, case):
    values = made(learned(kind, [case(value) for value in EXAMPLES[kind]])).to_pylist()
    assert [case(value) for value in values] == values


def test_mail_reaches_nobody():
    domains = {value.partition("@")[2] for value in made(learned("email")).to_pylist()}
    assert domains == {"example.com", "example.net", "example.org"}
    hosts = made(learned("url"))
    assert pc.all(pc.match_substring_regex(hosts, r"^https?://[a-z-]+\.example(/|$)")).as_py()


def test_styles_keep_their_shares():
    names = ["Miller, Anna"] * 300 + ["Anna Miller"] * 100
    values = made(learned("person_name", names), 10_000)
    commas = pc.mean(pc.match_substring(values, ", ").cast(pa.int8())).as_py()
    assert commas == pytest.approx(0.75, abs=4 * (0.75 * 0.25 / 10_000) ** 0.5)


@pytest.mark.parametrize("arrow", [pa.string(), pa.large_string(), pa.string_view()])
def test_any_kind_of_string(arrow):
    codec = fit("personal", pa.array(EXAMPLES["email"]).cast(arrow), {"kind": "email"}).codec
    assert made(codec).type == arrow


# --- what can be wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": "emial"}, "there is no kind 'emial'"),
        ({"kind": "email", "locale": "xx_XX"}, "there are no words for 'xx_XX'"),
        ({"kind": "national_id", "number": "de.x"}, "there is no number 'de.x'"),
        ({"kind": "email", "people": 0}, "greater than or equal to 1"),
        ({}, "Field required"),
    ],
)
def test_wrong_options_say_what_is_wrong(options, says):
    with pytest.raises(ValidationError, match=re.escape(says)):
        PersonalConfig.model_validate(options)
    spec = ColumnSpec(type="personal", arrow="string", options=options)
    with pytest.raises(SpecError) as caught:
        Personal().start("people.mail", spec, rng=RngKey(1), ctx=RunContext())
    assert caught.value.where == "people.mail"


def test_numbers_are_refused_where_a_kind_is_none():
    spec = ColumnSpec(type="personal", arrow="int64", options={"kind": "email"})
    with pytest.raises(SpecError, match="int64 can't be a column of type personal"):
        Personal().start("people.mail", spec, rng=RngKey(1), ctx=RunContext())


def test_without_the_extra_nothing_is_claimed_and_asking_for_it_says_what_to_install(monkeypatch):
    absent = {"faker", "phonenumbers"}
    real = extra.find_spec
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name in absent else real(name))
    spec = ColumnSpec(type="personal", arrow="string", options={"kind": "email"})
    with pytest.raises(SpecError) as caught:
        Personal().start("people.mail", spec, rng=RngKey(1), ctx=RunContext())
    assert "Faker and phonenumbers are not installed" in str(caught.value)
    assert "pip install 'simulacra[personal]'" in str(caught.value)


def test_importing_the_datatype_loads_no_library_of_the_extra(tmp_path: Path):
    code = (
        "import sys, simulacra.datatypes.personal.datatype; "
        "sys.exit(bool({'faker', 'phonenumbers', 'stdnum', 'numba'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0


def test_kinds_are_found_by_their_names():
    assert [kind_of(name).name for name in kind_names()] == list(kind_names())
    assert set(CARDS) >= {"visa", "mastercard", "amex"}
