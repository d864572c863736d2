import numpy as np
import pyarrow as pa
import pytest
from sklearn.neighbors import NearestNeighbors

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.metrics.columns import leaves
from simulacra.metrics.embedding import embed
from simulacra.metrics.sample_quality import SampleQuality, agreement, authentic

QUALITY = SampleQuality()
NAMES = ["alpha_precision", "beta_recall", "authenticity"]


def three(*tables, **options):
    found = measure(QUALITY, *tables, **options)
    assert [score.metric for score in found] == NAMES
    return found


def distances(rows, among, k, *, itself=False):
    found = NearestNeighbors(n_neighbors=k + itself, algorithm="brute").fit(among)
    return found.kneighbors(rows)[0][:, -1]


def integrated(typical, judged):
    """Return 1 - 2 ∫ |P(alpha) - alpha| by a fine grid, for values that don't tie."""
    alpha = (np.arange(200_000) + 0.5) / 200_000
    # The least radius that holds the share alpha of the typical rows.
    radius = np.sort(typical)[np.ceil(alpha * len(typical)).astype(int) - 1]
    share = np.searchsorted(np.sort(judged), radius, side="right") / len(judged)
    return 1 - 2 * np.abs(share - alpha).mean()


@pytest.fixture(scope="module")
def weather():
    return halves(shipped("weather"), rows=1_200)


def test_precision_and_recall_are_those_of_a_plain_computation(weather):
    real, holdout = weather
    other = drawn_apart(real)
    precision, recall, _ = three(real, other, holdout=holdout)
    x, y, z = embed(leaves(spec_of(real), real), [holdout, other, real], settled_by=(0, 2)).tables
    within = {name: distances(p, p, 5, itself=True) for name, p in (("x", x), ("y", y), ("z", z))}
    # Between quantiles P goes straight, by steps of 1/1,200 at most.
    near = {"abs": 2 / 1_200}
    assert precision.value == pytest.approx(integrated(within["x"], distances(y, x, 5)), **near)
    assert precision.floor == pytest.approx(integrated(within["x"], distances(z, x, 5)), **near)
    assert recall.value == pytest.approx(integrated(within["y"], distances(x, y, 5)), **near)
    assert recall.floor == pytest.approx(integrated(within["z"], distances(x, z, 5)), **near)
    assert precision.value < 0.7
    assert precision.floor > 0.9


@pytest.mark.parametrize(
    ("typical", "judged", "expected"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4], 1.0),
        ([1, 1, 2, 2], [1, 2], 1.0),
        ([0, 0, 0], [0], 1.0),
        ([1, 2], [0], 0.0),  # P is 1 from the start: the area is 1/2
        ([1, 2], [3], 0.0),
        ([1, 2], [1], 0.5),  # P goes to 1 at 1/2: triangles of 1/8 and 1/8
        ([1, 1, 1, 2], [1, 2], 0.75),  # a triangle of width 1 and height 1/4
        # P reaches 1/4 at 1/2 and stays: a triangle of 1/16, then a trapezoid of 1/4.
        ([1, 1, 2, 2], [1, 3, 3, 3], 3 / 8),
    ],
)
def test_agreement_is_the_area_by_hand(typical, judged, expected):
    assert agreement(np.array(typical, float), np.array(judged, float)) == pytest.approx(expected)


def test_a_missing_kind_costs_recall_and_a_new_one_precision():
    rng = np.random.default_rng(1)

    def table(share, rows=2_000):
        second = rng.random(rows) < share
        return pa.table({"x": rng.normal(second * 30, 1), "y": rng.normal(second * 30, 1)})

    # What is missing (or new) is beyond every region: P(β) is 0.7 β, the area 0.3 / 2.
    _, recall, _ = three(table(0.3), table(0.0), holdout=table(0.3))
    assert recall.value == pytest.approx(0.7, abs=0.06)
    precision, _, _ = three(table(0.0), table(0.3), holdout=table(0.0))
    assert precision.value == pytest.approx(0.7, abs=0.06)


def test_copies_are_not_authentic(weather):
    real, holdout = weather
    *_, copied = three(real, real, holdout=holdout)
    assert copied.value < 0.01
    assert 0.4 < copied.floor < 0.8
    assert "they lean on the rows learned from" in copied.details["verdict"]
    *_, fresh = three(real, holdout, holdout=holdout.take(np.arange(1_200)[::-1]))
    assert fresh.value == fresh.floor
    assert "no more than could be chance" in fresh.details["verdict"]
    # Half of the rows are copies: what is left is half of what others have.
    half = pa.concat_tables([real.slice(0, 600), holdout.slice(0, 600)])
    *_, score = three(real, half, holdout=holdout)
    assert score.value == pytest.approx(fresh.value / 2, abs=0.05)
    assert score.interval[0] < score.value < score.interval[1] < score.floor


def test_authentic_rows_are_those_of_a_plain_computation():
    rng = np.random.default_rng(3)
    learned, rows = rng.normal(size=(300, 3)), rng.normal(size=(200, 3))
    model = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(learned)
    near, places = model.kneighbors(rows, 1)
    expected = near[:, 0] > model.kneighbors(learned)[0][places[:, 0], 1]
    assert authentic(rows, learned).tolist() == expected.tolist()
    # A value that several learned rows share is nobody's copy.
    twins = np.array([[0.0], [0.0], [5.0], [9.0]])
    assert authentic(np.array([[0.0], [5.0], [4.9], [100.0]]), twins).tolist() == [
        True,
        False,
        False,
        True,
    ]


def test_without_a_holdout_halves_give_the_floor(weather):
    real, holdout = weather
    for score in three(real, holdout):
        assert score.details["floor"] == "halves"
        low, high = score.interval
        assert low <= score.value <= high
        assert score.value == pytest.approx(score.floor, abs=0.1)
    few = pa.table({"x": [1.0] * 12})
    assert three(few, few)[0].details["why"] == "fewer than 10 rows to compare on one side"


def test_sizes_are_stated():
    many = pa.table({"x": np.random.default_rng(0).normal(size=24_000)})
    precision, _, authenticity = three(many, many, holdout=many)
    assert precision.details["rows"] == 4_000
    assert authenticity.details["learned_rows"] == 10_000
    assert authenticity.details["synthetic_rows"] == 2_000
