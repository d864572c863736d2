import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from metrics.samples import halves, measure, shipped, spec_of
from simulacra.metrics.jensen_shannon import BINS, JensenShannon, distance

METRIC = JensenShannon()


def one(real, synthetic, **columns):
    real, synthetic = pa.table({"x": real}), pa.table({"x": synthetic})
    (score,) = measure(METRIC, real, synthetic, table=spec_of(real, **columns))
    return score


def test_categories_and_bins_of_real_data_agree_with_scipy():
    real, other = halves(shipped("weather"), rows=5_000)
    other = other.slice(0, 3_000)
    table = spec_of(real, origin="category", month="category")
    scores = {s.columns[0]: s for s in measure(METRIC, real, other, table=table)}
    for name in ("origin", "month", "temp", "wind_gust", "pressure", "visib"):
        a, b = real[name].to_pandas(), other[name].to_pandas()
        if table.columns[name].type != "category":
            ordered = np.sort(a.dropna())
            edges = np.unique([ordered[k * len(ordered) // BINS] for k in range(1, BINS)])
            a, b = (
                side.map(lambda v, e=edges: -1 if np.isnan(v) else (v >= e).sum())
                for side in (a.fillna(np.nan), b.fillna(np.nan))
            )
        shares = [side.value_counts(normalize=True, dropna=False) for side in (a, b)]
        every = shares[0].index.union(shares[1].index)
        shares = [side.reindex(every, fill_value=0).to_numpy() for side in shares]
        expected = jensenshannon(*shares, base=2)
        assert scores[name].value == pytest.approx(expected, abs=1e-9), name
        low, high = scores[name].interval
        assert 0 <= low < scores[name].value < high <= 1


def test_it_runs_from_the_same_to_disjoint():
    assert one(["a", "b", None], ["b", "a", None]).value == 0.0
    assert one(["a", "a"], ["b", "c"]).value == pytest.approx(1.0)
    assert one([1, 2, 3], pa.array([None] * 3, pa.int64())).value == pytest.approx(1.0)
    assert one([7, 7, 7], [7, 7]).value == 0.0


def test_numbers_beyond_the_real_range_and_spikes_have_bins():
    real = np.concatenate([np.zeros(900), np.arange(1, 101)])
    assert one(real, real).details["values"] <= BINS + 2
    for elsewhere in (1e9, -1.0):
        moved = one(real, np.where(real == 0, elsewhere, real)).value
        # Nine in ten rows are moved: the divergence is at least 1 - h(0.05), h the entropy.
        assert moved > np.sqrt(1 - stats.entropy([0.05, 0.95], base=2)) - 1e-9


def test_text_counts_by_its_length():
    assert one(["ab", "abcd"], ["xy", "wxyz"], x="text").value == 0.0
    assert one(["ab", "abcd"], ["xyz", "xyz"], x="text").value > 0


def test_intervals_hold_the_distance_of_the_populations():
    rng = np.random.default_rng(0)
    p, q = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.3, 0.3, 0.2, 0.2])
    true, held = jensenshannon(p, q, base=2), 0
    for _ in range(200):
        low, high = distance(rng.multinomial(900, p), rng.multinomial(600, q)).interval()
        held += low <= true <= high
    # Of 200 intervals of 95 %, fewer than 176 hold it less than once in ten thousand times.
    assert held >= 176


def test_the_error_does_not_vanish_where_both_are_the_same():
    counts = np.array([500, 500])
    found = distance(counts, counts)
    rng = np.random.default_rng(0)
    spread = [distance(*rng.multinomial(1_000, [0.5, 0.5], 2)).value for _ in range(400)]
    # Distances at 0 are folded: of normal deviates, the root mean square is their error.
    assert found.error == pytest.approx(np.sqrt(np.mean(np.square(spread))), rel=0.15)
    assert distance(np.array([5]), np.array([9])).error == 0
