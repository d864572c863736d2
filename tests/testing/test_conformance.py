"""Every registered plug-in against the conformance kit; none is left out."""

import pyarrow as pa

from simulacra.core.registry import Kind, names
from simulacra.testing import conformance_tests
from simulacra.testing.tables import orders, spec_of

_ORDERS = orders()
_CLOCK = pa.table({"at": pa.array([0, 1, 59, 100, 1230, 2359, 2400, None] * 50)})

CASES = {
    (Kind.DATATYPE, "ipv4"): {
        "columns": {"address": pa.array([f"10.{n % 3}.7.{n % 200}" for n in range(500)])}
    },
    (Kind.RULE, "difference"): {
        "options": {"column": "shipped", "minus": "ordered", "order": ">"},
        "table": _ORDERS,
        "spec": spec_of(_ORDERS),
    },
    (Kind.RULE, "clock"): {"options": {"column": "at"}, "table": _CLOCK, "spec": spec_of(_CLOCK)},
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
