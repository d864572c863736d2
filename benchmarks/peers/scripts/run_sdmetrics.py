"""What SDMetrics says of halves of real tables: the expected values of tests/metrics/test_peers.py.

    python run_sdmetrics.py FOLDER FILE.json

FOLDER holds ``weather.parquet``, ``flights.parquet`` and ``planes.parquet`` as Simulacra ships
them (src/simulacra/demo/nycflights), or ``adult.parquet``. The first half of the rows stands for
the real ones, the second for synthetic ones. Only columns without nulls are compared, but for
shares of nulls: what becomes of nulls is where both differ. Run it in the environment of
``requirements-sdmetrics.txt`` when a metric that both have is added, or SDMetrics changes.
"""

import importlib.metadata
import json
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
from sdmetrics import column_pairs, multi_table, single_column

BINS = 10
CATEGORIES = {
    "weather": {"origin", "month"},
    "flights": {"carrier", "origin", "dest", "tailnum", "month"},
    "adult": {
        "workclass", "education", "marital_status", "occupation", "relationship", "race", "sex",
        "native_country", "income_per_year",
    },
}  # fmt: skip
LEFT_OUT = {"weather": {"year"}, "flights": {"year", "flight_id"}, "adult": set()}


Frames = tuple[pd.DataFrame, pd.DataFrame]
Asked = Iterator[tuple[str, list[str], tuple[Any, Any], dict[str, Any]]]
"""A metric, the columns it is about, both sides of them, and options."""


def halves(table: pd.DataFrame) -> Frames:
    """Return the first half of the rows, and as many after it."""
    half = len(table) // 2
    return table[:half].reset_index(drop=True), table[half : 2 * half].reset_index(drop=True)


def of_columns(name: str, real: pd.DataFrame, synthetic: pd.DataFrame) -> Asked:
    """Yield what is asked of single columns."""
    for column in real.columns:
        sides = real[column], synthetic[column]
        yield "MissingValueSimilarity", [column], sides, {}
        if column in LEFT_OUT[name] or any(side.isna().any() for side in sides):
            continue
        kinds = ["TVComplement", "CategoryCoverage", "CategoryAdherence"]
        if column not in CATEGORIES[name]:
            kinds = ["KSComplement", "RangeCoverage", "BoundaryAdherence"]
        for kind in kinds:
            yield kind, [column], sides, {}


def of_pairs(name: str, real: pd.DataFrame, synthetic: pd.DataFrame) -> Asked:
    """Yield what is asked of pairs of columns."""
    whole = [
        column
        for column in real.columns
        if column not in LEFT_OUT[name]
        and not real[column].isna().any()
        and not synthetic[column].isna().any()
    ]
    # Its pair metrics take times as whole numbers, as its reports do.
    real, synthetic = (
        side[whole].apply(lambda c: c.astype("int64") if c.dtype.kind == "M" else c)
        for side in (real, synthetic)
    )
    for pair in map(list, combinations(whole, 2)):
        sides = real[pair], synthetic[pair]
        numbers = [column for column in pair if column not in CATEGORIES[name]]
        if len(numbers) == 2:
            yield "CorrelationSimilarity", pair, sides, {}
        else:
            cut = {"continuous_column_names": numbers, "num_discrete_bins": BINS} if numbers else {}
            yield "ContingencySimilarity", pair, sides, cut


def scores_of(name: str, table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what SDMetrics says of the halves of a table."""
    real, synthetic = halves(table)
    found = []
    for scope, made in ((single_column, of_columns), (column_pairs, of_pairs)):
        for metric, columns, sides, options in made(name, real, synthetic):
            value = getattr(scope, metric).compute(*sides, **options)
            value = None if pd.isna(value) else float(value)
            found.append({"metric": metric, "columns": columns, "value": value})
    return found


def of_relations(flights: pd.DataFrame, planes: pd.DataFrame) -> dict[str, float]:
    """Return what it says of keys, half of the planes missing, or some of them there twice."""
    flights = flights[flights["tailnum"].isin(planes["tailnum"])]
    real, synthetic = halves(flights)
    fewer = planes[::2]
    twice = pd.concat([planes, planes[:100]])
    known = synthetic[synthetic["tailnum"].isin(fewer["tailnum"])]
    relationship = {
        "parent_table_name": "planes",
        "parent_primary_key": "tailnum",
        "child_table_name": "flights",
        "child_foreign_key": "tailnum",
    }
    metadata = {
        "tables": {
            "planes": {"primary_key": "tailnum", "columns": {"tailnum": {"sdtype": "id"}}},
            "flights": {"columns": {"tailnum": {"sdtype": "id"}}},
        },
        "relationships": [relationship],
    }
    return {
        "KeyUniqueness": single_column.KeyUniqueness.compute(planes["tailnum"], twice["tailnum"]),
        "ReferentialIntegrity": column_pairs.ReferentialIntegrity.compute(
            (planes["tailnum"], real["tailnum"]), (fewer["tailnum"], synthetic["tailnum"])
        ),
        "CardinalityShapeSimilarity": multi_table.CardinalityShapeSimilarity.compute(
            {"planes": planes[["tailnum"]], "flights": real[["tailnum"]]},
            {"planes": fewer[["tailnum"]], "flights": known[["tailnum"]]},
            metadata,
        ),
    }


def main() -> None:
    """Write what there are tables for."""
    folder, target = map(Path, sys.argv[1:])
    found = {"sdmetrics": importlib.metadata.version("sdmetrics"), "tables": {}}
    for name in CATEGORIES:
        if (folder / f"{name}.parquet").exists():
            table = pd.read_parquet(folder / f"{name}.parquet")
            found["tables"][name] = scores_of(name, table)
    if (folder / "planes.parquet").exists():
        tables = [pd.read_parquet(folder / f"{name}.parquet") for name in ("flights", "planes")]
        found["relations"] = of_relations(*tables)
    target.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
