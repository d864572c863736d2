"""Rules of a table that is learned: kept, refused where they contradict, drawn again where rare."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from simulacra import Metadata, Synthesizer
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError, UsageError
from simulacra.core.limits import Limits
from simulacra.core.progress import SilentProgress

ROWS = 2_000


class Notes(SilentProgress):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def note(self, text: str) -> None:
        self.told.append(text)


@pytest.fixture(scope="module")
def goods() -> pa.Table:
    """Goods: of kind "gift" the price is 0."""
    rng = np.random.default_rng(0)
    kind = rng.choice(["gift", "book", "toy"], ROWS)
    price = np.where(kind == "gift", 0, rng.integers(1, 400, ROWS)) / 4
    pieces = rng.integers(1, 9, ROWS)
    low = rng.integers(0, 50, ROWS)
    return pa.table(
        {
            "kind": kind,
            "price": price,
            "pieces": pieces,
            "total": price * pieces,
            "low": low,
            "high": low + rng.integers(0, 90, ROWS),
        }
    )


def with_rules(table: pa.Table, *rules: dict[str, object]) -> Metadata:
    found = Metadata.detect(table, find_rules=False)
    return found.update(next(iter(found.tables)), rules=list(rules))


def custom(expression: str) -> dict[str, object]:
    return {"rule": "custom", "options": {"expression": expression}}


@pytest.mark.parametrize("model", ["independent", "forest"])
def test_a_custom_rule_is_kept_and_what_is_drawn_again_is_told(goods, model):
    notes = Notes()
    rules = with_rules(goods, custom("(kind = 'gift') = (price = 0)"))
    learned = Synthesizer(model, ctx=RunContext(progress=notes)).fit(goods, rules)
    drawn = learned.sample(3_000)
    gift = pc.equal(drawn["kind"], "gift")
    assert drawn.num_rows == 3_000
    assert pc.all(pc.equal(gift, pc.equal(drawn["price"], 0.0))).as_py()
    (told,) = [note for note in notes.told if "drawn again" in note]
    broke = int(told.split(": ")[1].split(" of ")[0].replace(",", ""))
    # Drawn apart, 1/3 × 2/3 of all break it each way: 4/9, give or take 5 standard deviations.
    expected = 3_000 * 4 / 9 if model == "independent" else 0
    assert abs(broke - expected) <= 5 * np.sqrt(3_000 * 4 / 9 * 5 / 9) or model == "forest"


def test_rows_drawn_again_do_not_depend_on_threads_and_are_as_the_real_ones(goods):
    far = goods.filter(pc.greater(pc.subtract(goods["high"], goods["low"]), 5))
    rules = with_rules(far, custom("high - low > 5"))
    one, two = (
        Synthesizer("independent", find_rules=False, ctx=RunContext(Limits(threads=threads)))
        .fit(far, rules)
        .sample(2_000)
        for threads in (1, 2)
    )
    assert one.equals(two)
    assert pc.min(pc.subtract(one["high"], one["low"])).as_py() > 5
    # Columns that the rule doesn't read keep their shares.
    share, real = (
        pc.mean(pc.equal(t["kind"], "toy").cast(pa.float64())).as_py() for t in (one, far)
    )
    assert abs(share - real) < 5 * np.sqrt(2 / 9 / 2_000)


def test_a_custom_rule_that_is_too_rare_is_refused_with_its_share(goods):
    paid = goods.filter(pc.greater(goods["price"], 0.0))
    some = paid.append_column("copy", paid["price"])
    rules = with_rules(some, custom("total = price * pieces AND copy = price AND low <= high"))
    learned = Synthesizer("independent", find_rules=False).fit(some, rules)
    with pytest.raises(UsageError, match=r"rows that keep the rules are too rare: .* \(0\.\d+%\)"):
        learned.sample(1)


def test_a_custom_rule_that_the_data_breaks_is_refused(goods):
    count = pc.sum(pc.greater(goods["price"], 50.0)).as_py()
    with pytest.raises(SpecError, match=rf"custom: {count:,} of 2,000 rows break price <= 50"):
        Synthesizer("independent").fit(goods, with_rules(goods, custom("price <= 50")))


@pytest.mark.parametrize(
    ("expression", "why"),
    [("price + 1", "gives double, neither true nor false"), ("1 = 1", "reads no column")],
)
def test_what_is_no_condition_is_refused(goods, expression, why):
    with pytest.raises(SpecError, match=why):
        Synthesizer("independent").fit(goods, with_rules(goods, custom(expression)))


def test_keys_are_made_later(goods):
    table = goods.append_column("id", pa.array(range(1, ROWS + 1)))
    rules = with_rules(table, custom("id > 0"))
    rules.update(next(iter(rules.tables)), primary_key=["id"])
    with pytest.raises(SpecError, match="reads id, a key"):
        Synthesizer("independent").fit(table, rules)


def test_a_function_is_kept_but_not_saved(goods, tmp_path):
    def cheap(rows: pa.RecordBatch) -> pa.BooleanArray:
        return pc.less_equal(rows["low"], rows["high"])

    learned = Synthesizer("independent", find_rules=False, checks=cheap).fit(goods)
    drawn = learned.sample(1_000)
    assert pc.all(pc.less_equal(drawn["low"], drawn["high"])).as_py()
    with pytest.raises(UsageError, match="cheap: a check that is a Python function can't be saved"):
        learned.save(tmp_path / "goods.sim")


def test_functions_that_make_no_sense_are_refused(goods, tmp_path):
    def none(rows: pa.RecordBatch) -> pa.BooleanArray:
        return pc.greater(rows["low"], 1_000)

    with pytest.raises(SpecError, match="2,000 of 2,000 rows break none"):
        Synthesizer("independent", checks=none).fit(goods)
    with pytest.raises(SpecError, match="it gives 1 values of int64 for 2,000 rows"):
        Synthesizer("independent", checks=lambda _: pa.array([1])).fit(goods)
    with pytest.raises(UsageError, match="there is no table 'bads' to check"):
        Synthesizer("independent", checks={"bads": none}).fit({"goods": goods})
    with pytest.raises(UsageError, match="one check is given for several tables"):
        Synthesizer("independent", checks=none).fit({"a": goods, "b": goods})
    with pytest.raises(UsageError, match="can't be kept to resume from"):
        Synthesizer("independent", checks=none).fit(goods, resume=tmp_path / "journal")


def test_rules_that_contradict_each_other_are_both_named(goods):
    some = goods.filter(pc.less_equal(goods["total"], 500.0))
    rules = with_rules(
        some,
        {"rule": "bounds", "options": {"column": "total", "least": 0, "most": 500}},
        {"rule": "formula", "options": {"column": "total", "expression": "price * pieces"}},
    )
    with pytest.raises(
        SpecError,
        match=r"the rules formula column=total, expression=price . pieces and bounds column=total, "
        "least=0, most=500 contradict each other: the latter makes",
    ):
        Synthesizer("independent").fit(some, rules)


def test_rules_that_the_data_keeps_together_are_kept_together(goods):
    rules = with_rules(
        goods,
        {"rule": "formula", "options": {"column": "total", "expression": "price * pieces"}},
        {"rule": "chain", "options": {"columns": ["low", "high"]}},
        {"rule": "increments", "options": {"column": "price", "by": 0.25}},
    )
    drawn = Synthesizer("independent").fit(goods, rules).sample(1_000)
    np.testing.assert_allclose(
        drawn["total"].to_numpy(), drawn["price"].to_numpy() * drawn["pieces"].to_numpy()
    )
    assert pc.all(pc.less_equal(drawn["low"], drawn["high"])).as_py()
    assert not (drawn["price"].to_numpy() * 4 % 1).any()


def test_a_declared_rule_that_the_data_breaks_is_refused_with_its_table(goods):
    rule = {"rule": "chain", "options": {"columns": ["high", "low"]}}
    with pytest.raises(SpecError, match=r"goods\.low: [\d,]+ of 2,000 rows don't ascend"):
        Synthesizer("independent").fit({"goods": goods}, with_rules(goods, rule).renamed("goods"))


def test_a_found_rule_that_the_data_breaks_gives_way(goods):
    notes = Notes()
    rule = {"rule": "chain", "options": {"columns": ["high", "low"]}, "evidence": "seen somewhere"}
    learned = Synthesizer("independent", ctx=RunContext(progress=notes))
    learned.fit({"goods": goods}, with_rules(goods, rule).renamed("goods"))
    assert any("chain columns=high+low is not kept: goods.low: " in note for note in notes.told)


def test_rules_found_by_detect_are_written_once_and_not_found_again(goods):
    found = Metadata.detect({"goods": goods})
    rules = found.tables["goods"].rules
    assert [(rule.rule, rule.options["column"]) for rule in rules if rule.rule == "formula"] == [
        ("formula", "total")
    ]
    assert all(rule.evidence == "all 2,000 rows looked at keep it" for rule in rules)
    notes = Notes()
    learned = Synthesizer("independent", ctx=RunContext(progress=notes)).fit(
        {"goods": goods}, found
    )
    assert sum("formula column=total" in note for note in notes.told) == 1
    drawn = learned.sample(500)["goods"]
    np.testing.assert_allclose(
        drawn["total"].to_numpy(), drawn["price"].to_numpy() * drawn["pieces"].to_numpy()
    )


def test_inactive_rules_are_neither_kept_nor_found(goods):
    found = Metadata.detect({"goods": goods})
    rules = [rule.model_copy(update={"active": False}) for rule in found.tables["goods"].rules]
    found.update("goods", rules=[rule.model_dump() for rule in rules])
    drawn = Synthesizer("independent").fit({"goods": goods}, found).sample(500)["goods"]
    product = drawn["price"].to_numpy() * drawn["pieces"].to_numpy()
    assert not np.isclose(drawn["total"].to_numpy(), product).all()


def test_what_nearly_always_holds_is_suggested(goods):
    rng = np.random.default_rng(1)
    wrong = rng.random(ROWS) < 0.004
    table = goods.set_column(3, "total", pa.array(np.where(wrong, 1.25, goods["total"].to_numpy())))
    rules = Metadata.detect({"goods": table}).tables["goods"].rules
    (rule,) = [rule for rule in rules if rule.rule == "formula"]
    assert not rule.active
    broken = int((~np.isclose(table["total"].to_numpy(), goods["total"].to_numpy())).sum())
    assert rule.evidence == f"{broken} of 2,000 rows break it ({broken / 2_000:.2%})"


def test_prices_in_order_stay_so_to_the_last_digit():
    rng = np.random.default_rng(4)
    cost = rng.integers(1_000, 90_000, ROWS)
    # In thousandths, of which the price has none: rounded, a few costs would be above it.
    price = -(-cost // 10) + rng.integers(0, 40, ROWS)
    offers = pa.table({"cost": cost / 1000, "price": price / 100})
    drawn = Synthesizer("independent").fit({"offers": offers}).sample()["offers"]
    assert pc.all(pc.less_equal(drawn["cost"], drawn["price"])).as_py()
    rounded = offers.set_column(1, "price", pa.array(np.round(cost / 1000, 2)))
    assert pc.any(pc.less(rounded["price"], rounded["cost"])).as_py()
    assert not [
        rule for rule in Metadata.detect(rounded).tables["table"].rules if "order" in rule.options
    ]
