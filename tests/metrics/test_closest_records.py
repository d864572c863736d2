import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.metrics.columns import leaves
from simulacra.metrics.privacy.closest_records import ClosestRecords
from simulacra.metrics.privacy.points import nearest, nearest_without, points

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
    found = points(used, [real, holdout], [queries])
    rows = [list(zip(*table.to_pydict().values(), strict=True)) for table in (real, queries)]
    expected = [min(between(query, row) for row in rows[0]) for query in rows[1]]
    np.testing.assert_allclose(nearest(found[2], found[0], threads=2)[0][0], expected, atol=1e-5)


@settings(max_examples=20)
@given(
    st.integers(1, 9), st.integers(1, 700), st.integers(1, 5_000), st.integers(1, 4), st.integers(0)
)
def test_the_search_is_exact(columns, queries, rows, count, seed):
    rng = np.random.default_rng(seed)
    # In a space this small no difference reaches the cap, so the distance is Manhattan's.
    queries, rows = (rng.random((columns, n), dtype=np.float32) for n in (queries, rows))
    there = min(count, rows.shape[1])
    brute = NearestNeighbors(n_neighbors=there, algorithm="brute", metric="manhattan").fit(rows.T)
    expected = brute.kneighbors(queries.T)[0].T
    distances, which = nearest(queries, rows, count=count, threads=2)
    np.testing.assert_allclose(distances[:there], expected, atol=1e-5)
    assert np.isinf(distances[there:]).all()
    assert (which[there:] == -1).all()
    found = np.abs(queries - rows[:, which[:there]].transpose(1, 0, 2)).sum(axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_leaving_columns_out_is_the_search_without_them():
    real, queries = halves(shipped("weather", COLUMNS), rows=3_000)
    real, queries = points(leaves(spec_of(real), real), [real, queries.slice(0, 200)], [])
    hidden = [0, 2, 5]
    found = nearest_without(queries, real, hidden, threads=2)
    for column, which in zip(hidden, found, strict=True):
        kept = np.arange(len(real)) != column
        expected = nearest(queries[kept], real[kept], threads=2)
        # Sums are exact, so even ties are settled alike: the first row is taken.
        np.testing.assert_array_equal(which, expected[1][0])


def test_another_real_sample_is_as_near_to_either_half():
    table = shipped("weather", COLUMNS)
    real, other = halves(table, rows=6_000)
    holdout, synthetic = halves(other, rows=3_000)
    scores = closest(real, synthetic, holdout=holdout)
    share = scores["closest_records"].value
    # 3,000 draws; rows share neighbours, which widens the spread a little.
    assert abs(share - 0.5) < 5 * 0.5 / np.sqrt(3_000)
    assert scores["closest_records"].floor == 0.5
    assert abs(scores["closest_ratios"].value - 0.5) < 5 * 0.5 / np.sqrt(3_000)
    # The limit is the first percentile of 3,000 distances; 3,000 others fall below it.
    near = scores["near_copies"]
    assert near.floor == pytest.approx(0.01, abs=1 / 3_000)
    assert abs(near.value - 0.01) < 5 * np.sqrt(2 * 0.01 * 0.99 / 3_000)
    assert all("No copying found" in score.details["verdict"] for score in scores.values())
    assert scores["exact_copies"].value == pytest.approx(scores["exact_copies"].floor, abs=0.02)


def test_nearness_is_what_scikit_learn_finds():
    real, other = halves(shipped("weather", COLUMNS[1:4]).drop_null(), rows=4_000)
    holdout, synthetic = halves(other, rows=2_000)
    scores = closest(real.slice(0, 2_000), synthetic, holdout=holdout)
    tables = [np.stack(t.to_pandas().to_numpy(float)) for t in (real, holdout, synthetic)]
    learned, held_out, made = (tables[0][:2_000], tables[1], tables[2])
    both = np.concatenate([learned, held_out])
    span = both.max(axis=0) - both.min(axis=0)
    search = [
        NearestNeighbors(n_neighbors=2, algorithm="brute", metric="manhattan").fit(side / span)
        for side in (learned, held_out)
    ]
    near, far = (
        side.kneighbors(np.clip(made, both.min(0), both.max(0)) / span)[0] for side in search
    )
    usual = search[0].kneighbors(held_out / span, n_neighbors=1)[0][:, 0]
    # Values on a grid tie often, and rounding settles a few ties either way.
    ties = np.isclose(near[:, 0], far[:, 0], atol=1e-6)
    nearer = (~ties & (near[:, 0] < far[:, 0])).mean() + ties.mean() / 2
    assert scores["closest_records"].value == pytest.approx(nearer, abs=3e-3)
    limit = np.sort(usual)[int(0.01 * (len(usual) - 1))] + 1e-6
    assert scores["near_copies"].value == (near[:, 0] <= limit).mean()
    assert scores["near_copies"].floor == (usual <= limit).mean()
    one, other = (
        np.divide(d[:, 0], d[:, 1], out=np.ones(2_000), where=d[:, 1] > 1e-6) for d in (near, far)
    )
    ties = np.isclose(one, other, atol=1e-5)
    assert scores["closest_ratios"].value == pytest.approx(
        (~ties & (one < other)).mean() + ties.mean() / 2, abs=3e-3
    )


def test_intervals_of_the_share_hold_what_chance_gives():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(200):
        # A few real rows and many synthetic ones: hundreds share a closest row.
        real, holdout = (pa.table({"x": rng.normal(size=60)}) for _ in range(2))
        synthetic = pa.table({"x": rng.normal(size=2_000)})
        low, high = closest(real, synthetic, holdout=holdout)["closest_records"].interval
        held.append(low <= 0.5 <= high)
    # 95 %, and five standard errors of 200 cases less.
    assert np.mean(held) > 0.95 - 5 * np.sqrt(0.05 * 0.95 / 200)


def test_near_copies_are_found_where_no_row_is_equal():
    real, other = halves(shipped("weather"), rows=4_000)
    holdout, fresh = halves(other, rows=2_000)
    moved = real.slice(0, 200)
    temp = moved.column_names.index("temp")
    moved = moved.set_column(temp, "temp", pa.compute.add(moved["temp"], 0.1))
    synthetic = pa.concat_tables([moved, fresh.slice(200)])
    scores = closest(real.slice(0, 2_000), synthetic, holdout=holdout)
    assert scores["exact_copies"].value == 0
    assert scores["near_copies"].value == pytest.approx(0.1 + 0.01 * 0.9, abs=0.015)
    assert scores["near_copies"].details["verdict"].startswith("Copies")
    assert scores["near_copies"].interval[0] > scores["near_copies"].floor


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
            "wide": [1e308, -1e308, np.inf, None, 0.0] * 2,
            "constant": [7] * 10,
            "null": pa.array([None] * 10, pa.float64()),
            "list": pa.array([[1], None, [], [1, 2], [1]] * 2),
        }
    )
    table = spec_of(numbers.drop_columns(["list"]))
    scores = closest(numbers, numbers, holdout=numbers.slice(0, 1), table=table)
    assert 0.5 <= scores["closest_records"].value <= 1.0
    assert scores["exact_copies"].value == 1.0
    moved = numbers.set_column(1, "constant", [[8] * 10])
    far = closest(numbers, moved, holdout=numbers, table=table)["closest_records"]
    assert far.details["median_distance"] == 1.0


def test_nothing_to_compare_has_a_reason():
    keys = pa.table({"id": [1, 2]})
    scores = closest(keys, keys, holdout=keys, table=spec_of(keys, primary_key=["id"]))
    assert {score.details["why"] for score in scores.values()} == {"no column can be compared"}
    scores = closest(keys, keys.slice(0, 0), holdout=keys)
    assert {score.value for score in scores.values()} == {None}
