"""Columns that the rows of a child table add up to."""

from __future__ import annotations

import math
import sqlite3
from decimal import Decimal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_data import real_data
from simulacra import Metadata, Synthesizer, evaluate
from simulacra.core.context import RunContext
from simulacra.core.errors import LimitError, SpecError, UsageError
from simulacra.core.limits import Limits
from simulacra.pipeline.journal import Journal
from simulacra.pipeline.relations.gathering import Gathered
from simulacra.rules.relatives import Take

TOTAL = {"column": "total", "of": "lines", "expression": "price * pieces"}
SPENT = {"column": "spent", "of": "orders", "expression": "total"}


def rule(name, **options):
    return {"rule": name, "options": options}


@pytest.fixture(scope="module")
def real():
    """Customers, their orders, and the orders' lines: each level adds up to the one above."""
    rng = np.random.default_rng(0)
    buyer = np.sort(rng.integers(0, 120, 300))
    order = np.repeat(np.arange(300), rng.poisson(2.0, 300))
    price, pieces = rng.integers(1, 400, len(order)) / 4, rng.integers(1, 9, len(order))
    day = rng.integers(0, 1_000, len(order)).astype(np.int32)
    total = np.bincount(order, price * pieces, 300)
    freight = rng.integers(0, 20, 300) / 2
    last = np.full(300, -1, np.int32)
    np.maximum.at(last, order, day)
    return {
        "customers": pa.table(
            {"id": np.arange(120), "spent": np.bincount(buyer, total, 120).round(2)}
        ),
        "orders": pa.table(
            {
                "id": np.arange(300),
                "customer_id": buyer,
                "freight": freight,
                "total": total,
                "to_pay": total + freight,
                "lines": np.bincount(order, minlength=300),
                "last": pa.array(last, pa.int32(), mask=last < 0).cast(pa.date32()),
            }
        ),
        "lines": pa.table(
            {
                "order_id": order,
                "price": price,
                "pieces": pieces,
                "sent": pa.array(day).cast(pa.date32()),
            }
        ),
    }


def spec(real, **rules):
    found = Metadata.detect(real, find_rules=False)
    for table, declared in rules.items():
        found.update(table, rules=declared)
    return found


@pytest.fixture(scope="module")
def metadata(real):
    return spec(
        real,
        customers=[rule("aggregate", **SPENT)],
        orders=[
            rule("formula", column="to_pay", expression="total + freight"),
            rule("aggregate", **TOTAL),
            rule("aggregate", column="lines", of="lines", take="count"),
            rule("aggregate", column="last", of="lines", take="max", expression="sent"),
        ],
    )


@pytest.fixture(scope="module")
def synthesizer(real, metadata, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "shop.sim"
    Synthesizer("independent", seed=3).fit(real, metadata).save(path)
    return Synthesizer.load(path)


@pytest.fixture(scope="module")
def copy(synthesizer):
    return synthesizer.sample()


def broken(tables):
    """Return how many rows have another total, sum to pay, number of lines, last day and spent."""
    query = """
        WITH sums AS (SELECT order_id, sum(price * pieces) AS total, count(*) AS lines,
                             max(sent) AS last FROM lines GROUP BY 1),
        spent AS (SELECT customer_id, sum(total) AS spent FROM orders GROUP BY 1)
        SELECT count_if(abs(o.total - coalesce(s.total, 0)) > 1e-6),
               count_if(abs(o.to_pay - o.total - o.freight) > 1e-6),
               count_if(o.lines <> coalesce(s.lines, 0)),
               count_if(o.last IS DISTINCT FROM s.last),
               (SELECT count_if(abs(c.spent - coalesce(p.spent, 0)) > 1e-6)
                FROM customers c LEFT JOIN spent p ON p.customer_id = c.id)
        FROM orders o LEFT JOIN sums s ON s.order_id = o.id
    """
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.execute(query).fetchone()


def test_children_add_up_to_their_parents_and_what_follows_from_that_too(real, copy):
    assert broken(real) == (0,) * 5
    assert broken(copy) == (0,) * 5
    assert copy["orders"].num_rows == 300
    assert copy["orders"].schema.equals(real["orders"].schema)
    assert len(set(copy["orders"]["total"].to_pylist())) > 100


def test_rows_are_the_same_whatever_the_threads_and_for_one_table_alone(synthesizer, copy):
    alone = pa.Table.from_batches(synthesizer.batches("customers"))
    assert alone.equals(copy["customers"])
    path = synthesizer.fitted
    drawn = path.draw_all(path.plan(None), seed=None, ctx=RunContext(Limits(threads=1)))
    for name, batches in drawn:
        assert pa.Table.from_batches(batches).equals(copy[name])


def test_a_run_that_stopped_goes_on_to_the_same_rows(synthesizer, copy, tmp_path):
    fitted = synthesizer.fitted
    stopped = Journal(tmp_path / "j")
    with pytest.raises(KeyboardInterrupt), stopped.opened():
        run = fitted.draw_all(fitted.plan(None), seed=None, ctx=RunContext(), journal=stopped)
        name, batches = next(run)
        assert name == "lines"
        assert pa.Table.from_batches(batches).equals(copy[name])
        raise KeyboardInterrupt
    journal = Journal(tmp_path / "j")
    with journal.opened():
        assert journal.holds_work()
        run = fitted.draw_all(fitted.plan(None), seed=None, ctx=RunContext(), journal=journal)
        for name, batches in run:
            assert pa.Table.from_batches(batches).equals(copy[name])


def test_an_evaluation_counts_rows_that_break_it(real, copy, metadata):
    total = copy["orders"]["total"]
    off = pa.array(np.where(np.arange(len(total)) < 7, 1.0, 0.0))
    place = copy["orders"].schema.get_field_index("total")
    wrong = copy["orders"].set_column(place, "total", pc.add(total, off))
    for orders, expected in ((copy["orders"], 0), (wrong, 7)):
        report = evaluate(
            real, {**copy, "orders": orders}, metadata=metadata, metrics=["rule_validity"]
        )
        scores = {s.details["what"]: s for s in report.tables["orders"].scores}
        (score,) = (s for what, s in scores.items() if "price * pieces" in what)
        assert score.details["broken"] == expected
        assert score.details["rows"] == 300


@pytest.mark.parametrize(
    ("table", "rules", "message"),
    [
        ("orders", [rule("aggregate", **TOTAL | {"expression": "price"})], r"of 300 rows are not"),
        ("orders", [rule("aggregate", **TOTAL | {"of": "parts"})], "there is no table 'parts'"),
        ("orders", [rule("aggregate", **TOTAL | {"key": ["price"]})], "no such foreign keys"),
        ("lines", [rule("aggregate", **TOTAL | {"column": "price"})], "no such foreign keys"),
        (
            "orders",
            [rule("aggregate", **TOTAL), rule("bounds", column="total", most=100_000)],
            r"bounds column=total, most=100000 and lines\.sum\(price \* pieces\) contradict",
        ),
        (
            "orders",
            [
                rule("aggregate", **TOTAL),
                rule("formula", column="total", expression="to_pay - freight"),
            ],
            r"formula column=total.* and lines\.sum\(price \* pieces\) contradict",
        ),
        (
            "orders",
            [rule("aggregate", **TOTAL), rule("custom", expression="total < 1e6")],
            r"custom expression=total < 1e6 and lines\.sum\(price \* pieces\) contradict",
        ),
        (
            "orders",
            [
                rule("aggregate", **TOTAL),
                rule("aggregate", **TOTAL | {"expression": "pieces * price"}),
            ],
            "two rules work out one column",
        ),
    ],
)
def test_what_can_not_be_kept_is_refused(real, table, rules, message):
    with pytest.raises(SpecError, match=message):
        Synthesizer("independent").fit(real, spec(real, **{table: rules}))


def test_a_child_may_not_use_what_its_own_rows_decide(real):
    lines = real["lines"].append_column(
        "of_total", real["orders"]["total"].take(real["lines"]["order_id"])
    )
    tables = {**real, "lines": lines}
    rules = {
        "orders": [rule("aggregate", **TOTAL)],
        "lines": [rule("equal", column="of_total", of="^order_id.total")],
    }
    with pytest.raises(SpecError, match=r"the rule equal uses \^order_id\.total"):
        Synthesizer("independent").fit(tables, spec(tables, **rules))


def test_values_worked_out_later_can_not_be_given(synthesizer):
    for column in ("total", "to_pay"):
        with pytest.raises(UsageError, match=rf"orders\.{column} can't be given"):
            synthesizer.sample(given={"orders": {column: 4.0}})
    drawn = synthesizer.sample(given={"orders": {"freight": 2.5}})
    assert set(drawn["orders"]["freight"].to_pylist()) == {2.5}
    assert broken(drawn) == (0,) * 5


def test_a_rule_nobody_declared_gives_way(real):
    declared = spec(
        real, orders=[rule("aggregate", **TOTAL | {"expression": "price"}) | {"evidence": "x"}]
    )
    drawn = Synthesizer("independent").fit(real, declared).sample()
    assert drawn["orders"].num_rows == 300


def test_chinook_invoices_add_up_in_sqlite(tmp_path):
    with sqlite3.connect(f"file:{real_data('chinook.sqlite')}?mode=ro", uri=True) as connection:
        real = {
            "Invoice": read(connection, "InvoiceId", "BillingCountry", "Total", table="Invoice"),
            "InvoiceLine": read(
                connection,
                "InvoiceLineId",
                "InvoiceId",
                "UnitPrice",
                "Quantity",
                table="InvoiceLine",
            ),
        }
    price = '"UnitPrice" * "Quantity"'
    total = rule("aggregate", column="Total", of="InvoiceLine", expression=price)
    made = tmp_path / "made.sqlite"
    Synthesizer("independent", seed=1).fit(real, spec(real, Invoice=[total])).write(
        f"sqlite:///{made}"
    )
    query = """
        SELECT count(*), sum(abs(i.Total - l.total) > 1e-9), min(i.Total)
        FROM Invoice i JOIN (SELECT InvoiceId, sum(UnitPrice * Quantity) AS total
                             FROM InvoiceLine GROUP BY 1) l ON l.InvoiceId = i.InvoiceId
    """
    with sqlite3.connect(made) as connection:
        rows, wrong, least = connection.execute(query).fetchone()
    assert (rows, wrong) == (412, 0)
    assert least >= 0.99


def read(connection, *columns, table):
    rows = connection.execute(f'SELECT {", ".join(columns)} FROM "{table}"').fetchall()
    return pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True)))


CENTS = st.decimals(-1000, 1000, places=2)
VALUES = st.one_of(
    st.lists(st.tuples(st.integers(-1, 3), st.none() | st.integers(-100, 100))),
    st.lists(st.tuples(st.integers(-1, 3), st.none() | CENTS)),
)


@given(VALUES, st.sampled_from(Take), st.integers(1, 3))
def test_what_is_gathered_is_what_python_makes_of_it(children, take, parts):
    kind = (
        pa.decimal128(9, 2)
        if any(isinstance(value, Decimal) for _, value in children)
        else pa.int64()
    )
    gathered = Gathered(take, 4, "here")
    for part in range(parts):
        some = children[part::parts]
        rows = np.array([row for row, _ in some], np.int32)
        gathered.add(rows, pa.array([value for _, value in some], kind))
    make = {
        Take.SUM: sum,
        Take.COUNT: len,
        Take.LEAST: min,
        Take.MOST: max,
        Take.MEAN: lambda values: float(sum(values)) / len(values),
    }[take]
    for row, found in enumerate(gathered.values().to_pylist()):
        values = [value for parent, value in children if parent == row and value is not None]
        if not values:
            assert found == (0 if take is Take.COUNT else None)
        elif take is Take.MEAN:
            assert math.isclose(found, make(values), rel_tol=1e-12, abs_tol=1e-12)
        else:
            assert found == make(values)


def test_what_can_not_be_added_up_is_refused():
    with pytest.raises(SpecError, match="the sum of string can't be worked out"):
        Gathered(Take.SUM, 1, "here").add(np.zeros(1, np.int32), pa.array(["a"]))
    with pytest.raises(LimitError, match="too great"):
        Gathered(Take.SUM, 1, "here").add(np.zeros(2, np.int32), pa.array([2**62, 2**62]))
