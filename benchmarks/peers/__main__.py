"""Run contenders on data sets; what is measured already is kept.

    python -m peers [--contenders NAME …] [--datasets NAME …] [--minutes N] [--again]

Cells are run one at a time, small data first. A contender that fails on some rows of a data set is
not run on more of the same, nor one that took longer for a smaller table than it may take.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import simulacra
from peers.contenders import CONTENDERS, Contender
from peers.datasets import DATASETS, PREPARED, Dataset
from peers.environments import HERE, NotInstalledError, python
from peers.results import Cell, Results
from peers.watch import LINES, Outcome, watch

MEMORY = 12 * 10**9
SCRIPTS = HERE / "scripts"
LEFT_OUT = "left out"
FAILED = {Outcome.CRASH, Outcome.TIMEOUT, Outcome.MEMORY, LEFT_OUT}


def main() -> None:
    """Measure what is asked for and not yet known, and write ``results/peers.json``."""
    parser = argparse.ArgumentParser(description="Simulacra beside its peers.")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--environments", type=Path, default=HERE, help="where they are made")
    parser.add_argument("--minutes", type=float, default=0, help="begin no cell later than this")
    parser.add_argument("--again", action="store_true", help="measure anew what is known")
    asked = parser.parse_args()
    begun = time.monotonic()
    results = Results.read()
    results.limits = {
        "time": (
            "10 minutes, 30 on the smallest table and the smallest database; half as much again "
            "for whom other work on the machine left less CPU time than that"
        ),
        "memory": f"{MEMORY / 1e9:g} GB, all processes of a contender together",
    }
    warm = False
    for contender, dataset in _cells(asked.contenders, asked.datasets):
        if (contender.name, dataset.name) in results.cells and not asked.again:
            continue
        if asked.minutes and time.monotonic() - begun > asked.minutes * 60:
            print("time is up", flush=True)
            break
        if not contender.environment and not warm:
            warm = True
            _warm(contender)
        cell = _cell(contender, dataset, results, asked.environments)
        results.cells[contender.name, dataset.name] = cell
        results.datasets[dataset.name] = _about(dataset)
        results.write()
        took = "" if cell.seconds is None else f"{cell.seconds:.1f} s"
        print(f"{contender.name} on {dataset.name}: {cell.outcome} {took}", flush=True)


def _cells(
    contenders: Sequence[str], datasets: Sequence[str]
) -> Iterator[tuple[Contender, Dataset]]:
    for name in datasets:
        dataset = DATASETS[name]
        for contender in (CONTENDERS[one] for one in contenders):
            if dataset.kind in contender.kinds:
                yield contender, dataset


def _cell(contender: Contender, dataset: Dataset, results: Results, environments: Path) -> Cell:
    cell = Cell(contender.name, dataset.name, Outcome.OK)
    hopeless = _hopeless(contender, dataset, results)
    if hopeless:
        cell.outcome, cell.message = LEFT_OUT, hopeless
        return cell
    try:
        interpreter = python(contender.environment, environments.absolute())
    except NotInstalledError as said:
        cell.outcome, cell.message = "not installed", str(said)
        return cell
    _in_a_process("peers.datasets", dataset.name)
    return _measured(cell, contender, dataset, interpreter)


def _hopeless(contender: Contender, dataset: Dataset, results: Results) -> str:
    """Return why a contender can't be expected to succeed; empty if it may."""
    for other in DATASETS.values():
        known = results.cells.get((contender.name, other.name))
        if known is None or not _is_smaller(other, dataset, results):
            continue
        if other.family == dataset.family and known.outcome in FAILED:
            return f"{known.outcome} on {other.rows:,} rows of the same"
        # Not what other work on the machine took from it.
        took = min(known.seconds or 0, known.cpu_seconds or 0)
        if took > dataset.minutes * 60:
            ended = "took" if known.outcome == Outcome.OK else f"{known.outcome} after"
            return f"{ended} {took / 60:.0f} minutes on {other.name}, which is smaller"
    return ""


def _is_smaller(other: Dataset, dataset: Dataset, results: Results) -> bool:
    if other.family == dataset.family:
        return other.rows < dataset.rows
    ours, theirs = (_values(one, results) for one in (dataset, other))
    return other.kind == dataset.kind and bool(ours and theirs and theirs < ours)


def _values(dataset: Dataset, results: Results) -> int | None:
    columns = results.datasets.get(dataset.name, {}).get("columns")
    return columns and dataset.rows * columns


def _measured(cell: Cell, contender: Contender, dataset: Dataset, interpreter: Path) -> Cell:
    work = PREPARED / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    made = work / ("made" if dataset.kind == "database" else "made.parquet")
    status = work / "status.jsonl"
    script = SCRIPTS / contender.script
    ran = watch(
        [interpreter, script, dataset.folder, made, status, contender.model],
        seconds=dataset.minutes * 60,
        memory=MEMORY,
        environment={"TMPDIR": str(work)},
        folder=work,
    )
    cell.outcome, cell.message = ran.outcome, ran.message
    for folder in (interpreter.parent.parent.parent, HERE.parent.parent):
        cell.message = cell.message.replace(str(folder), "…")
    cell.seconds, cell.cpu_seconds, cell.peak_bytes = ran.seconds, ran.cpu_seconds, ran.peak_bytes
    for line in status.read_text(encoding="utf-8").splitlines() if status.exists() else ():
        said = json.loads(line)
        if "stage" in said:
            cell.stages[said["stage"]] = said["seconds"]
            cell.cpu_stages[said["stage"]] = said["cpu_seconds"]
        cell.begun = said.get("begun", cell.begun)
        cell.versions |= said.get("versions", {})
    if ran.outcome == Outcome.OK:
        cell.begun = ""
        _judge(cell, dataset, made, work / "scores.json")
    shutil.rmtree(work)
    return cell


def _judge(cell: Cell, dataset: Dataset, made: Path, scores: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "peers.judge", dataset.name, made, scores],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        cell.outcome = "not judged"
        cell.message = "\n".join(done.stderr.strip().splitlines()[-LINES:])
        return
    judged = json.loads(scores.read_text(encoding="utf-8"))
    cell.rows, cell.unreadable = judged["rows"], judged["unreadable"]
    cell.scores = judged["scores"]


def _warm(contender: Contender) -> None:
    """Let Simulacra compile its kernels, once: the start-up benchmark tells what that costs."""
    package = Path(simulacra.__file__).parent
    newest = max(path.stat().st_mtime for path in package.rglob("*.py"))
    compiled, state = PREPARED / "compiled.txt", f"{package} {newest}"
    if compiled.exists() and compiled.read_text(encoding="utf-8") == state:
        return
    for name in ("adult", "tpch-0.01"):
        dataset = DATASETS[name]
        _in_a_process("peers.datasets", name)
        _measured(Cell(contender.name, name, Outcome.OK), contender, dataset, Path(sys.executable))
    compiled.write_text(state, encoding="utf-8")


def _in_a_process(module: str, *words: str) -> None:
    # Linux counts the peak of whoever starts a process into that process's own.
    subprocess.run([sys.executable, "-m", module, *words], check=True)


def _about(dataset: Dataset) -> dict[str, object]:
    about = {"kind": dataset.kind, "family": dataset.family, "minutes": dataset.minutes}
    written = dataset.folder / "about.json"
    if written.exists():
        told = json.loads(written.read_text(encoding="utf-8"))
        facts = ("rows", "columns", "tables", "held_out", "target")
        about |= {fact: told[fact] for fact in facts if told.get(fact) is not None}
    return {"rows": dataset.rows, **about}


if __name__ == "__main__":
    main()
