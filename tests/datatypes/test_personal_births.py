"""National numbers have the day of birth and the sex in them that other columns of the row tell."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
import stdnum.cn.ric
import stdnum.pl.pesel

from simulacra import Metadata, Synthesizer
from simulacra.datatypes.letters import letters_of, texts_of
from simulacra.datatypes.personal.schemes import NATIONAL
from simulacra.datatypes.personal.told import TOLD

ROWS = 400


def number_of(scheme, born, is_man, row):
    """Return a number as its country's rule has it, worked out by itself."""
    if scheme == "cn.ric":
        text = f"110101{born:%Y%m%d}{row % 50:02d}{row % 5 * 2 + is_man}"
        return text + stdnum.cn.ric.calc_check_digit(text + "0")
    month = born.month + 20 * (born.year >= 2000)
    text = f"{born:%y}{month:02d}{born:%d}{row % 500:03d}{row % 5 * 2 + is_man}"
    return text + stdnum.pl.pesel.calc_check_digit(text)


def people(scheme):
    generator = np.random.default_rng(10)
    births = [date(1960, 1, 1) + timedelta(int(d)) for d in generator.integers(0, 18_000, ROWS)]
    men = generator.random(ROWS) < 0.3
    return pa.table(
        {
            "national_id": [
                number_of(scheme, b, m, n) for n, (b, m) in enumerate(zip(births, men, strict=True))
            ],
            "born": births,
            "hired": [b + timedelta(9_000 + n % 3_000) for n, b in enumerate(births)],
            "sex": ["M" if m else "W" for m in men],
        }
    )


@pytest.mark.parametrize(
    ("scheme", "judge"), [("cn.ric", stdnum.cn.ric), ("pl.pesel", stdnum.pl.pesel)]
)
def test_numbers_go_with_the_columns_beside_them(scheme, judge):
    table = people(scheme)
    found = Metadata.detect(table)
    options = found.spec.tables["table"].columns["national_id"].options
    assert options["birth"] == "born"
    assert options["sex"] == {"column": "sex", "female": ["W"], "male": ["M"]}
    made = Synthesizer(seed=10).fit(table, found).sample(300)
    for number, born, sex in zip(
        *(made[c].to_pylist() for c in ("national_id", "born", "sex")), strict=True
    ):
        assert judge.is_valid(number)
        assert judge.get_birth_date(number) == born
        # The digit before the check digit is odd for men, by either country's rule.
        assert int(number[-2]) % 2 == (sex == "M")
    assert not set(made["national_id"].to_pylist()) & set(table["national_id"].to_pylist())


def test_columns_that_do_not_agree_are_left_alone():
    table = people("cn.ric")
    apart = pa.array(np.roll(table["born"].to_numpy(), 5)).cast(pa.date32())
    table = table.set_column(1, "born", apart).drop_columns(["hired", "sex"])
    options = Metadata.detect(table).spec.tables["table"].columns["national_id"].options
    assert not {"birth", "sex"} & options.keys()


@pytest.mark.parametrize("scheme", TOLD)
def test_what_is_written_keeps_the_form_and_can_be_read(scheme):
    length = len("".join(part[0] for part in NATIONAL[scheme].template.parts))
    letters = letters_of(["1" * length] * 4)
    births = np.array(["1971-03-09", "1999-12-31", "2001-02-28", "NaT"], "datetime64[D]")
    sexes = np.array([1, 2, 1, 2], np.int8)
    TOLD[scheme].write_births(letters, births)
    TOLD[scheme].write_sexes(letters, sexes)
    NATIONAL[scheme].template.complete(letters)
    assert NATIONAL[scheme].matches(texts_of(letters[:3])).all()
    assert TOLD[scheme].read_sexes(letters).tolist() == sexes.tolist()
