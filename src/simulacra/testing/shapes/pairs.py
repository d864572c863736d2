"""Many to many: pairs of rows, none twice."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from simulacra.testing.shapes.catalogue import shape
from simulacra.testing.small_database import Columns, Database, Maker, keys_of, to

_DAY = date(2024, 1, 1)


@shape
def many_to_many(m: Maker) -> Database:
    """Pairs without any column of their own, none twice."""
    m.add("student", {"id": range(100, 300), "year": m.generator.integers(1, 5, 200)}, key=["id"])
    m.add(
        "course", {"code": [f"C{n:03d}" for n in range(40)], "hours": m.numbers(40)}, key=["code"]
    )
    cells = m.generator.choice(200 * 40, 1200, replace=False, p=_uneven(200, 40))
    _pairs(m, "attends", cells, own=False)
    return m.made()


@shape
def dense_pairs(m: Maker) -> Database:
    """Nearly all pairs are there."""
    m.add("student", {"id": range(100, 130), "year": m.generator.integers(1, 5, 30)}, key=["id"])
    m.add(
        "course", {"code": [f"C{n:03d}" for n in range(20)], "hours": m.numbers(20)}, key=["code"]
    )
    cells = np.sort(m.generator.choice(30 * 20, 570, replace=False))
    _pairs(m, "attends", cells, own=True)
    return m.made()


@shape
def junction(m: Maker) -> Database:
    """Pairs with columns of their own and a key of their own; the pair is unique."""
    m.add("student", {"id": range(100, 250), "year": m.generator.integers(1, 5, 150)}, key=["id"])
    m.add(
        "course", {"code": [f"C{n:03d}" for n in range(30)], "hours": m.numbers(30)}, key=["code"]
    )
    cells = m.generator.choice(150 * 30, 700, replace=False, p=_uneven(150, 30))
    _pairs(m, "attends", cells, own=True, number=True)
    return m.made()


@shape
def friends(m: Maker) -> Database:
    """Pairs of rows of one table, none twice, each with a day; and who brought whom."""
    brought = m.linked(200, 20)
    brought = np.where(brought >= np.arange(200), np.arange(200), brought)
    columns: Columns = {
        "id": range(200),
        "brought_by": brought,
        "age": m.generator.integers(18, 90, 200),
    }
    # Who came by himself was brought by himself: the column takes no nulls.
    m.add("user", columns, key=["id"], refers=[to("user", {"brought_by": "id"})])
    cells = m.generator.choice(200 * 200, 900, replace=False, p=_uneven(200, 200))
    columns = {
        "one": cells // 200,
        "other": cells % 200,
        "since": [_DAY + timedelta(days=int(n)) for n in m.generator.integers(0, 900, 900)],
    }
    refers = [to("user", {"one": "id"}), to("user", {"other": "id"})]
    m.add("friends", columns, key=["one", "other"], refers=refers)
    return m.made()


def _uneven(students: int, courses: int) -> np.ndarray:
    weights = np.outer(1 / np.arange(3, students + 3), 1 / np.arange(3, courses + 3)).ravel()
    return np.asarray(weights / weights.sum())


def _pairs(m: Maker, name: str, cells: np.ndarray, *, own: bool, number: bool = False) -> None:
    courses = m.tables["course"].num_rows
    columns: Columns = {"n": np.arange(len(cells)) + 1} if number else {}
    columns |= {
        "student": keys_of(m.tables["student"], "id", cells // courses),
        "course": keys_of(m.tables["course"], "code", cells % courses),
    }
    if own:
        columns["grade"] = m.words(len(cells), of="ABCDEF")
    pair = ["student", "course"]
    refers = [to("student", {"student": "id"}), to("course", {"course": "code"})]
    if number:
        m.add(name, columns, key=["n"], unique=[pair], refers=refers)
    else:
        m.add(name, columns, key=pair, refers=refers)
