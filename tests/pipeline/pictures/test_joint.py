import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import entropy
from sklearn.decomposition import PCA
from sklearn.metrics import mutual_info_score

from metrics.samples import shipped, spec_of
from simulacra.core.random import RngKey
from simulacra.core.references import Reference, ReferenceCounts
from simulacra.metrics.columns import leaves
from simulacra.pipeline.pictures.children import children_per_parent
from simulacra.pipeline.pictures.coded import CODES, coded
from simulacra.pipeline.pictures.pairs import SHOWN, association, associations
from simulacra.pipeline.pictures.projection import projection
from simulacra.pipeline.pictures.safe import FEWEST
from simulacra.pipeline.pictures.table import table_pictures


def columns_of(real, synthetic=None, **kinds):
    tables = {"real": real, "synthetic": real if synthetic is None else synthetic}
    return coded(leaves(spec_of(real, **kinds), real), tables)


def test_an_association_is_the_mutual_information_that_scikit_learn_finds():
    rng = np.random.default_rng(1)
    one = rng.integers(0, CODES, 20_000)
    other = np.where(rng.random(20_000) < 0.3, one, rng.integers(0, CODES, 20_000))
    bias = (CODES - 1) ** 2 / (2 * 20_000)
    information = mutual_info_score(one, other) - bias
    assert association(one, other) == pytest.approx(np.sqrt(1 - np.exp(-2 * information)))


def test_columns_without_relation_have_next_to_none():
    rng = np.random.default_rng(2)
    found = [association(*rng.integers(0, CODES, (2, 20_000))) for _ in range(50)]
    # 2 n I is chi-square of 121 degrees, so I less its bias has a standard deviation of 0.0004.
    assert np.mean(np.square(found)) < 0.001
    assert max(found) < np.sqrt(1 - np.exp(-2 * 4 * np.sqrt(2 * 121) / 40_000))


@pytest.mark.parametrize("r", [0.3, 0.6, 0.9])
def test_of_normal_columns_it_is_about_the_correlation(r):
    rng = np.random.default_rng(3)
    x, y = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], 20_000).T
    found = associations(columns_of(pa.table({"x": x, "y": y})))
    # Deciles keep most of the information of a normal pair, and never add any.
    assert r - 0.1 < found["real"][0][1] < r + 0.02


def test_a_copy_that_lost_a_trend_shows_it_in_that_pair_alone():
    rng = np.random.default_rng(4)
    x = rng.normal(size=5_000)
    real = pa.table({"x": x, "y": x + rng.normal(size=5_000), "z": rng.normal(size=5_000)})
    apart = real.set_column(1, "y", pa.array(rng.permutation(real.column("y").to_numpy())))
    found = associations(columns_of(real, apart))
    gap = np.array(found["real"]) - np.array(found["synthetic"])
    assert gap[0, 1] > 0.5
    assert np.abs(gap[[0, 1], 2]).max() < 0.1
    assert np.all(np.diag(found["real"]) == 1)


def test_of_many_columns_those_that_differ_most_are_shown():
    rng = np.random.default_rng(5)
    real = {f"c{i}": rng.normal(size=400) for i in range(40)}
    real["b"] = real["c35"] + 0.1 * rng.normal(size=400)
    apart = dict(real, b=rng.permutation(real["b"]))
    found = associations(columns_of(pa.table(real), pa.table(apart)))
    assert {"c35", "b"} <= set(found["columns"])
    assert len(found["columns"]) == SHOWN
    assert found["left_out"] == 41 - SHOWN


def test_the_axes_explain_what_scikit_learn_says():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(8_000, 1))
    values = np.hstack([x + 0.2 * rng.normal(size=(8_000, 1)) for _ in range(3)])
    values = np.clip(values, *np.quantile(values, [0.005, 0.995], axis=0))
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    found = projection(columns_of(pa.table({f"c{i}": v for i, v in enumerate(values.T)})))
    expected = PCA(2).fit(values).explained_variance_ratio_
    # Clipping to quantiles anew moves the outermost half per cent once more.
    assert found["explained"] == pytest.approx(expected, abs=0.01)


def test_the_density_shows_no_cell_of_few_rows_and_tells_copies_from_strangers():
    rng = np.random.default_rng(7)

    def clusters(middles):
        kinds = rng.integers(0, len(middles), 6_000)
        return pa.table(
            {"x": rng.normal(np.array(middles)[kinds], 0.3), "y": rng.normal(size=6_000)}
        )

    real, alike, other = clusters([-2, 2]), clusters([-2, 2]), clusters([0])

    def planes(synthetic):
        found = projection(columns_of(real, synthetic))
        sides = {}
        for side, cells in found["sides"].items():
            assert all(share * 6_000 >= FEWEST - 0.01 for _, _, share in cells)
            sides[side] = np.zeros((found["cells"], found["cells"]))
            for x, y, share in cells:
                sides[side][x, y] = share
        return np.minimum(sides["real"], sides["synthetic"]).sum()

    assert planes(alike) > 0.8
    assert planes(other) < 0.2


def test_too_little_to_draw_is_no_picture():
    small = pa.table({"x": np.arange(50.0), "y": np.arange(50.0)})
    assert associations(columns_of(small)) is None
    assert projection(columns_of(small)) is None
    assert projection([]) is None
    constant = pa.table({"x": np.ones(900), "y": np.ones(900)})
    assert projection(columns_of(constant)) is None


def reference_counts(children):
    values, parents = np.unique(children, return_counts=True)
    return ReferenceCounts(int(np.sum(children)), 0, 0, values, parents)


def test_children_are_counted_and_large_families_joined():
    rng = np.random.default_rng(8)
    real = np.append(rng.poisson(2, 2_000), [5_431])
    synthetic = rng.poisson(3, 1_000)
    key = Reference("orders", ("person",), "people", ("id",))
    found = children_per_parent(
        key, {"real": reference_counts(real), "synthetic": reference_counts(synthetic)}
    )
    for side, children in (("real", real), ("synthetic", synthetic)):
        for (low, high), share in zip(found["bins"], found["shares"][side], strict=True):
            inside = (children >= low) & (children <= (np.inf if high is None else high))
            assert share == pytest.approx(inside.mean(), abs=1e-6)
            assert side == "synthetic" or inside.sum() == 0 or inside.sum() >= FEWEST
    assert found["bins"][-1][0] < 20


def test_few_parents_are_not_drawn():
    key = Reference("orders", ("person",), "people", ("id",))
    for children in (np.arange(9), np.arange(15)):
        few = reference_counts(children)
        assert "shares" not in children_per_parent(key, {"real": few, "synthetic": few})


def test_a_table_is_drawn_alike_each_time_and_with_no_rows_at_all():
    weather = shipped("weather").slice(0, 3_000)
    sides = {"real": weather, "synthetic": weather, "holdout": weather.slice(0, 1_000)}
    table = spec_of(weather)
    one, same = (table_pictures(sides, table, rows=800, rng=RngKey(1)) for _ in range(2))
    assert one == same
    assert one["rows"] == dict.fromkeys(sides, 800)
    assert entropy(one["columns"][0]["shares"]["real"]) >= 0
    empty = table_pictures(
        {side: each.slice(0, 0) for side, each in sides.items()}, table, rows=800, rng=RngKey(1)
    )
    assert all("shares" not in column for column in empty["columns"])
    assert empty["pairs"] is None
