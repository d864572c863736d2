"""Columns by name."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from simulacra.core.errors import SpecError
from simulacra.rules.columns import check_given

ROWS = pa.RecordBatch.from_pydict(
    {"own": pa.array([1, 2]), "^key.size": pa.array([math.nan, None]), "^key.name": ["a", None]}
)
GIVEN = ["^key.size", "^key.name"]


def test_rules_that_only_use_given_columns_are_fine():
    check_given(ROWS, ROWS, GIVEN, where="child: difference")
    check_given(ROWS, ROWS.drop_columns(["own"]), GIVEN, where="child: equal")


@pytest.mark.parametrize(
    "after",
    [
        ROWS.drop_columns(["^key.name"]),
        ROWS.set_column(1, "^key.size", pa.array([1.0, None])),
        ROWS.set_column(1, "^key.size", pa.array([math.nan, None], pa.float32())),
        ROWS.set_column(2, "^key.name", pa.array(["a", "b"])),
    ],
)
def test_rules_that_change_a_given_column_are_refused(after):
    with pytest.raises(SpecError, match=r"^child: difference: a rule can't change \^key"):
        check_given(ROWS, after, GIVEN, where="child: difference")
