"""The tutorials' code runs, and the plug-ins they write do all that plug-ins must."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

import simulacra.testing
from pages import ROOT, python_of
from simulacra.testing import checks_for

PLUGINS = {
    "model": "Chain",
    "datatype": "IsoWeek",
    "connector": "SqliteFile",
    "rule": "AddsUp",
    "metric": "MedianGap",
}
TEST_FILE = re.compile(r'^```python title="tests/.*?\n(.*?)^```$', re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", PLUGINS)
def test_a_tutorials_plugin_runs_and_conforms(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    page = ROOT / "docs" / "develop" / f"{name}.md"
    # A file, since the kit loads what was saved in a process of its own.
    module = f"tutorial_{name}"
    Path(f"{module}.py").write_text(python_of(page), encoding="utf-8")
    plugin = getattr(importlib.import_module(module), PLUGINS[name])()
    kind, registered, case = told_by_the_test_file(page, monkeypatch)
    assert (kind, registered) == (f"{name}s", plugin.name)
    for check in checks_for(kind, plugin, **case):
        folder = tmp_path / check.name
        folder.mkdir()
        check.run(folder)


def told_by_the_test_file(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str, dict[str, Any]]:
    """Return what the test file on a page gives to the kit."""
    told = []
    monkeypatch.setattr(
        simulacra.testing,
        "conformance_tests",
        lambda kind, plugin, **case: told.append((kind, plugin, case)),
    )
    (source,) = TEST_FILE.findall(page.read_text(encoding="utf-8"))
    exec(compile(source, str(page), "exec"), {})
    ((kind, plugin, case),) = told
    return kind, plugin, case
