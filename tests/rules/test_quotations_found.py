"""Texts that quote other columns are found, and common words are no quotes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from faker import Faker

from rules.tables import Applied
from simulacra.core.arrow_types import type_to_text
from simulacra.core.random import RngKey
from simulacra.core.schema import RuleSpec, TableSpec
from simulacra.rules.discovery import discover

ROWS = 500
PERSON = {"type": "personal", "options": {"kind": "person_name"}}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture(scope="module")
def names() -> list[str]:
    fake = Faker("en_US")
    fake.seed_instance(3)
    return [f"{fake.first_name()} {fake.last_name()}" for _ in range(ROWS)]


def found(table: pa.Table, **types: dict[str, object]) -> list[RuleSpec]:
    """Return the rules found where a note is text and other columns categories, if not told."""
    columns = {
        field.name: {"type": "text" if field.name == "note" else "category"}
        | types.get(field.name, {})
        | {"arrow": type_to_text(field.type)}
        for field in table.schema
        if not field.name.startswith("^")
    }
    spec = TableSpec.model_validate({"columns": columns})
    given = [name for name in table.column_names if name.startswith("^")]
    return discover(table, spec, given=given, rng=RngKey(0))


def quotes(rules: list[RuleSpec]) -> list[dict[str, object]]:
    return [rule.options for rule in rules if rule.rule == "quotes"]


def test_names_and_numbers_are_quoted_and_common_words_are_not(names, rng):
    numbers = rng.permutation(90_000)[:ROWS] + 10_000
    moods = np.array(["Best", "Good", "Call", "Time", *(f"Mood {n}" for n in range(30))])
    said = ["Best time to call {0}", "Call {0} about {1}. Good luck", "Nothing for {2}, Best"]
    firsts = [name.split()[0] for name in names]
    table = pa.table(
        {
            "name": names,
            "order": numbers,
            "mood": moods[rng.integers(0, len(moods), ROWS) % 34],
            "pieces": rng.integers(0, 3, ROWS),
            "note": [
                said[n % 3].format(names[n].upper(), numbers[n], firsts[n]) for n in range(ROWS)
            ],
        }
    )
    assert quotes(found(table, name=PERSON)) == [{"text": "note", "of": ["name", "order"]}]
    # Without knowing what is a name, that single words count is told by the rows.
    assert quotes(found(table)) == [{"text": "note", "of": ["name", "order"], "words": ["name"]}]


def test_names_that_texts_have_by_accident_are_no_quotes(names, rng):
    other = rng.permutation(ROWS)
    table = pa.table({"name": names, "note": [f"Spoke to {names[n]} today" for n in other]})
    assert quotes(found(table, name=PERSON)) == []


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_names_of_any_type_of_text_are_quoted(names, kind):
    values = pa.array(names)
    values = values.dictionary_encode() if pa.types.is_dictionary(kind) else values.cast(kind)
    table = pa.table({"name": values, "note": [f"{name} came" for name in names]})
    assert quotes(found(table, name=PERSON)) == [{"text": "note", "of": ["name"]}]


def test_a_few_rows_that_quote_are_found_among_many(names):
    rows = 6_000
    people = [f"{names[n % ROWS]} {n}" for n in range(rows)]
    notes = [f"Call {name}" if n % 60 == 0 else "Do call" for n, name in enumerate(people)]
    table = pa.table({"name": people, "note": notes})
    assert quotes(found(table, name=PERSON)) == [{"text": "note", "of": ["name"]}]


def test_too_few_rows_are_no_evidence(names):
    def noted(rows: int) -> pa.Table:
        notes = [f"Call {name}" if n < rows else "Do call" for n, name in enumerate(names)]
        return pa.table({"name": names, "note": notes})

    assert quotes(found(noted(9), name=PERSON)) == []
    assert quotes(found(noted(10), name=PERSON)) == [{"text": "note", "of": ["name"]}]


def test_columns_of_parents_are_quoted(names, rng):
    parent = rng.integers(0, 100, ROWS)
    owners = [names[n] for n in parent]
    table = pa.table({"note": [f"{o} came" for o in owners], "^customer.name": owners})
    assert quotes(found(table)) == [{"text": "note", "of": ["^customer.name"]}]


def test_short_texts_are_quoted_by_others_and_equal_ones_are_not(names):
    table = pa.table(
        {"name": names, "again": names, "note": [f"Ask for {name}, please now" for name in names]}
    )
    text = {"type": "text"}
    rules = found(table, name=text, again=text)
    assert quotes(rules) == [{"text": "note", "of": ["name", "again"]}]
    assert [rule.options for rule in rules if rule.rule == "equal"] == [
        {"column": "again", "of": "name"}
    ]
    chain = pa.table({"name": names, "title": [f"About {n}" for n in names]})
    chain = chain.append_column(
        "note", pa.array([f"See '{t}', please do" for t in chain["title"].to_pylist()])
    )
    of = {rule["text"]: rule["of"] for rule in quotes(found(chain, name=PERSON, title=text))}
    assert of == {"title": ["name"], "note": ["name"]}


def test_quoted_columns_may_have_other_rules(rng):
    code = rng.integers(0, 40, ROWS)
    table = pa.table(
        {
            "code": np.array([f"p{c:02d}" for c in code]),
            "city": np.array([f"Town{c // 2:02d}" for c in code]),
            "note": [f"Ship to {f'Town{c // 2:02d}'} by {n % 7}" for n, c in enumerate(code)],
        }
    )
    rules = found(table)
    assert [rule.rule for rule in rules] == ["quotes", "dependency"]
    drawn = Applied(table, rules).drawn()
    assert all(row["city"] in row["note"] for row in drawn.to_pylist())
