"""The form of a report as JSON, and its published JSON Schema."""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import TypeAdapter
from typing_extensions import (
    TypedDict,
)


class ScoreDict(TypedDict):
    """A score; ``details["why"]`` says why a value is null."""

    metric: str
    columns: list[str]
    value: float | None
    floor: float | None
    interval: tuple[float, float] | None
    details: dict[str, Any]


class MeasureDict(TypedDict):
    """What the scores of one name are; an ideal of null is the floor."""

    title: str
    group: str
    higher_is_better: bool
    ideal: float | None


class GradeDict(TypedDict):
    """One of the report's indices, from 0, the worst, to 1."""

    value: float | None
    interval: tuple[float, float] | None
    floor: float | None
    level: str
    verdict: str


class TableDict(TypedDict):
    """What was measured of one table; rows are by side: real, synthetic, holdout.

    ``pictures`` is what its charts show: aggregates over at least ten real rows.
    """

    rows: dict[str, int]
    notes: list[str]
    overall: dict[str, ScoreDict]
    scores: list[ScoreDict]
    pictures: dict[str, Any]


class RelationsDict(TypedDict):
    """What was measured of keys and of tables joined by them.

    ``details["references"]`` of a score are the foreign keys that it is about, and
    ``details["table"]`` is the table whose keys they are.
    """

    foreign_keys: list[str]
    rows: dict[str, dict[str, int]]
    notes: list[str]
    overall: dict[str, ScoreDict]
    scores: list[ScoreDict]
    pictures: list[dict[str, Any]]


class ReportDict(TypedDict):
    """A report; tables that refer to each other have relations besides."""

    format: int
    about: dict[str, Any]
    seed: int
    measures: dict[str, MeasureDict]
    grades: dict[str, GradeDict]
    to_mend: list[str]
    tables: dict[str, TableDict]
    relations: NotRequired[RelationsDict]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a report."""
    schema = TypeAdapter(ReportDict).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
