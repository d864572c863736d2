"""Texts that quote other columns: nobody gets into what is learned, and drawn rows agree."""

from __future__ import annotations

import datetime as dt
import re
import zipfile

import numpy as np
import pyarrow as pa
import pytest
from faker import Faker

from simulacra import Metadata, Synthesizer
from simulacra.core.context import RunContext
from simulacra.core.placeholders import FIRST, LAST
from simulacra.core.progress import SilentProgress

ROWS = 500
CANARIES = ("Zyxquentha", "Qwertzmann", "Vlodrimska")
SAID = (
    "Spoke to {name} about order {order}.",
    "Mr. {last} wants a refund for {order}; asked me to write to {mail}",
    "{upper} did not pay at all",
    "please ring {lower} again tomorrow",
    "{first}'s parcel came back. Mr. {other} has it, mail {their}",
    "Nothing to do today, all is well.",
)


class Log(SilentProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, message: str) -> None:
        self.said.append(message)


def customers() -> pa.Table:
    """Return people and notes about them; those of the canaries are in many rows."""
    fake = Faker("en_GB")
    fake.seed_instance(11)
    rng = np.random.default_rng(11)
    rows = []
    for n in range(ROWS):
        first, last = fake.first_name(), fake.last_name()
        if n % 5 == 0:
            first, last = CANARIES[0], CANARIES[1 + n // 5 % 2]
        mail = f"{first}.{last}{n}@firm.com".lower()
        name, order = f"{first} {last}", 10_000 + 17 * n
        note = SAID[n % 6].format(
            name=name,
            first=first,
            last=last,
            upper=name.upper(),
            lower=name.lower(),
            order=order,
            mail=mail,
            other=fake.last_name(),
            their=fake.email().replace("example", "corp"),
        )
        row = {"name": name, "email": mail, "order_no": order, "note": note}
        rows.append(row | {"spent": round(float(rng.lognormal(3)), 2)})
    return pa.Table.from_pylist(rows)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[pa.Table, bytes, str, Metadata]:
    """Return drawn rows, what the bundle holds, what was said, and what was found."""
    log, path = Log(), tmp_path_factory.mktemp("quoted") / "people.sim"
    table = customers()
    spec = Metadata.detect(table)
    synthesizer = Synthesizer("independent", seed=2, ctx=RunContext(progress=log)).fit(table, spec)
    synthesizer.save(path)
    with zipfile.ZipFile(path) as archive:
        held = b"\n".join(archive.read(member) for member in archive.namelist())
    return Synthesizer.load(path).sample(600, seed=3), held, "\n".join(log.said), spec


def test_the_rule_is_found(made):
    (rule,) = made[3].tables["table"].rules
    assert (rule.rule, rule.options) == (
        "quotes",
        {"text": "note", "of": ["name", "email", "order_no"]},
    )


def test_no_name_is_in_bundle_copy_or_log(made):
    drawn, held, said, _ = made
    texts = str(drawn.to_pylist())
    for canary in CANARIES:
        for word in (canary, canary.upper(), canary.lower()):
            assert word.encode() not in held
            assert word not in texts
            assert word not in said


def test_drawn_texts_quote_their_own_row(made):
    seen = dict.fromkeys(("order", "name", "last", "first", "upper", "lower", "mail"), 0)
    for row in made[0].to_pylist():
        note, name = row["note"], row["name"]
        words = name.split()
        assert not any(FIRST <= ord(character) <= LAST for character in note)
        for form, what, own in (
            (r"order (\d+)", "order", str(row["order_no"])),
            (r"^Spoke to (.+?) about order", "name", name),
            (r"^Mr\. (.+?) wants", "last", words[-1]),
            (r"^(\S+)'s parcel", "first", words[0]),
            (r"^(.+?) did not pay", "upper", name.upper()),
            (r"^please ring (.+?) again", "lower", name.lower()),
            (r"write to (\S+)$", "mail", row["email"]),
        ):
            for quoted in re.findall(form, note):
                assert quoted == own
                seen[what] += 1
    assert min(seen.values()) >= 30


def test_other_people_are_still_found(made):
    notes = made[0]["note"].to_pylist()
    assert not any("@corp" in note for note in notes)
    assert sum("mail " in note and "@example." in note for note in notes) >= 30
    # Whoever is named beside the row's own person is somebody else, of the same name at times.
    others = [
        re.findall(r"Mr\. (\w+) has", row["note"]) == [row["name"].split()[-1]]
        for row in made[0].to_pylist()
        if "Mr. " in row["note"] and " has " in row["note"]
    ]
    assert len(others) >= 30
    assert sum(others) <= len(others) / 10


def test_texts_of_a_child_quote_their_parent():
    fake = Faker("de_DE")
    fake.seed_instance(4)
    people = [f"{fake.first_name()} {fake.last_name()}" for _ in range(120)]
    owner = np.sort(np.random.default_rng(4).integers(0, 120, 400))
    calls = 10_000 + 7 * np.arange(400)
    shop = {
        "customers": pa.table({"id": range(1, 121), "name": people}),
        "calls": pa.table(
            {
                "call_id": calls,
                "customer_id": owner + 1,
                "called": pa.array(19_000 + np.arange(400), pa.int32()).cast(pa.date32()),
                "note": [
                    f"{people[n]} rief an, siehe {c}" for n, c in zip(owner, calls, strict=True)
                ],
            }
        ),
    }
    spec = Metadata.detect(shop)
    rules = {rule.rule: rule.options for rule in spec.tables["calls"].rules}
    assert rules["quotes"] == {"text": "note", "of": ["^customer_id.name", "call_id"]}
    synthesizer = Synthesizer("independent", seed=1).fit(shop, spec)
    on_a_day = {"calls": {"called": dt.date(2022, 3, 4)}}
    for drawn in (synthesizer.sample(), synthesizer.sample(given=on_a_day)):
        people_of = drawn["customers"].to_pylist()
        names = {customer["id"]: customer["name"] for customer in people_of}
        for call in drawn["calls"].to_pylist():
            whole = f"{names[call['customer_id']]} rief an, siehe {call['call_id']}"
            assert whole.startswith(call["note"].removesuffix(".")) or call["note"] == whole


def test_categories_do_not_keep_names_that_columns_have():
    fake = Faker("en_GB")
    fake.seed_instance(8)
    people = [f"{fake.first_name()} {fake.last_name()}" for _ in range(60)]
    table = pa.table(
        {
            "name": [people[n % 60] for n in range(1_200)],
            "status": [
                f"{('Open', 'Done')[n % 7 > 2]}: ask {people[n % 60]}" for n in range(1_200)
            ],
        }
    )
    spec = Metadata.detect(table)
    assert spec.tables["table"].columns["status"].type == "category"
    synthesizer = Synthesizer("independent", seed=5).fit(table, spec)
    drawn = synthesizer.sample(300).to_pylist()
    assert all(
        row["status"] in {f"{s}: ask {row['name']}" for s in ("Open", "Done")} for row in drawn
    )
    assert not any(person in str(drawn) for person in people if people.count(person) == 1)


def test_given_names_are_quoted():
    table = customers().select(["name", "note"])
    synthesizer = Synthesizer("independent", seed=5).fit(table)
    drawn = synthesizer.sample(60, given={"name": "Ada Byron"}).to_pylist()
    said = [row["note"] for row in drawn if row["note"].startswith("Spoke to")]
    assert said
    assert all(note.startswith("Spoke to Ada Byron about") for note in said)
