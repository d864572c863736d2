"""What the package as a whole promises."""

import importlib.metadata
import importlib.resources
import subprocess
import sys

import pytest

import simulacra

HEAVY = ["altair", "duckdb", "lightgbm", "numba", "openpyxl", "pandas", "polars", "scipy"]
HEAVY += ["sklearn", "sqlalchemy", "torch"]


def loaded_after(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_importing_loads_nothing_heavy() -> None:
    assert not loaded_after("import simulacra").intersection(HEAVY)


def test_asking_for_the_public_names_loads_nothing_heavy() -> None:
    code = "import simulacra\nfor name in simulacra.__all__: getattr(simulacra, name)"
    assert not loaded_after(code).intersection(HEAVY)


def test_the_versions_agree() -> None:
    assert simulacra.__version__ == importlib.metadata.version("simulacra")


def test_the_package_is_marked_as_typed() -> None:
    assert importlib.resources.files("simulacra").joinpath("py.typed").is_file()


@pytest.mark.parametrize("name", simulacra.__all__)
def test_public_names_exist(name: str) -> None:
    assert name in dir(simulacra)
    assert getattr(simulacra, name) is not None


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Synthesiser"):
        _ = simulacra.Synthesiser
