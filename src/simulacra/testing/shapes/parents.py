"""Tables below others: any depth, several parents, one each, or none."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from simulacra.testing.shapes.catalogue import shape
from simulacra.testing.small_database import Columns, Database, Maker, keys_of, to


@shape
def deep(m: Maker) -> Database:
    """Five tables, each below the one before."""
    m.add("region", {"id": range(1, 9), "name": [f"R{n}" for n in range(8)]}, key=["id"])
    above, rows = "region", 8
    values = m.numbers(rows)
    for name, mean in (("customer", 20.0), ("order", 2.0), ("item", 2.0), ("return", 0.3)):
        parents = m.children(rows, mean)
        rows, values = len(parents), m.numbers(len(parents), values[parents])
        columns: Columns = {
            "id": np.arange(1, rows + 1, dtype=np.int32),
            f"{above}_id": keys_of(m.tables[above], "id", parents),
            "amount": values,
            "colour": m.words(rows),
        }
        m.add(name, columns, key=["id"], refers=[to(above, {f"{above}_id": "id"})])
        above = name
    return m.made()


@shape
def several_parents(m: Maker) -> Database:
    """A table with four parents, one of them twice, one optional."""
    sizes = {"customer": 150, "shop": 12, "courier": 30, "city": 25}
    for name, rows in sizes.items():
        columns: Columns = {"id": [f"{name[:2].upper()}-{n:05d}" for n in range(rows)]}
        m.add(name, {**columns, "size": m.numbers(rows)}, key=["id"])
    rows = 800
    columns = {
        "id": np.arange(rows) + 10_000,
        "customer": keys_of(m.tables["customer"], "id", m.linked(rows, 150)),
        "shop": keys_of(m.tables["shop"], "id", m.linked(rows, 12)),
        "courier": keys_of(m.tables["courier"], "id", m.linked(rows, 30, 0.25)),
        "from_city": keys_of(m.tables["city"], "id", m.linked(rows, 25)),
        "to_city": keys_of(m.tables["city"], "id", m.linked(rows, 25)),
        "paid": m.numbers(rows),
    }
    own = {"from_city": "city", "to_city": "city"}
    refers = [to(own.get(name, name), {name: "id"}) for name in list(columns)[1:-1]]
    m.add("delivery", columns, key=["id"], refers=refers)
    return m.made()


@shape
def diamond(m: Maker) -> Database:
    """An order's address is one of its customer's."""
    m.add("customer", {"id": range(200), "rank": m.words(200)}, key=["id"])
    homes = np.concatenate([np.arange(200), m.children(200, 1.5)])
    m.add(
        "address",
        {"id": np.arange(len(homes)), "customer_id": homes, "zip": m.words(len(homes))},
        key=["id"],
        refers=[to("customer", {"customer_id": "id"})],
    )
    at = m.generator.integers(0, len(homes), 900)
    m.add(
        "order",
        {"id": range(900), "customer_id": homes[at], "address_id": at, "paid": m.numbers(900)},
        key=["id"],
        refers=[
            to("customer", {"customer_id": "id"}),
            to("address", {"address_id": "id"}),
        ],
    )
    return m.made()


@shape
def one_to_one(m: Maker) -> Database:
    """A key that is a foreign key: half of the users have a profile, some of those a photo."""
    m.add("user", {"id": range(5, 605), "age": m.generator.integers(18, 90, 600)}, key=["id"])
    above = m.tables["user"]
    for name, share in (("profile", 0.5), ("photo", 0.3)):
        chosen = np.flatnonzero(m.generator.random(above.num_rows) < share)
        key = above.column_names[0]
        columns: Columns = {
            "user_id": keys_of(above, key, chosen),
            "score": m.numbers(len(chosen)),
        }
        parent = "user" if key == "id" else "profile"
        m.add(name, columns, key=["user_id"], refers=[to(parent, {"user_id": key})])
        above = m.tables[name]
    return m.made()


@shape
def optional(m: Maker) -> Database:
    """Keys that are null for two fifths of the rows, depending on another column."""
    m.add("agent", {"id": range(60), "team": m.words(60)}, key=["id"])
    status = m.words(900, of=["new", "open", "closed"])
    nulls = np.array([{"new": 0.95, "open": 0.2, "closed": 0.05}[s] for s in status])
    agents = m.linked(900, 60, nulls)
    m.add(
        "ticket",
        {"id": range(900), "status": status, "agent_id": keys_of(m.tables["agent"], "id", agents)},
        key=["id"],
        refers=[to("agent", {"agent_id": "id"})],
    )
    return m.made()


@shape
def in_order(m: Maker) -> Database:
    """The visits of each guest are in the order of time, and none is before the guest came."""
    joined = m.generator.integers(0, 500, 200)
    start = datetime(2023, 1, 1)  # noqa: DTZ001 - a type without zone
    columns: Columns = {
        "id": range(200),
        "joined": [start + timedelta(days=int(n)) for n in joined],
    }
    m.add("guest", columns, key=["id"])
    guests = m.children(200, 4.0)
    days = joined[guests] + m.generator.exponential(60, len(guests)).astype(np.int64)
    days = days[np.lexsort([days, guests])]
    columns = {
        "id": np.arange(len(guests)),
        "guest_id": guests,
        "day": [start + timedelta(days=int(n)) for n in days],
        "paid": m.numbers(len(guests)),
    }
    m.add("visit", columns, key=["id"], refers=[to("guest", {"guest_id": "id"})])
    return m.made()


@shape
def lookups(m: Maker) -> Database:
    """Tables kept as they are: countries on continents, and what leads to them."""
    continents = ["Africa", "America", "Asia", "Europe"]
    m.add("continent", {"name": continents}, key=["name"])
    codes = [f"{a}{b}" for a in "ABCDEF" for b in "XYZ"]
    columns: Columns = {
        "code": codes,
        "continent": m.words(18, of=continents),
        "people": m.numbers(18),
    }
    refers = [to("continent", {"continent": "name"})]
    m.add("country", columns, key=["code"], refers=refers)
    columns = {
        "id": range(400),
        "born_in": keys_of(m.tables["country"], "code", m.linked(400, 18)),
        "lives_in": keys_of(m.tables["country"], "code", m.linked(400, 18, 0.1)),
        "age": m.generator.integers(1, 90, 400),
    }
    refers = [to("country", {"born_in": "code"}), to("country", {"lives_in": "code"})]
    m.add("person", columns, key=["id"], refers=refers)
    columns = {"country": codes, "capital": [f"City {code}" for code in codes]}
    m.add("capital", columns, key=["country"], refers=[to("country", {"country": "code"})])
    return m.made(keep=("continent", "country", "capital"))


@shape
def no_children(m: Maker) -> Database:
    """All rows of a table lead to nothing: the key is null throughout."""
    m.add("coupon", {"id": range(30), "value": m.numbers(30)}, key=["id"])
    columns: Columns = {
        "id": range(100),
        "coupon_id": pa.nulls(100, pa.int64()),
        "paid": m.numbers(100),
    }
    m.add("order", columns, key=["id"], refers=[to("coupon", {"coupon_id": "id"})])
    return m.made()
