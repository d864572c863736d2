"""People mentioned in free text: found, hidden from what is learned, made anew in their form."""

import json
import re
import zipfile

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import stdnum.iban
import stdnum.luhn
from faker import Faker

from datatypes.columns import assert_same_codec, draw, encode, fit, reloaded, winner
from simulacra import Metadata, Synthesizer
from simulacra.cli.about import inspect
from simulacra.core.context import RunContext
from simulacra.core.progress import SilentProgress
from simulacra.datatypes.personal import mentions as module
from simulacra.datatypes.personal.mention_search import mentions
from simulacra.datatypes.personal.mentions import hide


def found(text):
    return [(mention.kind, text[mention.begin : mention.end]) for mention in mentions([text])[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to anna.lee+x@firm.co.uk.", [("email", "anna.lee+x@firm.co.uk")]),
        ("See https://firm.com/a?b=1, or www.firm.de!", [
            ("url", "https://firm.com/a?b=1"), ("url", "www.firm.de"),
        ]),
        ("from 93.184.216.34 at 12:30:45 and 2001:db8::1", [
            ("ip", "93.184.216.34"), ("ip", "2001:db8::1"),
        ]),
        ("card 4111 1111 1111 1111 2024-01-31", [("card", "4111 1111 1111 1111")]),
        ("to AT61 1904 3002 3457 3201 PAID", [("iban", "AT61 1904 3002 3457 3201")]),
        ("SSN 219-09-9999", [("ssn", "219-09-9999")]),
        ("CPF 390.533.447-05", [("national_id", "390.533.447-05")]),
        ("ring +44 20 7946 0018 (212) 736-5000", [
            ("phone", "+44 20 7946 0018"), ("phone", "(212) 736-5000"),
        ]),
        ("tel. 555-1234", [("phone", "555-1234")]),
        ("Mr. Smith met Dr. Anna von Miller yesterday", [
            ("last_name", "Smith"), ("person_name", "Anna von Miller"),
        ]),
        ("Dear Anna, all is well", [("first_name", "Anna")]),
        ("请联系王小明先生,手机 13812345678", [
            ("person_name", "王小明"), ("phone", "13812345678"),
        ]),
    ],
)  # fmt: skip
def test_mentions_are_found(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Ordered on 2024-01-31 at 12:30:45, 1,234,567.00 in all",
        "01.02.2024 12:00, version 1.2.3, order 20240115123045",
        "Dear all, hello there. Doctor no. Miss it!",
        "4111 1111 1111 1112 has a wrong check digit, 12345-678 is short",
        "a@b is no address: nor is @anna",
    ],
)
def test_other_things_are_not(text):
    assert found(text) == []


def notes(rows=600):
    fake = Faker("en_GB")
    fake.seed_instance(4)
    openings = ("called about the late parcel", "asked for a new card", "was happy with us")
    texts, people = [], []
    for row in range(rows):
        person = {
            "email": fake.unique.email().replace("example", "firm"),
            "phone": f"+44 20 7946 {row:04d}",
            "card": fake.credit_card_number("visa"),
            "iban": fake.iban(),
        }
        people.append(person)
        texts.append(
            f"Mr. {fake.last_name()} {openings[row % 3]}; write to {person['email']} or call "
            f"{person['phone']}. Paid by {person['card']} from {person['iban']} on 2024-03-01."
        )
    return pa.array(texts), people


@pytest.fixture(scope="module")
def learned():
    texts, people = notes()
    return fit("text", texts), texts, people


def test_nobody_mentioned_comes_out(learned):
    fitted, _, people = learned
    made = draw(fitted, 1_500).to_pylist()
    for kind in ("email", "phone", "card", "iban"):
        values = [person[kind] for person in people]
        # 10,000 numbers of one exchange, 600 of them taken: only those may meet by chance.
        if kind != "phone":
            assert not any(value in text for text in made for value in values)
    for word in fitted.codec.kept_values():
        assert not any(word in person["email"].split("@")[0] for person in people if len(word) > 4)


def test_mentions_are_made_valid_and_in_the_same_form(learned):
    made = draw(learned[0], 500).to_pylist()
    emails = [e for text in made for e in re.findall(r"\S+@\S+", text)]
    assert len(emails) > 250
    assert all(re.search(r"@example\.(com|net|org)\.?$", email) for email in emails)
    phones = [p for text in made for p in re.findall(r"\+44 \d\d \d{4} \d{4}", text)]
    assert len(phones) > 250
    assert all(phonenumbers.is_possible_number(phonenumbers.parse(phone)) for phone in phones)
    cards = [c for text in made for c in re.findall(r"\b4\d{15}\b", text)]
    assert len(cards) > 200
    assert all(map(stdnum.luhn.is_valid, cards))
    accounts = [a for text in made for a in re.findall(r"\b[A-Z]{2}\d\d[A-Z0-9]{12,}\b", text)]
    assert len(accounts) > 100
    assert all(map(stdnum.iban.is_valid, accounts))
    assert not any("\U000f0000" <= c <= "\U000f00ff" for text in made for c in text)


def test_texts_alike_but_for_mentions_are_drawn_whole():
    # What is made anew is no copy, so the filter of copies does not cut it short.
    texts = pa.array([f"Your parcel was sent to a{n}@firm.com this morning" for n in range(400)])
    made = draw(fit("text", texts), 200).to_pylist()
    form = r"Your parcel was sent to \S+@example\.\w+ this morning"
    assert all(re.fullmatch(form, text) for text in made)


def test_a_repeated_address_is_no_word():
    texts = pa.array(
        [f"write to zyxquentha@qwertz.invalid about thing {'abc'[n % 3]} or so" for n in range(300)]
    )
    fitted = fit("text", texts)
    assert not {"zyxquentha", "qwertz", "invalid"} & set(fitted.codec.kept_values())
    assert not any("zyxquentha" in text for text in draw(fitted, 300).to_pylist())
    kept = fit("text", texts, {"personal": False})
    assert "zyxquentha" in set(kept.codec.kept_values())


def test_what_was_learned_survives_a_bundle(learned):
    fitted, texts, _ = learned
    assert_same_codec(fitted.codec, reloaded("text", fitted.codec), encode(fitted.codec, texts))


def test_a_column_of_fixed_width_stays_so():
    fake = Faker("en_GB")
    fake.seed_instance(1)
    texts = [
        f"{fake.sentence(9)} mail {fake.email()} soon. {fake.sentence(9)}"[:60] for _ in range(900)
    ]
    made = draw(fit("text", pa.array(texts)), 300)
    assert pc.max(pc.utf8_length(made)).as_py() == 60


def test_private_characters_of_the_source_are_no_mentions():
    strange = "four plain words \U000f0000 here"
    made = draw(fit("text", pa.array([strange, "call +44 20 7946 0018 today please"] * 30)), 50)
    assert not any("\U000f0000" in text for text in made.to_pylist())


def test_shares_are_told_and_short_texts_that_mention_people_are_no_categories():
    kind, options = winner("note", notes(400)[0])
    assert kind == "text"
    assert options["mentions"]["email"] == 1.0
    canned = pa.array([f"please write to a{n % 60}@firm.com about it" for n in range(500)])
    assert winner("note", canned)[0] == "text"
    plain = pa.array([f"please ask {'abcdefgh'[n % 8] * 3} about it" for n in range(500)])
    assert winner("note", plain)[0] == "category"


def test_without_the_extra_nothing_is_hidden(monkeypatch):
    monkeypatch.setattr(module, "missing", lambda: ["Faker"])
    texts = pa.array(["write to anna@firm.com"], pa.large_string())
    assert hide(texts) == (texts, {})


CANARIES = (
    "zyxquentha@qwertz-zzyzx.invalid",
    "+44 20 7946 8877",
    "4539 1488 0343 6467",
    "https://zzyzx-qwertz.invalid/me",
    "Zzyzxmann",
)


def test_a_planted_person_is_neither_in_bundle_nor_copy_nor_log(tmp_path):
    texts = notes(300)[0].to_pylist()
    mail, phone, card, url, name = CANARIES
    # In many rows, so that no count of rows protects it.
    texts += [f"Mr. {name} wrote from {mail}, {phone}, paid {card}, see {url} soon"] * 60
    table = pa.table({"id": range(len(texts)), "note": texts})
    said = []

    class Log(SilentProgress):
        def note(self, message):
            said.append(message)

    spec = Metadata.detect(table)
    synthesizer = Synthesizer(seed=2, ctx=RunContext(progress=Log())).fit(table, spec)
    synthesizer.save(tmp_path / "notes.sim")
    made = synthesizer.sample(1_000)["note"].to_pylist()
    with zipfile.ZipFile(tmp_path / "notes.sim") as archive:
        held = b"\n".join(archive.read(member) for member in archive.namelist())
    assert any("replaced" in line and "email" in line for line in said)
    for canary in CANARIES:
        for word in {canary, *re.split(r"[@:/]+", canary)}:
            if len(word) > 5:
                assert word.encode() not in held
                assert not any(word in text for text in made)
                assert word not in "\n".join(said)
    assert "zyxquentha" not in str(spec.spec)


def test_inspect_and_the_log_count_what_is_made_anew(tmp_path, capsys):
    said = []

    class Log(SilentProgress):
        def note(self, message):
            said.append(message)

    fake = Faker("en_GB")
    fake.seed_instance(9)
    table = pa.table(
        {
            "email": pa.array([fake.unique.email() if n % 4 else None for n in range(200)]),
            "note": [f"Mr. {fake.last_name()} asked thing {n} again" for n in range(200)],
        }
    )
    Synthesizer(seed=2, ctx=RunContext(progress=Log())).fit(table).save(tmp_path / "a.sim")
    assert "table: replaced: email (150 email), note (200 last_name)" in said
    inspect(str(tmp_path / "a.sim"), values=False, as_json=True)
    told = json.loads(capsys.readouterr().out)["tables"]["table"]["replaced"]
    assert told == {"email": {"email": 150}, "note": {"last_name": 200}}
