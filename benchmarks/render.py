"""Turn ``results/*.json`` into ``docs/benchmarks.md``, its charts, and figures of other pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from _common import HERE, RESULTS
from peers.charts import draw
from peers.features import page as comparison
from peers.motives import figures
from peers.page import section as peers_section
from peers.results import PATH as PEERS
from peers.results import Results

DOCS = HERE.parent / "docs"
HEAD = """# Benchmarks

Written by `benchmarks/render.py` from the JSON files in `benchmarks/results/`; `make bench`
measures anew. `benchmarks/README.md` and the scripts themselves tell how each figure is taken.
Times depend on the machine, which stands above each table; ratios travel better.
"""
FIGURES = re.compile(r"(<!-- figures: .*? -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def main() -> None:
    """Write the pages."""
    paths = sorted(path for path in RESULTS.glob("*.json") if path != PEERS)
    results = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    peers = Results.read()
    parts = [HEAD, *(section(result) for result in results)]
    if peers.cells:
        parts.insert(1, peers_section(peers))
        draw(peers)
        _fill(DOCS / "motivation.md", figures(peers))
    (DOCS / "benchmarks.md").write_text("\n".join(parts), encoding="utf-8")
    (DOCS / "comparison.md").write_text(comparison(), encoding="utf-8")
    print(f"docs/: {len(results)} results and {len(peers.cells)} cells of peers")


def _fill(path: Path, text: str) -> None:
    """Put figures between the two marks that a page has for them."""
    page = path.read_text(encoding="utf-8")
    filled, places = FIGURES.subn(lambda found: f"{found[1]}\n{text}\n{found[2]}", page)
    if places != 1:
        message = f"{path} has {places} places for figures, not one"
        raise ValueError(message)
    path.write_text(filled, encoding="utf-8")


def section(result: dict[str, Any]) -> str:
    """Return one result as Markdown."""
    machine = result["machine"]
    where = (
        f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gb']} GB, "
        f"Python {machine['python']}, {machine['os']}"
    )
    lines = [
        f"## {result['title']}",
        "",
        f"{result['date']}: {where}.",
        "",
        "| what | figure | target | note |",
        "|---|---:|---|---|",
    ]
    for row in result["rows"]:
        figure = f"{number(row['figure'])} {row['unit']}".strip()
        lines.append(
            f"| {cell(row['what'])} | {figure} | {cell(row['target'])} | {cell(row['note'])} |"
        )
    return "\n".join([*lines, ""])


def number(figure: float | str) -> str:
    """Return a figure with thousands set apart, or the text as it is."""
    if isinstance(figure, str):
        return cell(figure)
    return f"{figure:,}"


def cell(text: str) -> str:
    """Return text that can't break a table."""
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
