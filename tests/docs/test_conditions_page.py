"""What the page on conditions shows is so."""

from pages import ROOT, python_of


def test_the_examples_run():
    source = python_of(ROOT / "docs" / "conditions.md")
    exec(compile(source, "docs/conditions.md", "exec"), {})
