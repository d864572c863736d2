"""What few rows have is nowhere: not in what was learned, nor told, nor drawn."""

import datetime as dt
import zipfile

import numpy as np
import pyarrow as pa
import pytest

from simulacra import Synthesizer
from simulacra.api.provenance import model_line
from simulacra.core.context import RunContext
from simulacra.core.progress import SilentProgress

ROWS = 3_000
RARE = 3
LAST = dt.date(2093, 11, 23)
FIRST = dt.date(1871, 2, 3)
SALARY = 98_765_432.25
WORDS = ["Canaryville", "C9999", "Kanarienvogel"]
SAYS = [*WORDS, "98765432", "2093-11-23", "1871-02-03"]


class Told(SilentProgress):
    def __init__(self):
        self.texts = []

    def note(self, text):
        self.texts.append(text)


def people():
    """Return people, three of whom have what no one else has."""
    rng = np.random.default_rng(5)
    place = rng.integers(0, 40, ROWS)
    start = np.datetime64("2010-01-01") + rng.integers(0, 3_000, ROWS)
    end = start + rng.integers(1, 60, ROWS)
    salary = np.round(rng.normal(40_000, 9_000, ROWS), 2)
    town = np.array([f"town {number % 12}" for number in place], object)
    code = np.array([f"C{number:04}" for number in place], object)
    paid = rng.random(ROWS) < 0.6
    bonus = np.round(rng.normal(900, 200, ROWS), 2)
    reason = rng.choice(["sales", "years"], ROWS).astype(object)
    few = np.arange(100, 100 + RARE)
    town[few], code[few], reason[few] = WORDS[0], WORDS[1], WORDS[2]
    salary[few], end[few], start[few[0]], paid[few] = (
        SALARY,
        np.datetime64(LAST),
        np.datetime64(FIRST),
        True,
    )
    return pa.table(
        {
            "town": town.tolist(),
            "code": code.tolist(),
            "salary": salary,
            "start": start,
            "end": end,
            "bonus": pa.array(bonus, mask=~paid),
            "reason": pa.array(reason.tolist(), mask=~paid),
        }
    )


@pytest.fixture(scope="module")
def learned():
    told = Told()
    synthesizer = Synthesizer(seed=1, ctx=RunContext(progress=told)).fit(people())
    return synthesizer, told.texts


def test_the_rules_that_could_hold_rare_values_are_there(learned):
    (table,) = learned[0].fitted.tables.values()
    assert {name for name, _ in table.model.rules} >= {"difference", "null_together"}


def test_no_rare_value_is_in_the_bundle(learned, tmp_path):
    learned[0].save(tmp_path / "m.sim")
    for member, content in contents(tmp_path / "m.sim"):
        for word in SAYS:
            assert word not in content, member
        # Dates as the days that rules count.
        for moment in (LAST, FIRST):
            assert str((moment - dt.date(1970, 1, 1)).days) not in content.split(), member


def contents(path):
    """Yield each member of a bundle as text: JSON as it is, tables value by value."""
    with zipfile.ZipFile(path) as bundle:
        for name in bundle.namelist():
            raw = bundle.read(name)
            if name.endswith(".json"):
                yield name, raw.decode().replace(",", " ").replace("}", " ").replace(":", " ")
            elif name.endswith((".arrow", ".feather")):
                table = pa.ipc.open_file(raw).read_all()
                yield name, " ".join(str(v) for column in table.columns for v in column.to_pylist())


def test_no_rare_value_is_told_or_listed(learned):
    synthesizer, texts = learned
    (table,) = synthesizer.fitted.tables.values()
    listed = " ".join(value for values in table.kept_values().values() for value in values)
    for word in SAYS:
        assert word not in listed
        assert word not in " ".join(texts)


def test_no_rare_value_is_drawn(learned):
    drawn = learned[0].sample(20_000)
    for name in ("town", "code", "reason"):
        assert not set(WORDS) & set(drawn[name].to_pylist())
    assert max(drawn["salary"].to_pylist()) < 100_000
    assert min(drawn["start"].to_pylist()) >= dt.date(2010, 1, 1)
    assert max(drawn["end"].to_pylist()) < dt.date(2030, 1, 1)


def test_what_was_replaced_is_counted_and_told(learned, tmp_path):
    synthesizer, texts = learned
    (table,) = synthesizer.fitted.tables.values()
    replaced = dict(table.model.replaced())
    for name in ("town", "code", "reason"):
        if name in replaced:  # a rule may make one of the others
            assert replaced[name] == {"rare": RARE}
    assert {"town", "reason"} & set(replaced)
    salary = np.sort(people()["salary"].to_numpy())
    # What lies beyond the tenth value from either end.
    beyond = int((salary < salary[9]).sum() + (salary > salary[-10]).sum())
    assert replaced["salary"] == {"rare or extreme": beyond}
    assert any(
        "replaced: " in text and f"salary ({beyond} rare or extreme)" in text for text in texts
    )
    synthesizer.save(tmp_path / "m.sim")
    (again,) = Synthesizer.load(tmp_path / "m.sim").fitted.tables.values()
    assert dict(again.model.replaced()) == replaced
    assert f"{beyond} rare or extreme in table.salary" in model_line(tmp_path / "m.sim")
