"""Telephones, cards and national numbers that are stored as whole numbers."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import stdnum.luhn
import stdnum.pl.pesel
from faker import Faker

from datatypes.columns import draw, fit, winner
from simulacra.core.errors import SpecError

ROWS = 300


def numbers(kind):
    fake = Faker("pl_PL")
    fake.seed_instance(9)
    make = {
        "phone": lambda n: 48_500_000_000 + 7_919 * n,
        "card": lambda _: int(fake.credit_card_number("visa16")),
        "national_id": lambda _: int(fake.unique.pesel(fake.date_of_birth(minimum_age=30))),
    }[kind]
    return pa.array([make(n) if n % 10 else None for n in range(ROWS)], pa.int64())


@pytest.mark.parametrize(
    ("kind", "name"), [("phone", "mobile_no"), ("card", "card_number"), ("national_id", "pesel")]
)
def test_whole_numbers_are_found_and_made_anew(kind, name):
    values = numbers(kind)
    found, options = winner(name, values)
    assert (found, options["kind"]) == ("personal", kind)
    made = draw(fit("personal", values, options), 400)
    assert made.type == pa.int64()
    assert made.null_count > 0
    filled = made.drop_null().to_pylist()
    assert len(set(filled)) == len(filled)
    assert not set(filled) & set(values.to_pylist())
    digits = set(pc.utf8_length(values.drop_null().cast(pa.string())).to_pylist())
    assert {len(str(value)) for value in filled} == digits
    judge = {"card": stdnum.luhn.is_valid, "national_id": stdnum.pl.pesel.is_valid}.get(kind)
    assert judge is None or all(judge(str(value)) for value in filled)


def test_other_whole_numbers_are_not_claimed():
    generator = np.random.default_rng(9)
    for name, values in (
        ("phone_calls", generator.integers(0, 900, ROWS)),
        ("card_id", np.arange(ROWS) + 1),
        ("amount", generator.integers(10**9, 10**10, ROWS)),
    ):
        assert winner(name, pa.array(values))[0] != "personal"


def test_whole_numbers_are_of_no_other_kind():
    with pytest.raises(SpecError, match="personal"):
        fit("personal", pa.array([1, 2, 3]), {"kind": "email"})
