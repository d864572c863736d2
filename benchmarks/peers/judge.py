"""Judge what a contender made: by rows that nobody learned, with Simulacra's own metrics.

    python -m peers.judge DATASET MADE RESULT.json

Each score stands beside its floor, what the learned rows themselves score. Values that can't be
read in the type of the real column are counted, and then count as missing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

import simulacra
from peers.datasets import BATCH, DATASETS, JUDGED, Dataset, prepared
from simulacra.core.scores import Score

ROWS = 20_000
"""Rows of a side that classifiers and the search for nearest rows look at."""
TABLE_METRICS = ("column_shapes", "pair_trends", "detection", "closest_records")
DATABASE_METRICS = ("column_shapes", "pair_trends", "detection")
RELATIONS = ("key_validity", "cardinality", "hop_trends")


def judge(dataset: Dataset, made: Path) -> dict[str, Any]:
    """Return scores by name, ``rows`` made, and ``unreadable``, a share of values by column."""
    folder = prepared(dataset)
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    if dataset.kind == "database":
        return _database(folder, made)
    real, held_out = (pq.read_table(folder / f"{part}.parquet") for part in ("judged", "held_out"))
    synthetic, rows = _some(made)
    synthetic, unreadable = _as(synthetic, real.schema)
    found: dict[str, Any] = {"rows": rows, "unreadable": unreadable}
    apart: list[str] = []
    if dataset.kind == "sequence":
        key, index = about["sequence_key"], about["sequence_index"]
        apart = [key]
        value, floor = (_steps(side, held_out, key, index) for side in (synthetic, real))
        found["scores"] = {"step_trends": {"value": value, "floor": floor}}
    metadata = simulacra.Metadata.detect(real.drop_columns(apart))
    report = simulacra.evaluate(
        *(side.drop_columns(apart) for side in (real, synthetic)),
        holdout=held_out.drop_columns(apart),
        metadata=metadata,
        target=dataset.target,
        metrics=[*TABLE_METRICS, *(["utility"] if dataset.target else [])],
        rows=ROWS,
    )
    overall = next(iter(report.tables.values())).overall
    found["scores"] = {**found.get("scores", {}), **{n: _kept(s) for n, s in overall.items()}}
    return found


def _database(folder: Path, made: Path) -> dict[str, Any]:
    sides = {}
    unreadable: dict[str, float] = {}
    for part, where in (
        ("learned", folder / "learned"),
        ("held_out", folder / "held_out"),
        ("made", made),
    ):
        sides[part] = {path.stem: pq.read_table(path) for path in sorted(where.glob("*.parquet"))}
    for name, table in sides["learned"].items():
        sides["made"][name], bad = _as(sides["made"][name], table.schema)
        unreadable |= {f"{name}.{column}": share for column, share in bad.items()}
    report = simulacra.evaluate(
        sides["learned"],
        sides["made"],
        holdout=sides["held_out"],
        metadata=simulacra.Metadata.load(folder / "spec.yaml"),
        metrics=[*RELATIONS, *DATABASE_METRICS],
        rows=ROWS,
    )
    if report.relations is None:
        message = f"{folder.name} has no keys"
        raise ValueError(message)
    scores = {name: _kept(score) for name, score in report.relations.overall.items()}
    for metric in DATABASE_METRICS:
        scores[metric] = _kept(report.score(metric))
    rows = sum(table.num_rows for table in sides["made"].values())
    return {"rows": rows, "unreadable": unreadable, "scores": scores}


def _kept(score: Score) -> dict[str, Any]:
    """Return what the results file keeps of a score."""
    kept: dict[str, Any] = {"value": score.value, "floor": score.floor}
    if score.value is None:
        kept["why"] = score.details.get("why")
    return kept


def _some(path: Path) -> tuple[pa.Table, int]:
    """Return rows of a file spread evenly over it, at most ``JUDGED``, and how many it has."""
    source = pq.ParquetFile(path)
    count = source.metadata.num_rows
    wanted = np.unique(np.linspace(0, count - 1, min(count, JUDGED)).astype(np.int64))
    return pa.Table.from_batches(_taken(source, wanted), source.schema_arrow), count


def _taken(source: pq.ParquetFile, wanted: NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
    start = 0
    for batch in source.iter_batches(BATCH):
        end = start + batch.num_rows
        low, high = np.searchsorted(wanted, [start, end])
        if high > low:
            yield batch.take(pa.array(wanted[low:high] - start))
        start = end


def _as(table: pa.Table, schema: pa.Schema) -> tuple[pa.Table, dict[str, float]]:
    """Return a table in the types of another, and the share of values that could not be read."""
    columns, unreadable = [], {}
    for field in schema:
        column = table[field.name].to_pandas()
        read = _read(column, field.type)
        lost = float((read.isna() & column.notna()).mean()) if len(column) else 0.0
        if lost:
            unreadable[field.name] = round(lost, 6)
        columns.append(pa.Array.from_pandas(read, type=field.type, safe=False))
    return pa.table(columns, schema=schema), unreadable


def _read(column: pd.Series, kind: pa.DataType) -> pd.Series:
    if pa.types.is_string(kind):
        return column.astype(str).where(column.notna(), None)
    if pa.types.is_timestamp(kind):
        return pd.to_datetime(column, errors="coerce")
    if pa.types.is_boolean(kind):
        return column.map({True: True, False: False, "True": True, "False": False})
    numbers = pd.to_numeric(column, errors="coerce")
    return numbers.round() if pa.types.is_integer(kind) else numbers


def _steps(side: pa.Table, judge_by: pa.Table, key: str, index: str) -> float:
    """Return how alike neighbours within sequences are: 1 less the mean error of correlations.

    For each numeric column the correlation between a row's value and the next row's of the same
    sequence, in the order of the index; the error is the difference from the held-out rows'.
    """
    errors = [
        abs(here - there)
        for here, there in zip(
            _neighbours(side, key, index), _neighbours(judge_by, key, index), strict=True
        )
    ]
    return 1 - float(np.mean(errors)) / 2


def _neighbours(table: pa.Table, key: str, index: str) -> list[float]:
    frame = table.to_pandas().sort_values([key, index])
    numbers = frame.drop(columns=[key, index]).select_dtypes("number")
    following = numbers.groupby(frame[key]).shift(-1)
    found = [numbers[name].corr(following[name]) for name in numbers.columns]
    return [0.0 if np.isnan(value) else float(value) for value in found]


if __name__ == "__main__":
    result = judge(DATASETS[sys.argv[1]], Path(sys.argv[2]))
    Path(sys.argv[3]).write_text(json.dumps(result), encoding="utf-8")
