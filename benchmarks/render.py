"""Turn ``results/*.json`` into ``docs/benchmarks.md``."""

from __future__ import annotations

import json
from typing import Any

from _common import HERE, RESULTS

PAGE = HERE.parent / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `benchmarks/render.py` from the JSON files in `benchmarks/results/`; `make bench`
measures anew. `benchmarks/README.md` and the scripts themselves tell how each figure is taken.
Times depend on the machine, which stands above each table; ratios travel better.
"""


def main() -> None:
    """Write the page."""
    results = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))
    ]
    PAGE.write_text(page(results), encoding="utf-8")
    print(f"{PAGE.relative_to(HERE.parent)}: {len(results)} results")


def page(results: list[dict[str, Any]]) -> str:
    """Return the page: a section and a table for each result."""
    return "\n".join([HEAD, *(section(result) for result in results)])


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
