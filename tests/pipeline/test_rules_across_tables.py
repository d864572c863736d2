"""Rules that use the rows of parents: found by detect, kept as written, judged in a copy."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from pipeline.relations.business import business
from simulacra import Metadata, Synthesizer, evaluate

DAY = dt.timedelta(days=1)
PRICE = "^l_partkey,l_suppkey.^ps_partkey.p_retailprice"
ORDERED, REGION = "^l_orderkey.o_orderdate", "^l_orderkey.o_region"


def lines_with(tables, column, change, every):
    """Return the tables with some values of the lines changed, and how many."""
    values = tables["lineitem"][column].to_pylist()
    places = range(0, len(values), every)
    for place in places:
        values[place] = change(place)
    table = tables["lineitem"]
    at = table.schema.get_field_index(column)
    changed = table.set_column(at, column, pa.array(values, table.schema.field(at).type))
    return {**tables, "lineitem": changed}, len(places)


@pytest.fixture(scope="module")
def real():
    return business()


@pytest.fixture(scope="module")
def found(real):
    return Metadata.detect(real)


def rules_of(metadata, table="lineitem"):
    return {(rule.rule, rule.options["column"]): rule for rule in metadata.tables[table].rules}


def test_detect_writes_what_lines_owe_to_orders_customers_and_parts(real, found, tmp_path):
    found.save(tmp_path / "spec.yaml")
    rules = rules_of(Metadata.load(tmp_path / "spec.yaml"))
    assert rules["formula", "l_extendedprice"].options["expression"] in {
        f'"l_quantity" * "{PRICE}"',
        f'round("l_quantity" * "{PRICE}", 2)',
    }
    order = rules["difference", "l_shipdate"]
    assert order.options == {"column": "l_shipdate", "minus": ORDERED, "order": ">"}
    rows = real["lineitem"].num_rows
    assert all(
        rule.active and rule.evidence == f"all {rows:,} rows looked at keep it"
        for rule in rules.values()
    )
    assert rules["equal", "l_region"].options["of"] == REGION


def test_what_few_rows_break_is_suggested_with_their_number(real):
    ordered = real["orders"].select(["o_orderkey", "o_orderdate"]).to_pydict()
    orders = dict(zip(*ordered.values(), strict=True))
    keys = real["lineitem"]["l_orderkey"].to_pylist()
    broken, late = lines_with(real, "l_shipdate", lambda place: orders[keys[place]] - DAY, 400)
    broken, other = lines_with(broken, "l_region", lambda _: "Nobody", 300)
    broken, priced = lines_with(broken, "l_extendedprice", lambda _: 1.25, 500)
    rows = real["lineitem"].num_rows
    maybe = {
        key: rule for key, rule in rules_of(Metadata.detect(broken)).items() if not rule.active
    }
    told = {key: rule.evidence for key, rule in maybe.items()}
    assert told == {
        (rule, column): f"{count} of {rows:,} rows break it ({count / rows:.2%})"
        for rule, column, count in (
            ("difference", "l_shipdate", late),
            ("equal", "l_region", other),
            ("formula", "l_extendedprice", priced),
        )
    }
    assert maybe["difference", "l_shipdate"].options["minus"] == ORDERED
    assert maybe["equal", "l_region"].options["of"] == REGION


def test_what_was_turned_off_is_neither_kept_nor_found_in_other_words(real, found):
    rules = found.tables["lineitem"].model_copy(deep=True).rules
    for rule in rules:
        rule.active = False
        if rule.rule == "formula":
            rule.options["expression"] = f'round("{PRICE}" * "l_quantity", 2)'
        if "order" in rule.options:
            rule.options["order"] = ">="
    changed = Metadata(found.spec.model_copy(deep=True))
    changed.tables["lineitem"].rules = rules
    learned = Synthesizer("independent").fit(real, changed)
    report = evaluate(real, learned.sample(), metadata=found, metrics=["rule_validity"])
    values = {
        score.details["options"]["column"]: score.value
        for score in report.tables["lineitem"].scores
    }
    assert values["l_extendedprice"] < 0.1
    assert values["l_shipdate"] < 1


def test_a_copy_breaks_no_rule_across_tables_and_what_does_is_counted(real, found):
    drawn = Synthesizer("independent", seed=2).fit(real, found).sample()
    rows = real["lineitem"].num_rows
    for metadata in (found, Metadata.detect(real, find_rules=False)):
        report = evaluate(real, drawn, metadata=metadata, metrics=["rule_validity"])
        scores = {
            score.details["options"]["column"]: score for score in report.tables["lineitem"].scores
        }
        assert {"l_extendedprice", "l_shipdate", "l_region"} <= scores.keys()
        for score in scores.values():
            assert (score.value, score.floor, score.details["broken"]) == (1.0, 1.0, 0)
            assert score.details["rows"] == drawn["lineitem"].num_rows
    cheap, count = lines_with(real, "l_extendedprice", lambda _: 1.25, 7)
    report = evaluate(real, cheap, metadata=found, metrics=["rule_validity"])
    (price,) = [s for s in report.tables["lineitem"].scores if s.details["rule"] == "formula"]
    assert price.details["broken"] == count
    assert price.value == pytest.approx(1 - count / rows)


def test_pairs_of_a_bridge_are_unique_and_carry_their_parents_columns():
    rng = np.random.default_rng(5)
    shops, goods = 150, 30
    cities = np.array([f"City {n}" for n in rng.integers(0, 25, shops)])
    opened = rng.integers(10_000, 15_000, shops)
    pairs = rng.permutation(shops * goods)[:900]
    shop, good = pairs // goods, pairs % goods
    days = opened[shop] + rng.integers(0, 600, 900)
    real = {
        "shops": pa.table({"shop_id": np.arange(shops), "city": cities, "opened": days_of(opened)}),
        "goods": pa.table({"good_id": np.arange(goods), "weight": rng.normal(5, 1, goods)}),
        "offers": pa.table(
            {"shop_id": shop, "good_id": good, "city": cities[shop], "since": days_of(days)}
        ),
    }
    found = Metadata.detect(real)
    assert sorted(found.tables["offers"].primary_key) == ["good_id", "shop_id"]
    assert {key.parent for key in found.tables["offers"].foreign_keys} == {"shops", "goods"}
    carried = rules_of(found, "offers")["equal", "city"]
    assert (carried.options["of"], carried.active) == ("^shop_id.city", True)
    drawn = Synthesizer("independent", seed=1).fit(real, found).sample()
    offers = drawn["offers"]
    assert offers.num_rows == 900
    pairs = zip(offers["shop_id"].to_pylist(), offers["good_id"].to_pylist(), strict=True)
    assert len(set(pairs)) == 900
    metrics = ["rule_validity", "key_validity"]
    report = evaluate(real, drawn, metadata=found, metrics=metrics)
    judged = {s.details["what"]: s for s in report.tables["offers"].scores}
    assert {"equal: column city, of ^shop_id.city"} <= judged.keys()
    assert any(what.startswith("difference: column since") for what in judged)
    assert all(score.details["broken"] == 0 for score in judged.values())
    keys = [s for s in report.relations.scores if s.metric == "key_validity"]
    assert keys
    assert all(score.value == 1.0 for score in keys)


def days_of(numbers):
    return pa.array(numbers, pa.int32()).cast(pa.date32())
