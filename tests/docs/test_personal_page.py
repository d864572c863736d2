"""What the page on personal data shows is so."""

import yaml

from pages import ROOT, python_of
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.registry import kind_names

PAGE = ROOT / "docs" / "personal-data.md"


def test_the_examples_run():
    exec(compile(python_of(PAGE), "docs/personal-data.md", "exec"), {})


def test_every_kind_is_told():
    table = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    told = {word for line in table for word in line.split("|")[1].replace("`", " ").split()}
    assert set(kind_names()) <= {word.strip(",") for word in told}


def test_the_specification_shown_is_one():
    shown = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    PersonalConfig.model_validate(yaml.safe_load(shown)["email"]["options"])
