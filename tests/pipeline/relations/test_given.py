"""Databases of which some values are given: parents, children, and what follows."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from simulacra import Metadata, Synthesizer, between
from simulacra.core.errors import UsageError
from simulacra.testing.databases import shop, shop_spec


@pytest.fixture(scope="module")
def real():
    return shop()


@pytest.fixture(scope="module")
def synthesizer(real):
    return Synthesizer(seed=2).fit(real, Metadata(shop_spec()))


def joined(tables):
    keys = ["customer"], ["id"]
    return tables["orders"].join(tables["customers"], *keys, join_type="inner")


def test_children_follow_their_given_parents(synthesizer, real):
    drawn = synthesizer.sample({"customers": 800}, given={"customers": {"city": "Oslo"}})
    assert drawn["customers"].num_rows == 800
    assert set(drawn["customers"]["city"].to_pylist()) == {"Oslo"}
    ids = set(drawn["customers"]["id"].to_pylist())
    assert len(ids) == 800
    assert set(drawn["orders"]["customer"].drop_null().to_pylist()) <= ids
    like = joined(real).filter(pc.equal(joined(real)["city"], "Oslo"))
    paid, expected = joined(drawn)["paid"].to_numpy(), like["paid"].to_numpy()
    everyone = joined(real)["paid"].to_numpy()
    assert abs(paid.mean() - expected.mean()) < abs(everyone.mean() - expected.mean())
    assert abs(paid.mean() - expected.mean()) < 0.25 * expected.std()


def test_children_may_be_given_themselves(synthesizer):
    given = {"orders": {"express": True, "paid": between(50, 80)}}
    drawn = synthesizer.sample(given=given)
    orders = drawn["orders"]
    assert orders.num_rows > 1_000
    assert set(orders["express"].to_pylist()) == {True}
    assert 50 <= pc.min(orders["paid"]).as_py() <= pc.max(orders["paid"]).as_py() <= 80
    assert len(set(orders["number"].to_pylist())) == orders.num_rows
    ids = set(drawn["customers"]["id"].to_pylist())
    assert set(orders["customer"].drop_null().to_pylist()) <= ids
    again = synthesizer.sample(given=given)
    assert all(again[name].equals(table) for name, table in drawn.items())


def test_given_rows_of_a_parent_are_kept(synthesizer):
    ages = np.round(np.random.default_rng(0).uniform(30, 60, 300), 1)
    seeds = pa.table({"age": ages, "city": ["Berlin", None, "Oslo"] * 100})
    drawn = synthesizer.sample(given={"customers": seeds})
    assert drawn["customers"]["age"].to_pylist() == ages.tolist()
    known = seeds["city"].is_valid()
    assert drawn["customers"]["city"].filter(known).equals(seeds["city"].filter(known))
    assert drawn["orders"].num_rows > 300


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"orders": {"customer": 3}}, r"orders\.customer can't be given: it is a key"),
        ({"lines": {"x": 1}}, "there is no table 'lines'"),
        (pa.table({"city": ["Oslo"]}), "doesn't say of which table"),
    ],
)
def test_what_can_not_be_given_is_refused(synthesizer, given, message):
    with pytest.raises(UsageError, match=message):
        synthesizer.sample(given=given)
