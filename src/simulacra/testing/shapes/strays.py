"""Keys of some rows only, that name nothing, or name something twice."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulacra.core.schema import Orphans
from simulacra.testing.shapes.catalogue import shape
from simulacra.testing.small_database import Columns, Database, Maker, keys_of, to


@shape
def polymorphic(m: Maker) -> Database:
    """A key of one of two tables, by the value of another column; a third value means none."""
    m.add("Post", {"id": range(100, 220), "words": m.generator.poisson(300, 120)}, key=["id"])
    m.add("Photo", {"id": range(500, 560), "width": m.generator.poisson(900, 60)}, key=["id"])
    kinds = np.array(m.words(900, of=["Post", "Post", "Photo", "Site"]))
    posts = keys_of(m.tables["Post"], "id", m.linked(900, 120)).to_numpy()
    photos = keys_of(m.tables["Photo"], "id", m.linked(900, 60)).to_numpy()
    ids = np.select([kinds == "Post", kinds == "Photo"], [posts, photos], -1)
    columns: Columns = {
        "id": range(900),
        "on_type": kinds.tolist(),
        "on_id": pa.array(ids, mask=ids < 0),
        "likes": m.generator.poisson(3, 900),
    }
    refers = [to(name, {"on_id": "id"}, when={"on_type": name}) for name in ("Post", "Photo")]
    m.add("comment", columns, key=["id"], refers=refers)
    return m.made()


@shape
def orphans_null(m: Maker) -> Database:
    """Keys that name no row, taken as none."""
    return _orphans(m, Orphans.NULL)


@shape
def orphans_drop(m: Maker) -> Database:
    """Rows whose key names no row, left out: a table below them as well."""
    return _orphans(m, Orphans.DROP)


@shape
def orphans_keep(m: Maker) -> Database:
    """Keys that name no row, drawn as such."""
    return _orphans(m, Orphans.KEEP)


def _orphans(m: Maker, policy: Orphans) -> Database:
    m.add("customer", {"id": range(1, 101), "size": m.numbers(100)}, key=["id"])
    chosen = m.linked(500, 100, 0.1)
    ids = np.where(m.generator.random(500) < 0.08, 5_000 + chosen // 10, chosen + 1)
    columns: Columns = {
        "id": np.arange(500),
        "customer_id": pa.array(ids, mask=chosen < 0),
        "paid": m.numbers(500),
    }
    refers = [to("customer", {"customer_id": "id"}, orphans=policy)]
    m.add("order", columns, key=["id"], refers=refers)
    columns = {"id": range(700), "order_id": m.linked(700, 500), "size": m.numbers(700)}
    m.add("parcel", columns, key=["id"], refers=[to("order", {"order_id": "id"})])
    return m.made()


@shape
def repeated_keys(m: Maker) -> Database:
    """A parent whose key isn't one: some rows share it, and some have none."""
    ids = np.concatenate([np.arange(80), np.arange(10)])
    columns: Columns = {
        "id": range(90),
        "code": pa.array(ids, mask=ids == 5),
        "size": m.numbers(90),
    }
    m.add("part", columns, key=["id"])
    codes = m.linked(300, 80, 0.1)
    codes = np.where(codes == 5, 6, codes)
    columns = {"id": range(300), "code": pa.array(codes, mask=codes < 0)}
    m.add("use", columns, key=["id"], refers=[to("part", {"code": "code"})])
    return m.made()


@shape
def partly_null(m: Maker) -> Database:
    """Keys of two columns of which one is null now and then: they name nothing."""
    columns: Columns = {
        "country": [f"{a}{b}" for a in "ABCDE" for b in "XYZ" for _ in range(6)],
        "city": [n % 6 for n in range(90)],
        "people": m.numbers(90),
    }
    m.add("city", columns, key=["country", "city"])
    cities = m.linked(500, 90)
    columns = {
        "id": range(500),
        "country": keys_of(m.tables["city"], "country", cities),
        "city": keys_of(
            m.tables["city"], "city", np.where(m.generator.random(500) < 0.3, -1, cities)
        ),
        "paid": m.numbers(500),
    }
    refers = [to("city", {"country": "country", "city": "city"})]
    m.add("trip", columns, key=["id"], refers=refers)
    return m.made()
