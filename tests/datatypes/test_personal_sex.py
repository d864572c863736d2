"""First names go with the column of sexes of their row, where the source's do."""

import numpy as np
import pyarrow as pa
import pytest
from faker import Faker

from simulacra import Metadata, Synthesizer
from simulacra.core.protocols import Detection
from simulacra.datatypes.personal import words
from simulacra.datatypes.personal.agreement import agree

ROWS = 600


def people(values=("F", "M"), *, agreeing=True):
    fake = Faker("en_GB")
    fake.seed_instance(8)
    is_woman = np.random.default_rng(8).random(ROWS) < 0.4
    if not agreeing:
        is_woman = np.roll(is_woman, 7)
    names = [fake.first_name_female() if w else fake.first_name_male() for w in is_woman]
    if not agreeing:
        is_woman = np.roll(is_woman, 131)
    return pa.table(
        {
            "first_name": names,
            "last_name": [fake.last_name() for _ in range(ROWS)],
            "email": [fake.unique.email() for _ in range(ROWS)],
            "gender": pa.array([values[0] if w else values[1] for w in is_woman]),
            "points": np.arange(ROWS) % 50,
        }
    )


@pytest.fixture(scope="module")
def copied():
    found = Metadata.detect(people())
    return found.spec.tables["table"].columns, Synthesizer(seed=8).fit(people(), found).sample(
        1_500
    )


def test_the_column_of_sexes_is_found(copied):
    sex = copied[0]["first_name"].options["sex"]
    assert sex == {"column": "gender", "female": ["F"], "male": ["M"]}
    assert copied[0]["email"].options["sex"] == sex


def test_made_names_are_of_their_rows_sex(copied):
    women, men = (
        {words.first_names("en_GB")[place] for place in places}
        for places in words.first_names_by_sex("en_GB")
    )
    assert not women & men
    made = copied[1]
    for name, gender in zip(
        made["first_name"].to_pylist(), made["gender"].to_pylist(), strict=True
    ):
        assert name in (women if gender == "F" else men)


def test_addresses_are_still_of_the_same_person_and_unique(copied):
    made = copied[1]
    assert len(set(made["email"].to_pylist())) == made.num_rows
    for first, last, mail in zip(
        *(made[c].to_pylist() for c in ("first_name", "last_name", "email")), strict=True
    ):
        letters = "".join(c for c in mail.partition("@")[0] if c.isalpha())
        assert letters == "".join(c for c in (first + last).lower() if c.isalpha())


def test_other_values_and_types_tell_as_well():
    for values in (("female", "male"), (2, 1), (True, False)):
        option = agree(claims(), people(values))["first_name"].options["sex"]
        assert option["female"] == [str(values[0]).lower()]
    assert "sex" not in agree(claims(), people(agreeing=False))["first_name"].options
    assert "sex" not in agree(claims())["first_name"].options


def claims():
    options = {"kind": "first_name", "locale": "en_GB", "share": 1.0}
    return {"first_name": Detection(0.96, options)}


def test_rows_given_keep_names_and_sexes_together():
    table = people()
    made = Synthesizer(seed=8).fit(table).sample(40, given={"gender": "F"})
    women = {words.first_names("en_GB")[p] for p in words.first_names_by_sex("en_GB")[0]}
    assert set(made["gender"].to_pylist()) == {"F"}
    assert set(made["first_name"].to_pylist()) <= women
