"""Formulae, dependencies, flags and null patterns are found where they are no accident."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from rules.tables import Applied, decoded, found, spec_of, told
from simulacra.core.random import RngKey
from simulacra.rules.discovery import search

ROWS = 4_000


def formulas(table: pa.Table) -> dict[object, object]:
    return {
        r.options["column"]: r.options["expression"] for r in found(table) if r.rule == "formula"
    }


def _money(cents: np.ndarray, kind: pa.DataType) -> pa.Array:
    if pa.types.is_decimal(kind):
        return pa.array([Decimal(int(c)) / 100 for c in cents], kind)
    return pa.array(cents / 100).cast(kind)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.decimal128(18, 2)], ids=str)
def test_products_are_found_in_every_type(rng, kind):
    pieces = rng.integers(1, 40, ROWS)
    cents = rng.integers(100, 9_999, ROWS)
    price, total = (_money(v, kind) for v in (cents, cents * pieces))
    table = pa.table({"pieces": pieces, "price": price, "total": total})
    assert formulas(table) == {"total": '"pieces" * "price"'}


def test_rounded_products_sums_of_three_and_ratios_are_found(rng):
    cents, percent = rng.integers(100, 10**6, ROWS), rng.integers(5, 30, ROWS)
    net, rate, tax = cents / 100, percent / 100, (cents * percent + 50) // 100
    parts = rng.integers(0, 500, (3, ROWS))
    table = pa.table(
        {
            "net": net,
            "rate": rate,
            "tax": tax / 100,
            "adults": parts[0],
            "children": parts[1],
            "babies": parts[2],
            "guests": parts.sum(axis=0),
        }
    )
    made = formulas(table)
    assert made.keys() == {"tax", "guests"}
    assert made["tax"] == 'round("net"::DECIMAL(18, 2) * "rate"::DECIMAL(18, 2), 2)'
    assert made["guests"] == '"adults" + "children" + "babies"'
    speed = pa.table(
        {"miles": net, "hours": 1 + parts[0], "speed": np.round(net / (1 + parts[0]), 1)}
    )
    assert '"miles" / "hours"' in str(formulas(speed)["speed"])


def test_numbers_that_only_move_together_are_no_formula(rng):
    a, b = rng.integers(1, 50, ROWS), rng.integers(1, 50, ROWS)
    off = a * b + rng.integers(-1, 2, ROWS)
    assert formulas(pa.table({"a": a, "b": b, "off": off})) == {}
    # An operand that is 1 in nearly every row says nothing.
    one = np.where(np.arange(ROWS) < 5, 2, 1)
    assert "near" not in formulas(pa.table({"a": a, "one": one, "x": b, "near": a * one}))


def test_a_product_with_a_column_of_the_parent_is_found(rng):
    price = rng.integers(1, 900, 200)
    item = rng.integers(0, 200, ROWS)
    pieces = rng.integers(1, 9, ROWS)
    table = pa.table({"pieces": pieces, "total": price[item] * pieces, "^item.price": price[item]})
    rules = found(table)
    assert told(rules) == [
        {"rule": "formula", "column": "total", "expression": '"pieces" * "^item.price"'}
    ]
    assert decoded(table, rules).equals(table) or Applied(table, rules).drawn().num_rows == ROWS


def test_the_city_of_a_postcode_is_found_with_its_country(rng):
    code = rng.integers(0, 60, ROWS)
    city, country = code // 3, code // 20
    table = pa.table(
        {
            "postcode": np.array([f"p{c}" for c in code]),
            "city": np.array([f"c{c}" for c in city]),
            "country": np.array([f"l{c}" for c in country]),
            "other": np.array([f"o{c}" for c in rng.integers(0, 9, ROWS)]),
        }
    )
    rules = found(table)
    assert {rule["column"]: rule["of"] for rule in told(rules)} == {
        "city": ["postcode"],
        "country": ["city"],
    } or {rule["column"]: rule["of"] for rule in told(rules)} == {
        "city": ["postcode"],
        "country": ["postcode"],
    }
    applied = Applied(table, rules)
    drawn = applied.drawn()
    seen = set(zip(*(table[n].to_pylist() for n in ("postcode", "city", "country")), strict=True))
    assert (
        set(zip(*(drawn[n].to_pylist() for n in ("postcode", "city", "country")), strict=True))
        <= seen
    )


def test_what_two_categories_determine_is_found(rng):
    brand, size = rng.integers(0, 12, ROWS), rng.integers(0, 8, ROWS)
    price = rng.integers(10, 500, (12, 8))[brand, size]
    table = pa.table(
        {
            "brand": np.array([f"b{b}" for b in brand]),
            "size": np.array([f"s{s}" for s in size]),
            "price": price,
        }
    )
    assert told(found(table)) == [
        {"rule": "dependency", "column": "price", "of": ["brand", "size"]}
    ]


def test_columns_that_tell_all_rows_apart_determine_nothing(rng):
    table = pa.table({"nearly_a_key": rng.permutation(ROWS), "kind": rng.choice(["a", "b"], ROWS)})
    assert found(table) == []
    rare = np.where(np.arange(ROWS) < 3, "x", "y")
    assert found(pa.table({"group": rng.choice(["a", "b", "c"], ROWS), "rare": rare})) == []


def test_exceptions_are_counted_and_suggested(rng):
    code = rng.integers(0, 50, ROWS)
    name = np.array([f"n{c // 2}" for c in code])
    wrong = rng.random(ROWS) < 0.005
    name[wrong] = "odd"
    table = pa.table({"code": code.astype(str), "name": name})
    findings = search(table, spec_of(table), rng=RngKey(0))
    assert findings.rules == []
    (maybe,) = findings.suggestions
    assert (maybe.options["column"], maybe.active) == ("name", False)
    assert maybe.evidence == f"{wrong.sum()} of 4,000 rows break it ({wrong.mean():.2%})"


@pytest.mark.parametrize("kind", [pa.bool_(), pa.int8(), pa.float64()], ids=str)
def test_flags_of_which_one_is_set_are_found(rng, kind):
    state = rng.integers(0, 4, ROWS)
    flags = {f"is_{n}": pa.array((state == n).astype(np.int8)).cast(kind) for n in range(4)}
    alone = pa.array(rng.integers(0, 2, ROWS).astype(np.int8)).cast(kind)
    rules = found(pa.table({"is_0": flags["is_0"], "alone": alone, **flags}))
    assert [rule for rule in told(rules) if rule["rule"] == "one_hot"] == [
        {"rule": "one_hot", "columns": ["is_0", "is_1", "is_2", "is_3"]}
    ]


def test_flags_of_which_none_may_be_set_are_left_alone(rng):
    state = rng.integers(0, 4, ROWS)
    table = pa.table({f"is_{n}": (state == n).astype(int) for n in range(3)})
    assert [rule for rule in found(table) if rule.rule == "one_hot"] == []


def test_null_patterns_are_found(rng):
    kind = rng.choice(["home", "hotel", "tent"], ROWS)
    none, later = kind == "tent", rng.random(ROWS) < 0.4
    table = pa.table(
        {
            "kind": kind,
            "stars": pa.array(rng.integers(1, 6, ROWS), mask=none),
            "came": pa.array(rng.integers(0, 10**6, ROWS), mask=later),
            "room": pa.array(rng.integers(0, 10**6, ROWS), mask=later),
            "left": pa.array(rng.integers(0, 10**6, ROWS), mask=later | (rng.random(ROWS) < 0.3)),
            "free": pa.array(rng.integers(0, 10**6, ROWS), mask=rng.random(ROWS) < 0.3),
        }
    )
    rules = [rule for rule in found(table) if rule.rule.startswith("null_")]
    together, left, stars = sorted(told(rules), key=str)
    assert together == {"rule": "null_together", "columns": ["came", "room"]}
    assert left == {"rule": "null_unless", "column": "left", "of": "came"}
    assert {**stars, "values": sorted(stars["values"])} == {
        "rule": "null_unless",
        "column": "stars",
        "of": "kind",
        "values": ["home", "hotel"],
        "required": True,
    }
    assert decoded(table, found(table)).equals(table)
    drawn = Applied(table, found(table)).drawn()
    assert drawn["came"].is_null().equals(drawn["room"].is_null())


def test_declared_rules_are_not_found_again(rng):
    state = rng.integers(0, 3, ROWS)
    table = pa.table({f"is_{n}": state == n for n in range(3)})
    (rule,) = found(table)
    again = search(table, spec_of(table), known=[rule], rng=RngKey(0))
    assert again.rules == []
    off = rule.model_copy(update={"active": False})
    assert search(table, spec_of(table), known=[off], rng=RngKey(0)).rules == []
