"""Keys that overlap: a column says whose a row is, and is part of all its keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from simulacra.testing.shapes.catalogue import shape
from simulacra.testing.small_database import Columns, Database, Maker, keys_of, to


@shape
def tenants(m: Maker) -> Database:
    """Two composite keys share the column that says whose a row is."""
    m.add("tenant", {"id": pa.array(range(1, 13), pa.int32()), "plan": m.words(12)}, key=["id"])
    for name, mean in (("client", 15.0), ("product", 9.0)):
        tenant = np.repeat(np.arange(12), m.generator.poisson(mean, 12) + 1)
        columns: Columns = {
            "tenant_id": keys_of(m.tables["tenant"], "id", tenant),
            "id": np.arange(len(tenant)),
            "price": m.numbers(len(tenant), tenant),
        }
        m.add(name, columns, key=["tenant_id", "id"], refers=[to("tenant", {"tenant_id": "id"})])
    clients, products = m.tables["client"], m.tables["product"]
    buyers = m.linked(700, clients.num_rows)
    whose = keys_of(clients, "tenant_id", buyers).to_numpy()
    choices = [np.flatnonzero(products["tenant_id"].to_numpy() == tenant) for tenant in whose]
    bought = np.array([m.generator.choice(choice) for choice in choices])
    columns = {
        "tenant_id": whose,
        "number": np.arange(700),
        "client_id": keys_of(clients, "id", buyers),
        "product_id": keys_of(products, "id", bought),
        "paid": m.numbers(700),
    }
    refers = [
        to("client", {"tenant_id": "tenant_id", "client_id": "id"}),
        to("product", {"tenant_id": "tenant_id", "product_id": "id"}),
    ]
    m.add("sale", columns, key=["tenant_id", "number"], refers=refers)
    return m.made()


@shape
def tenants_apart(m: Maker) -> Database:
    """The same, where no table holds the tenants, one key is optional, and one leads back."""
    for name, mean in (("client", 15.0), ("product", 9.0)):
        tenant = np.repeat(np.arange(12), m.generator.poisson(mean, 12) + 1)
        columns: Columns = {
            "tenant": [f"T{n}" for n in tenant],
            "id": np.arange(len(tenant)),
            "price": m.numbers(len(tenant), tenant),
        }
        m.add(name, columns, key=["tenant", "id"])
    clients, products = m.tables["client"], m.tables["product"]
    buyers = m.linked(700, clients.num_rows)
    whose = keys_of(clients, "tenant", buyers).to_pylist()
    of = {tenant: np.flatnonzero(np.array(products["tenant"]) == tenant) for tenant in set(whose)}
    bought = np.array([m.generator.choice(of[tenant]) for tenant in whose])
    first = {tenant: whose.index(tenant) for tenant in set(whose)}
    before = np.array([first[tenant] for tenant in whose])
    again = (m.generator.random(700) < 0.5) & (before < np.arange(700))
    columns = {
        "tenant": whose,
        "number": np.arange(700),
        "client_id": keys_of(clients, "id", buyers),
        "product_id": keys_of(products, "id", np.where(m.generator.random(700) < 0.2, -1, bought)),
        "refund_of": pa.array(before, mask=~again),
        "paid": m.numbers(700),
    }
    refers = [
        to("client", {"tenant": "tenant", "client_id": "id"}),
        to("product", {"tenant": "tenant", "product_id": "id"}),
        to("sale", {"tenant": "tenant", "refund_of": "number"}),
    ]
    m.add("sale", columns, key=["tenant", "number"], refers=refers)
    return m.made()


@shape
def kept_tenants(m: Maker) -> Database:
    """The same, where the tables with the shared column are kept as they are."""
    return replace(tenants_apart(m), keep=("client", "product"))


@shape
def circle_of_tenants(m: Maker) -> Database:
    """A circle of two tables whose keys share the column that says whose a row is."""
    team_of = np.repeat(np.arange(8), 6)
    teams, rows = len(team_of), 600
    works_in = m.generator.integers(0, teams, rows)
    lead = np.array(
        [
            m.generator.choice([-1, *np.flatnonzero(team_of[works_in] == team_of[n])])
            for n in range(teams)
        ]
    )
    columns: Columns = {
        "tenant": [f"T{n}" for n in team_of],
        "id": np.arange(teams),
        "lead_id": pa.array(lead, mask=lead < 0),
        "size": m.numbers(teams),
    }
    m.add("team", columns, key=["tenant", "id"])
    columns = {
        "tenant": [f"T{n}" for n in team_of[works_in]],
        "id": np.arange(rows),
        "team_id": works_in,
        "pay": m.numbers(rows),
    }
    refers = [to("team", {"tenant": "tenant", "team_id": "id"})]
    m.add("worker", columns, key=["tenant", "id"], refers=refers)
    m.refer("team", to("worker", {"tenant": "tenant", "lead_id": "id"}))
    return m.made()


@shape
def numbers_of_tenants(m: Maker) -> Database:
    """Bills are numbered for each tenant: one column of their key is half of another one."""
    tenant = np.repeat(np.arange(9), m.generator.poisson(12, 9) + 1)
    names = [f"T{n}" for n in tenant]
    columns: Columns = {
        "tenant": names,
        "id": np.arange(len(tenant)),
        "size": m.numbers(len(tenant)),
    }
    m.add("client", columns, key=["tenant", "id"])
    clients = np.sort(m.linked(500, len(tenant)))
    whose = tenant[clients]
    columns = {
        "tenant": [f"T{n}" for n in whose],
        "number": np.arange(500) - np.searchsorted(whose, whose) + 1,
        "client_id": pa.array(clients, mask=m.generator.random(500) < 0.1),
        "paid": m.numbers(500),
    }
    refers = [to("client", {"tenant": "tenant", "client_id": "id"})]
    m.add("bill", columns, key=["tenant", "number"], refers=refers)
    return m.made()


@shape
def pairs_of_tenants(m: Maker) -> Database:
    """Pairs of rows of one tenant each, none twice."""
    m.add("tenant", {"id": range(1, 11), "plan": m.words(10)}, key=["id"])
    of = {}
    for name, mean in (("student", 9.0), ("course", 5.0)):
        of[name] = np.repeat(np.arange(10), m.generator.poisson(mean, 10) + 1)
        columns: Columns = {"tenant_id": of[name] + 1, "id": np.arange(len(of[name]))}
        refers = [to("tenant", {"tenant_id": "id"})]
        m.add(name, columns, key=["tenant_id", "id"], refers=refers)
    students, courses = np.nonzero(of["student"][:, None] == of["course"])
    chosen = np.sort(m.generator.permutation(len(students))[: int(0.6 * len(students))])
    columns = {
        "tenant_id": of["student"][students[chosen]] + 1,
        "student_id": students[chosen],
        "course_id": courses[chosen],
        "grade": m.words(len(chosen), of="ABCDEF"),
    }
    refers = [
        to("student", {"tenant_id": "tenant_id", "student_id": "id"}),
        to("course", {"tenant_id": "tenant_id", "course_id": "id"}),
    ]
    key = ["tenant_id", "student_id", "course_id"]
    m.add("attends", columns, key=key, refers=refers)
    return m.made()
