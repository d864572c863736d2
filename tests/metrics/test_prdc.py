import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.metrics.columns import leaves
from simulacra.metrics.embedding import embed
from simulacra.metrics.prdc import ROWS, Prdc

PRDC = Prdc()
NAMES = ["precision", "recall", "density", "row_coverage"]


def four(*tables, **options):
    found = measure(PRDC, *tables, **options)
    assert [score.metric for score in found] == NAMES
    return found


def by_sklearn(reference, other, k=5):
    """Return the four as the paper defines them."""

    def radii(points):
        found = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(points)
        return found.kneighbors(points)[0][:, k]  # the first is the point itself

    apart = pairwise_distances(reference, other)
    in_real = apart <= radii(reference)[:, None] + 1e-7
    in_other = apart <= radii(other) + 1e-7
    return [
        in_real.any(axis=0).mean(),
        in_other.any(axis=1).mean(),
        in_real.sum() / (k * len(other)),
        in_real.any(axis=1).mean(),
    ]


@pytest.fixture(scope="module")
def weather():
    return halves(shipped("weather"), rows=900)


@pytest.mark.parametrize("synthetic", ["shuffled", "the same"])
def test_values_and_floors_are_those_of_sklearn(weather, synthetic):
    real, holdout = weather
    other = drawn_apart(real) if synthetic == "shuffled" else real.take(np.arange(900)[::-1])
    points = embed(leaves(spec_of(real), real), [holdout, other, real], settled_by=(0, 2)).tables
    scores = four(real, other, holdout=holdout)
    assert [s.value for s in scores] == pytest.approx(by_sklearn(points[0], points[1]), abs=1e-12)
    assert [s.floor for s in scores] == pytest.approx(by_sklearn(points[0], points[2]), abs=1e-12)


def test_balls_of_tying_rows_agree_with_sklearn():
    rng = np.random.default_rng(0)
    real, holdout, other = (
        pa.table({"a": rng.choice(["x", "y", "z"], 300), "b": rng.integers(0, 4, 300) % m})
        for m in (4, 4, 3)
    )
    points = embed(leaves(spec_of(real), real), [holdout, other, real], settled_by=(0, 2)).tables
    scores = four(real, other, holdout=holdout)
    assert [s.value for s in scores] == pytest.approx(by_sklearn(points[0], points[1]), abs=1e-12)


def test_a_missing_kind_of_rows_costs_recall_and_coverage():
    rng = np.random.default_rng(1)

    def table(share, rows=1_500):
        second = rng.random(rows) < share
        return pa.table({"x": rng.normal(second * 20, 1), "y": rng.normal(second * 20, 1)})

    precision, recall, _, coverage = four(table(0.4), table(0.0), holdout=table(0.4))
    assert precision.value > 0.9
    # 600 of 1,500 real rows are of the kind that is missing: a binomial share.
    missing = 4 * np.sqrt(0.4 * 0.6 / 1_500)
    assert recall.value == pytest.approx(0.6 * recall.floor, abs=missing + 0.02)
    assert coverage.value == pytest.approx(0.6 * coverage.floor, abs=missing + 0.02)
    precision, recall, density, _ = four(table(0.0), table(0.4), holdout=table(0.0))
    assert recall.value > 0.85
    assert precision.value == pytest.approx(0.6 * precision.floor, abs=missing + 0.03)
    assert density.value == pytest.approx(0.6, abs=missing + 0.05)


def test_equal_distributions_cover_as_theory_says():
    found = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        real, other, holdout = (
            pa.table({c: rng.normal(size=400) for c in "abc"}) for _ in range(3)
        )
        _, _, density, coverage = four(real, other, holdout=holdout)
        found.append([density.value, density.floor, coverage.value, coverage.floor])
    # Naeem et al.: density 1; coverage 1 - (n-1)...(n-k) / (2n-1)...(2n-k), near 1 - 2^-k. Any
    # row is as likely as any other to be among the nearest.
    places = np.arange(1, 6)
    covered = 1 - np.prod((400 - places) / (800 - places))
    off = np.mean(found, axis=0) - [1, 1, covered, covered]
    assert (np.abs(off) < 4 * np.std(found, axis=0, ddof=1) / np.sqrt(12)).all()
    assert (np.abs(off) < 0.06).all()


def test_intervals_are_as_wide_as_samples_differ():
    values, widths = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        tables = [pa.table({c: rng.normal(m, 1, 400) for c in "ab"}) for m in (0, 0.7, 0)]
        scores = four(tables[0], tables[1], holdout=tables[2])
        values.append([score.value for score in scores])
        widths.append([(score.interval[1] - score.interval[0]) / 2 / 1.96 for score in scores])
    spread, said = np.std(values, axis=0, ddof=1), np.mean(widths, axis=0)
    # A standard deviation of 25 values is itself right to 14 %; the resamples leave the balls as
    # they are, which may cost or add something.
    assert (said / spread > 0.5).all()
    assert (said / spread < 2.0).all()


def test_sides_are_of_equal_size_and_stated(weather):
    real, _ = weather
    score = four(real, real.slice(0, 200))[0]
    assert score.details["reference_rows"] == score.details["synthetic_rows"] == 200
    assert score.details["floor"] == "halves"
    score = four(real, real)[0]
    assert score.details["reference_rows"] == 450
    many = pa.table({"x": np.arange(3 * ROWS, dtype=float)})
    assert four(many, many)[0].details["reference_rows"] == ROWS
    assert four(many, many, rows=100)[0].details["reference_rows"] == 100


def test_too_little_has_a_reason():
    few = pa.table({"x": [1.0, 2.0] * 9})
    assert four(few, few)[0].details["why"] == "fewer than 10 rows to compare on one side"
    key = four(few, few, table=spec_of(few, x="identifier"))
    assert {score.details["why"] for score in key} == {"no column can be compared"}
