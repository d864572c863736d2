"""Keys of an owner and something else, of several columns, and of every type."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa

from simulacra.testing.shapes.catalogue import shape
from simulacra.testing.small_database import Columns, Database, Maker, keys_of, to

_DAY = date(2024, 1, 1)


@shape
def order_lines(m: Maker) -> Database:
    """A key of the owner and a number within it, and a third table that refers to that key."""
    m.add("order", {"id": range(1000, 1250), "paid": m.numbers(250)}, key=["id"])
    orders = m.children(250, 3.0)
    firsts = np.r_[0, np.flatnonzero(np.diff(orders)) + 1]
    line = np.arange(len(orders)) - np.repeat(firsts, np.diff(np.r_[firsts, len(orders)])) + 1
    columns: Columns = {
        "order_id": keys_of(m.tables["order"], "id", orders),
        "line": line.astype(np.int16),
        "price": m.numbers(len(orders)),
    }
    m.add("line", columns, key=["order_id", "line"], refers=[to("order", {"order_id": "id"})])
    lines = m.linked(300, len(orders), 0.1)
    columns = {
        "id": np.arange(300),
        "order_id": keys_of(m.tables["line"], "order_id", lines),
        "line": keys_of(m.tables["line"], "line", lines),
        "why": m.words(300),
    }
    refers = [to("line", {"order_id": "order_id", "line": "line"})]
    m.add("complaint", columns, key=["id"], refers=refers)
    return m.made()


@shape
def owner_and_date(m: Maker) -> Database:
    """One row a station and day, with some days missing."""
    m.add("station", {"code": ["EWR", "JFK", "LGA", "BOS"], "height": m.numbers(4)}, key=["code"])
    cells = np.sort(m.generator.choice(4 * 365, 1200, replace=False))
    columns: Columns = {
        "station": keys_of(m.tables["station"], "code", cells // 365),
        "day": [_DAY + timedelta(days=int(n)) for n in cells % 365],
        "heat": m.numbers(1200, cells % 365 / 50),
    }
    refers = [to("station", {"station": "code"})]
    m.add("weather", columns, key=["station", "day"], refers=refers)
    return m.made()


@shape
def owner_and_hour(m: Maker) -> Database:
    """One row a station and hour: nearly every hour is there."""
    m.add("station", {"code": ["EWR", "JFK", "LGA"], "height": m.numbers(3)}, key=["code"])
    cells = np.sort(m.generator.choice(3 * 500, 1480, replace=False))
    times = [datetime(2024, 1, 1) + timedelta(hours=int(n)) for n in cells % 500]  # noqa: DTZ001 - a type without zone
    columns: Columns = {
        "station": keys_of(m.tables["station"], "code", cells // 500),
        "hour": pa.array(times, pa.timestamp("us", "UTC")),
        "heat": m.numbers(1480),
    }
    refers = [to("station", {"station": "code"})]
    m.add("weather", columns, key=["station", "hour"], refers=refers)
    return m.made()


@shape
def owner_and_text(m: Maker) -> Database:
    """One row a product and language."""
    m.add("product", {"id": range(1, 301), "price": m.numbers(300)}, key=["id"])
    languages = ["de", "en", "fr", "it", "pl"]
    cells = np.flatnonzero(m.generator.random(1500) < np.tile([0.9, 0.99, 0.4, 0.2, 0.1], 300))
    columns: Columns = {
        "product_id": keys_of(m.tables["product"], "id", cells // 5),
        "language": [languages[n] for n in cells % 5],
        "views": m.generator.poisson(9, len(cells)),
    }
    refers = [to("product", {"product_id": "id"})]
    m.add("label", columns, key=["product_id", "language"], refers=refers)
    return m.made()


@shape
def owner_and_number(m: Maker) -> Database:
    """One row a contract and year, years with gaps."""
    m.add("contract", {"id": range(1, 121), "rate": m.numbers(120)}, key=["id"])
    cells = np.sort(m.generator.choice(120 * 15, 800, replace=False))
    columns: Columns = {
        "contract_id": keys_of(m.tables["contract"], "id", cells // 15),
        "year": pa.array(cells % 15 + 2010, pa.int16()),
        "paid": m.numbers(800),
    }
    refers = [to("contract", {"contract_id": "id"})]
    m.add("statement", columns, key=["contract_id", "year"], refers=refers)
    return m.made()


@shape
def unique_values(m: Maker) -> Database:
    """Columns that hold no value twice: some null, some few, some with parents."""
    lands = [f"{a}{b}land" for a in ("Lap", "Fin", "Ire", "Po", "Ne") for b in ("", "ther", "mid")]
    columns: Columns = {
        "id": range(15),
        "name": lands,
        "rank": m.generator.permutation(15) + 1,
    }
    m.add("land", columns, key=["id"], unique=[["name"], ["rank"]])
    rows = 400
    known = m.generator.random(rows) < 0.8
    columns = {
        "id": range(rows),
        "land_id": m.linked(rows, 15),
        "mail": pa.array([f"user.{n}@mail{n % 7}.org" for n in range(rows)], mask=~known),
        "badge": pa.array(m.generator.permutation(9 * rows)[:rows], mask=known),
        "seat": np.arange(rows) // 15,
        "born": [_DAY - timedelta(days=int(n)) for n in m.generator.integers(8000, 20000, rows)],
    }
    columns["seat"] = np.argsort(np.argsort(columns["land_id"], kind="stable"))
    unique = [["mail"], ["badge"], ["land_id", "seat"]]
    m.add("person", columns, key=["id"], unique=unique, refers=[to("land", {"land_id": "id"})])
    return m.made()


@shape
def key_types(m: Maker) -> Database:
    """A parent for every type that keys have, and a table that refers to all."""
    generator, rows = m.generator, 60
    days = [_DAY + timedelta(days=int(n)) for n in range(rows)]
    kinds = {
        "int16": pa.array(range(rows), pa.int16()),
        "int32": pa.array(generator.permutation(rows) + 50, pa.int32()),
        "int64": pa.array(generator.permutation(rows) * 7 + 2**40),
        "uint32": pa.array(range(rows), pa.uint32()),
        "pattern": pa.array([f"INV-2024-{n:06d}" for n in generator.permutation(rows)]),
        "letters": pa.array([f"{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(rows)]),
        "uuid": pa.array([str(uuid.UUID(bytes=generator.bytes(16), version=4)) for _ in days]),
        "date": pa.array(days, pa.date32()),
        "moment": pa.array(
            [datetime(2024, 1, 1) + timedelta(minutes=17 * n) for n in range(rows)],  # noqa: DTZ001 - a type without zone
            pa.timestamp("us"),
        ),
        "decimal": pa.array([Decimal(n) for n in range(100, 160)], pa.decimal128(12, 0)),
        "mail": pa.array([f"user{n * 37 % 1000}@example.org" for n in range(rows)]),
    }
    columns: Columns = {"id": range(500)}
    for name, ids in kinds.items():
        m.add(name, {"id": ids, "x": m.numbers(rows)}, key=["id"])
        columns[f"{name}_id"] = keys_of(m.tables[name], "id", m.linked(500, rows, 0.05))
    columns["y"] = m.numbers(500)
    refers = [to(name, {f"{name}_id": "id"}) for name in kinds]
    m.add("fact", columns, key=["id"], refers=refers)
    return m.made()


@shape
def mixed_keys(m: Maker) -> Database:
    """Keys of several columns of different types, referred to by others."""
    cells = np.sort(m.generator.choice(20 * 30, 200, replace=False))
    columns: Columns = {
        "plant": [f"P{n:02d}" for n in cells // 30],
        "day": [_DAY + timedelta(days=int(n)) for n in cells % 30],
        "shift": pa.array(m.generator.integers(1, 4, 200), pa.int8()),
        "output": m.numbers(200),
    }
    m.add("run", columns, key=["plant", "day", "shift"])
    runs = m.linked(500, 200, 0.05)
    own = ("plant", "day", "shift")
    columns = {"id": range(500), **{c: keys_of(m.tables["run"], c, runs) for c in own}}
    columns["size"] = m.numbers(500)
    m.add("defect", columns, key=["id"], refers=[to("run", {c: c for c in own})])
    return m.made()
