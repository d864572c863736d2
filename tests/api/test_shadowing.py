import pytest

from metrics.samples import halves, measure, shipped, spec_of
from simulacra import Metadata
from simulacra.api.shadowing import generator
from simulacra.core.errors import PluginError, UsageError
from simulacra.core.schema import DatasetSpec
from simulacra.metrics.privacy.shadow_membership import ShadowMembership

COLUMNS = ["origin", "temp", "humid", "wind_speed"]


def test_generators_learn_and_draw_by_seed():
    table = shipped("weather", COLUMNS).slice(0, 500)
    generate = generator("independent")
    one, again, other = (generate(table, 200, seed) for seed in (1, 1, 2))
    assert one.schema.equals(table.schema)
    assert one.num_rows == 200
    assert one.equals(again)
    assert not one.equals(other)


def test_shadow_models_of_our_own_attack_our_own_rows():
    real, holdout = halves(shipped("weather", COLUMNS), rows=400)
    metadata = Metadata(DatasetSpec(tables={"weather": spec_of(real)}))
    generate = generator("independent", metadata=metadata)
    synthetic = generate(real, 400, 7)
    auc, hits, _ = measure(
        ShadowMembership(), real, synthetic, holdout=holdout, generator=generate, shadows=3
    )
    # Columns drawn one by one tell nobody: 400 people of each kind, four standard errors.
    assert abs(auc.value - 0.5) < 4 * (801 / (12 * 400**2)) ** 0.5
    assert hits.value is not None


def test_what_is_wrong_is_said_at_once():
    with pytest.raises(PluginError):
        generator("no such model")
    with pytest.raises(UsageError):
        generator("forest", no_such_option=1)
