"""Runs the code on the pages of the documentation."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def run_page(page: Path, namespace: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run all Python blocks of a page, one after another, as one module."""
    module = ModuleType(f"docs_{page.stem}")
    # Dataclasses and pydantic look their annotations up there.
    monkeypatch.setitem(sys.modules, module.__name__, module)
    vars(module).update(namespace)
    text = page.read_text(encoding="utf-8")
    blocks = list(BLOCK.finditer(text))
    assert blocks
    for block in blocks:
        # As many empty lines as stand before the block: a failure names the page's line.
        line = text.count("\n", 0, block.start(1))
        code = compile("\n" * line + block[1], page, "exec")
        exec(code, vars(module))
