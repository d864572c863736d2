"""How like the real data a synthetic copy is, judged by real rows that were not learned.

    python benchmarks/fidelity.py [TABLE …] [--seeds N]

Each table is halved at random: one half is learned with the default model and options, as many
rows are drawn, and the other half judges them by Simulacra's own metrics. Each seed halves anew;
figures are medians over the seeds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from _common import Row, data, tpch, write_result
from numpy.typing import NDArray

import simulacra
from simulacra.core.scores import Score

Figures = NDArray[np.float64]

SEEDS = 3
COMPARED = 50_000
"""Rows of a side that classifiers and the search for nearest rows look at."""

ERRORS = {
    "column_shapes": ("shape error over its floor", "≤ 1.3"),
    "pair_trends": ("trend error over its floor", "≤ 1.4"),
}


@dataclass(frozen=True, slots=True)
class Structure:
    """Something the data keeps, measured as a share.

    Attributes:
        what: In words.
        target: What was to be reached.
        share: Called with the learned rows and others; returns the share of those others.
    """

    what: str
    target: str
    share: Callable[[pa.Table, pa.Table], float]


@dataclass(frozen=True, slots=True)
class Case:
    """A table to copy, and what is promised of the copy.

    Attributes:
        read: Reads it.
        predict: The column to train classifiers for; None for none.
        find_rules: Whether arithmetic between columns is looked for.
        targets: What was to be reached, by metric.
        structures: What else to measure.
    """

    read: Callable[[], pa.Table]
    predict: str | None = None
    find_rules: bool = True
    targets: Mapping[str, str] | None = None
    structures: Sequence[Structure] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """What one seed gave.

    Attributes:
        scores: The overall score of each metric.
        shares: For each structure its share of the synthetic and of the held-out rows.
        seconds: Learning and drawing.
        rules: How many rules were found.
    """

    scores: Mapping[str, Score]
    shares: Sequence[tuple[float, float]]
    seconds: tuple[float, float]
    rules: int


def known_routes(learned: pa.Table, others: pa.Table) -> float:
    """Return the share of flights whose carrier, origin and destination were learned together."""
    known, new = (
        pc.binary_join_element_wise(
            *(table[name].cast(pa.string()) for name in ("carrier", "origin", "dest")), " "
        )
        for table in (learned, others)
    )
    return _share(pc.is_in(new, value_set=pc.unique(known)))


def shipped_before_receipt(_: pa.Table, others: pa.Table) -> float:
    """Return the share of lines that were shipped before they were received."""
    return _share(pc.less(others["l_shipdate"], others["l_receiptdate"]))


def copied_comments(learned: pa.Table, others: pa.Table) -> float:
    """Return the share of comments of over three words that were learned as they are."""
    known, new = (_plain(table["l_comment"]) for table in (learned, others))
    new = new.filter(pc.greater_equal(pc.count_substring(new, " "), 3))
    return _share(pc.is_in(new, value_set=pc.unique(known)))


def _plain(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    lower = pc.utf8_lower(texts.cast(pa.large_string()))
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(lower, r"\s+", " "))


def _share(mask: pa.ChunkedArray) -> float:
    return float(pc.mean(mask).as_py())


def _lineitem() -> pa.Table:
    table = pq.read_table(tpch(0.1) / "lineitem.parquet")
    # Arrow can't take rows out of string views.
    plain = [
        field.with_type(pa.string()) if pa.types.is_string_view(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(plain))


def _flights() -> pa.Table:
    return pq.read_table(data("nycflights/flights.parquet")).drop_columns("flight_id")


ORDER = Structure("shipdate before receiptdate", "≥ 0.99", shipped_before_receipt)
COPIES = Structure("comments of over three words copied whole", "0", copied_comments)
ROUTES = Structure("carrier, origin and dest seen together", "≥ 0.95", known_routes)
CASES = {
    "adult": Case(
        lambda: pq.read_table(data("adult.parquet")),
        predict="income_per_year",
        targets={"detection": "≤ 0.56", "utility": "≥ -0.015", "closest_records": "≤ 0.53"},
    ),
    "default": Case(
        lambda: pq.read_table(data("default.parquet")),
        predict="default-payment-next-month",
        targets={"detection": "≤ 0.64"},
    ),
    "flights": Case(_flights, targets={"detection": "≤ 0.85"}, structures=[ROUTES]),
    "lineitem": Case(_lineitem, structures=[ORDER, COPIES]),
    "lineitem-without-rules": Case(_lineitem, find_rules=False, structures=[ORDER, COPIES]),
}


def main() -> None:
    """Measure the tables asked for; each gives a ``results/fidelity-TABLE.json``."""
    parser = argparse.ArgumentParser(description="How like the real data synthetic copies are.")
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(CASES))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    asked = parser.parse_args()
    if unknown := set(asked.tables) - set(CASES):
        parser.error(f"no table called {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    for name in asked.tables or CASES:
        case = CASES[name]
        table = case.read()
        trials = [_trial(case, table, seed) for seed in range(asked.seeds)]
        title = f"Fidelity: {name}, {table.num_rows // 2:,} rows learned, {asked.seeds} seeds"
        write_result(f"fidelity-{name}", title, list(_rows(case, trials)))


def _trial(case: Case, table: pa.Table, seed: int) -> Trial:
    learned, held_out = _halves(table, seed)
    begun = time.perf_counter()
    synthesizer = simulacra.Synthesizer(seed=seed, find_rules=case.find_rules).fit(learned)
    fitted = time.perf_counter()
    synthetic = synthesizer.sample()
    drawn = time.perf_counter()
    judging = ["detection", "closest_records", *(["utility"] if case.predict else [])]
    scores: dict[str, Score] = {}
    # A target stands against the noise of shapes and trends: these are taken over all rows.
    for metrics, rows in ((judging, COMPARED), (list(ERRORS), table.num_rows)):
        report = simulacra.evaluate(
            learned,
            synthetic,
            holdout=held_out,
            metadata=synthesizer.metadata,
            target=case.predict if metrics is judging else None,
            metrics=metrics,
            rows=rows,
            seed=seed,
        )
        for measured in report.tables.values():
            scores |= measured.overall
    shares = [(s.share(learned, synthetic), s.share(learned, held_out)) for s in case.structures]
    rules = sum(len(fitted.model.rules) for fitted in synthesizer.fitted.tables.values())
    return Trial(scores, shares, (fitted - begun, drawn - fitted), rules)


def _halves(table: pa.Table, seed: int) -> tuple[pa.Table, pa.Table]:
    order = np.random.Generator(np.random.PCG64(seed)).permutation(table.num_rows)
    middle = table.num_rows // 2
    return table.take(np.sort(order[:middle])), table.take(np.sort(order[middle:]))


def _rows(case: Case, trials: Sequence[Trial]) -> Iterator[Row]:
    targets = case.targets or {}
    aucs, floors = _values(trials, "detection")
    told = trials[0].scores["detection"].details["given_away_by"]
    telling = ", ".join(f"{column['column']} {column['share']:.0%}" for column in told)
    yield Row(
        "C2ST AUC",
        _middle(aucs),
        "",
        targets.get("detection", ""),
        f"floor {_middle(floors)}; {_range(aucs)}; told by {telling}",
    )
    if case.predict:
        values, floors = _values(trials, "utility")
        gaps = values - floors
        yield Row(
            f"TSTR less TRTR, AUC for {case.predict}",
            _middle(gaps),
            "",
            targets.get("utility", ""),
            f"{_middle(values)} less {_middle(floors)}; {_range(gaps)}",
        )
    shares, _ = _values(trials, "closest_records")
    copies, same = _values(trials, "exact_copies")
    yield Row(
        "share nearer to a learned than to a held-out row",
        _middle(shares),
        "",
        targets.get("closest_records", ""),
        f"0.5 is ideal; {_range(shares)}; exact copies of learned rows {_middle(copies)}, "
        f"among held-out rows {_middle(same)}",
    )
    for metric, (what, target) in ERRORS.items():
        errors, floors = (1 - side for side in _values(trials, metric))
        lowest = trials[0].scores[metric].details["lowest"][:3]
        worst = ", ".join(f"{' × '.join(i['columns'])} {1 - i['value']:.3f}" for i in lowest)
        yield Row(
            what,
            _middle(errors / floors),
            "×",
            target,
            f"{median(errors):.2%} over {median(floors):.2%}; most in {worst}",
        )
    for place, structure in enumerate(case.structures):
        synthetic, held_out = zip(*(trial.shares[place] for trial in trials), strict=True)
        note = f"held-out rows: {_middle(held_out)}"
        yield Row(structure.what, _middle(synthetic), "", structure.target, note)
    learning, drawing = zip(*(trial.seconds for trial in trials), strict=True)
    found = f"{trials[0].rules} rules found" if case.find_rules else "no rules looked for"
    yield Row("learning", round(median(learning), 2), "s", "", found)
    yield Row("drawing as many rows", round(median(drawing), 2), "s")


def _values(trials: Sequence[Trial], metric: str) -> tuple[Figures, Figures]:
    """Return the values of a metric and their floors, one a trial."""
    scores = [trial.scores[metric] for trial in trials]
    if why := [score.details.get("why") for score in scores if score.value is None]:
        message = f"{metric} has no value: {why[0]}"
        raise RuntimeError(message)
    values, floors = ([getattr(score, side) for score in scores] for side in ("value", "floor"))
    return np.array(values, dtype=float), np.array(floors, dtype=float)


def _middle(values: Figures | Sequence[float]) -> float:
    return round(float(median(values)), 4)


def _range(values: Figures) -> str:
    return f"{values.min():.4f} to {values.max():.4f}"


if __name__ == "__main__":
    main()
