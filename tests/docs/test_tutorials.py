"""The tutorials' code runs, and the plug-ins they write do all that plug-ins must."""

import importlib
from pathlib import Path

import pytest

from pages import ROOT, python_of
from simulacra.testing import checks_for

PLUGINS = {
    "model": ("models", "Chain"),
    "datatype": ("datatypes", "IsoWeek"),
    "connector": ("connectors", "SqliteFile"),
}


@pytest.mark.parametrize("name", PLUGINS)
def test_a_tutorials_plugin_runs_and_conforms(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    # A file, since the kit loads what was saved in a process of its own.
    module = f"tutorial_{name}"
    source = python_of(ROOT / "docs" / "develop" / f"{name}.md")
    Path(f"{module}.py").write_text(source, encoding="utf-8")
    kind, plugin = PLUGINS[name]
    for check in checks_for(kind, getattr(importlib.import_module(module), plugin)()):
        folder = tmp_path / check.name
        folder.mkdir()
        check.run(folder)
