import duckdb
import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.core.schema import ColumnSpec
from simulacra.metrics.columns import leaves
from simulacra.metrics.queries import Ranked, holds
from simulacra.metrics.query_error import QUERIES, QueryError

COLUMNS = ["origin", "hour", "temp", "dewp", "pressure", "time_hour"]


def error_of(*tables, **options):
    (score,) = measure(QueryError(), *tables, **options)
    return score


@pytest.fixture(scope="module")
def weather():
    return halves(shipped("weather", COLUMNS), rows=6_000)


def ranked_of(*tables):
    spec = spec_of(tables[0])
    return Ranked.of(leaves(spec, tables[0]), tables)


def test_a_database_counts_the_same_rows(weather):
    real, other = weather
    ranked = ranked_of(real, other)
    tables = {"real": real, "other": other}
    connection = duckdb.connect()
    for name, table in tables.items():
        connection.register(name, table)
    numbers = ["hour", "temp", "dewp", "pressure", "time_hour"]
    known = {
        name: np.unique(np.concatenate([t[name].drop_null().to_numpy() for t in tables.values()]))
        for name in numbers
    }
    seen = set()
    for query in ranked.draw(40, np.random.default_rng(1)):
        for place, name in enumerate(tables):
            clauses, values = [], []
            for predicate in query:
                column = ranked.names[predicate.column]
                seen.add(column)
                if column == "origin":
                    # A code is a value: any row that has it tells which.
                    row = np.flatnonzero(ranked.ranks[0][predicate.column] == predicate.low)[0]
                    clauses.append("origin = ?")
                    values.append(real["origin"][int(row)].as_py())
                elif predicate.low < 0:
                    clauses.append(f"{column} IS NULL")
                else:
                    clauses.append(f"{column} BETWEEN ? AND ?")
                    bounds = known[column][[predicate.low, predicate.high]]
                    values += [bound.item() if column != "time_hour" else bound for bound in bounds]
            values = [pa.scalar(v).as_py() if isinstance(v, np.datetime64) else v for v in values]
            sql = f"SELECT count(*) FROM {name} WHERE {' AND '.join(clauses)}"
            (count,) = connection.execute(sql, values).fetchone()
            assert holds(ranked.ranks[place], query).sum() == count
    assert seen == set(COLUMNS)


def test_every_query_finds_the_row_it_is_about_and_asks_one_to_three_things(weather):
    ranked = ranked_of(weather[0])
    queries = ranked.draw(300, np.random.default_rng(2))
    for query in queries:
        assert holds(ranked.ranks[0], query).any()
        columns = [predicate.column for predicate in query]
        assert len(set(columns)) == len(columns)
    sizes = np.bincount([len(query) for query in queries], minlength=4)
    assert sizes[0] == 0
    assert sizes[1:].min() > 70


def test_a_second_sample_scores_the_floor_and_columns_drawn_apart_do_not(weather):
    real, holdout = weather
    score = error_of(real, real, holdout=holdout)
    assert score.value == score.floor
    assert 0.0 < score.value < 0.15
    low, high = score.interval
    assert low < score.value < high
    apart = error_of(real, drawn_apart(real), holdout=holdout)
    assert apart.value > 2 * apart.floor
    one, two, three = apart.details["by_predicates"]
    assert one["error"] == pytest.approx(one["floor"], abs=0.05)
    assert one["error"] < two["error"] < three["error"]
    assert sum(part["queries"] for part in (one, two, three)) == QUERIES


def test_errors_are_known_where_a_value_is_missing():
    real = pa.table({"c": np.repeat(["a", "b"], 500)})
    score = error_of(real, real.slice(0, 500))
    # Queries for "a" count twice as many rows, those for "b" none: both are wrong by all of it.
    assert score.value == 1.0
    assert score.details["absolute"] == 0.5
    assert score.details["median"] == 1.0
    assert error_of(real, real).value == 0.0


def test_rare_values_are_divided_by_the_bound():
    real = pa.table({"n": [f"n{i}" for i in range(2_000)]})
    score = error_of(real, real.slice(0, 1_000))
    # A row of 2,000 is none or two: an error of one row, of ten at least.
    assert score.details["bound"] == 10
    assert score.value == pytest.approx(0.1)


def test_the_interval_covers_what_other_samples_score(weather):
    everything = shipped("weather", COLUMNS)
    real, holdout = weather
    wide = error_of(real, drawn_apart(real), holdout=holdout)
    others = [
        error_of(real, drawn_apart(real, seed=seed), holdout=halves(everything, 6_000, seed)[1])
        for seed in range(5, 11)
    ]
    spread = np.std([score.value for score in others], ddof=1)
    low, high = wide.interval
    assert 0.3 * spread < (high - low) / (2 * 1.96) < 4 * spread


def test_nulls_text_and_nothing_at_all_are_asked_for():
    real = pa.table({"t": ["a", "bb", None, "ccc"] * 50, "x": [1.0, None, np.nan, 2.0] * 50})
    spec = spec_of(real, t="text")
    score = error_of(real, real, table=spec)
    assert score.value == 0.0
    none = error_of(real.slice(0, 0), real)
    assert none.details["why"] == "there are no real rows"
    keys = pa.table({"k": ["a", "b"]})
    identifier = ColumnSpec(type="identifier", arrow="string")
    left = error_of(keys, keys, table=spec_of(keys, k=identifier))
    assert left.details["why"] == "no column can be compared"


def test_no_value_of_a_row_is_told(weather):
    real = weather[0].append_column("who", pa.array([f"Zaphod {i}" for i in range(6_000)]))
    assert "Zaphod" not in repr(error_of(real, real))


def test_ranks_are_the_same_in_all_tables():
    one, other = pa.table({"x": [3.0, 1.0, None]}), pa.table({"x": [2.0, 3.0]})
    ranked = ranked_of(one, other)
    assert [side.tolist() for side in ranked.ranks] == [[[2, 0, -1]], [[1, 2]]]
    assert ranked.ranges == [True]
