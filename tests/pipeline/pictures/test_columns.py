from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.samples import shipped, spec_of
from simulacra.core.schema import ColumnSpec
from simulacra.metrics.columns import leaves
from simulacra.pipeline.pictures.columns import NAMED, overlay
from simulacra.pipeline.pictures.safe import FEWEST, grouped, merged


def drawn(real, synthetic=None, holdout=None, **columns):
    """Return the overlay of each column."""
    tables = {"real": real, "synthetic": real if synthetic is None else synthetic}
    if holdout is not None:
        tables["holdout"] = holdout
    found = leaves(spec_of(real, **columns), real)
    return {leaf.name: overlay(leaf, tables) for leaf in found}


def one(values, kind=None, synthetic=None, holdout=None):
    """Return the overlay of one column."""
    tables = [None if v is None else pa.table({"x": v}) for v in (values, synthetic, holdout)]
    return drawn(*tables, **({} if kind is None else {"x": kind}))["x"]


counts = st.lists(st.integers(0, 60), min_size=1, max_size=30)


@given(st.lists(counts, min_size=1, max_size=2), counts)
def test_joined_bins_hold_no_real_row_or_ten_at_least(real, synthetic):
    bins = max(map(len, [*real, synthetic]))
    sides = {
        name: np.array(side + [0] * (bins - len(side)), np.int64)
        for name, side in zip(("synthetic", "real", "holdout"), [synthetic, *real], strict=False)
    }
    groups = merged(sides)
    safe = all(
        sides[side].sum() == 0 or sides[side].sum() >= FEWEST
        for side in sides
        if side != "synthetic"
    )
    assert bool(groups) == safe
    if groups:
        assert [start for start, _ in groups] == [0, *(stop for _, stop in groups[:-1])]
        assert groups[-1][1] == bins
        for side, joined in grouped(sides, groups).items():
            assert joined.sum() == sides[side].sum()
            assert side == "synthetic" or all(c == 0 or c >= FEWEST for c in joined)


def test_a_histogram_counts_what_numpy_counts():
    rng = np.random.default_rng(1)
    sides = {"real": rng.normal(50, 9, 4_000), "synthetic": rng.normal(48, 12, 3_000)}
    sides["holdout"] = rng.normal(50, 9, 1_000)
    found = one(sides["real"], synthetic=sides["synthetic"], holdout=sides["holdout"])
    edges = np.array(found["edges"])
    assert 10 <= len(edges) - 1 <= 41
    for side, values in sides.items():
        inner = [-np.inf, *edges[1:-1], np.inf]
        expected = np.histogram(values, inner)[0] / len(values)
        assert found["shares"][side] == pytest.approx(expected, abs=1e-6)
        assert sum(found["shares"][side]) == pytest.approx(1, abs=1e-4)


def test_edges_are_round_and_no_values_of_rows():
    rng = np.random.default_rng(2)
    values = rng.lognormal(3, 1, 2_000)
    found = one(values)
    assert not set(found["edges"]) & set(values.tolist())
    step = np.diff(found["edges"]).min()
    assert np.allclose(np.array(found["edges"]) / step, np.round(np.array(found["edges"]) / step))
    assert found["edges"][-1] < np.sort(values)[-FEWEST] + step


def test_whole_numbers_of_few_values_have_a_bin_each():
    values = np.repeat([1, 2, 3, 7], [40, 30, 20, 10])
    found = one(values)
    at = dict(zip(found["edges"], found["shares"]["real"], strict=False))
    assert {edge: share for edge, share in at.items() if share} == {1: 0.4, 2: 0.3, 3: 0.2, 7: 0.1}


@pytest.mark.parametrize(
    "values",
    [
        pa.array([5] * 50),
        pa.array([1e308, -1e308] * 30),
        pa.array([2**62 + i for i in range(40)]),
        pa.array([0.1] * 40 + [np.inf, -np.inf]),
        pa.array([5e-324 * i for i in range(40)]),
        pa.array([0] * 30, pa.duration("s")),
        pa.array([0, 86_399] * 20, pa.time32("s")),
        pa.array([-(2**31), 2**31 - 1] * 20, pa.date32()),
        pa.array([-(2**62), 2**62] * 20, pa.timestamp("us")),
        pa.array([0] * 30, pa.timestamp("ns", "Europe/Vienna")),
    ],
)
def test_odd_columns_are_drawn(values):
    found = one(values)
    assert np.all(np.diff(found["edges"]) > 0)
    assert np.all(np.isfinite(found["edges"]))
    finite = (
        sum(np.isfinite(v) for v in values.to_pylist())
        if pa.types.is_floating(values.type)
        else len(values)
    )
    assert sum(found["shares"]["real"]) == pytest.approx(finite / len(values), abs=1e-4)


@pytest.mark.parametrize("values", [[1.5] * 9, [None] * 30, [1.5] * 9 + [None] * 20])
def test_fewer_than_ten_values_are_not_drawn(values):
    found = one(pa.array(values, pa.float64()))
    assert "shares" not in found
    assert found["why"]


def test_times_stand_at_round_times():
    hours = shipped("weather", ["time_hour"])
    found = drawn(hours)["time_hour"]
    moments = np.array(found["edges"]).astype("datetime64[s]")
    assert found["unit"] == "moment"
    assert np.all(moments == moments.astype("datetime64[M]")) or np.all(
        moments == moments.astype("datetime64[D]")
    )
    assert sum(found["shares"]["real"]) == pytest.approx(1, abs=1e-4)


def test_dates_in_text_stand_where_dates_do():
    days = [f"2021-{month:02d}-15" for month in range(1, 13) for _ in range(20)]
    spec = ColumnSpec(type="date", arrow="string")
    written = one(pa.array(days), spec)
    typed = one(pa.array(days).cast(pa.date32()))
    assert written["edges"] == typed["edges"]
    assert written["shares"] == typed["shares"]


def test_categories_are_counted_and_the_rare_ones_joined():
    rng = np.random.default_rng(3)
    words = [f"w{int(n)}" for n in rng.geometric(0.12, 3_000)]
    others = [f"w{int(n)}" for n in rng.geometric(0.2, 2_000)]
    found = one(pa.array(words), synthetic=pa.array(others))
    counted, beside = Counter(words), Counter(others)
    assert len(found["names"]) == NAMED
    for place, name in enumerate(found["names"]):
        assert counted[name] >= FEWEST
        assert found["shares"]["real"][place] == pytest.approx(counted[name] / 3_000, abs=1e-6)
        assert found["shares"]["synthetic"][place] == pytest.approx(beside[name] / 2_000, abs=1e-6)
    assert sum(found["shares"]["real"]) + found["rarer"]["real"] == pytest.approx(1, abs=1e-4)


def test_a_rest_of_few_rows_takes_the_rarest_name_in():
    found = one(pa.array(["a"] * 50 + ["b"] * 20 + ["c"] * 3))
    assert found["names"] == ["a"]
    assert found["rarer"]["real"] == pytest.approx(23 / 73, abs=1e-6)


def test_a_name_that_few_held_out_rows_have_is_not_given():
    found = one(
        pa.array(["a"] * 50 + ["b"] * 50), holdout=pa.array(["a"] * 60 + ["b"] * 4 + ["c"] * 20)
    )
    assert found["names"] == ["a"]


def test_values_that_are_all_rare_are_not_drawn():
    found = one(pa.array([f"name {i}" for i in range(500)]))
    assert "shares" not in found
    assert "names" not in found


def test_texts_are_drawn_by_length_alone():
    found = one(pa.array(["x" * (i % 40) for i in range(800)]), "text")
    assert found["unit"] == "length"
    assert sum(found["shares"]["real"]) == pytest.approx(1, abs=1e-4)


def test_nulls_are_told():
    found = one(pa.array([1.0] * 30 + [None] * 10), synthetic=pa.array([1.0, None]))
    assert found["nulls"] == {"real": 0.25, "synthetic": 0.5}
    assert sum(found["shares"]["real"]) == pytest.approx(0.75)
