"""The code on the tutorial pages runs."""

from pathlib import Path

import pytest

from pages import ROOT, run_page


@pytest.mark.parametrize("name", ["model", "datatype", "connector"])
def test_a_tutorials_code_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(ROOT / "docs" / "develop" / f"{name}.md", {}, monkeypatch)
