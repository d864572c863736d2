"""Identifiers in the form that a regular expression gives."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra import Metadata, Synthesizer, evaluate
from simulacra.core.errors import LimitError, SpecError
from simulacra.core.random import RngKey
from simulacra.datatypes.expression import texts_of_expression
from simulacra.datatypes.expression_pattern import ExpressionPattern

COUNTS = {
    "a": 1,
    "[A-C]{2}": 9,
    r"\d": 10,
    "x?": 2,
    "[01]{1,3}": 14,
    "(cat|dog)-[12]": 4,
    "^A(B|C[0-9])$": 11,
    "(?:[a-f][^b-z]{0})": 6,
    "[^ -~é]|z": None,
    r"\w{2}": 63 * 63,
}


def all_texts(expression):
    texts = texts_of_expression(expression)
    return texts.of(np.arange(texts.count, dtype=np.uint64)).to_pylist()


@pytest.mark.parametrize("expression", [e for e, count in COUNTS.items() if count])
def test_each_text_has_a_number(expression):
    texts = all_texts(expression)
    assert len(set(texts)) == len(texts) == COUNTS[expression]
    assert all(re.fullmatch(expression, text) for text in texts)


pieces = st.recursive(
    st.sampled_from(["a", "B", r"\d", "[x-z]", "[^!-y]", r"\."]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["?", "{2}", "{1,3}"])).map(lambda p: f"(?:{p[0]}){p[1]}"),
    ),
    max_leaves=6,
)


@given(pieces, st.integers(0, 2**62))
def test_every_text_made_is_matched(expression, seed):
    texts = texts_of_expression(expression)
    numbers = np.random.default_rng(seed).integers(0, min(texts.count, 2**62), 20, np.uint64)
    for text in texts.of(numbers).to_pylist():
        assert re.fullmatch(expression, text), (expression, text)


def codes(rows):
    return pa.table({"code": [f"old-{n}" for n in range(rows)], "size": range(rows)})


def learned(pattern, rows=50, table=None):
    table = codes(rows) if table is None else table
    metadata = Metadata.detect(table)
    (name,) = metadata.tables
    metadata.update(name, "code", type="identifier", options={"pattern": pattern})
    return Synthesizer(seed=1).fit(table, metadata), metadata


@pytest.mark.parametrize("pattern", [r"[A-Z]{3}-\d{4}", "[0-9a-f]{32}", "(EU|US)[0-9]{2,6}"])
def test_values_are_unique_and_of_the_form(pattern):
    synthesizer, _ = learned(pattern)
    drawn = synthesizer.sample(70_000)["code"].to_pylist()
    assert len(set(drawn)) == 70_000
    assert all(re.fullmatch(pattern, value) for value in drawn)


def test_long_texts_vary_everywhere():
    drawn = ExpressionPattern("[0-9a-f]{40}").draw(
        np.arange(500, dtype=np.uint64), None, RngKey(3), pa.string()
    )
    for place in range(40):
        assert len({text[place] for text in drawn.to_pylist()}) == 16


def test_a_bundle_keeps_it(tmp_path):
    synthesizer, _ = learned(r"[A-Z]{3}-\d{4}")
    synthesizer.save(tmp_path / "m.sim")
    again = Synthesizer.load(tmp_path / "m.sim")
    assert again.sample(100).equals(synthesizer.sample(100))


def test_nulls_stay_and_validity_asks_for_the_form():
    table = codes(400).set_column(
        0, "code", pa.array([None if n % 4 == 0 else f"K{n}" for n in range(400)])
    )
    synthesizer, metadata = learned("K[0-9]{1,5}", table=table)
    drawn = synthesizer.sample(400)
    assert 60 < drawn["code"].null_count < 140
    report = evaluate(table, drawn, metadata=metadata, metrics=["validity"])
    assert report.score("validity").value == 1.0
    bad = drawn.set_column(0, "code", pa.array(["x"] * 400))
    report = evaluate(table, bad, metadata=metadata, metrics=["validity"])
    assert report.score("validity").value < 1.0


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("[a-", "no regular expression"),
        ("a+", "has no end"),
        (r"(a)\1", "can't be made"),
        ("(?=a)a", "can't be made"),
        ("a{0,2}a{0,2}", "in several ways"),
    ],
)
def test_what_cannot_be_made_is_refused(pattern, why):
    with pytest.raises(SpecError, match=why) as refused:
        learned(pattern)
    assert "code" in str(refused.value)


def test_numbers_have_no_expression():
    table = codes(50)
    metadata = Metadata.detect(table)
    (name,) = metadata.tables
    metadata.update(name, "size", type="identifier", options={"pattern": r"\d{3}"})
    with pytest.raises(SpecError, match="for texts"):
        Synthesizer().fit(table, metadata)


def test_too_many_rows_are_refused():
    synthesizer, _ = learned("[a-d][0-9]", rows=30)
    assert len(set(synthesizer.sample(40)["code"].to_pylist())) == 40
    with pytest.raises(LimitError, match="no room for 41 rows"):
        synthesizer.sample(41)
