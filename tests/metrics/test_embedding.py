import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.metrics.columns import leaves
from simulacra.metrics.embedding import CATEGORIES, embed, most_points
from simulacra.metrics.mmd import Mmd


def embedded(*columns, **types):
    tables = [pa.table({"x": column}) for column in columns]
    spec = spec_of(tables[0], **types)
    return embed(leaves(spec, tables[0]), tables)


def squared(points):
    return ((points[:, None] - points) ** 2).sum(axis=2)


def test_numbers_become_the_ranks_that_scipy_gives():
    temps = shipped("weather", ["temp"])["temp"].drop_null().slice(0, 3_000)
    (found,) = embedded(temps).tables
    # scipy ranks from 1 to n; the middle of a rank's place is half a place below.
    assert found[:, 0] == pytest.approx((stats.rankdata(temps) - 0.5) / len(temps), abs=1e-12)


def test_what_overshoots_goes_on_by_its_share_of_the_range():
    found = embedded([0.0, 10.0, 5.0], [15.0, -2.5, 10.0, 5.0, 1e300, -np.inf]).tables[1]
    assert found[:, 0] == pytest.approx([1.5, -0.25, 5 / 6, 0.5, 2, -1])
    assert embedded([7, 7], [7, 8, 6]).tables[1][:, 0].tolist() == [0.5, 2, -1]


def test_huge_integers_keep_their_ranks():
    found = embedded([2**60, 2**60 + 1, 2**60 + 2], [2**60 + 1]).tables
    assert found[0][:, 0] == pytest.approx([1 / 6, 3 / 6, 5 / 6])
    assert found[1][:, 0] == [0.5]


def test_columns_weigh_alike():
    rng = np.random.default_rng(0)
    for column in (rng.normal(size=2_000), rng.lognormal(size=2_000), ["a", "b"] * 1_000):
        (found,) = embedded(column).tables
        # Of ranks: the mean squared difference of two uniform deviates; of two categories half
        # of 1/3, their squared distance.
        assert squared(found).mean() == pytest.approx(1 / 6, abs=1e-3)
    (texts,) = embedded(["two words"] * 50 + ["one more word"] * 50, x="text").tables
    # Length and number of words stand at ranks 1/4 and 3/4, and weigh half a column each.
    assert np.unique(np.round(squared(texts), 12)).tolist() == [0, 0.25]


def test_categories_are_as_far_apart_as_said_and_rare_ones_are_one():
    names = [f"v{i:02}" for i in range(CATEGORIES + 5)]
    reference = [name for i, name in enumerate(names) for _ in range(100 - i)]
    other = ["v00", "v01", names[-1], "new", None]
    found = embedded(reference, other)
    assert len(found.columns) == CATEGORIES + 1
    distances = squared(found.tables[1])
    assert distances[0, 1] == distances[0, 2] == pytest.approx(1 / 3)
    assert distances[2, 3] == distances[2, 4] == 0
    # Of equally frequent ones at the cut none is kept.
    alike = embedded([f"v{i}" for i in range(CATEGORIES + 1)])
    assert len(alike.columns) == 1


def test_nulls_are_flagged():
    found = embedded([1.0, None, 3.0], [None, None, 2.0])
    assert found.columns == ["x", "x"]
    assert found.tables[0] == pytest.approx(np.array([[0.25, 0], [0.5, np.sqrt(1 / 3)], [0.75, 0]]))
    assert squared(embedded(["a", None]).tables[0])[0, 1] == pytest.approx(1 / 3)


def test_any_table_becomes_finite_points():
    real, other = halves(shipped("weather"), rows=500)
    spec = spec_of(real, primary_key=["time_hour"])
    found = embed(leaves(spec, real), [real, other, drawn_apart(real), real.slice(0, 0)])
    assert [len(table) for table in found.tables] == [500, 500, 500, 0]
    assert all(np.isfinite(table).all() for table in found.tables)
    assert list(dict.fromkeys(found.columns)) == [n for n in real.column_names if n != "time_hour"]
    nothing = embed(
        leaves(spec_of(real.select(["time_hour"]), time_hour="identifier"), real), [real]
    )
    assert nothing.tables[0].shape == (500, 0)
    odd = embedded([np.inf, -np.inf, None, np.nan, 1.0], pa.array([None], pa.float64()))
    assert all(np.isfinite(table).all() for table in odd.tables)
    assert embedded(pa.array([None, None], pa.int64()), [1]).tables[1].tolist() == [[0.5, 0]]


def test_two_tables_settle_together():
    tables = [pa.table({"x": column}) for column in ([1.0, 2.0], [9.0], [3.0, 4.0])]
    found = embed(leaves(spec_of(tables[0]), tables[0]), tables, settled_by=(0, 2)).tables
    assert [side[:, 0].tolist() for side in found] == [[1 / 8, 3 / 8], [2.0], [5 / 8, 7 / 8]]
    names = [pa.table({"x": column}) for column in (["a"] * 40, ["b"], ["b"] * 40)]
    found = embed(leaves(spec_of(names[0]), names[0]), names, settled_by=(0, 2)).tables
    assert found[0].shape == (40, 2)
    assert (found[1] == found[2]).all()


def test_wide_tables_give_fewer_points():
    assert [most_points(columns) for columns in (0, 20, 4_000, 10**9)] == [400_000, 20_000, 100, 1]
    wide = pa.table({f"c{i}": np.arange(600.0) for i in range(2_000)})
    (score,) = measure(Mmd(), wide, wide)
    assert score.details["reference_rows"] == 200
