"""Texts that quote other columns of their row."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rules.kinds import batch_of, broken, check_kept, fitted
from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.errors import SpecError
from simulacra.core.placeholders import FIRST_QUOTED, LAST
from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.rules.quotes import FittedQuotes, Quotes, QuotesConfig
from simulacra.rules.quoting import SPELLINGS, quotes_in, words_of


def quoted(text: str, **values: str) -> list[str]:
    """Return the parts of a text that quote values; single words count."""
    return [text[quote.begin : quote.end] for quote in quotes_in(text, values, values)]


def rows(notes: list[str | None], names: list[str | None], **others: list[object]) -> pa.Table:
    return pa.table({"note": notes, "name": names, **others})


def decoded(rule: FittedQuotes, table: pa.Table, **columns: list[str | None]) -> list[str | None]:
    """Return the texts of rows that have other values once they are encoded."""
    batch = rule.encode(batch_of(table))
    for name, values in columns.items():
        place = batch.schema.get_field_index(name)
        batch = batch.set_column(place, name, pa.array(values, batch.schema.field(name).type))
    return rule.decode(batch)["note"].to_pylist()


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("Spoke to Alice Johnson, not ALICE SMITH", "Alice Johnson", ["Alice Johnson", "ALICE"]),
        ("alice johnson's parcel; Ask johnson", "Alice Johnson", ["alice johnson", "johnson"]),
        ("Johnson, Alice", "Johnson, Alice", ["Johnson, Alice"]),
        ("ask Jan van der Berg and Mr. van Dyke", "JAN VAN DER BERG", ["Jan van der Berg"]),
        ("McDonald and O'Neil", "MCDONALD O'NEIL", ["McDonald", "O'Neil"]),
        ("Dr. Mary will come; Dr. No won't", "Dr. Alice Mary Johnson", ["Mary"]),
        ("Annabel met Ann, not Ann-Marie", "Ann Lee", ["Ann"]),
        ("mail ann.lee@x.com, see http://x.org/lee", "Ann Lee", []),
        ("请联系王小明先生", "王小明", ["王小明"]),
        ("शर्मा जी", "प्रिया शर्मा", ["शर्मा"]),
        ("José, Jose\u0301 and Jose", "Jose", ["Jose"]),
        ("A-4711, 4711.5, 47110 or 4711.", "4711", ["4711"]),
        ("x a@b.org, (a@b.org) c.a@b.org a@b.org.uk", "a@b.org", ["a@b.org", "a@b.org"]),
        ("Ñandú", "ñandú", ["Ñandú"]),
        ("I A M", "A", []),
    ],
)
def test_whole_words_are_quoted_in_any_usual_spelling(text, name, expected):
    assert quoted(text, name=name) == expected


def test_the_row_s_own_value_comes_in_the_same_form():
    table = rows(
        ["Dear Alice, Alice Johnson's order 4711", "BOB LEE OWES 4712", "ask johnson", None, ""],
        ["Alice Johnson", "Bob Lee", "Alice Johnson", "Bob Lee", None],
        order=[4711, 4712, 4713, 4714, 4715],
    )
    rule = check_kept("quotes", table, text="note", of=["name", "order"], words=["name"])
    others = ["Maria Elena Diaz", "Zoe Ng", "Zoe Ng", "Zoe Ng", "Zoe Ng"]
    assert decoded(rule, table, name=others, order=[1, 2, 3, 4, 5]) == [
        "Dear Maria, Maria Elena Diaz's order 1",
        "ZOE NG OWES 2",
        "ask ng",
        None,
        "",
    ]
    seen = rule.encode(batch_of(table))["note"].to_pylist()
    assert not any(word in text for text in seen if text for word in ("lice", "LEE", "471"))


def test_what_is_not_there_is_left_out():
    table = rows(["Spoke to Alice Lee today", "Alice Lee called"], ["Alice Lee"] * 2)
    rule = fitted("quotes", table, text="note", of=["name"])
    assert decoded(rule, table, name=[None, None]) == ["Spoke to today", " called"]


def test_a_name_of_one_word_stands_for_any_of_them():
    table = rows(["Alice, Mary or Johnson"], ["Alice Mary Johnson"])
    rule = fitted("quotes", table, text="note", of=["name"], words=["name"])
    assert decoded(rule, table, name=["Cher"]) == ["Cher, Cher or Cher"]
    assert decoded(rule, table, name=["Ann Lee"]) == ["Ann, Ann or Lee"]


def test_single_words_of_names_of_persons_count_by_themselves():
    table = rows(["Ask Alice of Blue"], ["Alice Lee"], firm=["Blue Sky"])
    spec = TableSpec(
        columns={
            "name": ColumnSpec(type="personal", arrow="string", options={"kind": "person_name"}),
            "firm": ColumnSpec(type="personal", arrow="string", options={"kind": "company"}),
        }
    )
    rule = Quotes().fit(table, QuotesConfig(text="note", of=("name", "firm")), table=spec)
    assert decoded(rule, table, name=["Bob Ray"], firm=["Red Sea"]) == ["Ask Bob of Blue"]


def test_ordinary_words_are_no_names():
    notes = ["I will call", "ask will smith", "Will called", "ask rose"] + ["they will pay"] * 10
    names = ["Will Smith", "Will Smith", "Will Smith", "Rose Lee"] + ["Rose Lee"] * 10
    table = rows(notes, names)
    rule = check_kept("quotes", table, text="note", of=["name"], words=["name"])
    made = decoded(rule, table, name=["Bob Ray"] * len(notes))
    assert made[:5] == ["I will call", "ask bob ray", "Bob called", "ask bob", "they will pay"]
    assert [(name, values.to_pylist()) for name, values in rule.kept_values()] == [
        ("note", ["will"])
    ]


def test_private_characters_of_the_source_stay_and_are_no_placeholders():
    strange = f"{chr(FIRST_QUOTED)} and {chr(LAST)} of Alice Lee"
    table = rows([strange, "Alice Lee"], ["Alice Lee", f"{chr(FIRST_QUOTED + 1)} Ray"])
    rule = check_kept("quotes", table, text="note", of=["name"])
    assert decoded(rule, table, name=["Bob Ray"] * 2)[0] == strange.replace("Alice Lee", "Bob Ray")
    # Of rows that were not in the sample, they are blotted out.
    new = rows([f"is {rule.forms[0].placeholder} here"], ["Bob Ray"])
    assert broken(rule, batch_of(new)) == 1
    assert decoded(rule, new) == ["is \N{REPLACEMENT CHARACTER} here"]


def test_texts_of_a_fixed_width_stay_so():
    notes = [f"{'x' * (n % 40)} Ann Lee {'y' * 60}"[: 32 + n % 11] for n in range(400)]
    table = rows([text[:36] for text in notes], ["Ann Lee"] * 400)
    rule = fitted("quotes", table, text="note", of=["name"])
    made = decoded(rule, table, name=["Maximiliane Leutheusser"] * 400)
    assert max(map(len, made)) == 36
    free = rows([f"{'x' * (n % 20)} Ann Lee" for n in range(400)], ["Ann Lee"] * 400)
    rule = fitted("quotes", free, text="note", of=["name"])
    assert all(t.endswith("Leutheusser") for t in decoded(rule, free, name=["Leutheusser"] * 400))


_WORDS = st.sampled_from(
    [
        "Ann",
        "LEE",
        "ann",
        "lee",
        "Ann-Lee",
        "O'Neil",
        "van",
        "4711",
        "straße",
        "İnci",
        "王",
        "é",
        ".",
    ]
)
_NAMES = st.lists(_WORDS, min_size=1, max_size=4).map(" ".join)


@given(
    st.lists(
        st.tuples(
            st.none() | st.lists(_WORDS, max_size=8).map(" ".join) | st.text(max_size=20),
            st.none() | _NAMES | st.text(max_size=6),
            st.none() | st.integers(0, 5_000),
        )
    )
)
def test_decoding_undoes_encoding(found):
    table = pa.table(
        {
            "note": pa.array([row[0] for row in found], pa.string()),
            "name": pa.array([row[1] for row in found], pa.large_string()),
            "order": pa.array([row[2] for row in found], pa.int32()),
        }
    )
    check_kept("quotes", table, text="note", of=["name", "order"], words=["name"])


@given(_NAMES | st.text(max_size=12))
def test_every_spelling_comes_back(value):
    for part, spelling in product((value, *words_of(value)), SPELLINGS.values()):
        row = rows([f"< {spelling(part)} >"], [value])
        rule = fitted("quotes", row, text="note", of=["name"], words=["name"])
        assert rule.decode(rule.encode(batch_of(row))).equals(batch_of(row))


def test_dictionaries_can_be_quoted():
    names = pa.array(["Ann Lee", "Bob Ray", None]).dictionary_encode()
    table = pa.table({"note": ["Ann Lee came", "so did Bob Ray", "Ann Lee"], "name": names})
    rule = check_kept("quotes", table, text="note", of=["name"])
    turned = batch_of(table).set_column(1, "name", names.take(pa.array([1, 0, 2])))
    assert len(rule.forms) == 1
    assert rule.decode(rule.encode(turned)).equals(turned)


def test_other_columns_are_refused():
    table = pa.table({"note": ["a"], "day": [1.5], "no": [1]})
    with pytest.raises(SpecError, match=r"^day: double can't be quoted"):
        fitted("quotes", table, text="note", of=["day"])
    with pytest.raises(SpecError, match=r"^no: int64 is no text"):
        fitted("quotes", table, text="no", of=["note"])
    with pytest.raises(SpecError, match="there is no such column"):
        fitted("quotes", table, text="note", of=["name"])
    for options in ({"text": "a", "of": ["a"]}, {"text": "a", "of": ["b"], "words": ["c"]}):
        with pytest.raises(ValidationError):
            QuotesConfig(**options)


def test_a_saved_rule_is_the_same_rule(tmp_path: Path):
    table = rows(["Ask Alice Lee, ALICE or lee"] * 3, ["Alice Lee"] * 3)
    rule = fitted("quotes", table, text="note", of=["name"], words=["name"])
    with write_bundle(tmp_path / "rule.sim") as out:
        rule.save(out)
    with open_bundle(tmp_path / "rule.sim") as (_, src):
        loaded = Quotes().load(src)
    assert loaded.columns == rule.columns == ("note", "name")
    assert loaded.forms == rule.forms
    assert loaded.encode(batch_of(table)).equals(rule.encode(batch_of(table)))
