"""Tables of few columns or rows, odd names, nested columns."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from simulacra.testing.shapes.catalogue import shape
from simulacra.testing.small_database import Columns, Database, Maker, keys_of, to


@shape
def keys_alone(m: Maker) -> Database:
    """Tables without any column but keys."""
    m.add("node", {"id": range(40)}, key=["id"])
    columns: Columns = {"source": m.linked(200, 40), "target": m.linked(200, 40)}
    refers = [to("node", {"source": "id"}), to("node", {"target": "id"})]
    m.add("edge", columns, refers=refers)
    m.add(
        "tag",
        {"id": m.generator.permutation(40)[:15]},
        key=["id"],
        refers=[to("node", {"id": "id"})],
    )
    return m.made()


@shape
def single_rows(m: Maker) -> Database:
    """Tables of one row, one below the other, and beside them one of many."""
    m.add("company", {"id": [1], "name": ["Alone"]}, key=["id"])
    columns: Columns = {"id": [7], "company_id": [1], "at": [datetime(2024, 5, 1)]}  # noqa: DTZ001 - a type without zone
    m.add("office", columns, key=["id"], refers=[to("company", {"company_id": "id"})])
    columns = {"id": range(50), "office_id": [7] * 50, "size": m.numbers(50)}
    m.add("desk", columns, key=["id"], refers=[to("office", {"office_id": "id"})])
    columns = {"desk_id": [3], "note": ["wobbles"]}
    m.add("fault", columns, key=["desk_id"], refers=[to("desk", {"desk_id": "id"})])
    return m.made()


@shape
def empty_tables(m: Maker) -> Database:
    """A table below a full one has no rows, and so has one below that."""
    m.add("user", {"id": range(80), "age": m.generator.integers(18, 90, 80)}, key=["id"])
    columns: Columns = {"id": pa.array([], pa.int64()), "user_id": pa.array([], pa.int64())}
    m.add("ban", columns, key=["id"], refers=[to("user", {"user_id": "id"})])
    columns = {"id": pa.array([], pa.int64()), "ban_id": pa.array([], pa.int64())}
    m.add("appeal", columns, key=["id"], refers=[to("ban", {"ban_id": "id"})])
    columns = {"id": range(60), "user_id": m.linked(60, 80), "ban_id": pa.nulls(60, pa.int64())}
    refers = [to("user", {"user_id": "id"}), to("ban", {"ban_id": "id"})]
    m.add("visit", columns, key=["id"], refers=refers)
    return m.made()


@shape
def odd_names(m: Maker) -> Database:
    """Names with spaces, dots, commas, quotes, brackets, signs and letters of all kinds."""
    parent, child = 'Kunde "Straße".1, #count', "order; 項目 ^0.x [y]"
    key, foreign = "the id, of it", "^Kunde.id, 'x'"
    m.add(
        parent, {key: range(100), "größe in m²": m.numbers(100), "#kind": m.words(100)}, key=[key]
    )
    columns: Columns = {
        "~level": range(400),
        foreign: m.linked(400, 100, 0.1),
        "above, it": pa.nulls(400, pa.int64()),
        "a:0": m.numbers(400),
        "?": m.words(400),
    }
    columns[foreign] = keys_of(m.tables[parent], key, columns[foreign])
    above = m.linked(400, 30, 0.2)
    above = np.where(above >= np.arange(400), -1, above)
    columns["above, it"] = pa.array(above, mask=above < 0)
    refers = [to(parent, {foreign: key}), to(child, {"above, it": "~level"})]
    m.add(child, columns, key=["~level"], refers=refers)
    return m.made()


@shape
def nested(m: Maker) -> Database:
    """Structs and lists in tables that hang together."""
    rows = 120
    places = [
        {"x": float(x), "y": None if n % 7 == 0 else n} for n, x in enumerate(m.numbers(rows))
    ]
    tags = [[str(w) for w in m.words(int(n))] for n in m.generator.poisson(2, rows)]
    m.add("spot", {"id": range(rows), "place": places, "tags": tags}, key=["id"])
    spots = m.children(rows, 3.0)
    columns: Columns = {
        "id": np.arange(len(spots)),
        "spot_id": spots,
        "marks": pa.array([[int(v)] * (int(v) % 3) for v in spots], pa.list_(pa.int64())),
        "seen": [{"at": datetime(2024, 1, 1) + timedelta(hours=n)} for n in range(len(spots))],  # noqa: DTZ001 - a type without zone
    }
    m.add("visit", columns, key=["id"], refers=[to("spot", {"spot_id": "id"})])
    return m.made()
