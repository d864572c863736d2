"""The Gaussian copula: what pairs of columns have in common, checked against scipy."""

from importlib.resources import files
from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import integrate, stats
from scipy.special import eval_hermitenorm, gammaln

from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.features import FeatureKind, Features, FeatureSpec, TrainingData
from simulacra.core.random import RngKey
from simulacra.models.copula import Copula, CopulaConfig
from simulacra.models.correlation import (
    LEAST_EIGENVALUE,
    hidden_correlation,
    nearest_correlation,
    shrunk_correlation,
)
from simulacra.models.normal_scores import DEGREE, draw_between, scores_of

ORDINAL, NOMINAL = FeatureKind.ORDINAL, FeatureKind.NOMINAL
SIGMAS = 5


def training_data(columns, *, context=()) -> TrainingData:
    """Return rows of ``{name: (kind, codes)}``."""
    specs = []
    for name, (kind, codes) in columns.items():
        found = FeatureSpec(name, name, kind, int(codes.max()) + 1)
        specs.append(found.as_context() if name in context else found)
    features = Features.of(specs, [codes for _, codes in columns.values()])
    counts = tuple(np.bincount(codes).astype(np.int64) for codes in features.codes)
    return TrainingData(features, counts, features.rows)


def fit(data, **options):
    return Copula().fit(data, CopulaConfig(**options), rng=RngKey(3), ctx=RunContext())


def draw(fitted, rows, *, context=None, fixed=None, seed=4):
    return fitted.sample(rows, context=context, fixed=fixed, rng=RngKey(seed))


def part_of(features: Features, names) -> Features:
    numbers = [n for n, spec in enumerate(features.specs) if spec.name in names]
    return Features(
        tuple(features.specs[n] for n in numbers),
        tuple(features.codes[n] for n in numbers),
        features.rows,
    )


def quantile_codes(values, bins):
    """Cut numbers into bins of about as many rows; no number is the last code."""
    known = ~np.isnan(values)
    cuts = np.unique(np.quantile(values[known], np.arange(1, bins) / bins))
    codes = np.full(len(values), len(cuts) + 1)
    codes[known] = np.searchsorted(cuts, values[known], side="right")
    return codes


@pytest.fixture(scope="module")
def hidden():
    """Return a correlation matrix of six numbers and 50,000 rows of them."""
    loadings = np.array([[0.9, 0.1], [0.8, -0.3], [-0.6, 0.6], [0.1, 0.9], [0.5, 0.5], [0.0, -0.7]])
    correlation = loadings @ loadings.T
    np.fill_diagonal(correlation, 1.0)
    rows = np.random.default_rng(5).multivariate_normal(np.zeros(6), correlation, 50_000)
    return correlation, rows


BINS = (2, 3, 5, 40, 128, 2)


@pytest.fixture(scope="module")
def columns(hidden):
    _, rows = hidden
    return {f"x{n}": (ORDINAL, quantile_codes(rows[:, n], bins)) for n, bins in enumerate(BINS)}


def test_hidden_correlations_are_recovered_however_coarse_the_codes(hidden, columns):
    correlation, rows = hidden
    found = fit(training_data(columns))._correlation
    # The tetrachoric correlation of halves, the coarsest case, has standard error π/2 / √n at 0
    # and less elsewhere (Pearson 1900).
    assert np.abs(found - correlation).max() < SIGMAS * np.pi / 2 / np.sqrt(len(rows))


def test_drawn_rows_correlate_as_the_learned_ones(columns):
    drawn = draw(fit(training_data(columns)), 50_000)
    wanted = stats.spearmanr(np.column_stack([codes for _, codes in columns.values()])).statistic
    found = stats.spearmanr(np.column_stack(drawn.codes)).statistic
    # Both sides are samples of 50,000.
    assert np.abs(found - wanted).max() < SIGMAS * np.sqrt(2 / 50_000)


def test_a_real_table_keeps_its_correlations():
    weather = pq.read_table(files("simulacra") / "demo" / "nycflights" / "weather.parquet")
    names = ["temp", "dewp", "humid", "wind_speed", "pressure", "visib"]
    columns = {
        name: (ORDINAL, quantile_codes(weather[name].to_numpy().astype(float), 64))
        for name in names
    }
    data = training_data(columns)
    drawn = draw(fit(data), data.features.rows)
    wanted = stats.spearmanr(np.column_stack(data.features.codes)).statistic
    found = stats.spearmanr(np.column_stack(drawn.codes)).statistic
    # Weather is not Gaussian: beyond noise, 0.05 is what the model itself may miss.
    assert np.abs(found - wanted).max() < 0.05 + SIGMAS * np.sqrt(2 / data.features.rows)
    assert np.abs(wanted - np.eye(len(names))).max() > 0.8


def correlation_ratio(codes, values):
    means = np.bincount(codes, weights=values) / np.maximum(np.bincount(codes), 1)
    return float(np.var(means[codes]) / np.var(values))


def test_nominal_columns_keep_what_they_tell():
    flights = pq.read_table(files("simulacra") / "demo" / "nycflights" / "flights.parquet")
    carrier = flights["carrier"].to_numpy(zero_copy_only=False)
    names, counts = np.unique(carrier, return_counts=True)
    rank = np.empty(len(names), int)
    rank[np.argsort(-counts)] = np.arange(len(names))
    codes = rank[np.searchsorted(names, carrier)]
    distance = quantile_codes(flights["distance"].to_numpy().astype(float), 64)
    data = training_data({"carrier": (NOMINAL, codes), "distance": (ORDINAL, distance)})
    drawn = draw(fit(data), data.features.rows)
    wanted, found = correlation_ratio(codes, distance), correlation_ratio(*drawn.codes)
    assert wanted > 0.3
    assert found == pytest.approx(wanted, rel=0.2)
    # Carriers fly as far as they did: means by carrier agree, from the nearest to the farthest.
    real, drawn_means = (
        np.bincount(c, weights=d, minlength=len(names)) / np.bincount(c, minlength=len(names))
        for c, d in ((codes, distance), drawn.codes)
    )
    assert stats.spearmanr(real, drawn_means).statistic > 0.9


def test_an_order_found_in_noise_shows_no_correlation():
    generator = np.random.default_rng(6)
    columns = {
        "many": (NOMINAL, generator.integers(0, 300, 20_000)),
        "number": (ORDINAL, generator.integers(0, 50, 20_000)),
    }
    found = fit(training_data(columns))._correlation[0, 1]
    # Half of the rows measure it.
    assert abs(found) < SIGMAS / np.sqrt(10_000)


def test_given_features_leave_the_rest_as_it_was(columns):
    """Drawing x3 to x5 given the real x0 to x2 gives the joint distribution of all."""
    context = ("x0", "x1", "x2")
    data = training_data(columns, context=context)
    drawn = draw(fit(data), data.features.rows, context=part_of(data.features, context))
    real = np.column_stack(data.features.codes)
    made = np.column_stack([*data.features.codes[:3], *drawn.codes])
    wanted, found = (stats.spearmanr(rows).statistic for rows in (real, made))
    assert np.abs(found - wanted).max() < SIGMAS * np.sqrt(2 / data.features.rows)
    for n, counts in enumerate(data.counts[3:]):
        share = np.bincount(drawn.codes[n], minlength=len(counts)) / data.features.rows
        wanted_share = counts / data.features.rows
        noise = np.sqrt(2 * wanted_share * (1 - wanted_share) / data.features.rows)
        assert (np.abs(share - wanted_share) <= SIGMAS * noise + 1e-3).all()


def test_fixing_is_the_same_as_picking_such_rows(columns):
    fitted = fit(training_data(columns))
    every = draw(fitted, 400_000)
    picked = np.flatnonzero((every["x0"] == 1) & (every["x2"] == 4))
    fixed = part_of(every.take(picked), ("x0", "x2"))
    drawn = draw(fitted, len(picked), fixed=fixed, seed=9)
    for name in ("x1", "x3", "x5"):
        table = [np.bincount(f[name], minlength=40) for f in (every.take(picked), drawn)]
        used = np.sum(table, axis=0) > 0
        assert stats.chi2_contingency(np.array(table)[:, used]).pvalue > 1e-6


def test_missing_context_is_named(columns):
    data = training_data(columns, context=("x0", "x1"))
    fitted = fit(data)
    with pytest.raises(UsageError, match="x1: this context feature is not given"):
        draw(fitted, data.features.rows, context=part_of(data.features, ("x0",)))


def test_a_thousand_features():
    generator = np.random.default_rng(7)
    common = generator.normal(size=(250, 1))
    values = 0.9 * common + generator.normal(size=(250, 1_000))
    data = training_data(
        {f"f{n}": (ORDINAL, quantile_codes(values[:, n], 8)) for n in range(1_000)}
    )
    fitted = fit(data)
    correlation = fitted._correlation
    np.linalg.cholesky(correlation)
    drawn = draw(fitted, 2_000)
    some = ~np.eye(200, dtype=bool)
    # The mean over 19,900 pairs has next to no noise but what the common factor's 250 rows give.
    wanted = np.corrcoef(np.column_stack(data.features.codes[:200]).T)[some].mean()
    found = np.corrcoef(np.column_stack(drawn.codes[:200]).T)[some].mean()
    assert found == pytest.approx(wanted, rel=0.1)


# --- the parts -------------------------------------------------------------------------------


def test_scores_are_means_of_truncated_normal_numbers():
    edges = np.array([0.0, 0.1, 0.5, 0.93, 1.0])
    low, high = edges[:-1], edges[1:]
    scores = scores_of(low, high, high - low)
    ends = stats.norm.ppf(edges)
    wanted = [stats.truncnorm.mean(a, b) for a, b in pairwise(ends)]
    assert scores.means == pytest.approx(wanted, abs=1e-12)
    for degree in (1, 2, 5, DEGREE):
        norm = np.exp(-0.5 * gammaln(degree + 1))
        total = sum(
            mean
            * integrate.quad(
                lambda z, k=degree, n=norm: n * eval_hermitenorm(k, z) * stats.norm.pdf(z), a, b
            )[0]
            for mean, (a, b) in zip(wanted, pairwise(ends), strict=True)
        )
        assert scores.moments[degree - 1] == pytest.approx(total, abs=1e-8)


@pytest.mark.parametrize("correlation", [-0.9, -0.4, 0.0, 0.2, 0.75, 0.9])
@pytest.mark.parametrize("split", [0.5, 0.2])
def test_the_tetrachoric_correlation_is_inverted(correlation, split):
    """Two yes-or-no features, whose exact joint probabilities scipy gives."""
    cut = stats.norm.ppf(split)
    both = stats.multivariate_normal.cdf([cut, cut], cov=[[1, correlation], [correlation, 1]])
    phi = (both - split**2) / (split * (1 - split))
    scores = scores_of(np.array([0, split]), np.array([split, 1]), np.array([split, 1 - split]))
    found = hidden_correlation(np.array([[1, phi], [phi, 1]]), np.stack([scores.moments] * 2))
    # The series is cut after 20 terms: -0.9 between rare codes suffers most.
    assert found[0, 1] == pytest.approx(correlation, abs=0.04)


def test_shrinking_vanishes_with_rows_and_helps_without():
    generator = np.random.default_rng(8)
    many = generator.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 100_000)
    assert shrunk_correlation([many], 2)[0, 1] == pytest.approx(np.corrcoef(many.T)[0, 1], abs=1e-4)
    few = generator.normal(size=(30, 60))
    raw = np.corrcoef(few.T)
    shrunk = shrunk_correlation([few[:11], few[11:]], 60)
    assert np.linalg.norm(shrunk - np.eye(60)) < 0.3 * np.linalg.norm(raw - np.eye(60))


def test_a_column_without_variance_correlates_with_nothing():
    rows = np.column_stack([np.ones(100), np.arange(100.0), np.arange(100.0)])
    found = shrunk_correlation([rows], 3)
    assert found[0].tolist() == [1, 0, 0]
    assert found[1, 2] > 0.9


def test_the_nearest_correlation_is_highams():
    """The example of Higham (2002), section 4, to the digits printed there."""
    matrix = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    found = nearest_correlation(matrix, tolerance=1e-9)
    wanted = np.array([[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]])
    assert found == pytest.approx(wanted, abs=2e-3)
    assert np.linalg.eigvalsh(found)[0] >= LEAST_EIGENVALUE / 2


def test_a_good_correlation_stays_as_it_is(hidden):
    correlation, _ = hidden
    assert np.array_equal(nearest_correlation(correlation, tolerance=1e-6), correlation)


@pytest.mark.parametrize(
    ("low", "high"), [(-1.0, 0.5), (-np.inf, -2.0), (3.0, np.inf), (7.0, 7.5), (-np.inf, np.inf)]
)
def test_numbers_between_two_others_are_truncated_normal(low, high):
    uniforms = np.random.default_rng(9).random(20_000)
    ends = np.full(20_000, low), np.full(20_000, high)
    numbers = draw_between(*ends, uniforms)
    assert ((numbers >= low) & (numbers <= high)).all()
    assert stats.kstest(numbers, stats.truncnorm(low, high).cdf).pvalue > 1e-6


@pytest.mark.parametrize(("low", "high"), [(60.0, 61.0), (-61.0, -60.0), (50.0, np.inf)])
def test_numbers_where_probability_underflows_stay_in_between(low, high):
    numbers = draw_between(np.full(5, low), np.full(5, high), np.linspace(0, 0.99, 5))
    assert np.isfinite(numbers).all()
    assert ((numbers >= low) & (numbers <= high)).all()
