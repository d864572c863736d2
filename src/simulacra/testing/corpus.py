"""Columns of every Arrow type and of every kind that breaks things."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.arrow_types import type_to_text
from simulacra.core.batches import TableSource
from simulacra.core.context import RunContext
from simulacra.core.limits import Limits
from simulacra.core.protocols import ColumnProfile
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.pipeline.profile import profile_table

ROWS = 600
_WORDS = "the quick brown fox jumps over a lazy dog while nobody looks at all".split()  # noqa: SIM905
_UNICODE = [
    "naïve",
    "日本語",
    "🙂🏽",
    "e\u0301",
    "שלום",
    "line\nbreak",
    'quo"te',
    "a,b",
    " pad ",
    "",
]


def columns() -> dict[str, pa.Array]:
    """Return the columns by name; made anew, always the same."""
    generator = RngKey(3, ("corpus",)).generator()
    return {
        **_integers(generator),
        **_floats(generator),
        **_strings(generator),
        **_temporal(generator),
        **_others(generator),
        **_degenerate(),
    }


def with_nulls(values: Sequence[Any] | pa.Array, arrow_type: pa.DataType) -> pa.Array:
    """Return values of a type, every seventh of them null."""
    array = pa.array(values, arrow_type)
    holes = pa.array(np.arange(len(array)) % 7 == 3)
    return pc.if_else(holes, pa.scalar(None, array.type), array)


def _integers(generator: np.random.Generator) -> dict[str, pa.Array]:
    found = {}
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        info = np.iinfo(name)
        values = generator.integers(0, 100, ROWS).astype(name)
        values[:2] = info.min, info.max
        found[name] = with_nulls(values, pa.type_for_alias(name))
    found["int64 spikes"] = pa.array(
        np.where(generator.random(ROWS) < 0.5, 40, generator.integers(0, 10**6, ROWS))
    )
    found["int64 keys"] = pa.array(np.arange(1_000, 1_000 + ROWS))
    return found


def _floats(generator: np.random.Generator) -> dict[str, pa.Array]:
    found = {}
    for name in ("float32", "float64"):
        info = np.finfo(name)
        values = generator.normal(0, 1e3, ROWS).astype(name)
        edges = [np.nan, np.inf, -np.inf, -0.0, info.max, info.min, info.tiny]
        values[: len(edges)] = edges
        found[f"{name} extremes"] = with_nulls(values, pa.type_for_alias(name))
    found["float64 cents"] = pa.array(np.round(generator.lognormal(3, 1, ROWS), 2))
    return found


def _strings(generator: np.random.Generator) -> dict[str, pa.Array]:
    few = [("red", "green", "blue")[n] for n in generator.integers(0, 3, ROWS)]
    texts = [
        " ".join(_WORDS[n] for n in generator.integers(0, len(_WORDS), size))
        for size in generator.integers(4, 12, ROWS)
    ]
    days = [datetime(2013, 1, 1, tzinfo=UTC) + timedelta(hours=11 * n) for n in range(ROWS)]
    numbers = generator.integers(0, 256, (ROWS, 4)).tolist()
    return {
        "string addresses": with_nulls(
            [f"10.{a % 3}.{b}.{c}" for a, b, c, _ in numbers], pa.string()
        ),
        "string mails": pa.array([f"user{a}.{b}@example{c % 5}.org" for a, b, c, _ in numbers]),
        "string phones": pa.array([f"+49 30 {a:03d}{b:03d}{c % 10}" for a, b, c, _ in numbers]),
        "string hex": pa.array([bytes(row).hex() for row in numbers]),
        "string weeks": with_nulls([day.strftime("%G-W%V") for day in days], pa.string()),
        "string few": with_nulls(few, pa.string()),
        "large_string few": pa.array(few, pa.large_string()),
        "string unicode": with_nulls(
            [_UNICODE[n % len(_UNICODE)] for n in range(ROWS)], pa.string()
        ),
        "string names": pa.array(
            [f"N{n:03d}{'AB'[n % 2]}" for n in generator.integers(0, 250, ROWS)]
        ),
        "string unique": pa.array([f"cust_{n:06d}" for n in range(ROWS)]),
        "string uuids": pa.array(
            [str(uuid.UUID(bytes=generator.bytes(16), version=4)) for _ in range(ROWS)]
        ),
        "string texts": with_nulls(texts, pa.string()),
        "string dates": pa.array([day.strftime("%Y-%m-%d") for day in days]),
        "string times": with_nulls([day.strftime("%d/%m/%Y %H:%M") for day in days], pa.string()),
    }


def _temporal(generator: np.random.Generator) -> dict[str, pa.Array]:
    days = generator.integers(0, 20_000, ROWS)
    seconds = days * 86_400 + generator.integers(0, 86_400, ROWS)
    found = {
        "date32": with_nulls(days.astype(np.int32), pa.int32()).cast(pa.date32()),
        "date64": pa.array(days * 86_400_000).cast(pa.date64()),
        "time32": with_nulls((seconds % 86_400).astype(np.int32), pa.int32()).cast(pa.time32("s")),
        "time64": pa.array(seconds % 86_400 * 10**6).cast(pa.time64("us")),
        "duration": with_nulls(seconds % 5_000, pa.int64()).cast(pa.duration("s")),
        "timestamp far": with_nulls(
            [datetime(9999, 12, 31, 23, 59, 59), datetime(1, 1, 1), datetime(2020, 2, 29)] * 50,  # noqa: DTZ001 - a type without zone
            pa.timestamp("us"),
        ),
    }
    for unit, factor in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        found[f"timestamp {unit}"] = with_nulls(seconds * factor, pa.int64()).cast(
            pa.timestamp(unit)
        )
    for zone in ("UTC", "Europe/Berlin"):
        found[f"timestamp {zone}"] = pa.array(seconds * 10**6).cast(pa.timestamp("us", zone))
    return found


def _others(generator: np.random.Generator) -> dict[str, pa.Array]:
    cents = generator.integers(-(10**6), 10**6, ROWS)
    few = with_nulls(
        [("low", "mid", "high")[n] for n in generator.integers(0, 3, ROWS)], pa.string()
    )
    ranks = pa.array(generator.integers(0, 3, ROWS), pa.int8())
    return {
        "bool": with_nulls(generator.random(ROWS) < 0.3, pa.bool_()),
        "decimal128": with_nulls([Decimal(int(c)) / 100 for c in cents], pa.decimal128(12, 2)),
        "decimal256": pa.array(
            [Decimal(int(c)) * 10**30 + Decimal("0.1") for c in cents], pa.decimal256(60, 5)
        ),
        "binary": with_nulls([b"\x00\xff", b"", b"abc"] * (ROWS // 3), pa.binary()),
        "fixed_size_binary": pa.array([bytes([n % 5] * 4) for n in range(ROWS)], pa.binary(4)),
        "dictionary": few.dictionary_encode(),
        "dictionary ordered": pa.DictionaryArray.from_arrays(
            ranks, pa.array(["S", "M", "L"]), ordered=True
        ),
    }


def _degenerate() -> dict[str, pa.Array]:
    found = {"null": pa.nulls(ROWS)}
    for arrow_type, value in (
        (pa.int64(), 42),
        (pa.float64(), 0.5),
        (pa.string(), "same"),
        (pa.timestamp("us"), datetime(2020, 1, 1)),  # noqa: DTZ001 - a type without zone
    ):
        name = type_to_text(arrow_type)
        found[f"{name} empty"] = pa.array([], arrow_type)
        found[f"{name} all null"] = pa.nulls(ROWS, arrow_type)
        found[f"{name} one row"] = pa.array([value], arrow_type)
        found[f"{name} one null"] = pa.nulls(1, arrow_type)
        found[f"{name} constant"] = with_nulls([value] * ROWS, arrow_type)
    return found


def profiles(found: Mapping[str, pa.Array]) -> dict[str, ColumnProfile]:
    """Return what one pass over each column tells."""
    by_rows: dict[int, list[str]] = {}
    for name, values in found.items():
        by_rows.setdefault(len(values), []).append(name)
    result: dict[str, ColumnProfile] = {}
    for rows, names in by_rows.items():
        source = TableSource(pa.table([found[name] for name in names], names))
        result |= profile_table(
            source,
            where="corpus",
            sample_rows=max(rows, 1),
            rng=RngKey(4),
            ctx=RunContext(Limits(memory=2**30, threads=1)),
        ).columns
    return result


@cache
def own_profiles() -> Mapping[str, ColumnProfile]:
    """Return the profiles of :func:`columns`."""
    return profiles(columns())


def column_spec(datatype: str, profile: ColumnProfile, options: Mapping[str, Any]) -> ColumnSpec:
    """Return the specification of a column of a datatype."""
    return ColumnSpec(
        type=datatype,
        arrow=type_to_text(profile.type),
        nullable=profile.nulls > 0,
        unique=profile.unique,
        options=dict(options),
    )
