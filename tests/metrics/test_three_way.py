from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.core.random import RngKey
from simulacra.metrics.three_way import MOST_TRIPLES, ThreeWayMarginals, triple_at

MARGINALS = ThreeWayMarginals()


def one(*tables, **options):
    (score,) = measure(MARGINALS, *tables, **options)
    assert score.columns == ()
    return score


def by_pandas(real, other):
    """Return the mean over all triples of one minus the total variation distance."""
    found = {}
    for triple in combinations(real.column_names, 3):
        shares = [
            side.select(triple).to_pandas().value_counts(normalize=True, dropna=False)
            for side in (real, other)
        ]
        found[triple] = 1 - shares[0].sub(shares[1], fill_value=0).abs().sum() / 2
    return found


def test_categories_agree_with_pandas():
    real, other = halves(shipped("weather", ["origin", "month", "day", "hour"]), rows=4_000)
    names = ["origin", "month", "day", "hour"]
    # Few values each, so that each is a cell.
    tables = [
        pa.table({n: side[n].to_pandas().astype(str).str[:1] for n in names})
        for side in (real, other)
    ]
    broken = drawn_apart(tables[0])
    score = one(tables[0], broken, holdout=tables[1])
    values, floors = (by_pandas(tables[1], side) for side in (broken, tables[0]))
    assert score.value == pytest.approx(np.mean(list(values.values())), abs=1e-12)
    assert score.floor == pytest.approx(np.mean(list(floors.values())), abs=1e-12)
    for item in score.details["worst"]:
        triple = tuple(item["columns"])
        assert item["value"] == pytest.approx(values[triple], abs=1e-12)
        assert item["floor"] == pytest.approx(floors[triple], abs=1e-12)
    assert score.details["triples"] == score.details["triples_there_are"] == 4


def test_numbers_are_cut_into_ranges_of_equal_frequency():
    rng = np.random.default_rng(0)
    real, holdout = (
        pa.table({c: pd.Series(rng.normal(size=20_000)) for c in "xyz"}) for _ in range(2)
    )
    moved = real.set_column(0, "x", pa.array(rng.normal(2, 1, 20_000)))
    # Of the joint table only x is wrong: its own total variation distance over deciles of a
    # normal deviate that has moved by 2 (edges are rounded, which moves them by some hundredths).
    from scipy import stats

    edges = stats.norm.ppf(np.arange(1, 10) / 10)
    shares = [np.diff(np.concatenate([[0], stats.norm.cdf(edges - m), [1]])) for m in (0, 2)]
    expected = 1 - np.abs(shares[0] - shares[1]).sum() / 2
    score = one(real, moved, holdout=holdout)
    assert score.value == pytest.approx(expected, abs=0.03)
    assert score.floor > 0.85


def test_what_no_pair_shows_is_seen():
    rng = np.random.default_rng(1)

    def table(*, odd):
        a, b = rng.integers(0, 2, (2, 5_000))
        c = a ^ b if odd else rng.integers(0, 2, 5_000)
        return pa.table({"a": a, "b": b, "c": c, "d": rng.integers(0, 2, 5_000)})

    real, holdout, broken = table(odd=True), table(odd=True), table(odd=False)
    score = one(real, broken, holdout=holdout)
    worst = score.details["worst"]
    assert worst[0]["columns"] == ["a", "b", "c"]
    # Half of the rows are where none may be.
    assert worst[0]["value"] == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 5_000))
    assert all(item["value"] > 0.95 for item in worst[1:])
    assert score.floor > 0.97


def test_intervals_hold():
    values, errors = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)

        def table(shares, rng=rng):
            return pa.table({c: rng.choice(["p", "q", "r"], 500, p=shares) for c in "abcd"})

        score = one(table([0.5, 0.3, 0.2]), table([0.3, 0.4, 0.3]), holdout=table([0.5, 0.3, 0.2]))
        values.append(score.value)
        errors.append((score.interval[1] - score.interval[0]) / 2 / 1.96)
    # A standard deviation of 40 values is itself right to 11 %.
    assert np.mean(errors) / np.std(values, ddof=1) == pytest.approx(1, abs=0.35)


def test_wide_tables_are_sampled_and_say_so():
    rng = np.random.default_rng(2)
    wide = pa.table({f"c{i}": rng.integers(0, 3, 200) for i in range(30)})
    score = one(wide, wide)
    assert score.details["triples"] == MOST_TRIPLES
    assert score.details["triples_there_are"] == comb(30, 3)
    assert score.value == 1.0
    assert len(score.details["worst"]) == 10


def test_triples_are_numbered_each_once():
    expected = sorted(combinations(range(12), 3), key=lambda t: t[::-1])
    assert [triple_at(i) for i in range(comb(12, 3))] == expected
    assert triple_at(comb(5_000, 3) - 1) == (4_997, 4_998, 4_999)
    rng = RngKey(1).generator()
    for place in rng.integers(0, comb(20_000, 3), 50).tolist():
        a, b, c = triple_at(place)
        assert 0 <= a < b < c
        assert comb(c, 3) + comb(b, 2) + a == place


def test_mixed_tables_and_too_few_columns():
    real, holdout = halves(shipped("weather"), rows=2_000)
    spec = spec_of(real, origin="text")
    assert one(real, real, holdout=holdout, table=spec).value > 0.7
    two = real.select(["temp", "dewp"])
    assert one(two, two).details["why"] == "fewer than three columns can be compared"
    assert one(real, real.slice(0, 0)).details["why"].startswith("there are no synthetic rows")
