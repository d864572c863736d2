"""A column that ascends among the rows of one parent."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra import Metadata, Synthesizer
from simulacra.core.errors import LimitError, SpecError, UsageError
from simulacra.core.schema import TableSpec
from simulacra.rules.ascending import Ascending, AscendingConfig

NOTHING = TableSpec(columns={})
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(0, 2), st.none() | st.integers(0, 5), st.none() | st.integers(0, 4)
    ),
    min_size=1,
)
ORDER = {"column": "at", "within": ["owner"], "by": "place"}


def batch_of(rows):
    columns = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.array(values, pa.int64()) for values in columns], names=["owner", "at", "place"]
    )


def pairs_out_of_order(rows, *, strict, by_place):
    """Return the rows that one before them, of the same owner, is above (or equal to)."""
    known = [
        (number, owner, at, place if by_place else number)
        for number, (owner, at, place) in enumerate(rows)
        if owner is not None and at is not None and (place is not None or not by_place)
    ]
    return {
        number
        for number, owner, at, place in known
        for _, other, before, earlier in known
        if other == owner and earlier < place and (before > at or (strict and before == at))
    }


def fitted(rows, **options):
    return Ascending().fit(
        pa.Table.from_batches([batch_of(rows)]),
        AscendingConfig(**{**ORDER, **options}),
        table=NOTHING,
    )


@given(ROWS, st.booleans(), st.booleans())
def test_rows_are_put_in_order_and_those_out_of_it_are_named(rows, strict, by_place):
    by = "place" if by_place else ""
    rule = fitted([(0, 0, 0), (0, 100, 1)], strict=strict, by=by)
    broken = np.flatnonzero(rule.violations(batch_of(rows))).tolist()
    assert set(broken) == pairs_out_of_order(rows, strict=strict, by_place=by_place)


@given(ROWS, st.booleans())
def test_values_change_places_within_their_owner_only(rows, by_place):
    rule = fitted([(0, 0, 0)], by="place" if by_place else "")
    made = rule.decode(batch_of(rows)).to_pydict()
    after = list(zip(made["owner"], made["at"], made["place"], strict=True))
    assert not pairs_out_of_order(after, strict=False, by_place=by_place)
    for owner in {row[0] for row in rows}:
        own = [[row[1] for row in some if row[0] == owner] for some in (rows, after)]
        assert sorted(own[0], key=str) == sorted(own[1], key=str)
    assert rule.decode(batch_of(after)).equals(batch_of(after))


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60), st.just(0)), max_size=20, min_size=1)
)
def test_equal_values_move_apart_on_the_grid_of_the_source(rows):
    rule = fitted([(0, 0, 0), (0, 3, 1), (0, 60, 2)], strict=True, by="")
    made = rule.decode(batch_of(rows)).to_pydict()
    after = list(zip(made["owner"], made["at"], made["place"], strict=True))
    assert not pairs_out_of_order(after, strict=True, by_place=False)
    assert min(made["at"]) >= 0
    assert max(made["at"]) <= 60


def test_more_rows_than_values_are_refused():
    rule = fitted([(0, 0, 0), (0, 1, 1)], strict=True, by="")
    with pytest.raises(LimitError, match="a parent has 3 rows"):
        rule.decode(batch_of([(7, 0, 0)] * 3))


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([3, 1, 2]), r"1 of 3 rows are not above those before them|2 of 3 rows"),
        (pa.array(["a", "b", "c"]), "values of string have no order"),
    ],
)
def test_what_does_not_ascend_is_refused(column, message):
    table = pa.table({"owner": [1, 1, 1], "at": column})
    config = AscendingConfig(column="at", within=["owner"])
    with pytest.raises(SpecError, match=message):
        Ascending().fit(table, config, table=NOTHING)


@pytest.fixture(scope="module")
def shop():
    rng = np.random.default_rng(1)
    buyer = np.sort(rng.integers(0, 150, 500))
    places = np.concatenate([np.arange(n) for n in np.bincount(buyer) if n])
    since = rng.integers(0, 500, 150)
    days = since[buyer] + 7 * places + rng.integers(0, 7, 500)
    reading = rng.integers(0, 1_000, 500)
    for owner in range(150):
        reading[buyer == owner] = np.sort(reading[buyer == owner])
    shuffled = rng.permutation(500)
    ticket = np.empty(500, np.int64)
    ticket[np.lexsort((places, buyer))] = np.sort(rng.choice(5_000, 500, replace=False))
    ordered = [date(2020, 1, 1) + timedelta(days=int(day)) for day in days]
    orders = pa.table(
        {
            "customer_id": buyer,
            "ordered": ordered,
            "shipped": [
                d + timedelta(days=int(n))
                for d, n in zip(ordered, rng.integers(1, 9, 500), strict=True)
            ],
            "ticket": ticket,
            "reading": reading,
        }
    )
    return {"customers": pa.table({"id": np.arange(150)}), "orders": orders.take(shuffled)}


def learned(shop, *rules):
    found = Metadata.detect(shop, find_rules=False)
    found.update("orders", rules=list(rules))
    return Synthesizer("independent", seed=2).fit(shop, found)


def rule(name, **options):
    return {"rule": name, "options": options}


def test_orders_of_a_drawn_customer_ascend_and_what_is_measured_from_them_follows(shop, tmp_path):
    within = ["customer_id"]
    synthesizer = learned(
        shop,
        rule("ascending", column="ordered", within=within, by="ticket", strict=True),
        rule("ascending", column="reading", within=within, by="ordered"),
        rule("difference", column="shipped", minus="ordered", order=">"),
    )
    synthesizer.save(tmp_path / "shop.sim")
    copy = Synthesizer.load(tmp_path / "shop.sim").sample()
    assert copy["orders"].equals(synthesizer.sample()["orders"])
    rows = (
        copy["orders"].sort_by([("customer_id", "ascending"), ("ticket", "ascending")]).to_pylist()
    )
    for one, other in pairwise(rows):
        if one["customer_id"] == other["customer_id"]:
            assert one["ticket"] == other["ticket"] or one["ordered"] < other["ordered"]
            assert one["ordered"] >= other["ordered"] or one["reading"] <= other["reading"]
    assert all(1 <= (row["shipped"] - row["ordered"]).days < 9 for row in rows)
    with pytest.raises(UsageError, match=r"orders\.shipped can't be given"):
        synthesizer.sample(given={"orders": {"shipped": date(2020, 5, 5)}})


def test_the_order_of_the_rows_will_do(shop):
    orders = shop["orders"].sort_by([("customer_id", "ascending"), ("ticket", "ascending")])
    tables = {**shop, "orders": orders}
    copy = learned(tables, rule("ascending", column="ordered", within=["customer_id"])).sample()
    rows = copy["orders"].to_pylist()
    last = {}
    for row in rows:
        assert last.get(row["customer_id"], date.min) <= row["ordered"]
        last[row["customer_id"]] = row["ordered"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([rule("ascending", column="ordered", within=["ticket"])], "ticket is no foreign key"),
        (
            [rule("ascending", column="ordered", within=["customer_id"], by="shipped")],
            "rows are not above",
        ),
        (
            [
                rule("ascending", column="ordered", within=["customer_id"], by="ticket"),
                rule("bounds", column="ordered", least="2019-01-01"),
            ],
            "bounds column=ordered.* and ascending column=ordered contradict",
        ),
        (
            [
                rule("ascending", column="ordered", within=["customer_id"], by="reading"),
                rule("ascending", column="reading", within=["customer_id"], by="ordered"),
            ],
            "take their order from each other",
        ),
    ],
)
def test_what_can_not_be_put_in_order_is_refused(shop, rules, message):
    with pytest.raises(SpecError, match=message):
        learned(shop, *rules)
