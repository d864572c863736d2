"""The forest: what it must keep of a table, however it was split into work."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.features import (
    FeatureKind,
    Features,
    FeatureSpec,
    Role,
    TrainingData,
)
from simulacra.core.limits import Limits
from simulacra.core.progress import SilentProgress
from simulacra.core.random import RngKey
from simulacra.models.forest.checks import check
from simulacra.models.forest.config import ForestConfig
from simulacra.models.forest.fitted import FittedForest
from simulacra.models.forest.model import Forest

ORDINAL, NOMINAL = FeatureKind.ORDINAL, FeatureKind.NOMINAL
Columns = dict[str, tuple[FeatureKind, NDArray[np.integer]]]


def features_of(columns: Columns, context: tuple[str, ...] = ()) -> Features:
    specs = [
        FeatureSpec(
            name,
            name,
            kind,
            int(codes.max(initial=0)) + 1,
            Role.CONTEXT if name in context else Role.TARGET,
        )
        for name, (kind, codes) in columns.items()
    ]
    return Features.of(specs, [codes for _, codes in columns.values()])


def training_data(features: Features) -> TrainingData:
    counts = tuple(
        np.bincount(codes, minlength=spec.cardinality)
        for spec, codes in zip(features.specs, features.codes, strict=True)
    )
    return TrainingData(features, counts, features.rows)


def fit(
    columns: Columns, *, context: tuple[str, ...] = (), threads: int = 1, **options: float
) -> FittedForest:
    data = training_data(features_of(columns, context))
    limits = RunContext(Limits(threads=threads))
    return Forest().fit(data, ForestConfig(**options), rng=RngKey(5), ctx=limits)


def draw(model: FittedForest, rows: int, context: Features | None = None) -> Features:
    return model.sample(rows, context=context, fixed=None, rng=RngKey(11))


def by_frequency(values: NDArray[np.integer]) -> NDArray[np.integer]:
    """Number values from the most frequent to the rarest, as nominal codes are."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return rank[inverse]


@pytest.fixture(scope="module")
def mixed() -> Columns:
    rng = np.random.default_rng(0)
    rows = 6000
    amount = rng.integers(0, 3000, rows)
    region = by_frequency(rng.geometric(0.3, rows).clip(max=12))
    price = np.clip(amount // 3 + 40 * region + rng.integers(0, 30, rows), 0, 1999)
    return {
        "amount": (ORDINAL, amount),
        "region": (NOMINAL, region),
        "price": (ORDINAL, price),
        "flag": (NOMINAL, by_frequency((price > 700) ^ (rng.random(rows) < 0.1))),
    }


def test_the_same_codes_at_any_number_of_threads(mixed: Columns) -> None:
    one = draw(fit(mixed, threads=1), 2000)
    three = draw(fit(mixed, threads=3), 2000)
    for left, right in zip(one.codes, three.codes, strict=True):
        np.testing.assert_array_equal(left, right)


def test_dependence_between_kinds_is_kept(mixed: Columns) -> None:
    drawn = draw(fit(mixed), 20_000)
    amount, price = mixed["amount"][1], mixed["price"][1]
    real = stats.spearmanr(amount, price).statistic
    assert stats.spearmanr(drawn["amount"], drawn["price"]).statistic == pytest.approx(
        real, abs=0.02
    )
    for region in range(4):
        means = [
            p[r == region].mean()
            for p, r in ((price, mixed["region"][1]), (drawn["price"], drawn["region"]))
        ]
        assert means[1] == pytest.approx(means[0], rel=0.06)


def test_marginals_are_those_of_the_rows(mixed: Columns) -> None:
    rows = 50_000
    drawn = draw(fit(mixed), rows)
    for name in ("region", "flag"):
        real = np.bincount(mixed[name][1])
        share = real / real.sum()
        found = np.bincount(drawn[name], minlength=len(real)) / rows
        # Sampling error, plus the error of estimating a chain of conditionals from 6,000 rows.
        bound = 5 * np.sqrt(share * (1 - share) * (1 / rows + 1 / real.sum())) + 2e-4
        assert (np.abs(found - share) < bound).all(), name


def test_what_a_clock_time_determines_is_exact() -> None:
    rng = np.random.default_rng(1)
    minutes = rng.choice(1440, 20_000, p=rng.dirichlet(np.ones(1440)))
    hour, minute = minutes // 60, minutes % 60
    columns: Columns = {
        "hour": (ORDINAL, hour),
        "minute": (ORDINAL, minute),
        "time": (ORDINAL, minutes),
        "noise": (ORDINAL, rng.integers(0, 100, len(minutes))),
    }
    drawn = draw(fit(columns), 20_000)
    seen = set(minutes.tolist())
    new = drawn["time"].astype(int)
    known = np.isin(new, list(seen))
    assert known.all()
    np.testing.assert_array_equal(drawn["hour"], new // 60)
    np.testing.assert_array_equal(drawn["minute"], new % 60)


def test_what_a_key_all_but_determines_follows_the_other_features_too() -> None:
    rng = np.random.default_rng(5)
    rows = 30_000
    warm = (rng.random(rows) < 0.99).astype(np.int64)
    humidity = rng.integers(0, 1_500, rows)
    # Each humidity goes with two dew points, one for warm and one for cold air.
    low = rng.permutation(1_500) % 700
    dew = np.where(warm == 1, low[humidity] + 700, low[humidity])
    columns = {
        "warm": (NOMINAL, warm),
        "humidity": (ORDINAL, humidity),
        "dew": (ORDINAL, dew),
    }
    drawn = draw(fit(columns), rows)
    assert np.mean((drawn["dew"] >= 700) == (drawn["warm"] == 1)) > 0.99
    assert np.all(drawn["dew"] % 700 == low[drawn["humidity"]])


def test_a_threshold_inside_a_coarse_group_is_exact() -> None:
    rng = np.random.default_rng(2)
    amount = rng.integers(0, 4000, 30_000)
    columns: Columns = {
        "amount": (ORDINAL, amount),
        "large": (NOMINAL, (amount < 1237).astype(int)),
        "size": (ORDINAL, np.digitize(amount, [411, 1237, 3033])),
    }
    drawn = draw(fit(columns), 30_000)
    new = drawn["amount"].astype(int)
    assert np.mean(drawn["large"] == (new < 1237)) > 0.9995
    assert np.mean(drawn["size"] == np.digitize(new, [411, 1237, 3033])) > 0.999


def test_four_thousand_values_keep_what_they_belong_to() -> None:
    rng = np.random.default_rng(3)
    rows, tails = 60_000, 4043
    carrier_of = rng.integers(0, 16, tails)
    base_of = rng.integers(0, 40, 16)
    tail = by_frequency(rng.choice(tails, rows, p=rng.dirichlet(np.ones(tails))))
    carrier_of = carrier_of[: tail.max() + 1]
    carrier = by_frequency(carrier_of[tail])
    origin = (base_of[carrier] + rng.integers(0, 3, rows)) % 40
    columns: Columns = {
        "carrier": (NOMINAL, carrier),
        "origin": (NOMINAL, by_frequency(origin)),
        "tail": (NOMINAL, tail),
    }
    drawn = draw(fit(columns), rows)
    real = set(zip(tail.tolist(), carrier.tolist(), strict=True))
    new = list(zip(drawn["tail"].tolist(), drawn["carrier"].tolist(), strict=True))
    assert np.mean([pair in real for pair in new]) == 1.0
    pairs = set(zip(carrier.tolist(), columns["origin"][1].tolist(), strict=True))
    kept = zip(drawn["carrier"].tolist(), drawn["origin"].tolist(), strict=True)
    assert np.mean([pair in pairs for pair in kept]) > 0.99
    # Nothing is truncated: no fewer tails than as many independent draws would hold.
    share = np.bincount(tail) / rows
    expected = np.sum(1 - (1 - share) ** rows)
    assert 0.97 * expected < len(np.unique(drawn["tail"])) <= tails


def test_draws_come_nearer_to_the_learned_rows_than_independent_ones() -> None:
    rng = np.random.default_rng(5)
    value = by_frequency(rng.choice(50, 20_000, p=rng.dirichlet(np.ones(50))))
    side = (value + rng.integers(0, 5, len(value))) % 50
    drawn = draw(fit({"value": (NOMINAL, value), "side": (ORDINAL, side)}), 20_000)
    for name, codes in (("value", value), ("side", side)):
        real, made = (np.bincount(c, minlength=50) for c in (codes, drawn[name]))
        # As many independent draws are off by this many rows, summed over the codes.
        share = real / len(codes)
        independent = np.sqrt(2 / np.pi * len(codes) * share * (1 - share)).sum()
        assert np.abs(real - made).sum() < 0.6 * independent


def test_three_hundred_thousand_values_keep_their_group_and_are_all_drawn() -> None:
    rng = np.random.default_rng(4)
    values, total, rows = 300_000, 1_200_000, 150_000
    group_of = rng.integers(0, 20, values)
    everyone = np.sort(rng.integers(0, values, total))
    counts = np.bincount(everyone, minlength=values)
    order = np.argsort(-counts, kind="stable")
    counts, group_of = counts[order], group_of[order]
    value = rng.choice(values, rows, p=counts / total)
    specs = (
        FeatureSpec("group", "group", NOMINAL, 20),
        FeatureSpec("value", "value", NOMINAL, values),
    )
    features = Features.of(specs, [group_of[value], value])
    groups = np.bincount(group_of, weights=counts, minlength=20).astype(np.int64)
    data = TrainingData(features, (groups, counts), total)
    model = Forest().fit(data, ForestConfig(), rng=RngKey(1), ctx=RunContext(Limits(threads=1)))
    drawn = draw(model, rows)
    learned = np.isin(drawn["value"], value)
    right = drawn["group"] == group_of[drawn["value"]]
    assert right[learned].mean() > 0.98
    # Values that the sample lacks are drawn as often as they occur in all rows.
    missing = counts[np.setdiff1d(np.arange(values), value)].sum() / total
    assert 0.3 < missing < 0.9
    assert (~learned).mean() == pytest.approx(missing, abs=0.05)
    assert counts[drawn["value"]].min() > 0


def test_codes_missing_from_the_sample_are_drawn() -> None:
    rng = np.random.default_rng(6)
    codes = rng.integers(0, 50, 3000) * 2  # odd codes occur only outside the sample
    other = (codes > 40).astype(int)
    features = Features.of(
        (FeatureSpec("x", "x", ORDINAL, 100), FeatureSpec("y", "y", NOMINAL, 2)), [codes, other]
    )
    counts = np.full(100, 60, np.int64)
    data = TrainingData(features, (counts, np.bincount(other)), 6000)
    model = Forest().fit(data, ForestConfig(), rng=RngKey(1), ctx=RunContext(Limits(threads=1)))
    drawn = np.bincount(draw(model, 100_000)["x"], minlength=100) / 100_000
    assert (drawn > 0).all()
    assert np.abs(drawn - 0.01).max() < 0.006
    assert drawn[1::2].sum() == pytest.approx(0.5, abs=0.05)


def test_a_saved_model_draws_the_same_in_another_process(mixed: Columns, tmp_path: Path) -> None:
    model = fit(mixed)
    path = tmp_path / "m.sim"
    with write_bundle(path) as out:
        model.save(out)
    with open_bundle(path) as (_, src):
        again = Forest().load(src)
    for left, right in zip(draw(model, 500).codes, draw(again, 500).codes, strict=True):
        np.testing.assert_array_equal(left, right)
    program = (
        "import sys; from pathlib import Path\n"
        "from simulacra.core.artifacts import open_bundle\n"
        "from simulacra.core.random import RngKey\n"
        "from simulacra.models.forest.model import Forest\n"
        "with open_bundle(Path(sys.argv[1])) as (_, src):\n"
        "    model = Forest().load(src)\n"
        "drawn = model.sample(500, context=None, fixed=None, rng=RngKey(11))\n"
        "print([int(codes.astype('int64').sum()) for codes in drawn.codes])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(
        [int(c.astype(np.int64).sum()) for c in draw(model, 500).codes]
    )


def test_targets_follow_the_context(mixed: Columns) -> None:
    columns = {"region": mixed["region"], **{k: v for k, v in mixed.items() if k != "region"}}
    model = fit(columns, context=("region",))
    wanted = np.repeat([0, 3], 4000)
    spec = features_of(columns, ("region",)).specs[0]
    drawn = draw(model, 8000, Features.of([spec], [wanted]))
    assert [s.name for s in drawn.specs] == ["amount", "price", "flag"]
    region, price = mixed["region"][1], mixed["price"][1]
    for code in (0, 3):
        real, new = price[region == code], drawn["price"][wanted == code]
        assert new.mean() == pytest.approx(real.mean(), rel=0.05)


def test_the_wrong_context_is_refused(mixed: Columns) -> None:
    columns = {"region": mixed["region"], "price": mixed["price"]}
    model = fit(columns, context=("region",), trees=1)
    with pytest.raises(UsageError, match="region"):
        draw(model, 10)


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"x": (ORDINAL, np.zeros(50, int))}, id="constant"),
        pytest.param({"x": (ORDINAL, np.array([3])), "y": (NOMINAL, np.array([0]))}, id="one row"),
        pytest.param(
            {"x": (NOMINAL, np.zeros(9, int)), "y": (ORDINAL, np.arange(9))}, id="nine rows"
        ),
        pytest.param({"x": (NOMINAL, np.arange(5000))}, id="all different"),
    ],
)
def test_small_and_dull_tables_come_back(columns: Columns) -> None:
    drawn = draw(fit(columns), 300)
    for name, (_, codes) in columns.items():
        assert np.isin(drawn[name], codes).all()
    assert drawn.rows == 300


def test_no_rows_are_refused_and_no_features_are_fine() -> None:
    empty = features_of({"x": (ORDINAL, np.zeros(0, int))})
    with pytest.raises(UsageError, match="no rows"):
        Forest().fit(training_data(empty), ForestConfig(), rng=RngKey(0), ctx=RunContext())
    nothing = Features.of((), (), rows=4)
    model = Forest().fit(
        TrainingData(nothing, (), 4), ForestConfig(), rng=RngKey(0), ctx=RunContext()
    )
    assert draw(model, 3).rows == 3


def test_a_thousand_features_are_learned() -> None:
    rng = np.random.default_rng(8)
    hidden = rng.normal(size=(600, 20))
    columns: Columns = {
        f"f{n}": (ORDINAL, np.digitize(hidden[:, n % 20] + rng.normal(size=600), [-1, 0, 1]))
        for n in range(1000)
    }
    drawn = draw(fit(columns, trees=1), 600)
    pairs = [(f"f{n}", f"f{n + 20}") for n in range(0, 200, 7)]
    real = np.mean([stats.spearmanr(columns[a][1], columns[b][1]).statistic for a, b in pairs])
    new = np.mean([stats.spearmanr(drawn[a], drawn[b]).statistic for a, b in pairs])
    assert real > 0.4  # 0.5 between the numbers, less for their being cut into four
    assert new > 0.4 * real  # 600 rows are few to learn 1,000 dependent features from


def test_leaves_do_not_copy_rows() -> None:
    """Of two halves of independent noise, the learned one is no nearer than the other."""
    rng = np.random.default_rng(9)
    real = rng.integers(0, 60, (4000, 5))
    learned, other = real[:2000], real[2000:]
    columns: Columns = {f"c{n}": (ORDINAL, learned[:, n]) for n in range(5)}
    drawn = np.stack(draw(fit(columns), 1500).codes, 1).astype(float)
    nearest: Callable[[NDArray[np.integer]], NDArray[np.float64]] = lambda rows: np.array(  # noqa: E731
        [np.abs(rows - row).sum(1).min() for row in drawn]
    )
    near, far = nearest(learned), nearest(other)
    share = np.mean(near < far) + 0.5 * np.mean(near == far)
    # Five standard errors of a share of 1,500 rows; copies would show as 1.
    assert share == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(1500))


@pytest.mark.parametrize(
    ("array", "place", "value"),
    [
        ("feature", 0, 99),
        ("left", 0, 0),
        ("left", 0, 10**6),
        ("parent", 1, 10**6),
        ("start", 1, 10**6),
        ("size", 1, 0),
        ("bag", 0, 60_000),
        ("roots", 0, 10**6),
        ("trust", 1, 0),
    ],
)
def test_arrays_that_lead_astray_are_refused(array: str, place: int, value: int) -> None:
    rng = np.random.default_rng(6)
    first = rng.integers(0, 5, 3_000)
    columns: Columns = {"a": (ORDINAL, first), "b": (NOMINAL, by_frequency(first * 7 % 5))}
    fitted = fit(columns)
    grown = fitted._conditionals[-1]
    arrays = {**grown.tree._asdict(), "bag": grown.bag, "roots": grown.roots, "trust": grown.trust}
    changed = arrays[array].copy()
    changed[place] = value
    if array in grown.tree._fields:
        wrong = replace(grown, tree=grown.tree._replace(**{array: changed}))
    else:
        wrong = replace(grown, **{array: changed})
    check(grown, fitted._specs, fitted._view.nominal)
    with pytest.raises(ValueError, match="lead outside"):
        check(wrong, fitted._specs, fitted._view.nominal)


def test_rows_beyond_the_budget_are_told() -> None:
    told: list[str] = []

    class Listening(SilentProgress):
        def note(self, message: str) -> None:
            told.append(message)

    codes = np.arange(2_000) % 5
    data = training_data(features_of({"a": (ORDINAL, codes)}))
    for rows in (1_500, 2_000):
        ctx = RunContext(progress=Listening())
        Forest().fit(data, ForestConfig(rows=rows), rng=RngKey(0), ctx=ctx)
    assert len(told) == 1
    assert "1,500 of these 2,000 rows" in told[0]
