from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from simulacra.core.errors import UsageError
from simulacra.pipeline.relations.learning.child_sums import ChildSums
from simulacra.pipeline.relations.learning.kinds import CHANCE, fit_kinds


def family(seed, parents, mean_children, alike, channels=1):
    """Children's parents and normal numbers, of which a share ``alike`` is their parent's."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(parents), rng.poisson(mean_children, parents))
    rows = rng.permutation(rows)
    shared = rng.standard_normal((parents, channels))
    own = rng.standard_normal((len(rows), channels))
    return rows, np.sqrt(alike) * shared[rows] + np.sqrt(1 - alike) * own, shared


def sums_of(parents, rows, values, batch=1000):
    sums = ChildSums(parents, values.shape[1])
    for start in range(0, len(rows), batch):
        sums.add(rows[start : start + batch], values[start : start + batch])
    return sums


def explained(codes, values):
    """The share of the variance of values that lies between codes."""
    groups = [values[codes == code] for code in np.unique(codes)]
    within = sum(((group - group.mean()) ** 2).sum() for group in groups)
    return 1 - within / ((values - values.mean()) ** 2).sum()


@given(data=st.data())
@settings(max_examples=50)
def test_sums_and_analysis_of_variance_are_those_of_the_textbook(data):
    number = st.floats(-100, 100).map(lambda x: round(x, 3))
    sizes = data.draw(st.lists(st.integers(0, 4), min_size=3, max_size=8))
    offset = data.draw(st.sampled_from([0.0, 1e6]))
    rows = np.repeat(np.arange(len(sizes)), sizes)
    values = np.array([data.draw(st.none() | number) for _ in rows], float) + offset
    sums = sums_of(len(sizes), rows, values[:, None], batch=3)
    groups = [values[rows == parent] for parent in range(len(sizes))]
    groups = [group[np.isfinite(group)] for group in groups]
    for parent, group in enumerate(groups):
        assert sums.children[parent] - sums.missing[0, parent] == len(group)
        whole = sums.sums[parent, 0] + sums.origin[0] * len(group)
        assert whole == pytest.approx(group.sum(), abs=1e-6)
    found = sums.intraclass()
    known = np.concatenate(groups)
    if len(known) > 1:
        assert found.mean[0] == pytest.approx(known.mean())
        assert found.variance[0] == pytest.approx(known.var(ddof=1), abs=1e-6)
    groups = [group for group in groups if len(group)]
    total, count = len(known), len(groups)
    if count > 1 and total > count and known.std() > 1e-3:
        between = sum(len(g) * (g.mean() - known.mean()) ** 2 for g in groups) / (count - 1)
        within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (total - count)
        typical = (total - sum(len(g) ** 2 for g in groups) / total) / (count - 1)
        spread = (between - within) / typical
        expected = np.clip(spread / (spread + within), 0, 1)
        assert found.correlation[0] == pytest.approx(expected, abs=1e-6)


def test_chance_is_that_of_f_for_normal_numbers():
    rows, values, _ = family(0, 400, 30, alike=0.003)
    found = sums_of(400, rows, values).intraclass()
    groups = [values[rows == parent, 0] for parent in range(400)]
    # With 12,000 children the kurtosis of a normal sample is within 0.1 of 0.
    assert found.chance[0] == pytest.approx(stats.f_oneway(*groups).pvalue, rel=0.05)


@pytest.mark.parametrize("kind", ["normal", "rare", "skewed", "discrete"])
@pytest.mark.parametrize(("parents", "children"), [(300, 2), (60, 50)])
def test_chance_is_even_where_children_are_independent(kind, parents, children):
    chances = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rows = np.repeat(np.arange(parents), rng.poisson(children, parents))
        values = rng.standard_normal((len(rows), 3))
        if kind == "rare":
            values = (values > 1.6).astype(float)
        elif kind == "skewed":
            values = np.minimum(np.exp(values), np.exp(2))
        elif kind == "discrete":
            values = np.round(values)
        chances.append(sums_of(parents, rows, values).intraclass().chance)
    # 300 chances: five standard deviations of a binomial share.
    for level in (0.5, 0.1, 0.02):
        share = (np.concatenate(chances) <= level).mean()
        assert share <= level + 5 * np.sqrt(level * (1 - level) / 300)


def test_independent_children_tell_no_kinds():
    told = 0
    for seed in range(300):
        rows, values, _ = family(seed, 200, 4, alike=0, channels=6)
        kinds = fit_kinds(sums_of(200, rows, values), most=64, min_rows=20)
        told += kinds.count > 2
    # So many would come by chance in 1 of 10,000 such tests.
    assert told <= stats.poisson.ppf(1 - 1e-4, 300 * CHANCE)


@pytest.mark.parametrize("alike", [0.1, 0.5, 0.9, 1.0])
def test_kinds_tell_as_much_of_the_parents_as_the_means_do(alike):
    rows, values, shared = family(1, 20_000, 5, alike)
    kinds = fit_kinds(sums_of(20_000, rows, values), most=64, min_rows=20)
    parents = np.unique(rows)
    sizes = np.bincount(rows)[parents]
    told = (alike * sizes / (alike * sizes + 1 - alike)).mean()
    # Equal parts of a normal distribution explain all but a few per cent.
    assert explained(kinds.codes[parents], shared[parents, 0]) > 0.93 * told
    # In order: neighbouring kinds are alike.
    means = [shared[kinds.codes == code, 0].mean() for code in range(kinds.count - 1)]
    assert (np.diff(means) > -3 / np.sqrt(300)).all()


def test_planted_groups_are_found_among_noise():
    rng = np.random.default_rng(2)
    group = rng.integers(0, 4, 5_000)
    rows = np.repeat(np.arange(5_000), 6)
    values = rng.standard_normal((len(rows), 5))
    values[:, 1] += 6 * (group[rows] // 2)
    values[:, 3] += 6 * (group[rows] % 2)
    values[rng.random(values.shape) < 0.3] = np.nan
    kinds = fit_kinds(sums_of(5_000, rows, values), most=4, min_rows=20)
    assert kinds.count == 5
    table = np.zeros((4, 4))
    np.add.at(table, (kinds.codes, group), 1)
    # The means of four children or so lie three of 0.5 from the middle: one in 700 strays, and
    # where three of six are missing more.
    assert table.max(axis=1).sum() > 0.98 * 5_000
    # To and fro: each kind shares one of two planted sides with the next.
    found = table.argmax(axis=1)
    assert all(int(a ^ b).bit_count() == 1 for a, b in pairwise(found))


def test_parents_without_children_are_the_last_kind():
    rows, values, _ = family(3, 1_000, 1, alike=0.9)
    kinds = fit_kinds(sums_of(1_000, rows, values), most=8, min_rows=50)
    childless = ~np.isin(np.arange(1_000), rows)
    assert ((kinds.codes == kinds.count - 1) == childless).all()
    sizes = np.bincount(kinds.codes)
    assert 2 < kinds.count <= 9
    assert sizes[:-1].min() >= 50
    none = fit_kinds(ChildSums(10, 2), most=8, min_rows=1)
    assert (none.count, none.codes.tolist()) == (2, [1] * 10)
    assert fit_kinds(ChildSums(0, 0), most=8, min_rows=1).count == 2


def test_children_without_parents_and_values_that_are_missing_are_left_out():
    rows, values, _ = family(4, 500, 6, alike=0.5, channels=3)
    values[:, 2] = np.nan
    whole = sums_of(500, rows, values)
    more = sums_of(
        500, np.append(rows, [-1, -2]), np.vstack([values, [[1e9, np.inf, 0], [np.nan] * 3]])
    )
    assert (whole.sums == more.sums).all()
    assert (whole.children == more.children).all()
    found = whole.intraclass()
    assert (found.correlation[2], found.chance[2], found.variance[2]) == (0, 1, 0)
    kinds = fit_kinds(whole, most=16, min_rows=5)
    assert kinds.count > 2
    assert (fit_kinds(more, most=16, min_rows=5).codes == kinds.codes).all()


def test_one_child_a_parent_or_one_value_tells_nothing():
    rng = np.random.default_rng(5)
    alone = sums_of(200, np.arange(200), rng.standard_normal((200, 1)))
    constant = sums_of(200, np.repeat(np.arange(200), 3), np.full((600, 1), 7.0))
    for sums in (alone, constant):
        assert sums.intraclass().chance[0] == 1
        assert fit_kinds(sums, most=16, min_rows=5).count == 2


def test_kinds_do_not_depend_on_batches():
    rows, values, _ = family(6, 2_000, 4, alike=0.3, channels=3)
    values[:700, 1] = np.nan
    one, other = (
        fit_kinds(sums_of(2_000, rows, values, batch), most=32, min_rows=20)
        for batch in (len(rows), 97)
    )
    assert (one.codes == other.codes).all()


def test_numbers_of_another_shape_are_refused():
    with pytest.raises(UsageError, match=r"numbers of shape \(2, 1\)"):
        ChildSums(3, 2).add(np.array([0, 1]), np.zeros((2, 1)))
