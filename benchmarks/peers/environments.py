"""The environments that peers are installed in; what can't be installed is a result too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FAILED = "install-failed.txt"
WITHOUT = "# without:"
"""A line of the requirements that names what is to be taken out again."""
LINES = 6
"""How much of pip's last words is kept."""


class NotInstalledError(Exception):
    """A peer can't be installed here; says what pip said."""


def python(environment: str, folder: Path = HERE) -> Path:
    """Return the Python of an environment, made when missing; this one for an empty name.

    Args:
        environment: As in ``requirements-ENVIRONMENT.txt``.
        folder: Where environments are made, as ``.venv-ENVIRONMENT``.

    Raises:
        NotInstalledError: Its requirements can't be installed, now or when it was tried before.
    """
    if not environment:
        return Path(sys.executable)
    where = folder / f".venv-{environment}"
    failed = where / FAILED
    if failed.exists():
        raise NotInstalledError(failed.read_text(encoding="utf-8"))
    interpreter = where / "bin" / "python"
    if not interpreter.exists():
        _make(where, environment)
    return interpreter


def _make(where: Path, environment: str) -> None:
    subprocess.run([sys.executable, "-m", "venv", where], check=True)
    requirements = f"requirements-{environment}.txt"
    pip = [where / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    # PyTorch goes first, alone: the build for processors is a tenth of the size, and a peer's own
    # limits, read later, must not bring in another one.
    text = (HERE / requirements).read_text(encoding="utf-8")
    torch = [line for line in text.splitlines() if line.startswith("torch==")]
    for wanted in ([torch] if torch else []) + [["-r", requirements]]:
        done = subprocess.run(
            [*pip, *wanted],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=HERE,
            check=False,
        )
        if done.returncode:
            lines = [line for line in done.stdout.splitlines() if not line.startswith("WARNING")]
            said = "\n".join([line for line in lines if line.strip()][-LINES:])
            (where / FAILED).write_text(said, encoding="utf-8")
            raise NotInstalledError(said)
    for line in text.splitlines():
        if line.startswith(WITHOUT):
            subprocess.run([*pip[:-2], "uninstall", "-y", *line.split()[2:]], check=True)
