import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.metrics.columns import leaves
from simulacra.metrics.privacy import ClosestRecords, nearest, points

CLOSEST = ClosestRecords()
COLUMNS = ["origin", "hour", "temp", "wind_dir", "wind_gust", "time_hour"]


def closest(*tables, **options):
    return {score.metric: score for score in measure(CLOSEST, *tables, **options)}


def gower(table, spans):
    """Return the distance of two rows, each a tuple of values, by the definition."""

    def between(a, b):
        total = 0.0
        for name, x, y in zip(table.column_names, a, b, strict=True):
            if x is None or y is None or name == "origin":
                total += x != y
            else:
                total += abs(x - y) / spans[name]
        return total

    return between


def test_distances_on_real_data_are_gowers():
    real, holdout = halves(shipped("weather", COLUMNS), rows=300)
    queries = drawn_apart(real, rows=40)
    both = pa.concat_tables([real, holdout])
    spans = {
        name: pa.compute.max(both[name]).as_py() - pa.compute.min(both[name]).as_py()
        for name in COLUMNS[1:]
    }
    between = gower(real, spans)
    used = leaves(spec_of(real), real)
    found = points(used, real, holdout, queries)
    rows = [list(zip(*table.to_pydict().values(), strict=True)) for table in (real, queries)]
    expected = [min(between(query, row) for row in rows[0]) for query in rows[1]]
    np.testing.assert_allclose(nearest(found[2], found[0], threads=2), expected, atol=1e-5)


@settings(max_examples=20)
@given(st.integers(1, 3), st.integers(1, 700), st.integers(1, 5_000), st.integers(0, 99))
def test_the_search_is_exact(columns, queries, rows, seed):
    rng = np.random.default_rng(seed)
    # In a space this small no difference reaches the cap, so the distance is Manhattan's.
    queries, rows = (rng.random((columns, n), dtype=np.float32) for n in (queries, rows))
    brute = NearestNeighbors(n_neighbors=1, algorithm="brute", metric="manhattan").fit(rows.T)
    expected = brute.kneighbors(queries.T)[0][:, 0]
    np.testing.assert_allclose(nearest(queries, rows, threads=2), expected, atol=1e-5)


def test_another_real_sample_is_as_near_to_either_half():
    table = shipped("weather", COLUMNS)
    real, other = halves(table, rows=6_000)
    holdout, synthetic = halves(other, rows=3_000)
    scores = closest(real, synthetic, holdout=holdout)
    share = scores["closest_records"].value
    # 3,000 draws; rows share neighbours, which widens the spread a little.
    assert abs(share - 0.5) < 5 * 0.5 / np.sqrt(3_000)
    assert scores["closest_records"].floor == 0.5
    assert scores["exact_copies"].value == pytest.approx(scores["exact_copies"].floor, abs=0.02)


def test_the_more_rows_are_copied_the_higher_the_share():
    real, other = halves(shipped("weather"), rows=4_000)
    holdout, fresh = halves(other)
    shares = []
    for copied in (0, 500, 1_000, 2_000):
        synthetic = pa.concat_tables([real.slice(0, copied), fresh.slice(0, 2_000 - copied)])
        scores = closest(real, synthetic, holdout=holdout)
        assert scores["exact_copies"].value == copied / 2_000
        assert scores["exact_copies"].floor == 0
        shares.append(scores["closest_records"].value)
    assert shares == sorted(shares)
    # Only half of the copied-from rows are searched: as many as there are held-out ones.
    assert shares[0] < 0.55
    assert shares[-1] > 0.7
    all_searched = closest(holdout, holdout, holdout=fresh)
    assert all_searched["closest_records"].value == 1.0


def test_ties_count_half():
    real = pa.table({"x": ["a", "b"] * 20})
    score = closest(real, real, holdout=real)["closest_records"]
    assert (score.value, score.details["ties"]) == (0.5, 1.0)


def test_without_a_holdout_only_copies_are_measured():
    real = pa.table({"id": [1, 2, 3, 4], "x": [1.0, None, 3.0, 4.0], "note": ["a", "b", "c", "d"]})
    synthetic = pa.table({"id": [8, 9], "x": [None, 3.0], "note": ["b", "other"]})
    table = spec_of(real, id="identifier", note="text")
    scores = closest(real, synthetic, table=table)
    assert scores["exact_copies"].value == 0.5
    assert scores["exact_copies"].floor == 0
    # Two of five rows have a twin: as many copies are what chance gives.
    twins = pa.concat_tables([real, real.slice(0, 1)])
    assert closest(twins, synthetic, table=table)["exact_copies"].floor == 2 / 5
    assert scores["closest_records"].value is None
    assert "held-out" in scores["closest_records"].details["why"]


def test_extreme_null_and_constant_columns_have_distances():
    numbers = pa.table(
        {
            "wide": [1e308, -1e308, np.inf, None, 0.0],
            "constant": [7, 7, 7, 7, 7],
            "null": pa.array([None] * 5, pa.float64()),
            "list": pa.array([[1], None, [], [1, 2], [1]]),
        }
    )
    table = spec_of(numbers.drop_columns(["list"]))
    scores = closest(numbers, numbers, holdout=numbers.slice(0, 1), table=table)
    assert 0.5 <= scores["closest_records"].value <= 1.0
    assert scores["exact_copies"].value == 1.0
    moved = numbers.set_column(1, "constant", [[8] * 5])
    far = closest(numbers, moved, holdout=numbers, table=table)["closest_records"]
    assert far.details["median_distance"] == 1.0


def test_nothing_to_compare_has_a_reason():
    keys = pa.table({"id": [1, 2]})
    scores = closest(keys, keys, holdout=keys, table=spec_of(keys, primary_key=["id"]))
    assert {score.details["why"] for score in scores.values()} == {"no column can be compared"}
    scores = closest(keys, keys.slice(0, 0), holdout=keys)
    assert {score.value for score in scores.values()} == {None}
