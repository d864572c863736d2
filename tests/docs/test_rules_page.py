"""The examples of the page about rules, and its table of them all."""

import re

from pages import ROOT, python_of
from simulacra.core import registry
from simulacra.core.registry import Kind

PAGE = ROOT / "docs" / "rules.md"
ROW = re.compile(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", re.MULTILINE)


def test_the_examples_run(capsys):
    exec(compile(python_of(PAGE), PAGE, "exec"), {})
    told = capsys.readouterr().out
    assert "formula {'column': 'total', 'expression': '\"pieces\" * \"price\"'}" in told
    assert "one_hot {'columns': ['is_new', 'is_paid', 'is_sent']}" in told
    assert "contradict each other: the latter makes" in told


def test_the_table_names_every_rule_and_all_of_its_options():
    named = dict(ROW.findall(PAGE.read_text(encoding="utf-8")))
    assert named.keys() == set(registry.names(Kind.RULE))
    for rule, options in named.items():
        fields = registry.load(Kind.RULE, rule).config.model_fields
        assert set(re.findall(r"`(\w+)`", options)) == set(fields), rule
