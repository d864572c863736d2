"""Every registered plug-in against the conformance kit; none is left out."""

from contextlib import ExitStack
from decimal import Decimal
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from servers import MARIADB, POSTGRESQL, empty, fresh_database
from simulacra.core.registry import Kind, names
from simulacra.core.schema import RuleSpec
from simulacra.testing import conformance_tests
from simulacra.testing.tables import orders, spec_of

_ORDERS = orders()
_CLOCK = pa.table({"at": pa.array([0, 1, 59, 100, 1230, 2359, 2400, None] * 50)})
_DATES = pa.table(
    {
        part: pc.cast(of(_ORDERS["ordered"]), pa.int64())
        for part, of in [("year", pc.year), ("month", pc.month), ("day", pc.day)]
    }
)
_HOURS = _ORDERS.append_column("hour", pc.hour(_ORDERS["ordered"]))
_BILLS = _ORDERS.append_column(
    "settled", pc.if_else(_ORDERS["express"], _ORDERS["paid"], pc.multiply(_ORDERS["paid"], 0.5))
)
_CLAIMS = _ORDERS.append_column(
    "claimed", pc.coalesce(_ORDERS["paid"], pc.cast(_ORDERS["items"], pa.float64()))
)


def _stock(rows: int = 600) -> pa.Table:
    """Return goods that keep many rules."""
    generator = np.random.default_rng(3)
    country, kind = generator.integers(0, 3, rows), generator.integers(0, 3, rows)
    state, pieces = generator.integers(0, 3, rows), generator.integers(1, 9, rows)
    price = generator.integers(1, 4_000, rows) / 4
    free = kind == 0
    return pa.table(
        {
            "pieces": pieces,
            "price": price,
            "total": price * pieces,
            "kind": np.array(["a", "b", "c"])[kind],
            "country": np.array(["DE", "CH", "AT"])[country],
            "currency": np.array(["EUR", "CHF", "EUR"])[country],
            "sold": pa.array(pieces * 7, mask=free),
            "buyer": pa.array(np.array(["x", "y", "z"])[state], mask=free),
            "new": state == 0,
            "used": state == 1,
            "broken": state == 2,
        }
    )


_STOCK = _stock()
_DAYS = np.arange(600)
_STAYS = pa.table(
    {
        "booked": pa.array(_DAYS.astype("datetime64[D]")),
        "arrived": pa.array((_DAYS + 2).astype("datetime64[D]"), mask=np.asarray(_STOCK["new"])),
        "left": pa.array((_DAYS + np.asarray(_STOCK["pieces"]) + 2).astype("datetime64[D]")),
    }
)


def _stock_rule(*columns: str, **options: object) -> dict[str, object]:
    return _rule(_STOCK.select([*columns]), **options)


def _rule(table: pa.Table, **options: object) -> dict[str, object]:
    return {"options": options, "table": table, "spec": spec_of(table)}


_NAN_IS_NULL = "in text there is no number but a number: NaN is written as nothing"
_AS_FLOAT = "as many digits are read as a floating-point number"
_TEXT_UNKEPT = {
    "float32 extremes": _NAN_IS_NULL,
    "float64 extremes": _NAN_IS_NULL,
    "decimal256": _AS_FLOAT,
}
_NO_SCHEMA = "without a line JSON Lines have no columns"

_REPLACING = {"if_exists": "replace"}
_NO_NULL_TYPE = {"null": "no store has a type of nothing but nulls: it is text"}
_NAN_IS_LOST = "SQLite keeps no NaN: it is null"
_SQLITE_UNKEPT = _NO_NULL_TYPE | {
    "float32 extremes": _NAN_IS_LOST,
    "float64 extremes": _NAN_IS_LOST,
}
_DATABASES = ExitStack()


@pytest.fixture(scope="module", autouse=True)
def databases_are_dropped():
    """Drop the databases that checks were given."""
    yield
    _DATABASES.close()


def _column_by_column(learned, rows, seed):
    """Draw each column by itself: a generator that knows nobody."""
    generator = np.random.default_rng(seed)
    drawn = [column.take(generator.integers(0, len(column), rows)) for column in learned.columns]
    return pa.table(drawn, schema=learned.schema)


def _emptied(server, clause=""):
    """Return what gives the URL of a database without tables, the same one each time."""
    url = cache(lambda: _DATABASES.enter_context(fresh_database(server, clause)))

    def place(_):
        empty(server, url())
        return url()

    return place


_CALLS = pa.table(
    {
        "name": pa.array(["Ann Lee", "Bob van Ray", None, "Zoë O'Neil"]),
        "order": pa.array([4711, 4712, 4713, None]),
        "note": pa.array(["Ann has 4711", "BOB VAN RAY paid", "ask for 4713", None]),
    }
)
_PEOPLE = {
    "email": pa.array([f"ann.b{n}@firm.org" if n % 9 else None for n in range(300)]),
    "phone": pa.array([f"+49 30 {n * 7919 % 10**6:06d}" for n in range(300)]),
    "last_name": pa.array(["Miller", "Jones", "Brown", "Clark", "Lewis", "Young"]),
    "customer_name": pa.array([f"{('Anna', 'Peter')[n % 2]} Y{chr(97 + n)}" for n in range(26)]),
    "street_address": pa.array([f"{n} Main Street" for n in range(300)], pa.large_string()),
    "Vorname": pa.array([("Anna", "Peter", None)[n % 3] for n in range(300)]),
    "Geschlecht": pa.array(["wm"[n % 3 % 2] for n in range(300)]),
    "cpf": pa.array(["390.533.447-05", "529.982.247-25", "111.444.777-35"], pa.large_string()),
}

_PLACES = {
    "lat": pa.array([round(-60 + n * 0.4321, 4) if n % 9 else None for n in range(300)]),
    "longitude": pa.array(
        [Decimal(n * 7919 % 359_000) / 1_000 for n in range(300)], pa.decimal128(8, 3)
    ),
}

CASES: dict[tuple[Kind, str], dict[str, object]] = {
    (Kind.DATATYPE, "coordinate"): {"columns": _PLACES},
    (Kind.DATATYPE, "personal"): {
        "columns": _PEOPLE,
        "options": {
            "Vorname": {
                "kind": "first_name",
                "locale": "de_DE",
                "sex": {"column": "Geschlecht", "female": ["w"], "male": ["m"]},
            }
        },
    },
    (Kind.RULE, "aggregate"): _rule(
        pa.table({"total": _STOCK["total"], "lines.sum(price * pieces)": _STOCK["total"]}),
        column="total",
        of="lines",
        expression="price * pieces",
    ),
    (Kind.RULE, "ascending"): _rule(
        pa.table({"shop": _DAYS % 7, "place": _DAYS[::-1], "day": 1_000 - 3 * _DAYS}),
        column="day",
        within=["shop"],
        by="place",
        strict=True,
    ),
    (Kind.RULE, "bounds"): _stock_rule("price", column="price", least=0, strict=True),
    (Kind.RULE, "combinations"): _stock_rule(
        "pieces", "country", "currency", columns=["country", "currency"]
    ),
    (Kind.RULE, "dependency"): _stock_rule(
        "kind", "country", "currency", column="currency", of=["country", "kind"]
    ),
    (Kind.RULE, "formula"): _stock_rule(
        "pieces", "price", "total", column="total", expression="price * pieces"
    ),
    (Kind.RULE, "increments"): _stock_rule("price", column="price", by=0.25),
    (Kind.RULE, "null_together"): _stock_rule("sold", "buyer", columns=["sold", "buyer"]),
    (Kind.RULE, "null_unless"): _stock_rule(
        "kind", "buyer", column="buyer", of="kind", values=["b", "c"], required=True
    ),
    (Kind.RULE, "one_hot"): _stock_rule(
        "kind", "new", "used", "broken", columns=["new", "used", "broken"]
    ),
    (Kind.RULE, "calendar"): _rule(_DATES, year="year", month="month", day="day"),
    (Kind.RULE, "chain"): _rule(_STAYS, columns=["booked", "arrived", "left"]),
    (Kind.RULE, "custom"): _stock_rule("pieces", "price", expression="price > 0 AND pieces < 10"),
    (Kind.RULE, "clock"): _rule(_CLOCK, column="at"),
    (Kind.RULE, "copy"): _rule(_BILLS, column="settled", of="paid"),
    (Kind.RULE, "difference"): _rule(_ORDERS, column="shipped", minus="ordered", order=">"),
    (Kind.RULE, "equal"): _rule(_CLAIMS, column="claimed", of="paid"),
    (Kind.RULE, "part"): _rule(_HOURS, column="hour", of="ordered", part="hour"),
    (Kind.RULE, "quotes"): _rule(_CALLS, text="note", of=["name", "order"], words=["name"]),
    (Kind.CONNECTOR, "csv"): {"unkept": _TEXT_UNKEPT},
    (Kind.CONNECTOR, "jsonl"): {
        "unkept": _TEXT_UNKEPT
        | {
            "uint64": _AS_FLOAT,
            "int64 empty": _NO_SCHEMA,
            "float64 empty": _NO_SCHEMA,
            "string empty": _NO_SCHEMA,
            "timestamp[us] empty": _NO_SCHEMA,
        }
    },
    (Kind.CONNECTOR, "excel"): {
        "unkept": {
            "string unicode": "an empty cell is a null, not an empty text",
            "timestamp Europe/Berlin": "a cell has no time zone: it shows the clock on the wall",
            "decimal256": _AS_FLOAT,
        }
    },
    (Kind.CONNECTOR, "duckdb"): {"options": _REPLACING, "unkept": _NO_NULL_TYPE},
    (Kind.CONNECTOR, "mysql"): {
        "place": _emptied(MARIADB, "CHARACTER SET utf8mb4"),
        "options": _REPLACING,
        "unkept": _NO_NULL_TYPE,
    },
    (Kind.CONNECTOR, "postgresql"): {
        "place": _emptied(POSTGRESQL),
        "options": _REPLACING,
        "unkept": _NO_NULL_TYPE,
    },
    (Kind.CONNECTOR, "sql"): {
        "place": lambda folder: f"sqlite:///{folder}/orders.sqlite",
        "options": _REPLACING,
        "unkept": _SQLITE_UNKEPT,
    },
    (Kind.CONNECTOR, "sqlite"): {"options": _REPLACING, "unkept": _SQLITE_UNKEPT},
    (Kind.METRIC, "utility"): {"options": {"target": "express", "threads": 1}},
    (Kind.METRIC, "rule_validity"): {
        "options": {
            "rules": [
                RuleSpec(
                    rule="difference",
                    options={"column": "shipped", "minus": "ordered", "order": ">"},
                )
            ]
        }
    },
    # The greatest of 1,500 amounts is a matter of chance, more than their distribution is.
    (Kind.METRIC, "coverage"): {"tolerance": 0.1},
    (Kind.METRIC, "detection"): {"options": {"threads": 1}},
    (Kind.METRIC, "closest_records"): {"options": {"threads": 1}},
    (Kind.METRIC, "inference"): {"options": {"threads": 1}},
    (Kind.METRIC, "linkability"): {"options": {"threads": 1}},
    (Kind.METRIC, "membership_inference"): {"options": {"threads": 1}},
    (Kind.METRIC, "demographic_parity"): {
        "options": {"fair": {"target": "express", "sensitive": "shop"}}
    },
    (Kind.METRIC, "k_anonymity"): {"options": {"quasi_identifiers": ["shop", "items"]}},
    (Kind.METRIC, "shadow_membership"): {
        "options": {"threads": 1, "shadows": 4, "generator": _column_by_column}
    },
}
"""What plug-ins need to be checked besides their name."""

GAPS: dict[tuple[Kind, str], dict[str, str]] = {
    (Kind.CONNECTOR, "jsonl"): {"keeps_empty_tables": _NO_SCHEMA},
    (Kind.CONNECTOR, "mysql"): {
        "keeps_any_column_names": "names take no character beyond U+FFFF; they are refused"
    },
    (Kind.CONNECTOR, "excel"): {
        "keeps_a_single_column_with_nulls": "a sheet ends at the last cell that holds something"
    },
}
"""Checks known to fail, with their reasons."""

for _kind in Kind:
    for _name in names(_kind):
        globals()[f"test_{_kind.value}_{_name}"] = conformance_tests(
            _kind, _name, gaps=GAPS.get((_kind, _name)), **CASES.get((_kind, _name), {})
        )


def test_every_kind_has_plugins():
    assert all(names(kind) for kind in Kind)


def test_cases_and_gaps_name_plugins():
    assert all(name in names(kind) for kind, name in CASES | GAPS)
