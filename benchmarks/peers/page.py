"""``results/peers.json`` as Markdown: a table for each data set, what failed, and the versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from peers.contenders import CONTENDERS
from peers.datasets import DATASETS
from peers.results import Cell, Results

SHOWN = 300
"""Characters of a message that the page shows; the results file has the rest."""
TITLES = {
    "adult": "Adult",
    "default": "UCI default",
    "flights": "Flights of New York",
    "lineitem": "TPC-H lineitem",
    "weather-days": "Days of weather: sequences of 24 hours",
    "nycflights": "nycflights, a database",
    "tpch": "TPC-H, a database",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the tables.

    Attributes:
        title: Its head.
        of: The figure of a cell, if it has one.
        best: Which of them is best: ``min``, ``max``, or the nearest to 0.5 for ``half``.
        text: How it is written.
        metric: The score that it shows, if it shows one.
    """

    title: str
    of: Callable[[Cell], float | None]
    best: str
    text: str
    metric: str = ""


def _score(title: str, metric: str, best: str) -> Column:
    def of(cell: Cell) -> float | None:
        value: float | None = cell.scores.get(metric, {}).get("value")
        return value

    return Column(title, of, best, "{:.3f}", metric)


COSTS = (
    Column("learn, s", lambda cell: cell.stages.get("fit"), "min", "{:,.1f}"),
    Column("draw, s", lambda cell: cell.stages.get("sample"), "min", "{:,.1f}"),
    Column("CPU of both, s", lambda cell: cell.cpu_learning_and_drawing, "min", "{:,.1f}"),
    Column("peak, GB", lambda cell: cell.peak_bytes and cell.peak_bytes / 1e9, "min", "{:.2f}"),
)
FIDELITY = (
    _score("shapes ↑", "column_shapes", "max"),
    _score("trends ↑", "pair_trends", "max"),
    _score("C2ST ↓", "detection", "min"),
)
SCORES = {
    "table": (
        *FIDELITY,
        _score("TSTR ↑", "utility", "max"),
        _score("nearer to learned", "closest_records", "half"),
    ),
    "sequence": (
        _score("neighbours ↑", "step_trends", "max"),
        *FIDELITY,
        _score("nearer to learned", "closest_records", "half"),
    ),
    "database": (
        _score("valid keys ↑", "key_validity", "max"),
        _score("children, KS ↓", "cardinality", "min"),
        _score("trends with parent ↑", "hop_trends_1", "max"),
        *FIDELITY,
    ),
}


def section(results: Results) -> str:
    """Return the part of ``docs/benchmarks.md`` that compares the peers."""
    dates = sorted({cell.date for cell in results.cells.values()})
    lines = [
        "## Beside the peers",
        "",
        f"{' to '.join(dict.fromkeys((dates[0], dates[-1])))}: {where(results)}.",
        "`make bench-peers` measures anew; [what each can do](comparison.md) is told apart.",
        "",
        *_how(results),
        "",
        "![Seconds to learn and draw against rows](assets/peers-time.svg)",
        "",
        "![Peak memory against rows](assets/peers-memory.svg)",
        "",
        "![How well copies can be told from real rows, against time](assets/peers-fidelity.svg)",
        "",
    ]
    for name in DATASETS:
        lines += _dataset(name, results)
    lines += [*_failures(results), *_versions(results)]
    return "\n".join(lines)


def where(results: Results) -> str:
    """Return the machine that the figures were taken on."""
    machine = results.machine
    return (
        f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gb']} GB, no GPU, "
        f"Python {machine['python']}, {machine['os']}"
    )


def _how(results: Results) -> Iterator[str]:
    yield (
        "Every contender runs in a process and an environment of its own, with the settings it "
        "comes with, one at a time; other work may share the machine, so the time of CPU stands "
        "beside that of the clock, and the charts show it. "
        + _share(results)
        + " Limits: "
        + "; ".join(f"{what}: {limit}" for what, limit in results.limits.items())
        + ". What exceeds one is a result, [with its message](#what-did-not-work); a contender "
        "that failed on some rows of a table is not tried on more, and none on a table of more "
        "values than one that took it longer than the limit. *Not run* means that nobody has "
        "measured it: it says nothing."
    )
    yield ""
    yield (
        "Learning and drawing are timed apart from starting Python, importing, reading and "
        "writing; for Simulacra, which goes from file to file, reading and writing are in them, "
        "and finding out what the columns are, too. Its kernels were compiled beforehand "
        "([start-up](#start-up) tells what that costs once). Peak memory is that of whole "
        "processes, with all that they start."
    )
    yield ""
    yield (
        "As many rows are drawn as were learned, and rows that nobody learned judge them, by "
        "Simulacra's own metrics: column *shapes* and pair *trends* (1 is ideal), *C2ST*, the AUC "
        "of a classifier that tells synthetic from held-out rows (0.5 is ideal, 1 is always told), "
        "*TSTR*, what a model that learned from synthetic rows scores on held-out ones, and the "
        "share of synthetic rows *nearer to a learned* than to a held-out row (0.5 is ideal; more "
        "hints at copies; it is a smoke test, no proof of privacy). The last line of a table is "
        "the floor: what the learned real rows score themselves. Bold is best; where the figure "
        "of a peer is bold, the peer wins."
    )
    yield ""
    yield (
        "SDV's metadata are those it detects, but strings that it takes for something personal or "
        "unknown are declared categories when their values repeat: it would make them up "
        "otherwise. ARF knows only numbers and categories, so it gets times as seconds. Databases "
        "have the keys that HMA can have, of one column each, for both. Both halves of a database "
        "share the tables that are not split, such as airports: the same rows on both sides "
        "make the floor of C2ST fall below 0.5."
    )


def _share(results: Results) -> str:
    """Return how much of the machine contenders had, which tells how busy it was."""
    shares = [
        cell.cpu_seconds / cell.seconds
        for cell in results.cells.values()
        if cell.cpu_seconds and cell.seconds
    ]
    return (
        f"Here they had {min(shares):.2f} to {max(shares):.2f} (median {median(shares):.2f}) "
        f"seconds of CPU a second of the clock, on {results.machine['cores']} cores: well under "
        "one means that the machine was busy with other work, and that times by the clock are too "
        "long, ours too."
    )


def _dataset(name: str, results: Results) -> Iterator[str]:
    cells = {who: results.cells.get((who, name)) for who in CONTENDERS}
    if not any(cells.values()):
        return
    about = results.datasets[name]
    size = f"{about['rows']:,} rows"
    if "tables" in about:
        size += f" in {about['tables']} tables"
    elif "columns" in about:
        size += f" × {about['columns']}"
    yield f"### {TITLES[about['family']]}, {size}"
    yield ""
    columns = [*COSTS, *SCORES[about["kind"]]]
    if "target" not in about:
        columns = [column for column in columns if column.metric != "utility"]
    yield "| | " + " | ".join(column.title for column in columns) + " |"
    yield "|---|" + "---:|" * len(columns)
    done = [cell for cell in cells.values() if cell is not None and cell.outcome == "ok"]
    best = [_best(column, done) for column in columns]
    not_run = []
    for who, contender in CONTENDERS.items():
        cell = cells[who]
        if about["kind"] not in contender.kinds:
            continue
        if cell is None:
            not_run.append(contender.title)
            continue
        if cell.outcome != "ok":
            yield f"| {contender.title} | *{cell.outcome}*{_spent(cell, columns)}"
            continue
        figures = (_written(*pair, cell) for pair in zip(columns, best, strict=True))
        yield f"| {contender.title} | " + " | ".join(figures) + " |"
    yield f"| *floor: real rows* |{''.join(_floor(column, done) for column in columns)}"
    yield ""
    if not_run:
        yield f"*Not run:* {', '.join(not_run)}."
        yield ""


def _spent(cell: Cell, columns: Sequence[Column]) -> str:
    """Return what an unfinished run took until it ended: its CPU time and memory."""
    if cell.peak_bytes is None or cell.cpu_seconds is None:
        return " |" * len(columns)
    spent = f" | | ≥ {cell.cpu_seconds:,.0f} | {cell.peak_bytes / 1e9:.2f} |"
    return spent + " |" * (len(columns) - len(COSTS))


def _best(column: Column, cells: Sequence[Cell]) -> float | None:
    values = [value for cell in cells if (value := column.of(cell)) is not None]
    if len(values) < 2:
        return None
    if column.best == "half":
        return min(values, key=lambda value: abs(value - 0.5))
    return min(values) if column.best == "min" else max(values)


def _written(column: Column, best: float | None, cell: Cell) -> str:
    value = column.of(cell)
    if value is None:
        return ""
    text = column.text.format(value)
    return f"**{text}**" if best is not None and text == column.text.format(best) else text


def _floor(column: Column, cells: Sequence[Cell]) -> str:
    floors = [cell.scores.get(column.metric, {}).get("floor") for cell in cells]
    known = next((floor for floor in floors if floor is not None), None)
    return " |" if known is None else f" *{column.text.format(known)}* |"


def _failures(results: Results) -> Iterator[str]:
    yield "### What did not work"
    yield ""
    yield "| who | on | what happened | at | after | CPU | message |"
    yield "|---|---|---|---|---:|---:|---|"
    for cell in results.cells.values():
        if cell.outcome == "ok":
            continue
        message = " ".join(cell.message.split()).replace("|", "\\|")
        if len(message) > SHOWN:
            message = f"… {message[-SHOWN:]}"
        took = "" if cell.seconds is None else f"{cell.seconds:,.0f} s"
        at_work = "" if cell.cpu_seconds is None else f"{cell.cpu_seconds:,.0f} s"
        who = CONTENDERS[cell.contender].title
        yield (
            f"| {who} | {cell.dataset} | {cell.outcome} | {cell.begun} | {took} | {at_work} "
            f"| `{message}` |"
        )
    yield ""
    for note in sorted({cell.note for cell in results.cells.values() if cell.note}):
        noted = (cell for cell in results.cells.values() if cell.note == note)
        named = ", ".join(f"{CONTENDERS[cell.contender].title} on {cell.dataset}" for cell in noted)
        yield f"{note}: {named}."
        yield ""
    unread = [cell for cell in results.cells.values() if cell.unreadable]
    if unread:
        yield (
            "Values that are not of their column's type, so that they count as missing: "
            + "; ".join(
                f"{CONTENDERS[cell.contender].title} on {cell.dataset}: "
                + ", ".join(f"`{name}` {share:.1%}" for name, share in cell.unreadable.items())
                for cell in unread
            )
            + "."
        )
        yield ""


def _versions(results: Results) -> Iterator[str]:
    versions: dict[str, str] = {}
    for cell in results.cells.values():
        versions |= cell.versions
    named = ", ".join(f"{package} {version}" for package, version in sorted(versions.items()))
    yield f"Versions: {named}."
    yield ""
