"""What tables of a database have to do with each other, planted and found again."""

from __future__ import annotations

import numpy as np
import pytest

from simulacra.core.errors import InputError
from simulacra.testing import relations
from simulacra.testing.shapes import database
from simulacra.testing.small_database import Maker, to
from simulacra.testing.whole_databases import draw_database

CUSTOMERS = 1_600
SHOPS = 400
REGIONS = 200


def planted():
    """Regions, their customers, those's orders in shops they choose, and items of the orders.

    A customer's wealth is partly his region's; how much he orders for is partly his wealth, and his
    taste, of which no table tells, is in all his orders. Who is wealthy goes to dear shops.
    """
    m = Maker.of("planted")
    normal = m.generator.standard_normal
    climate = normal(REGIONS)
    m.add("region", {"id": range(REGIONS), "climate": climate.round(3)}, key=["id"])
    regions = m.generator.integers(0, REGIONS, CUSTOMERS)
    wealth = 0.7 * climate[regions] + 0.7 * normal(CUSTOMERS)
    columns = {"id": range(CUSTOMERS), "region_id": regions, "wealth": wealth.round(3)}
    m.add("customer", columns, key=["id"], refers=[to("region", {"region_id": "id"})])
    dearness = np.sort(normal(SHOPS))
    m.add("shop", {"id": range(SHOPS), "dear": dearness.round(3)}, key=["id"])
    buyers = np.repeat(np.arange(CUSTOMERS), m.generator.poisson(4, CUSTOMERS))
    orders = len(buyers)
    wish = wealth[buyers] + normal(orders)
    shops = np.argsort(np.argsort(wish)) * SHOPS // orders
    paid = 0.8 * wealth[buyers] + 0.6 * normal(orders)
    taste = normal(CUSTOMERS)
    columns = {
        "id": range(orders),
        "customer_id": buyers,
        "shop_id": shops,
        "paid": paid.round(3),
        "sweet": (0.8 * taste[buyers] + 0.6 * normal(orders)).round(3),
        "kind": np.array(["a", "b", "c"])[
            np.digitize(taste[buyers] + 0.5 * normal(orders), [-0.5, 0.7])
        ],
        "luck": normal(orders).round(3),
    }
    refers = [to("customer", {"customer_id": "id"}), to("shop", {"shop_id": "id"})]
    m.add("order", columns, key=["id"], refers=refers)
    items = np.repeat(np.arange(orders), m.generator.poisson(1.5, orders))
    price = 0.7 * paid[items] + 0.5 * normal(len(items))
    columns = {"id": range(len(items)), "order_id": items, "price": price.round(3)}
    m.add("item", columns, key=["id"], refers=[to("order", {"order_id": "id"})])
    return m.made()


class Joined:
    """Columns of a database's orders and items beside those of what they belong to."""

    def __init__(self, spec, tables):
        def above(table, place=0):
            return relations.parents_of(tables, table, spec.tables[table].foreign_keys[place])

        def column(table, name):
            return tables[table][name].to_numpy()

        self.buyers = above("order")
        region = above("customer")[self.buyers]
        order = above("item")
        self.of_orders = {
            "climate": column("region", "climate")[region],
            "wealth": column("customer", "wealth")[self.buyers],
            "dear": column("shop", "dear")[above("order", 1)],
            **{name: column("order", name) for name in ("paid", "sweet", "luck")},
        }
        self.kind = np.array(tables["order"]["kind"].to_pylist())
        self.of_items = {name: values[order] for name, values in self.of_orders.items()}
        self.of_items["price"] = column("item", "price")

    def correlation(self, one, other):
        columns = self.of_items if "price" in (one, other) else self.of_orders
        return np.corrcoef(columns[one], columns[other])[0, 1]

    def alike(self, values):
        """The intraclass correlation of a buyer's orders (analysis of variance)."""
        size = np.bincount(self.buyers)
        mean = np.bincount(self.buyers, values) / np.maximum(size, 1)
        groups, rows = (size > 0).sum(), len(values)
        between = (size * (mean - values.mean()) ** 2).sum() / (groups - 1)
        within = ((values - mean[self.buyers]) ** 2).sum() / (rows - groups)
        typical = (rows - (size**2).sum() / rows) / (groups - 1)
        return (between - within) / (between + (typical - 1) * within)


@pytest.fixture(scope="module")
def both():
    real = planted()
    fitted = real.learn("forest", threads=2)
    made = draw_database(fitted, fitted.plan(None))
    return Joined(fitted.spec, real.tables), Joined(fitted.spec, made)


def error(correlation, groups):
    """Five standard errors of a correlation between so many independent things, in two samples."""
    return 5 * np.sqrt(2) * (1 - correlation**2) / np.sqrt(groups)


@pytest.mark.parametrize(
    ("one", "other", "groups"),
    [
        pytest.param("wealth", "paid", CUSTOMERS, id="parent and child"),
        pytest.param("paid", "price", CUSTOMERS, id="parent and child below"),
        pytest.param("wealth", "price", CUSTOMERS, id="grandparent"),
        pytest.param("climate", "paid", REGIONS, id="grandparent above"),
        pytest.param("climate", "price", REGIONS, id="over three keys"),
        pytest.param("wealth", "dear", SHOPS, id="two parents of one row"),
        pytest.param("dear", "paid", SHOPS, id="the other parent"),
        pytest.param("wealth", "luck", CUSTOMERS, id="nothing"),
        pytest.param("climate", "dear", REGIONS, id="parents' parents"),
    ],
)
def test_correlations_across_keys_survive(both, one, other, groups):
    wanted, found = (side.correlation(one, other) for side in both)
    # What a model of so few rows may lose: a seventh.
    assert abs(found - wanted) <= abs(wanted) / 7 + error(wanted, groups)
    if abs(wanted) > 0.3:
        assert found > 0.8 * wanted - error(wanted, groups) / 2


def test_siblings_are_as_much_alike_as_before(both):
    for of in (
        lambda side: side.of_orders["sweet"],
        lambda side: side.of_orders["paid"],
        lambda side: (side.kind == "a").astype(float),
        lambda side: side.of_orders["luck"],
    ):
        wanted, found = (side.alike(of(side)) for side in both)
        assert abs(found - wanted) <= 0.25 * abs(wanted) + error(wanted, CUSTOMERS)


def test_a_key_is_null_as_often_for_each_kind_of_row():
    real = database("optional")
    fitted = real.learn("forest")
    made = draw_database(fitted, fitted.plan(None, 3.0))
    for status in ("new", "open", "closed"):
        shares, rows = [], []
        for tables in (real.tables, made):
            ids = np.array(tables["ticket"]["agent_id"].to_pylist(), object)
            those = np.array(tables["ticket"]["status"].to_pylist()) == status
            shares.append(np.mean(ids[those] == None))  # noqa: E711 - element by element
            rows.append(those.sum())
        noise = 5 * np.sqrt(shares[0] * (1 - shares[0]) * (1 / rows[0] + 1 / rows[1]))
        assert abs(shares[0] - shares[1]) <= noise + 0.02, status


def test_comments_of_each_kind_lead_to_their_own_table():
    real = database("polymorphic")
    fitted = real.learn("forest")
    made = draw_database(fitted, fitted.plan(None))
    comments = made["comment"].to_pylist()
    for table in ("Post", "Photo"):
        ids = set(made[table]["id"].to_pylist())
        assert {row["on_id"] for row in comments if row["on_type"] == table} <= ids
    assert {row["on_id"] for row in comments if row["on_type"] == "Site"} == {None}
    shares = [
        tables["comment"]["on_type"].to_pylist().count("Post") / 900
        for tables in (real.tables, made)
    ]
    assert abs(shares[0] - shares[1]) < 5 * np.sqrt(0.5 * 0.5 * 2 / 900)


def test_tenants_keep_their_own():
    for shape in ("tenants", "tenants_apart", "pairs_of_tenants"):
        real = database(shape)
        table, column = ("attends", "tenant_id") if "pairs" in shape else ("sale", "tenant_id")
        column = "tenant" if "apart" in shape else column
        fitted = real.learn("forest")
        made = draw_database(fitted, fitted.plan(None))
        counts = [
            np.sort(np.unique(tables[table][column].to_pylist(), return_counts=True)[1])
            for tables in (real.tables, made)
        ]
        # As many tenants have about as many rows: the largest has not all, and few have none.
        assert len(counts[1]) >= len(counts[0]) - 2
        assert counts[1][-1] <= 2 * counts[0][-1]


def test_nothing_to_learn_from():
    m = Maker.of("nothing")
    m.add("a", {"id": np.empty(0, np.int64)}, key=["id"])
    columns = {"id": np.empty(0, np.int64), "a_id": np.empty(0, np.int64)}
    m.add("b", columns, key=["id"], refers=[to("a", {"a_id": "id"})])
    with pytest.raises(InputError, match="a, b: there is no row to learn from"):
        m.made().learn()


def test_nothing_is_left_when_all_are_orphans():
    m = Maker.of("strays")
    m.add("a", {"id": np.arange(0)}, key=["id"])
    m.add("b", {"id": range(5), "a_id": range(5)}, key=["id"], refers=[to("a", {"a_id": "id"})])
    with pytest.raises(InputError, match="b: there is no row to learn from: all of its rows name"):
        m.made().learn()
