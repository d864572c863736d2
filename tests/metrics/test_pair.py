from collections import Counter

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of, values
from simulacra.metrics import pairwise
from simulacra.metrics.pair import PairTrends

TRENDS = PairTrends()


def binned(values, reference):
    edges = np.histogram_bin_edges(reference.dropna(), bins=10)
    edges[0], edges[-1] = -np.inf, np.inf
    return pd.Series(np.digitize(values, edges))


def joint_tv(a, b):
    counts = [Counter(zip(x.astype(str), y.astype(str), strict=True)) for x, y in (a, b)]
    rows = [count.total() for count in counts]
    cells = counts[0].keys() | counts[1].keys()
    return 1 - sum(abs(counts[0][c] / rows[0] - counts[1][c] / rows[1]) for c in cells) / 2


def test_every_pair_of_real_data_agrees_with_scipy_and_pandas():
    columns = ["origin", "month", "hour", "temp", "wind_dir", "wind_gust", "pressure"]
    real, other = halves(shipped("weather", columns), rows=3_000)
    other = drawn_apart(other)
    table = spec_of(real, month="category")
    found = values(measure(TRENDS, real, other, table=table))
    assert len(found) == 21
    for (x, y), value in found.items():
        sides = [(t[x].to_pandas(), t[y].to_pandas()) for t in (real, other)]
        categories = [name for name in (x, y) if table.columns[name].type == "category"]
        if not categories:
            r = [
                stats.pearsonr(*pd.concat(side, axis=1).dropna().to_numpy().T).statistic
                for side in sides
            ]
            expected = 1 - abs(r[0] - r[1]) / 2
        else:
            reference = sides[0]
            cut = [
                tuple(
                    values if name in categories else binned(values, reference[i])
                    for i, (name, values) in enumerate(zip((x, y), side, strict=True))
                )
                for side in sides
            ]
            expected = joint_tv(*cut)
        assert value == pytest.approx(expected, abs=1e-9), (x, y)


def test_a_table_goes_together_like_itself_and_worse_when_drawn_apart():
    real, holdout = halves(shipped("weather"), rows=3_000)
    assert set(values(measure(TRENDS, real, real)).values()) <= {1.0, None}
    apart = measure(TRENDS, real, drawn_apart(real), holdout=holdout)
    measured = [score for score in apart if score.value is not None]
    floor = np.mean([score.floor for score in measured])
    assert np.mean([score.value for score in measured]) < floor - 0.03
    assert floor > 0.95


def test_extreme_numbers_still_have_a_correlation():
    x = np.array([1e308, -1e308, 3e307, 0.0])
    score = measure(TRENDS, pa.table({"a": x, "b": x}), pa.table({"a": x, "b": -x}))[0]
    assert score.value == pytest.approx(0.0)
    big = np.array([2**62, 2**62 + 4096, 2**62 + 8192])
    with_infinity = pa.table({"a": [1.0, 2.0, 3.0, np.inf], "b": [*big, 0]})
    (score,) = measure(TRENDS, with_infinity, with_infinity)
    assert score.details["reference_correlation"] == pytest.approx(1.0)


def test_a_constant_number_has_no_correlation_but_goes_with_categories():
    table = pa.table({"a": [1.0, 1.0, 1.0], "b": [1, 2, 3], "c": ["x", "y", "x"]})
    scores = {score.columns: score for score in measure(TRENDS, table, table)}
    assert scores["a", "b"].value is None
    assert "fewer than two values differ" in scores["a", "b"].details["why"]
    assert scores["a", "c"].value == scores["b", "c"].value == 1.0


def test_values_outside_the_real_range_and_nulls_have_bins():
    real = pa.table({"n": [0.0, 10.0, None], "c": ["x"] * 3})
    beyond = pa.table({"n": [-5.0, 99.0, None], "c": ["x"] * 3})
    assert measure(TRENDS, real, beyond)[0].value == 1.0
    without = pa.table({"n": [0.0, 10.0, 10.0], "c": ["x"] * 3})
    assert measure(TRENDS, real, without)[0].value == pytest.approx(2 / 3)


def test_many_categories_are_counted_without_a_full_table():
    rng = np.random.default_rng(0)
    names = pa.table({"a": rng.integers(0, 30_000, 4_000), "b": rng.integers(0, 30_000, 4_000)})
    other = names.slice(0, 1_000)
    table = spec_of(names, a="category", b="category")
    expected = joint_tv(
        (names["a"].to_pandas(), names["b"].to_pandas()),
        (other["a"].to_pandas(), other["b"].to_pandas()),
    )
    assert measure(TRENDS, names, other, table=table)[0].value == pytest.approx(expected, abs=1e-9)


def test_columns_without_a_trend_are_listed_with_the_reason():
    table = pa.table({"id": [1, 2], "note": ["a b", "c"], "n": [1, 2]})
    table_spec = spec_of(table, id="identifier", note="text")
    scores = measure(TRENDS, table, table, table=table_spec)
    assert [(s.columns, s.value, bool(s.details["why"])) for s in scores] == [
        (("id",), None, True),
        (("note",), None, True),
    ]
    empty = measure(TRENDS, table.slice(0, 0), table)
    assert {score.value for score in empty} == {None}


def test_of_very_many_pairs_a_sample_is_measured_and_said(monkeypatch):
    monkeypatch.setattr(pairwise, "MOST_PAIRS", 7)
    table = pa.table({f"c{i}": [1, 2, i] for i in range(10)})
    scores = measure(TRENDS, table, table)
    assert len(scores) == 7
    assert scores[0].details["pairs"] == "7 of 45, drawn at random"
    assert [s.columns for s in scores] == [s.columns for s in measure(TRENDS, table, table)]
