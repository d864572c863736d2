"""The kit finds what is wrong with metrics of whole datasets."""

# ruff: noqa: ARG002 - what a faulty metric is given makes no difference to it

import random

import pytest

from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.cardinality import Cardinality
from simulacra.testing import NotConformant, checks_for

COLUMNS = ("orders.customer",)


class Faulty:
    name = "faulty"
    scope = "dataset"
    measures = (Measure("faulty", "Faulty", Group.RELATIONS),)
    optional = False

    def compute(self, real, synthetic, *, holdout, spec, options, rng):
        return [Score(self.name, self.value(), COLUMNS, details={"table": "orders"})]

    def value(self):
        return 1.0


class GivesNan(Faulty):
    def value(self):
        return float("nan")


class GivesNoReason(Faulty):
    def value(self):
        return None


class NeverIdeal(Faulty):
    def value(self):
        return 0.5


class MeasuresByChance(Faulty):
    def value(self):
        return 1.0 - random.random() / 100


class SpeaksOfNoTable(Faulty):
    def compute(self, real, synthetic, **more):
        return [Score(self.name, 1.0, COLUMNS)]


class SpeaksOfOtherColumns(Faulty):
    def compute(self, real, synthetic, **more):
        return [Score(self.name, 1.0, ("customer",), details={"table": "orders"})]


FAULTS = [
    (GivesNan, "scores_are_sound"),
    (GivesNoReason, "scores_are_sound"),
    (SpeaksOfNoTable, "scores_are_sound"),
    (SpeaksOfOtherColumns, "scores_are_sound"),
    (NeverIdeal, "finds_the_same_distribution_ideal"),
    (MeasuresByChance, "gives_the_same_scores_again"),
]


@pytest.mark.parametrize(("metric", "check"), FAULTS)
def test_a_fault_is_found(metric, check, tmp_path):
    checks = {c.name: c for c in checks_for("metrics", metric())}
    with pytest.raises(NotConformant):
        checks[check].run(tmp_path)


def test_a_sound_metric_passes(tmp_path):
    for check in [*checks_for("metrics", Faulty()), *checks_for("metrics", Cardinality())]:
        check.run(tmp_path)
