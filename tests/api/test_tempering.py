"""Temperature and top-p, from what a user asks for to the rows."""

import numpy as np
import pyarrow as pa
import pytest

from simulacra import Synthesizer
from simulacra.core.errors import OutputError, UsageError
from simulacra.testing.databases import shop

ROWS = 4_000


def table():
    rng = np.random.default_rng(0)
    return pa.table(
        {
            "kind": rng.choice(["a", "b", "c"], ROWS, p=[0.6, 0.3, 0.1]),
            "many": [[n] * n for n in rng.choice([1, 2], ROWS, p=[0.7, 0.3])],
        }
    )


@pytest.fixture(scope="module")
def synthesizer():
    return Synthesizer("independent", seed=1).fit(table())


def share(rows, value):
    return np.mean(np.array(rows["kind"].to_pylist()) == value)


def test_ones_give_the_same_rows(synthesizer):
    assert synthesizer.sample(500, temperature=1.0, top_p=1.0).equals(synthesizer.sample(500))


def test_a_low_temperature_prefers_the_frequent_and_top_p_drops_the_rare(synthesizer):
    # 0.6² / (0.6² + 0.3² + 0.1²), within 4.5 standard errors.
    cold = synthesizer.sample(ROWS, temperature=0.5)
    assert abs(share(cold, "a") - 0.36 / 0.46) < 4.5 * np.sqrt(0.17 / ROWS) + 0.02
    nucleus = synthesizer.sample(ROWS, top_p=0.85)
    assert share(nucleus, "c") == 0
    lengths = [len(items) for items in cold["many"].to_pylist()]
    assert set(lengths) == {1, 2}


def test_what_balances_is_not_tempered(synthesizer):
    drawn = synthesizer.sample(ROWS, balance={"kind": {"c": 0.5}}, temperature=0.2)
    assert share(drawn, "c") == 0.5
    assert abs(share(drawn, "b") - 0.5 / 3) < 0.03


def test_a_model_that_cannot_says_so():
    copula = Synthesizer("copula").fit(table().select(["kind"]))
    with pytest.raises(UsageError, match=r"copula knows no temperature.*'tempered'"):
        copula.sample(10, temperature=0.5)


def test_databases_keep_their_keys():
    drawn = Synthesizer("independent", seed=1).fit(shop()).sample(top_p=0.5, temperature=0.7)
    customers = set(drawn["customers"]["id"].to_pylist())
    assert set(drawn["orders"]["customer"].drop_null().to_pylist()) <= customers
    assert drawn["orders"].num_rows == shop()["orders"].num_rows


def test_a_stopped_run_goes_on_as_boldly_or_not_at_all(synthesizer, tmp_path, monkeypatch):
    dest = tmp_path / "new.parquet"

    def stopped(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("simulacra.pipeline.journal.Journal.note_publishing", stopped)
        with pytest.raises(KeyboardInterrupt):
            synthesizer.write(dest, 100, temperature=0.5, resume=True)
    with pytest.raises(OutputError):
        synthesizer.write(dest, 100, resume=True)
    assert synthesizer.write(dest, 100, temperature=0.5, resume=True) == {"table": 100}
