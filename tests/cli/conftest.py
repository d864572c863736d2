from __future__ import annotations

from dataclasses import dataclass

import pytest

from simulacra.cli.app import main


@dataclass
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def simulacra(monkeypatch, capsys):
    """Run the program in this process."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["simulacra", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Result(exit_.value.code, out, err)

    return run
