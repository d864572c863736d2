"""How long a user waits before anything happens: the import and the help text, both warm."""

from __future__ import annotations

import sys
import time

from _common import Row, command, median, run, write_result

RUNS = 11


def main() -> None:
    """Measure and write ``results/startup.json``."""
    nothing = _seconds(sys.executable, "-c", "pass")
    importing = _seconds(sys.executable, "-c", "import simulacra") - nothing
    helping = _seconds(command(), "--help")
    note = f"median of {RUNS}, warm"
    write_result(
        "startup",
        "Start-up",
        [
            Row(
                "`import simulacra`",
                round(importing, 3),
                "s",
                "< 0.3",
                f"{note}; less the {nothing:.3f} s that Python itself takes",
            ),
            Row("`simulacra --help`", round(helping, 3), "s", "< 0.5", f"{note}; all in all"),
        ],
    )


def _seconds(*words: object) -> float:
    def once() -> float:
        begun = time.perf_counter()
        run([str(word) for word in words])
        return time.perf_counter() - begun

    return median(once, runs=RUNS, warm=2)


if __name__ == "__main__":
    main()
