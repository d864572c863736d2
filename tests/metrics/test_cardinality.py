import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from metrics.databases import (
    FLIGHTS_REFERENCES,
    dataset,
    listed,
    nycflights,
    nycflights_spec,
    related,
    without_rows,
)
from simulacra.core.references import Reference, ReferenceCounts
from simulacra.metrics.cardinality import Cardinality, ks_statistic

KS = Cardinality()


def children_per_parent(tables, table, columns, parent, parent_columns):
    child, above = (tables[name].to_pandas() for name in (table, parent))
    counts = child.groupby(listed(columns), dropna=True).size()
    keys = above[listed(parent_columns)].drop_duplicates()
    index = pd.MultiIndex.from_frame(keys) if keys.shape[1] > 1 else pd.Index(keys.iloc[:, 0])
    return counts.reindex(index, fill_value=0).to_numpy()


def ks(one, other):
    with np.errstate(divide="ignore"):  # a p-value of tiny samples, which nobody asks for
        return stats.ks_2samp(one, other, method="asymp").statistic


@pytest.fixture(scope="module")
def flights():
    return nycflights(6_000, seed=1), nycflights(5_000, seed=2), nycflights(6_000, seed=3)


def test_every_foreign_key_agrees_with_pandas_and_scipy(flights):
    real, other, holdout = flights
    other = without_rows(other, "planes", 0.5)
    found = related(KS, nycflights_spec(real), real, other, holdout)
    assert len(found) == 5
    for columns, parent, key in FLIGHTS_REFERENCES["flights"]:
        what = Reference("flights", tuple(listed(columns)), parent, tuple(listed(key))).where
        score = found["cardinality", what]
        sides = [
            children_per_parent(side, "flights", columns, parent, key)
            for side in (real, other, holdout)
        ]
        assert score.value == pytest.approx(ks(sides[0], sides[1]), abs=1e-12)
        assert score.floor == pytest.approx(ks(sides[0], sides[2]), abs=1e-12)
        for side, counts in zip(("real", "synthetic"), sides, strict=False):
            assert score.details[side]["parents"] == len(counts)
            assert score.details[side]["mean"] == pytest.approx(counts.mean())
            assert score.details[side]["childless_share"] == pytest.approx((counts == 0).mean())
            tenth = int(np.sort(counts)[-10]) if len(counts) >= 10 else None
            assert score.details[side]["ten_have"] == tenth


def family(children):
    """Return parents with so many children each."""
    keys = np.arange(len(children))
    return {
        "parents": pa.table({"id": keys}),
        "children": pa.table({"parent": pa.array(np.repeat(keys, children), pa.int64())}),
    }


FAMILY = dataset(family([1]), {"parents": ["id"]}, {"children": [("parent", "parents", "id")]})
COUNTS = st.lists(st.integers(0, 12), min_size=1, max_size=40)


@settings(max_examples=40)
@given(COUNTS, COUNTS)
def test_any_two_distributions_agree_with_scipy(one, other):
    sides = []
    for children in (one, other):
        values, parents = np.unique(children, return_counts=True)
        sides.append(ReferenceCounts(sum(children), 0, 0, values, parents))
    assert ks_statistic(*sides).value == pytest.approx(ks(one, other), abs=1e-12)


def test_a_hold_out_of_fewer_children_a_parent_gives_no_floor():
    real, fewer = family([4] * 50 + [6] * 50), family([2] * 50 + [3] * 50)
    alike = family([4] * 40 + [6] * 60)
    (score,) = related(KS, FAMILY, real, real, fewer).values()
    assert score.value == 0.0
    assert score.details["floor"] == "bootstrap"
    assert "2.5 children on average, the real ones 5" in score.details["no_holdout"]
    (score,) = related(KS, FAMILY, real, real, alike).values()
    assert score.details["floor"] == "hold-out"
    assert score.floor == pytest.approx(0.1)


def test_without_a_hold_out_the_floor_is_real_parents_drawn_again():
    rng = np.random.default_rng(0)
    real, copy = family(rng.poisson(3, 4_000)), family(rng.poisson(3, 1_000))
    (score,) = related(KS, FAMILY, real, copy).values()
    assert score.details["floor"] == "bootstrap"
    # One sample of 1,000 against its own distribution: the 99.9 % point of the statistic.
    assert 0 < score.floor < 1.95 / np.sqrt(1_000)


def test_the_interval_holds_the_distance_of_the_populations():
    rng = np.random.default_rng(1)
    apart = np.abs(stats.poisson(3).cdf(range(30)) - stats.poisson(4).cdf(range(30))).max()
    held = 0
    for _ in range(100):
        sides = [rng.poisson(mean, rows) for mean, rows in ((3, 500), (4, 300))]
        counted = []
        for children in sides:
            values, parents = np.unique(children, return_counts=True)
            counted.append(ReferenceCounts(int(children.sum()), 0, 0, values, parents))
        low, high = ks_statistic(*counted).interval()
        held += low <= apart <= high
    # Of 100 intervals of 95 %, fewer than 88 hold it once in a thousand times.
    assert held >= 88


def test_nothing_is_said_without_parents():
    nobody = {name: table.slice(0, 0) for name, table in family([1]).items()}
    (score,) = related(KS, FAMILY, family([1, 2]), nobody).values()
    assert score.value is None
    assert score.details["why"] == "there are no synthetic parents"


def test_each_kind_of_a_polymorphic_key_is_counted_alone():
    tables = {
        "posts": pa.table({"id": [1, 2, 3]}),
        "photos": pa.table({"id": [1, 2]}),
        "comments": pa.table({"kind": ["post", "post", "photo", "post"], "of": [1, 1, 2, 3]}),
    }
    references = [
        ("of", "posts", "id", {"when": {"kind": "post"}}),
        ("of", "photos", "id", {"when": {"kind": "photo"}}),
    ]
    spec = dataset(tables, {"posts": ["id"], "photos": ["id"]}, {"comments": references})
    found = related(KS, spec, tables, tables)
    posts = found["cardinality", "comments(of, kind = post)"].details["real"]
    photos = found["cardinality", "comments(of, kind = photo)"].details["real"]
    assert (posts["mean"], posts["childless_share"]) == (1.0, 1 / 3)
    assert (photos["mean"], photos["childless_share"]) == (0.5, 0.5)
