"""Check an installed wheel as a user meets it: size, imports, and the main command.

Runs in an environment that holds the wheel and its dependencies only. Exits 1 on the first
promise broken.
"""

from __future__ import annotations

import csv
import importlib.metadata
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

MOST_MB = 800
INSTALLERS = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
NOT_INSTALLED = ("pandas", "polars", "sqlalchemy", "torch")
NOT_IMPORTED = ("duckdb", "lightgbm", "numba", "pandas", "scipy", "sklearn", "sqlalchemy", "torch")
ROWS = 300


def main() -> None:
    """Run all checks."""
    check_size()
    check_packages()
    check_imports()
    with tempfile.TemporaryDirectory() as folder:
        check_commands(Path(folder))
    print("installed wheel: all well")


def check_size() -> None:
    """Print the size of site-packages and its largest parts; fail above the limit."""
    site = Path(sysconfig.get_path("purelib"))
    # The installers came with the environment, not with the wheel.
    entries = [entry for entry in site.iterdir() if not entry.name.startswith(INSTALLERS)]
    sizes = {entry.name: size(entry) for entry in entries}
    total = sum(sizes.values()) / 1e6
    print(f"site-packages: {total:.0f} MB (at most {MOST_MB})")
    for name, count in sorted(sizes.items(), key=lambda item: -item[1])[:10]:
        print(f"  {count / 1e6:6.0f} MB  {name}")
    if total > MOST_MB:
        fail(f"site-packages has {total:.0f} MB, more than {MOST_MB}")


def size(entry: Path) -> int:
    """Return the bytes in a file or a folder."""
    if entry.is_file():
        return entry.stat().st_size
    return sum(file.stat().st_size for file in entry.rglob("*") if file.is_file())


def check_packages() -> None:
    """Fail if a package is installed that the base install must do without."""
    installed = {dist.name.lower() for dist in importlib.metadata.distributions()}
    if found := installed.intersection(NOT_INSTALLED):
        fail(f"the base install brings {sorted(found)}")


def check_imports() -> None:
    """Fail if ``import simulacra`` loads what only some commands need."""
    code = "import sys, simulacra; print(*sys.modules)"
    loaded = set(run(sys.executable, "-I", "-c", code).split())
    if found := loaded.intersection(NOT_IMPORTED):
        fail(f"import simulacra loads {sorted(found)}")


def check_commands(folder: Path) -> None:
    """Fail if the command is missing or can't make a synthetic copy of a small table."""
    command = str(Path(sysconfig.get_path("scripts")) / "simulacra")
    print(run(command, "version").strip())
    run(command, "--help")
    source, target = folder / "real.csv", folder / "synthetic.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["age", "city", "since"])
        for row in range(ROWS):
            city = ("Bern", "Köln", "Łódź")[row % 3]
            writer.writerow([20 + row * 7 % 60, city, f"20{row % 20 + 10}-0{row % 9 + 1}-15"])
    run(command, "synth", str(source), str(target), "--seed", "7", "--quiet")
    with target.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    if header != ["age", "city", "since"] or len(rows) != ROWS:
        fail(f"synth wrote the columns {header} and {len(rows)} rows")
    if {city for _, city, _ in rows} != {"Bern", "Köln", "Łódź"}:
        fail("synth lost or made up a city")


def run(*command: str) -> str:
    """Run a command and return what it printed; fail if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def fail(message: str) -> None:
    """End with a message."""
    sys.exit(f"check_install: {message}")


if __name__ == "__main__":
    main()
