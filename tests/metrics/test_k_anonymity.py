import duckdb
import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import measure, shipped, spec_of
from simulacra.core.errors import SpecError, UsageError
from simulacra.metrics.privacy.k_anonymity import KAnonymity

COLUMNS = ["origin", "month", "hour", "wind_dir", "visib", "precip"]


def scores(*tables, **options):
    return {score.metric: score for score in measure(KAnonymity(), *tables, **options)}


@pytest.fixture(scope="module")
def weather():
    table = shipped("weather", COLUMNS)
    order = np.random.default_rng(2).permutation(table.num_rows)
    return [table.take(order[i * 3_000 : (i + 1) * 3_000]) for i in range(3)]


@pytest.mark.parametrize("known", [["origin"], ["origin", "hour"], ["month", "wind_dir", "visib"]])
def test_groups_are_those_of_sql(weather, known):
    real, holdout, synthetic = weather
    found = scores(real, synthetic, holdout=holdout, quasi_identifiers=known)
    database = duckdb.connect()
    for name, table in (("real", real), ("holdout", holdout), ("made", synthetic)):
        database.register(name, table)
    by = ", ".join(known)

    def one(query):
        return database.execute(query).fetchone()[0]

    sizes = f"SELECT count(*) AS n FROM made GROUP BY {by}"
    assert found["k_anonymity"].value == one(f"SELECT min(n) FROM ({sizes})")
    assert found["k_anonymity"].details["groups"] == one(f"SELECT count(*) FROM ({sizes})")
    small = one(f"SELECT coalesce(sum(n) FILTER (n < 5), 0) / sum(n) FROM ({sizes})")
    assert found["k_anonymity"].details["rows_in_groups_below_5"] == pytest.approx(small)
    others = [name for name in COLUMNS if name not in known]
    # count(DISTINCT) passes nulls over: they are a value here.
    least = {
        name: one(
            f"SELECT min(n) FROM (SELECT count(DISTINCT coalesce(CAST({name} AS VARCHAR), '-'))"
            f" AS n FROM made GROUP BY {by})"
        )
        for name in others
    }
    assert found["l_diversity"].details["columns"] == least
    assert found["l_diversity"].value == min(least.values())
    same = " AND ".join(f"a.{name} IS NOT DISTINCT FROM b.{name}" for name in known)
    for side, share in (
        ("real", found["unique_matches"].value),
        ("holdout", found["unique_matches"].floor),
    ):
        alone = (
            f"(SELECT {by} FROM {side} GROUP BY {by} HAVING count(*) = 1) a JOIN "
            f"(SELECT {by} FROM made GROUP BY {by} HAVING count(*) = 1) b ON {same}"
        )
        assert share == pytest.approx(one(f"SELECT count(*) FROM {alone}") / 3_000)


def test_copies_match_their_people(weather):
    real, holdout, fresh = weather
    known = ["origin", "month", "hour", "wind_dir"]
    values = []
    for copied in (0, 600, 1_500, 3_000):
        synthetic = pa.concat_tables([real.slice(0, copied), fresh.slice(copied)])
        found = scores(real, synthetic, holdout=holdout, quasi_identifiers=known)["unique_matches"]
        values.append(found.value)
        verdict = "Leak" if copied else "No leak found"
        assert found.details["verdict"].startswith(verdict)
    assert values == sorted(values)
    # All are copied: who is alone among real rows is alone among synthetic ones.
    everyone = scores(real, real, holdout=holdout, quasi_identifiers=known)["unique_matches"]
    assert values[-1] == everyone.value > 5 * found.floor


def test_l_diversity_is_about_the_sensitive_columns(weather):
    real, _, synthetic = weather
    found = scores(real, synthetic, quasi_identifiers="origin", sensitive=["month"])["l_diversity"]
    assert found.value == 12
    assert found.details["columns"] == {"month": 12}
    every = scores(real, synthetic, quasi_identifiers=COLUMNS)["l_diversity"]
    assert "no column besides" in every.details["why"]


def test_quasi_identifiers_must_be_named_and_there(weather):
    real, _, synthetic = weather
    with pytest.raises(UsageError, match="needs quasi-identifiers"):
        scores(real, synthetic)
    with pytest.raises(SpecError, match=r"no such quasi-identifier.*Choose from origin, month"):
        scores(real, synthetic, quasi_identifiers=["orgin"])
    keys = pa.table({"id": np.arange(20), "x": np.arange(20)})
    with pytest.raises(SpecError, match="id: there is no such quasi-identifier"):
        scores(keys, keys, table=spec_of(keys, primary_key=["id"]), quasi_identifiers=["id"])
