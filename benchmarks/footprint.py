"""What a base install takes on the disk: Simulacra and all it needs, in a place of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from _common import HERE, Row, write_result

LARGEST = 8
INSTALLERS = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"


def main() -> None:
    """Install, measure and write ``results/footprint.json``."""
    with tempfile.TemporaryDirectory() as name:
        environment = Path(name)
        venv.create(environment, with_pip=True)
        python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", HERE.parent], check=True)
        found = subprocess.run([python, "-c", SITE], check=True, capture_output=True, text=True)
        # What the environment came with is not of our making.
        sizes = {
            entry.name: _size(entry)
            for entry in Path(found.stdout.strip()).iterdir()
            if not entry.name.startswith(INSTALLERS)
        }
    total = sum(sizes.values())
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:LARGEST]
    note = "with bytecode; SDV 2.0.0 and PyTorch for processors, the same way: 1,492 MB"
    rows = [Row("site-packages of the base install", _megabytes(total), "MB", "≤ 800", note)]
    rows += [Row(f"of these `{name}`", _megabytes(size), "MB") for name, size in largest]
    write_result("footprint", "Size of the installation", rows)


def _size(entry: Path) -> int:
    if entry.is_file():
        return entry.stat().st_size
    return sum(file.stat().st_size for file in entry.rglob("*") if file.is_file())


def _megabytes(size: int) -> float:
    return round(size / 1e6)


if __name__ == "__main__":
    main()
