from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra.core.errors import UsageError
from simulacra.core.random import RngKey
from simulacra.pipeline.relations.matching.assignment import (
    UNMATCHED,
    calibrate,
    levels_without_gaps,
    match,
)
from simulacra.pipeline.relations.matching.pairs import separate_pairs
from simulacra.pipeline.relations.matching.values import separate_values

SEEDS = st.integers(0, 2**32).map(RngKey)
GROUPS = st.integers(-3, 6)


def rows(values, max_size=30, min_size=0):
    return st.lists(values, max_size=max_size, min_size=min_size).map(np.array)


def ints(array, dtype=np.int64):
    return np.array(array, dtype)


# --- quotas --------------------------------------------------------------------------------


@given(quotas=rows(st.integers(0, 20), min_size=1), total=st.integers(0, 200), rng=SEEDS)
def test_quotas_become_whole_numbers_next_to_their_shares(quotas, total, rng):
    scaled = calibrate(quotas, total, rng=rng)
    assert scaled.sum() == total
    whole = quotas if quotas.any() else np.ones(len(quotas))
    assert (np.abs(scaled - whole * total / whole.sum()) < 1).all()
    assert (calibrate(quotas, int(quotas.sum()), rng=rng) == quotas).all()


@given(quotas=rows(st.integers(0, 20), min_size=2), rng=SEEDS, more=st.integers(-3, 3))
def test_as_few_quotas_change_as_can_be(quotas, rng, more):
    total = int(quotas.sum()) + more
    if quotas.sum() >= 60 and (quotas > 0).sum() >= 3:
        scaled = calibrate(quotas, total, rng=rng)
        assert np.abs(scaled - quotas).sum() == abs(more)


@given(
    quotas=rows(st.integers(0, 9), min_size=1),
    most=st.integers(1, 5),
    filled=st.floats(0, 1),
    rng=SEEDS,
)
def test_no_quota_passes_the_most(quotas, most, filled, rng):
    total = int(filled * most * len(quotas))
    scaled = calibrate(quotas, total, rng=rng, most=most)
    assert scaled.sum() == total
    assert scaled.max() <= most
    if 0 < total <= most * (quotas > 0).sum():
        assert not scaled[quotas == 0].any()
    else:
        assert (scaled[quotas > 0] == min(most, total)).all() or not quotas.any()


def test_quotas_keep_their_proportion_wherever_they_stand():
    quotas = np.tile([1, 2, 0, 5], 50)
    drawn = np.array([calibrate(quotas, 130, rng=RngKey(seed)) for seed in range(2_000)])
    # 130 of 400: a quota of 1 is 0 or 1, with a standard deviation of at most 0.5.
    error = np.abs(drawn.mean(axis=0) - quotas * 130 / 400)
    assert error.max() < 4.5 * 0.5 / np.sqrt(2_000)
    # Neighbours are independent: shares are not handed on from each to the next in place.
    ones, next_ones = drawn[:, 0::4], np.roll(drawn, -4, axis=1)[:, 0::4]
    share = 130 / 400
    together = (ones * next_ones).mean()
    assert together == pytest.approx(share**2, abs=0.02)


def test_quotas_that_cannot_be_are_refused():
    with pytest.raises(UsageError, match="4 children for 3 parents: a parent has at most 1"):
        calibrate(ints([1, 1, 1]), 4, rng=RngKey(0), most=1)
    with pytest.raises(UsageError, match="there are no parents"):
        calibrate(ints([]), 4, rng=RngKey(0))
    with pytest.raises(UsageError, match="-1 children"):
        calibrate(ints([2, -1]), 4, rng=RngKey(0))
    assert calibrate(ints([]), 0, rng=RngKey(0)).tolist() == []


# --- matching ------------------------------------------------------------------------------


@given(children=rows(GROUPS), data=st.data(), rng=SEEDS)
def test_every_parent_gets_its_quota_and_the_distance_is_least(children, data, rng):
    parents = data.draw(rows(GROUPS, min_size=1, max_size=10))
    quotas = data.draw(rows(st.integers(0, 6), min_size=len(parents), max_size=len(parents)))
    found = match(children, parents, quotas, rng=rng)
    taken = np.bincount(found, minlength=len(parents))
    assert taken.sum() == len(children)
    whole = quotas if quotas.any() else np.ones(len(parents))
    assert (np.abs(taken - whole * len(children) / whole.sum()) < 1).all()
    # No assignment has a smaller sum of distances than that of both sides in order.
    least = np.abs(np.sort(np.repeat(parents, taken)) - np.sort(children)).sum()
    assert np.abs(parents[found] - children).sum() == least


@given(data=st.data(), rng=SEEDS)
def test_each_part_is_matched_for_itself(data, rng):
    children, parents = (data.draw(rows(GROUPS, max_size=n)) for n in (30, 12))
    child_part = data.draw(rows(st.integers(0, 4), len(children), len(children)))
    parent_part = data.draw(rows(st.integers(0, 4), len(parents), len(parents)))
    quotas = data.draw(rows(st.integers(0, 5), len(parents), len(parents)))
    most = data.draw(st.none() | st.integers(1, 4))
    found = match(
        children, ints(parents), ints(quotas), rng=rng, most=most,
        child_within=child_part, parent_within=ints(parent_part),
    )  # fmt: skip
    for part in range(5):
        here, there = child_part == part, parent_part == part
        taken = np.bincount(found[here & (found >= 0)], minlength=len(parents))
        assert not taken[~there].any()
        wanted = here.sum()
        if there.any() and most is not None:
            assert taken.max() <= most
            wanted = min(wanted, most * there.sum())
        assert taken.sum() == (wanted if there.any() else 0)
        if there.any() and most is None and quotas[there].any():
            shares = quotas[there] * wanted / quotas[there].sum()
            assert (np.abs(taken[there] - shares) < 1).all()


@given(children=rows(st.integers(0, 6)), data=st.data(), rng=SEEDS)
def test_types_and_distant_codes_make_no_difference(children, data, rng):
    parents = data.draw(rows(st.integers(0, 6), min_size=1, max_size=10))
    quotas = data.draw(rows(st.integers(0, 6), len(parents), len(parents)))
    found = match(children, parents, quotas, rng=rng)
    again = match(
        children.astype(np.uint16), parents.astype(np.int8), quotas.astype(np.uint8), rng=rng
    )
    assert (again == found).all()
    assert found.dtype == np.int32
    # 10**15 apart: numbered anew without gaps. Quotas and the groups matched are the same.
    far = match(children * 10**15, parents * 10**15, quotas, rng=rng)
    assert (np.bincount(far, minlength=10) == np.bincount(found, minlength=10)).all()
    assert (np.sort(parents[far][children == 3]) == np.sort(parents[found][children == 3])).all()


def test_children_of_one_group_are_spread_at_random():
    groups, parents = np.zeros(6_000, int), np.zeros(6, int)
    found = match(groups, parents, np.full(6, 1_000), rng=RngKey(1))
    assert (np.bincount(found) == 1_000).all()
    # Of 1,000 children at the head of the line each parent has its share.
    heads = np.bincount(found[:1_000], minlength=6)
    # Six standard deviations of a hypergeometric count.
    assert np.abs(heads - 1_000 / 6).max() < 6 * np.sqrt(1_000 * 5 / 36 * 5 / 6)
    assert (match(groups, parents, np.full(6, 9), rng=RngKey(1)) == found).all()
    assert (match(groups, parents, np.full(6, 9), rng=RngKey(2)) != found).any()


def test_where_places_are_short_those_left_out_are_spread_over_the_groups():
    found = match(
        np.repeat([0, 1], 500), np.zeros(100, int), np.ones(100, int), rng=RngKey(0), most=3
    )
    assert (np.bincount(found[found >= 0]) == 3).all()
    assert (found[:500] >= 0).sum() == 150
    none = match(ints([1, 2]), ints([]), ints([]), rng=RngKey(0))
    assert none.tolist() == [UNMATCHED] * 2
    assert match(ints([]), ints([1]), ints([1]), rng=RngKey(0)).tolist() == []


def test_one_side_alone_cannot_say_within():
    one = ints([0])
    with pytest.raises(UsageError, match="only one side"):
        match(one, one, one, rng=RngKey(0), child_within=one)


# --- pairs ---------------------------------------------------------------------------------


@given(data=st.data(), rng=SEEDS)
def test_no_owner_has_a_parent_twice(data, rng):
    count = data.draw(st.integers(0, 60))
    parents = data.draw(st.integers(1, 12))
    owner = data.draw(rows(st.integers(-1, 8), count, count)).astype(int)
    parent = data.draw(rows(st.integers(-1, parents - 1), count, count)).astype(int)
    order = parent // 3
    before = owner.copy(), parent.copy()
    found = separate_pairs(owner, parent, order, parents=parents, rng=rng)
    assert (owner == before[0]).all()
    assert (parent == before[1]).all()
    outside = (owner < 0) | (parent < 0)
    assert (found[outside] == parent[outside]).all()
    kept = ~outside & (found >= 0)
    pairs = list(zip(owner[kept], found[kept], strict=True))
    assert len(set(pairs)) == len(pairs)
    assert found.max(initial=-1) < parents
    for one in range(9):
        rows_of = ((owner == one) & ~outside).sum()
        assert ((owner == one) & kept).sum() == min(rows_of, parents)
    distinct = len(set(zip(owner[~outside], parent[~outside], strict=True)))
    if distinct == (~outside).sum():
        assert (found == parent).all()
    small = separate_pairs(
        owner.astype(np.int8), parent.astype(np.int16), order.astype(np.int8),
        parents=parents, rng=rng,
    )  # fmt: skip
    assert (small == found).all()


@pytest.mark.parametrize("seed", range(3))
def test_pairs_are_swapped_with_like_ones_and_quotas_stay(seed):
    rng = np.random.default_rng(seed)
    owner = rng.permutation(np.repeat(np.arange(2_000), 10))
    # Exponential: the most frequent of the parents is with every second owner.
    parent = np.minimum(rng.exponential(20, len(owner)).astype(int), 199)
    group = parent // 10
    repeated = len(owner) - len(set(zip(owner, parent, strict=True)))
    assert repeated > 0.1 * len(owner)
    found = separate_pairs(owner, parent, group, parents=200, rng=RngKey(seed))
    assert len(set(zip(owner, found, strict=True))) == len(owner)
    assert (np.bincount(found, minlength=200) == np.bincount(parent, minlength=200)).all()
    # Each repeated row changes itself and one other, within its group or next to it.
    assert (found != parent).sum() <= 2 * repeated
    assert np.abs(found // 10 - group).max() <= 1


def test_a_parent_with_more_children_than_owners_gives_them_to_others():
    owner = np.repeat(np.arange(10), 20)
    parent = np.where(np.arange(200) % 2 == 0, 3, np.arange(200) % 50)
    found = separate_pairs(owner, parent, parent, parents=50, rng=RngKey(0))
    assert len(set(zip(owner, found, strict=True))) == 200
    assert (found == 3).sum() == 10


def test_a_parent_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="no parent 5 among 5"):
        separate_pairs(ints([0]), ints([5]), ints([0]), parents=5, rng=RngKey(0))


# --- numbers -------------------------------------------------------------------------------


@given(
    data=st.data(),
    least=st.integers(-50, 50),
    points=st.integers(1, 12),
    step=st.sampled_from([1, 3, 1000]),
)
def test_numbers_of_a_group_become_distinct(data, least, points, step):
    greatest = least + (points - 1) * step
    group = np.sort(data.draw(rows(st.integers(0, 4)))).astype(int)
    places = data.draw(rows(st.integers(0, points - 1), len(group), len(group))).astype(int)
    values = least + places * step
    found = separate_values(group, values, least=least, greatest=greatest, step=step)
    assert ((found - least) % step == 0).all()
    assert found.min(initial=least) >= least
    for one in np.unique(group):
        mine, given_values = found[group == one], values[group == one]
        assert len(np.unique(mine)) == len(mine)
        assert mine.max() <= max(greatest, least + (len(mine) - 1) * step)
        order = np.argsort(given_values, kind="stable")
        assert (np.diff(mine[order]) > 0).all()
        if len(np.unique(given_values)) == len(given_values):
            assert (mine == given_values).all()


def test_numbers_move_up_to_the_next_and_back_from_the_end():
    group = ints([1, 1, 1, 1, 2, 2, 2, 7])
    values = ints([5, 2, 2, 2, 10, 10, 3, 4])
    found = separate_values(group, values, least=1, greatest=10, step=1)
    assert found.tolist() == [5, 2, 3, 4, 9, 10, 3, 4]
    off = separate_values(ints([0, 0, 0]), ints([14, 16, 99]), least=10, greatest=20, step=5)
    assert off.tolist() == [10, 15, 20]
    with pytest.raises(UsageError, match="in steps of 0"):
        separate_values(group, values, least=1, greatest=10, step=0)


@given(level=rows(st.integers(0, 9)))
def test_levels_close_up(level):
    level = level.astype(np.uint8)
    found = levels_without_gaps(level)
    assert found.dtype == np.uint8
    present = np.unique(found)
    assert (present == np.arange(len(present))).all()
    for above, row in pairwise(np.argsort(level, kind="stable")):
        assert (level[above] < level[row]) == (found[above] < found[row])
