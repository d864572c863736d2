"""``features.yaml`` as ``docs/comparison.md``: what each can do, with the page that says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).with_name("features.yaml")
HEAD = """# What each can do

Written by `benchmarks/render.py` from `benchmarks/peers/features.yaml`. Every cell links to the
page that says so: ours, or the peer's own. Where a cell is a question mark, that documentation,
which it links to, doesn't say. It tells what there is, not how well it works; that is
[measured](benchmarks.md).
Something wrong, or out of date? Mend the file and say where it is written.
"""
UNKNOWN = "?"


def page() -> str:
    """Return the page.

    Raises:
        ValueError: A cell of the file has no link, or a row lacks cells.
    """
    kept = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    who, links = kept["who"], kept["links"]
    lines = [HEAD, f"| | {' | '.join(who)} |", "|---" * (len(who) + 1) + "|"]
    for feature in kept["features"]:
        if len(feature["cells"]) != len(who):
            message = f"{feature['what']} has {len(feature['cells'])} cells, not {len(who)}"
            raise ValueError(message)
        words = (
            _cell(feature["what"], *pair) for pair in zip(feature["cells"], links, strict=True)
        )
        lines.append(f"| {feature['what']} | {' | '.join(words)} |")
    return "\n".join([*lines, ""])


def _cell(what: str, cell: list[Any], documentation: str) -> str:
    said, *link = cell
    if not link and said != UNKNOWN:
        message = f"{what}: {said} has no link"
        raise ValueError(message)
    return f"[{said}]({link[0] if link else documentation})"
