"""Tables that lead to themselves, or to each other."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulacra.testing.shapes.catalogue import shape
from simulacra.testing.small_database import Columns, Database, Maker, keys_of, to


@shape
def tree(m: Maker) -> Database:
    """Categories in categories: each below an earlier one, five roots."""
    rows = 400
    parents = (m.generator.random(rows) ** 1.5 * np.arange(rows)).astype(np.int64)
    parents = np.where(np.arange(rows) < 5, -1, parents)
    ids = pa.array(m.generator.permutation(rows) * 3 + 7)
    columns: Columns = {
        "id": ids,
        "parent_id": ids.take(pa.array(np.maximum(parents, 0), mask=parents < 0)),
        "size": m.numbers(rows),
    }
    m.add("category", columns, key=["id"], refers=[to("category", {"parent_id": "id"})])
    return m.made()


@shape
def replies(m: Maker) -> Database:
    """Comments of a post answer comments of the same post."""
    m.add("post", {"id": range(1, 151), "topic": m.words(150)}, key=["id"])
    posts = m.generator.permutation(np.repeat(np.arange(150), m.generator.poisson(6, 150)))
    answers = np.full(len(posts), -1)
    for row, post in enumerate(posts):
        earlier = np.flatnonzero(posts[:row] == post)
        if len(earlier) and m.generator.random() < 0.6:
            answers[row] = m.generator.choice(earlier)
    ids = pa.array(np.arange(len(posts)) + 1)
    columns: Columns = {
        "id": ids,
        "post_id": keys_of(m.tables["post"], "id", posts),
        "answers": ids.take(pa.array(np.maximum(answers, 0), mask=answers < 0)),
        "likes": m.generator.poisson(3, len(posts)),
    }
    refers = [to("post", {"post_id": "id"}), to("comment", {"answers": "id"})]
    m.add("comment", columns, key=["id"], refers=refers)
    return m.made()


@shape
def threads(m: Maker) -> Database:
    """Posts of a forum, numbered within it, answer posts of the same forum: one key in another."""
    m.add("forum", {"id": range(1, 41), "topic": m.words(40)}, key=["id"])
    forums = np.repeat(np.arange(40), m.generator.poisson(15, 40) + 1)
    firsts = np.searchsorted(forums, forums)
    number = np.arange(len(forums)) - firsts + 1
    answers = np.array([m.generator.integers(0, n) for n in number])
    columns: Columns = {
        "forum_id": keys_of(m.tables["forum"], "id", forums),
        "number": number,
        "answers": pa.array(answers, mask=answers == 0),
        "likes": m.generator.poisson(3, len(forums)),
    }
    refers = [
        to("forum", {"forum_id": "id"}),
        to("post", {"forum_id": "forum_id", "answers": "number"}),
    ]
    m.add("post", columns, key=["forum_id", "number"], refers=refers)
    return m.made()


@shape
def names_in_folders(m: Maker) -> Database:
    """A tree in which names are unique below each parent, and not beside it."""
    parents = np.array([-1, *[m.generator.integers(max(0, n - 40), n) for n in range(1, 500)]])
    names = np.zeros(500, np.int64)
    for row in range(1, 500):
        used = names[:row][parents[:row] == parents[row]]
        names[row] = m.generator.choice(np.setdiff1d(np.arange(1, 60), used))
    columns: Columns = {
        "id": range(500),
        "folder_id": pa.array(parents, mask=parents < 0),
        "name": [f"file {n}" if n % 2 else f"folder {n}" for n in names],
        "bytes": m.generator.poisson(2000, 500),
    }
    refers = [to("folder", {"folder_id": "id"})]
    m.add("folder", columns, key=["id"], unique=[["folder_id", "name"]], refers=refers)
    return m.made()


@shape
def circle(m: Maker) -> Database:
    """Each department has a manager, each employee a department; both may be missing."""
    return _circle(m, 0.2, 0.1)


@shape
def half_a_circle(m: Maker) -> Database:
    """The same, where every employee has a department."""
    return _circle(m, 0.2, 0.0)


def _circle(m: Maker, without_manager: float, without_department: float) -> Database:
    departments = m.linked(500, 40, without_department)
    managers = m.linked(40, 500, without_manager)
    names = pa.array([f"d-{n}" for n in range(40)])
    columns: Columns = {
        "id": names,
        "manager_id": pa.array(managers + 1000, mask=managers < 0),
        "budget": m.numbers(40),
    }
    m.add("department", columns, key=["id"])
    columns = {
        "id": np.arange(500) + 1000,
        "department_id": keys_of(m.tables["department"], "id", departments),
        "pay": m.numbers(500),
    }
    refers = [to("department", {"department_id": "id"})]
    m.add("employee", columns, key=["id"], refers=refers)
    m.refer("department", to("employee", {"manager_id": "id"}))
    return m.made()


@shape
def heads(m: Maker) -> Database:
    """A circle in which nobody leads two departments, and each has one deputy a year at most."""
    columns: Columns = {
        "id": range(30),
        "head_id": pa.array(m.generator.permutation(300)[:30], mask=np.arange(30) % 5 == 0),
        "budget": m.numbers(30),
    }
    m.add("department", columns, key=["id"], unique=[["head_id"]])
    columns = {"id": range(300), "department_id": m.linked(300, 30), "pay": m.numbers(300)}
    refers = [to("department", {"department_id": "id"})]
    m.add("employee", columns, key=["id"], refers=refers)
    m.refer("department", to("employee", {"head_id": "id"}))
    cells = np.sort(m.generator.choice(30 * 9, 200, replace=False))
    columns = {
        "id": range(200),
        "department_id": cells // 9,
        "year": cells % 9 + 2015,
        "employee_id": m.generator.permutation(300)[:200],
    }
    refers = [to("department", {"department_id": "id"}), to("employee", {"employee_id": "id"})]
    unique = [["department_id", "year"], ["employee_id"]]
    m.add("deputy", columns, key=["id"], unique=unique, refers=refers)
    return m.made()
