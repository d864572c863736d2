"""Every registered plug-in against the conformance kit; none is left out."""

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.registry import Kind, names
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


def _rule(table: pa.Table, **options: str) -> dict[str, object]:
    return {"options": options, "table": table, "spec": spec_of(table)}


CASES: dict[tuple[Kind, str], dict[str, object]] = {
    (Kind.RULE, "calendar"): _rule(_DATES, year="year", month="month", day="day"),
    (Kind.RULE, "clock"): _rule(_CLOCK, column="at"),
    (Kind.RULE, "difference"): _rule(_ORDERS, column="shipped", minus="ordered", order=">"),
    (Kind.RULE, "part"): _rule(_HOURS, column="hour", of="ordered", part="hour"),
    (Kind.METRIC, "utility"): {"options": {"target": "express", "threads": 1}},
    (Kind.METRIC, "detection"): {"options": {"threads": 1}},
    (Kind.METRIC, "closest_records"): {"options": {"threads": 1}},
}
"""What plug-ins need to be checked besides their name."""

GAPS: dict[tuple[Kind, str], dict[str, str]] = {}
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
