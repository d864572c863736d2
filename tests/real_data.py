"""Real data that nobody here wrote: ``benchmarks/README.md`` says what, and where from.

They are in the folder that ``SIMULACRA_BENCHMARK_DATA`` names, in ``benchmarks/data``, or in
``shared/data`` beside the repository. Where they are not there tests are skipped; in CI they fail.
"""

import os
from functools import cache

import pytest

from pages import ROOT
from simulacra import Synthesizer


def real_data(name):
    """Return the path of a file or folder."""
    named = os.environ.get("SIMULACRA_BENCHMARK_DATA")
    folders = [ROOT / "benchmarks" / "data", ROOT.parent / "shared" / "data"]
    for folder in [ROOT / named, *folders] if named else folders:
        if (folder / name).exists():
            return folder / name
    why = f"{name} is in none of {', '.join(map(str, folders))}; see benchmarks/README.md"
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    raise pytest.skip.Exception(why)


@cache
def learned_chinook():
    """Return what is learned of Chinook's eleven tables: seconds of work, done once."""
    return Synthesizer(seed=1).fit(real_data("chinook.sqlite"))
