"""Run every benchmark (or those named), then draw the picture and write the page.

    python benchmarks/run.py [NAME …]

A benchmark is a script in this folder that writes ``results/NAME.json``. The peers are apart, in
``peers/``: they need environments of their own, and hours.
"""

from __future__ import annotations

import subprocess
import sys

from _common import HERE

NOT_BENCHMARKS = {"_common", "picture", "render", "run"}


def main() -> None:
    """Run the benchmarks one after another; stop at the first that fails."""
    known = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_BENCHMARKS)
    names = sys.argv[1:] or known
    if unknown := set(names) - set(known):
        sys.exit(f"no benchmark called {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    for name in [*names, "picture", "render"]:
        print(f"=== {name}", flush=True)
        subprocess.run([sys.executable, HERE / f"{name}.py"], check=True)


if __name__ == "__main__":
    main()
