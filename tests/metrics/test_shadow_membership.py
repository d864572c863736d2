import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import drawn_apart, measure, shipped
from simulacra.core.errors import SpecError, UsageError
from simulacra.metrics.privacy.shadow_membership import ShadowMembership

COLUMNS = ["origin", "temp", "humid", "wind_speed", "pressure"]
ROWS = 1_200


@pytest.fixture(scope="module")
def people():
    table = shipped("weather", COLUMNS).drop_null()
    order = np.random.default_rng(2).permutation(table.num_rows)
    return [table.take(order[i * ROWS : (i + 1) * ROWS]) for i in range(2)]


def attacked(real, holdout, generator, **options):
    synthetic = generator(real, real.num_rows, 99)
    found = measure(
        ShadowMembership(), real, synthetic, holdout=holdout, generator=generator, **options
    )
    return {score.metric.removeprefix("shadow_membership"): score for score in found}


def copying(share):
    """Return a generator that copies a share of what it learns, and blurs the rest a lot."""

    def generate(learned, rows, seed):
        generator = np.random.default_rng(seed)
        copied = learned.take(generator.permutation(learned.num_rows)[: int(share * rows)])
        rest = drawn_apart(learned, rows - copied.num_rows, seed)
        return pa.concat_tables([copied, rest])

    return generate


def test_a_generator_that_knows_nobody_gives_nobody_away(people):
    auc = attacked(*people, drawn_apart, shadows=6)[""]
    # 1,000 people of each kind.
    assert abs(auc.value - 0.5) < 4 * np.sqrt((2 * 1_000 + 1) / (12 * 1_000**2))
    assert auc.details["verdict"].startswith("No leak found")
    assert auc.details["people_a_side"] == 1_000


def test_the_more_a_generator_copies_the_better_members_are_told(people):
    found = [attacked(*people, copying(share), shadows=6) for share in (0.1, 0.3, 0.8)]
    for suffix in ("", "_hits_at_1_percent"):
        values = [scores[suffix].value for scores in found]
        assert values == sorted(values)
        assert all(s[suffix].details["verdict"].startswith("Leak") for s in found)
    # Who is copied stands above all others: as many as are copied are found.
    assert found[1]["_hits_at_1_percent"].value == pytest.approx(0.3, abs=0.08)
    assert found[1][""].value == pytest.approx(0.5 + 0.3 / 2, abs=0.05)


def test_unusual_people_are_attacked_first(people):
    real, holdout = people
    seen = []

    def generator(learned, rows, seed):
        seen.append((learned.num_rows, rows))
        return drawn_apart(learned, rows, seed)

    found = attacked(real.slice(0, 500), holdout.slice(0, 400), generator, shadows=3)
    # The rows to judge, then three shadows; each learns half of as many real as held-out rows.
    assert seen == [(500, 500), (400, 500), (400, 500), (400, 500)]
    assert found[""].details["people_a_side"] == 400


def test_the_generator_is_told_another_seed_each_time(people):
    seeds = []

    def generator(learned, rows, seed):
        seeds.append(seed)
        return drawn_apart(learned, rows, seed)

    small = [side.slice(0, 100) for side in people]
    first = attacked(*small, generator, shadows=4)
    assert len(set(seeds)) == 5
    assert attacked(*small, generator, shadows=4) == first


def test_generators_that_are_missing_or_wrong_are_refused(people):
    real, holdout = people
    with pytest.raises(UsageError, match="needs a generator"):
        measure(ShadowMembership(), real, real, holdout=holdout)
    with pytest.raises(UsageError, match="1 shadow models"):
        attacked(real, holdout, drawn_apart, shadows=1)

    def lacking(learned, rows, seed):
        return drawn_apart(learned, rows, seed).drop_columns(["temp"])

    with pytest.raises(SpecError, match="temp: the generator's rows lack the column"):
        measure(ShadowMembership(), real, real, holdout=holdout, generator=lacking)

    def other(learned, rows, _):
        return pa.table({name: ["text"] * rows for name in learned.column_names})

    with pytest.raises(SpecError, match="have other types"):
        measure(ShadowMembership(), real, real, holdout=holdout, generator=other)
