"""What every script here shares: it says which stage it is at, and how long each took.

The scripts run in environments of their own, as

    python SCRIPT.py FOLDER MADE STATUS [MODEL]

``FOLDER`` holds what to learn (``learned.parquet`` or the folder ``learned``, and ``about.json``),
``MADE`` is where synthetic rows go, and ``STATUS`` a file that gets one JSON object a line: a stage
when it begins, and its seconds when it has ended. A run that is stopped leaves it as it stands.
"""

import json
import resource
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd


class Job:
    """What to do, from the command line.

    Attributes:
        folder: What to learn from.
        made: Where synthetic rows go.
        model: Which model, for scripts that know several.
        about: What ``about.json`` says of the data: ``rows``, ``keys`` and the like.
    """

    def __init__(self) -> None:
        warnings.simplefilter("ignore")
        self.folder, self.made, self._status = (Path(word) for word in sys.argv[1:4])
        self.model = sys.argv[4] if len(sys.argv) > 4 else ""
        self.about: dict[str, Any] = json.loads((self.folder / "about.json").read_text())

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Note the beginning and the end of a stage: ``read``, ``fit``, ``sample`` or ``write``."""
        self._note({"begun": name})
        begun, at_work = time.perf_counter(), _at_work()
        yield
        took, worked = time.perf_counter() - begun, _at_work() - at_work
        self._note({"stage": name, "seconds": took, "cpu_seconds": worked})

    def versions(self, *packages: str) -> None:
        """Note the versions of the packages that do the work."""
        self._note({"versions": {package: version(package) for package in packages}})

    def read(self) -> pd.DataFrame:
        """Return the table to learn."""
        with self.stage("read"):
            return pd.read_parquet(self.folder / "learned.parquet")

    def read_all(self) -> dict[str, pd.DataFrame]:
        """Return the tables to learn."""
        with self.stage("read"):
            found = sorted((self.folder / "learned").glob("*.parquet"))
            return {path.stem: pd.read_parquet(path) for path in found}

    def write(self, table: pd.DataFrame) -> None:
        """Write the table that was drawn."""
        with self.stage("write"):
            _strings(table).to_parquet(self.made, index=False)

    def write_all(self, tables: dict[str, pd.DataFrame]) -> None:
        """Write the tables that were drawn."""
        with self.stage("write"):
            self.made.mkdir()
            for name, table in tables.items():
                _strings(table).to_parquet(self.made / f"{name}.parquet", index=False)

    def _note(self, what: dict[str, Any]) -> None:
        with self._status.open("a", encoding="utf-8") as status:
            status.write(json.dumps(what) + "\n")


def _at_work() -> float:
    """Return the CPU seconds of this process and of those it started and waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _strings(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table that Arrow can write: columns of mixed objects become strings."""
    table = table.copy()
    for column in table.select_dtypes("object"):
        known = table[column].notna()
        table[column] = table[column].astype(str).where(known, None)
    return table
