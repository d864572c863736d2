"""What holds for all measures of privacy."""

import json

import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import drawn_apart, measure, shipped, spec_of
from simulacra.core.registry import Kind, load
from simulacra.core.scores import Group

ROWS = 2_000
ATTACKS = ["singling_out", "linkability", "inference", "membership_inference"]
RISKS = {
    "singling_out_univariate": "singling_out",
    "singling_out_multivariate": "singling_out",
    "linkability": "linkability",
    "inference": "inference",
}
MEMBERSHIP = ["", "_hits_at_1_percent", "_hits_at_0.1_percent"]
WITH_OPTIONS = {
    "k_anonymity": {"quasi_identifiers": ["name", "paid"]},
    "shadow_membership": {
        "generator": drawn_apart,
        "shadows": 2,
    },
}
EVERY = ["closest_records", *ATTACKS, "rare_values", *WITH_OPTIONS]


def scores(name, real, synthetic, **options):
    return {s.metric: s for s in measure(load(Kind.METRIC, name), real, synthetic, **options)}


@pytest.fixture(scope="module")
def people():
    """Return three samples of one population that share no row: real, held out, and fresh."""
    table = shipped("weather")
    order = np.random.default_rng(7).permutation(table.num_rows)
    return [table.take(order[i * ROWS : (i + 1) * ROWS]) for i in range(3)]


def copying(share, people):
    """Return synthetic rows of which a share are copied, and the others fresh."""
    real, _, fresh = people
    copied = int(share * ROWS)
    return pa.concat_tables([real.slice(0, copied), fresh.slice(copied)])


@pytest.fixture(scope="module")
def measured(people):
    """Return the scores of all attacks by the share of rows copied."""
    return {
        share: {
            name: score
            for attack in ATTACKS
            for name, score in scores(
                attack, people[0], copying(share, people), holdout=people[1]
            ).items()
        }
        for share in (0.0, 0.1, 0.3, 1.0)
    }


@pytest.mark.parametrize("risk", RISKS)
def test_the_more_rows_are_copied_the_higher_the_risk(risk, measured):
    found = [measured[share][risk] for share in measured]
    assert [s.value for s in found] == sorted(s.value for s in found)
    # A guess that a copy leads to is right, any other as often as the control's: the risk is the
    # share of rows copied, but for guesses about copies that are true of others too.
    for share in (0.1, 0.3):
        low, high = measured[share][risk].interval
        assert low <= share + 0.02
        assert high >= share / 2
        assert low > 0
        assert measured[share][risk].details["verdict"].startswith("Leak")
    assert found[-1].value > 0.95


@pytest.mark.parametrize("risk", RISKS)
def test_rows_of_the_same_population_are_no_risk(risk, measured):
    score = measured[0.0][risk]
    rates = [score.details[name] for name in ("attack", "control")]
    # Both rates estimate the same: they differ by five standard errors at most.
    together = np.mean([rate["rate"] for rate in rates])
    error = np.sqrt(together * (1 - together) * sum(1 / rate["guesses"] for rate in rates))
    assert rates[0]["rate"] - rates[1]["rate"] <= 5 * error
    assert score.value <= 5 * error / (1 - rates[1]["rate"])
    assert score.floor == 0
    assert score.details["verdict"].startswith("No leak found")


def test_members_are_told_the_better_the_more_rows_are_copied(measured):
    for suffix in MEMBERSHIP:
        found = [measured[share]["membership_inference" + suffix].value for share in measured]
        assert found == sorted(found)
    for share in (0.1, 0.3, 1.0):
        auc, hits, few_hits = (measured[share]["membership_inference" + s] for s in MEMBERSHIP)
        # Members copied, as many as rows are, stand above all others, the rest among them.
        assert auc.value == pytest.approx(0.5 + share / 2, abs=5 * np.sqrt(2 / 12 / (ROWS / 2)))
        assert hits.value == pytest.approx(
            share + (1 - share) * hits.floor, abs=5 * np.sqrt(0.25 / (ROWS / 2))
        )
        assert few_hits.value <= hits.value
        assert auc.details["verdict"].startswith("Leak")


def test_members_of_the_same_population_are_not_told(measured):
    auc, hits, few_hits = (measured[0.0]["membership_inference" + s] for s in MEMBERSHIP)
    assert abs(auc.value - 0.5) < 4 * np.sqrt((2 * 1_000 + 1) / (12 * 1_000**2))
    for score in (hits, few_hits):
        assert score.interval[0] <= score.floor <= score.interval[1]
        assert score.details["verdict"].startswith("No leak found")


@pytest.mark.parametrize("name", EVERY)
def test_every_score_has_a_verdict_and_says_what_it_does_not_show(name, people):
    few = [table.slice(0, 300) for table in people]
    options = dict(WITH_OPTIONS.get(name, {}))
    if name == "k_anonymity":
        options["quasi_identifiers"] = ["origin", "hour"]
    found = scores(name, few[0], few[2], holdout=few[1], **options)
    declared = load(Kind.METRIC, name).measures
    assert list(found) == [m.name for m in declared]
    assert {m.group for m in declared} == {Group.PRIVACY}
    for score in found.values():
        if score.value is None:
            assert score.details["why"]
        else:
            assert score.details["verdict"].endswith(".")
            assert score.details["does_not_show"].endswith(".")


@pytest.mark.parametrize("name", [*ATTACKS, "shadow_membership"])
def test_attacks_need_people_who_were_not_learned_from(name, people):
    found = scores(name, people[0], people[2], **WITH_OPTIONS.get(name, {}))
    assert {score.value for score in found.values()} == {None}
    assert all("held-out rows" in score.details["why"] for score in found.values())


@pytest.mark.parametrize("name", EVERY)
def test_no_value_reaches_the_details(name):
    rng = np.random.default_rng(3)

    def made(rows, mark):
        return pa.table(
            {
                "name": [f"{mark}{i}" for i in range(rows)],
                "paid": rng.integers(10**6, 10**7, rows) * 1_000 + 137,
                "kind": rng.choice(["Xanadu", "Yggdrasil"], rows),
                "note": [f"{mark} note {i}" for i in range(rows)],
            }
        )

    real, holdout = made(400, "Zebedee"), made(400, "Quintus")
    synthetic = pa.concat_tables([real.slice(0, 200), made(200, "Ottoline")])
    table = spec_of(real, note="text")
    found = scores(
        name, real, synthetic, holdout=holdout, table=table, **WITH_OPTIONS.get(name, {})
    )
    told = json.dumps([dict(score.details) for score in found.values()])
    assert found
    for mark in ("Zebedee", "Quintus", "Ottoline", "Xanadu", "Yggdrasil"):
        assert mark not in told
    for paid in (*real["paid"].to_pylist(), *holdout["paid"].to_pylist()):
        assert str(paid) not in told
