"""Free text: what goes in, what comes out, and that nothing is copied."""

import pydoc_data.topics
import re
import subprocess
import sysconfig
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.context import RunContext
from simulacra.core.errors import BundleError, SpecError
from simulacra.core.protocols import ColumnProfile, FittedColumn
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.datatypes.text import Text

KEY = RngKey(7)
BATCH = 4_096
# The critical value of the two-sample Kolmogorov-Smirnov test at p = 0.001 for equal samples.
KS_CRITICAL = 1.95


def fit(values: pa.Array, **options: object) -> FittedColumn:
    column = ColumnSpec(type="text", arrow=str(values.type), options=options)
    fitter = Text().start("notes", column, rng=KEY.child("fit"), ctx=RunContext())
    for start in range(0, len(values), BATCH):
        fitter.update(values[start : start + BATCH])
    return fitter.finish()


def draw_codes(fitted: FittedColumn, rows: int, seed: int = 1) -> np.ndarray:
    counts = fitted.counts[0]
    generator = np.random.default_rng(seed)
    return generator.choice(len(counts), rows, p=counts / counts.sum()).astype(np.uint16)


def draw(fitted: FittedColumn, rows: int, seed: int = 1) -> pa.Array:
    return fitted.codec.decode([draw_codes(fitted, rows, seed)], rng=KEY.child(seed), start=0)


def normal(values: pa.Array) -> list[str]:
    return [" ".join(text.lower().split()) for text in values.to_pylist() if text is not None]


def copied(source: pa.Array, made: pa.Array) -> list[str]:
    known = set(normal(source))
    return [text for text in normal(made) if len(text.split()) > 3 and text in known]


def lengths(values: pa.Array) -> list[int]:
    return [len(text) for text in values.to_pylist() if text is not None]


def word_counts(values: pa.Array) -> list[int]:
    return [len(text.split()) for text in values.to_pylist() if text is not None]


@pytest.fixture(scope="module")
def comments(tmp_path_factory: pytest.TempPathFactory) -> pa.Array:
    """TPC-H comments: 10 to 43 characters cut out of running text, anywhere."""
    folder = tmp_path_factory.mktemp("tpch")
    tool = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    subprocess.run(
        [tool, "parquet", "-s", "0.01", "--tables", "lineitem", "-o", folder], check=True
    )
    return pq.read_table(folder / "lineitem.parquet", columns=["l_comment"])[0].combine_chunks()


@pytest.fixture(scope="module")
def fitted_comments(comments: pa.Array) -> FittedColumn:
    return fit(comments)


@pytest.fixture(scope="module")
def sentences() -> pa.Array:
    """Sentences of Python's own documentation."""
    running = re.sub(r"[^\S\n]+", " ", "\n\n".join(pydoc_data.topics.topics.values()))
    found = (text.strip() for text in re.split(r"(?<=[.:])\s+|\n\n+", running))
    return pa.array([text for text in found if 10 < len(text) < 400])


# --- what comes out is like what came in ----------------------------------------------------


def test_no_comment_is_copied(comments: pa.Array, fitted_comments: FittedColumn) -> None:
    made = draw(fitted_comments, 60_000)
    assert sum(count > 3 for count in word_counts(made)) > 20_000
    assert copied(comments, made) == []


def test_no_sentence_is_copied(sentences: pa.Array) -> None:
    assert copied(sentences, draw(fit(sentences), 20_000)) == []


def test_cut_off_lengths_are_kept(comments: pa.Array, fitted_comments: FittedColumn) -> None:
    made = draw(fitted_comments, len(comments))
    bound = KS_CRITICAL * np.sqrt(2 / len(comments))
    assert ks_2samp(lengths(comments), lengths(made)).statistic < bound
    assert ks_2samp(word_counts(comments), word_counts(made)).statistic < 0.03
    assert (min(lengths(made)), max(lengths(made))) == (10, 43)


def test_lengths_of_whole_sentences_are_kept(sentences: pa.Array) -> None:
    made = draw(fit(sentences), len(sentences))
    # A whole text ends where texts end, within an eighth of the length drawn.
    assert ks_2samp(lengths(sentences), lengths(made)).statistic < 0.05
    assert ks_2samp(word_counts(sentences), word_counts(made)).statistic < 0.08
    assert max(lengths(made)) <= max(lengths(sentences))


def test_word_frequencies_are_kept(comments: pa.Array, fitted_comments: FittedColumn) -> None:
    def shares(values: pa.Array) -> Counter[str]:
        found = Counter(word for text in normal(values) for word in text.split())
        total = found.total()
        return Counter({word: count / total for word, count in found.items()})

    real, made = shares(comments), shares(draw(fitted_comments, len(comments)))
    frequent = [word for word, share in real.most_common(100)]
    assert np.corrcoef([real[w] for w in frequent], [made[w] for w in frequent])[0, 1] > 0.99
    assert sum(abs(real[w] - made[w]) for w in real | made) / 2 < 0.06


def test_a_fixed_width_column_is_cut_and_a_free_one_is_not(sentences: pa.Array) -> None:
    width = 60
    cut = draw(fit(pa.array([text[:width] for text in sentences.to_pylist()])), 5_000)
    real_share = np.mean([length >= width for length in lengths(sentences)])
    assert np.mean([length == width for length in lengths(cut)]) == pytest.approx(
        real_share, abs=0.05
    )

    def ending(values: pa.Array) -> float:
        return float(np.mean([text[-1] in ".:" for text in values.to_pylist()]))

    assert ending(draw(fit(sentences), 5_000)) == pytest.approx(ending(sentences), abs=0.15)


def test_null_and_empty_shares_are_exact_in_the_counts() -> None:
    values = pa.array([None] * 300 + [""] * 200 + ["some words that are a text"] * 500)
    fitted = fit(values)
    codes = fitted.codec.encode(values)[0]
    counts = np.bincount(codes, minlength=len(fitted.counts[0]))
    np.testing.assert_array_equal(counts, fitted.counts[0])
    made = fitted.codec.decode([codes], rng=KEY, start=0)
    assert made[:300].null_count == 300
    assert made[300:500].to_pylist() == [""] * 200
    assert all(made[500:].to_pylist())


def test_codes_run_from_frequent_to_rare_and_add_up(
    comments: pa.Array, fitted_comments: FittedColumn
) -> None:
    counts = fitted_comments.counts[0]
    assert counts.sum() == len(comments)
    assert (np.diff(counts) <= 0).all()
    (spec,) = fitted_comments.codec.features
    assert spec.cardinality == len(counts) <= 256
    codes = fitted_comments.codec.encode(comments)[0]
    assert codes.dtype == np.uint8
    # The sample holds all rows here, so that even the topics' shares are exact.
    np.testing.assert_array_equal(np.bincount(codes, minlength=len(counts)), counts)


def test_a_text_is_about_its_rows_topic() -> None:
    generator = np.random.default_rng(0)
    shipping = ["parcel", "courier", "delivery", "late", "warehouse", "truck", "lost", "address"]
    billing = ["invoice", "refund", "payment", "card", "charge", "price", "discount", "bank"]
    themes = (shipping, billing)
    values = pa.array(
        [" ".join(["the", *generator.choice(themes[row % 2], 6)]) for row in range(4_000)]
    )
    fitted = fit(values)
    codes = fitted.codec.encode(values)[0]
    made = fitted.codec.decode([codes], rng=KEY, start=0).to_pylist()
    right = [
        np.mean([word in themes[row % 2] for word in text.split()[1:]])
        for row, text in enumerate(made)
    ]
    assert np.mean(right) > 0.95


# --- what may be written --------------------------------------------------------------------


def test_rare_words_are_invented_in_their_shape() -> None:
    generator = np.random.default_rng(0)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    names = ["".join(generator.choice(letters, 9)).title() for _ in range(2_000)]
    numbers = [str(n) for n in generator.choice(np.arange(100_000, 999_999), 2_000, replace=False)]
    values = pa.array(
        [f"Please call {a} about order {n} today" for a, n in zip(names, numbers, strict=True)]
    )
    fitted = fit(values)
    assert sorted(fitted.codec.kept_values()) == [
        "Please", "about", "call", "order", "today",
    ]  # fmt: skip
    made = " ".join(draw(fitted, 2_000).to_pylist())
    invented = set(re.findall(r"\b[A-Z][a-z]{8}\b", made))
    assert len(invented) > 100
    assert not invented & set(names)
    # One six-digit number in 450 is a number of the source: as many as chance gives.
    drawn = re.findall(r"\b[1-9]\d{5}\b", made)
    assert len(drawn) > 1_500
    assert np.mean([number in set(numbers) for number in drawn]) < 0.01


def test_min_count_decides_what_is_kept() -> None:
    values = pa.array(["common word here"] * 12 + ["seldom word here"] * 6)
    assert set(fit(values, min_count=6).codec.kept_values()) == {"common", "seldom", "word", "here"}
    assert set(fit(values, min_count=7).codec.kept_values()) == {"common", "word", "here"}


def test_when_every_word_is_rare_all_are_invented() -> None:
    values = pa.array(["Quick brown foxes jumped.", "Lazy dogs slept, dreaming", "Наш дом стоит"])
    fitted = fit(values)
    assert list(fitted.codec.kept_values()) == []
    words = {word.strip(".,").lower() for text in values.to_pylist() for word in text.split()}
    made = {w.strip(".,").lower() for text in draw(fitted, 500).to_pylist() for w in text.split()}
    assert not {word for word in made & words if len(word) > 3}
    assert any("CYRILLIC" in unicodedata.name(letter, "") for word in made for letter in word)


AIRLINES = [
    "Endeavor Air Inc.", "American Airlines Inc.", "Alaska Airlines Inc.", "JetBlue Airways",
    "Delta Air Lines Inc.", "ExpressJet Airlines Inc.", "Frontier Airlines Inc.", "Envoy Air",
    "AirTran Airways Corporation", "Hawaiian Airlines Inc.", "SkyWest Airlines Inc.",
    "United Air Lines Inc.", "US Airways Inc.", "Virgin America", "Southwest Airlines Co.",
    "Mesa Airlines Inc.",
]  # fmt: skip


@pytest.mark.parametrize("rows", [3, 16])
def test_few_texts_teach_where_spaces_go(rows: int) -> None:
    made = draw(fit(pa.array(AIRLINES[:rows])), 3_000).to_pylist()
    assert [text for text in made if text != text.strip()] == []
    # Words are never glued: a capital within a word stands where one of the source does.
    shapes = {_shape(name) for name in " ".join(AIRLINES).split()}
    words = {word for text in made for word in re.findall(r"[A-Za-z]*[a-z][A-Z][A-Za-z]*", text)}
    assert {word for word in words if _shape(word) not in shapes} == set()


def _shape(word: str) -> str:
    return re.sub(r"[a-z]", "x", re.sub(r"[A-Z]", "X", word))


def test_one_sentence_repeated_is_shortened_rather_than_copied() -> None:
    values = pa.array(["this sentence is always exactly equal"] * 1_000)
    made = draw(fit(values), 1_000)
    assert copied(values, made) == []
    assert all(made.to_pylist())


def test_case_and_spacing_make_no_new_text() -> None:
    values = pa.array(["One two  three\tfour", "ONE TWO three four", "one Two three four"] * 100)
    assert copied(values, draw(fit(values), 2_000)) == []


# --- any text at all ------------------------------------------------------------------------

SCRIPTS = [
    "今日は東京で雨が降っています。",
    "สวัสดีครับ ยินดีที่ได้รู้จัก",
    "Привет, Мария! Как дела?",
    "مرحبا بالعالم كيف حالك",
    "Ünïcödé e\u0301 don't l\u2019eau",
    "👩‍👩‍👧 🇩🇪🇫🇷 👍🏽 ok",
    "two\nlines\t\tof  text ",
    "   ",
    "x" * 500,
    "\x00\x7f",
]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
@pytest.mark.parametrize("copies", [1, 30])
def test_any_script_gives_valid_text_of_the_same_type(kind: pa.DataType, copies: int) -> None:
    values = pa.array([*SCRIPTS, None, ""] * copies, pa.large_string()).cast(kind)
    made = draw(fit(values), 400)
    made.validate(full=True)
    assert made.type == kind
    assert copied(values, made) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.none() | st.text(max_size=60), max_size=40),
    st.integers(1, 20),
    st.integers(2, 6),
)
def test_any_column_round_trips(texts: list[str | None], copies: int, min_count: int) -> None:
    values = pa.array(texts * copies, pa.string())
    fitted = fit(values, min_count=min_count)
    codes = fitted.codec.encode(values)
    assert fitted.counts[0].sum() == len(values)
    made = fitted.codec.decode(codes, rng=KEY, start=0)
    made.validate(full=True)
    assert made.type == values.type
    assert made.is_null().equals(values.is_null())
    longest = max((len(text) for text in texts if text), default=0)
    for old, new in zip(values.to_pylist(), made.to_pylist(), strict=True):
        assert (new == "") == (old == "")
        assert new is None or len(new) <= longest
    assert copied(values, made) == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(), max_size=8))
def test_tokens_join_back_to_the_text(texts: list[str]) -> None:
    from simulacra.datatypes.ngram.tokens import tokenize

    found = tokenize(pa.array(texts, pa.large_string()))
    for row, text in enumerate(texts):
        tokens = found.tokens[found.offsets[row] : found.offsets[row + 1]]
        assert "".join(" " * (t & 1) + found.word(t >> 1) for t in tokens) == text
        assert found.chars[row] == len(text)


@pytest.mark.parametrize(
    "values",
    [pa.array([], pa.string()), pa.array([None, None], pa.string()), pa.array(["", ""])],
    ids=["no rows", "all null", "all empty"],
)
def test_columns_without_a_word(values: pa.Array) -> None:
    fitted = fit(values)
    assert fitted.codec.features[0].cardinality == 1
    made = fitted.codec.decode([np.zeros(5, np.uint8)], rng=KEY, start=0)
    assert set(made.to_pylist()) == set(values.to_pylist() or [None])
    assert fitted.codec.encode(pa.array(["new", None, ""]))[0].tolist() == [0, 0, 0]


def test_values_never_seen_are_encoded(fitted_comments: FittedColumn) -> None:
    odd = pa.array([None, "", "x" * 10_000, "短い", "quick requests"], pa.string())
    codes = fitted_comments.codec.encode(odd)[0]
    assert len(codes) == 5
    assert codes.max() < fitted_comments.codec.features[0].cardinality


# --- same key, same text --------------------------------------------------------------------


def test_the_key_alone_decides(fitted_comments: FittedColumn, comments: pa.Array) -> None:
    codes = draw_codes(fitted_comments, 3_000)

    def decode(key: RngKey, codec: object = fitted_comments.codec) -> pa.Array:
        return codec.decode([codes], rng=key, start=0)

    assert decode(KEY.child(1)).equals(decode(KEY.child(1)))
    assert not decode(KEY.child(1)).equals(decode(KEY.child(2)))
    again = fit(comments)
    assert decode(KEY.child(1), again.codec).equals(decode(KEY.child(1)))


def test_batches_do_not_matter_to_the_sample(comments: pa.Array) -> None:
    from simulacra.datatypes.ngram.sampling import TextSample

    values = comments[:9_000].cast(pa.large_string())
    whole, parts = (TextSample(500, 10_000, KEY) for _ in range(2))
    whole.add(values)
    for start in range(0, len(values), 700):
        parts.add(values[start : start + 700])
    kept = whole.finish()
    assert kept.equals(parts.finish())
    assert 300 < len(kept) <= 500
    assert sum(lengths(kept)) <= 10_000


def test_a_saved_codec_draws_the_same(
    tmp_path: Path, fitted_comments: FittedColumn, comments: pa.Array
) -> None:
    codec = fitted_comments.codec
    with write_bundle(tmp_path / "m.sim") as out:
        codec.save(out)
    with open_bundle(tmp_path / "m.sim") as (_, src):
        loaded = Text().load(src)
    codes = [draw_codes(fitted_comments, 2_000)]
    assert loaded.features == codec.features
    assert loaded.decode(codes, rng=KEY, start=0).equals(codec.decode(codes, rng=KEY, start=0))
    np.testing.assert_array_equal(loaded.encode(comments)[0], codec.encode(comments)[0])
    assert list(loaded.kept_values()) == list(codec.kept_values())


class _Tampered:
    """A reader that changes one array on its way."""

    def __init__(self, src: object, name: str, index: tuple[int, ...], value: int) -> None:
        self._src, self._name, self._index, self._value = src, name, index, value

    def __getattr__(self, name: str) -> object:
        return getattr(self._src, name)

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        found = {key: np.array(array) for key, array in self._src.arrays(name).items()}
        if self._name in found:
            found[self._name][self._index] = self._value
        return found


@pytest.mark.parametrize(
    ("name", "index", "value"),
    [
        ("states", (0, 0), 2**30),
        ("states", (0, 1), 0),
        ("states", (5, 2), 7),
        ("states", (5, 3), 2**30),
        ("topic_tables", (0, 0, 1), 2**30),
        ("entries", (0, 1), 2**31),
        ("entries", (0, 2), 2**32 - 1),
        ("entries", (3, 2), 2**31),
        ("entries", (3, 3), 2**31),
        ("items", (1, 0), -1),
        ("items", (1, 1), 2**30),
        ("items", (1, 2), 9),
        ("filter_starts", (1,), 8),
        ("counts", (3,), -1),
        ("first", (0,), -1),
        ("meaning", (0, 1), 99),
    ],
)
def test_a_bundle_that_points_outside_is_refused(
    tmp_path: Path, fitted_comments: FittedColumn, name: str, index: tuple[int, ...], value: int
) -> None:
    with write_bundle(tmp_path / "m.sim") as out:
        fitted_comments.codec.save(out)
    with open_bundle(tmp_path / "m.sim") as (_, src), pytest.raises(BundleError, match="text"):
        Text().load(_Tampered(src, name, index, value))


# --- the filter -----------------------------------------------------------------------------


@pytest.mark.parametrize("texts", [3, 1_000, 200_000])
def test_the_filter_misses_nothing_and_errs_one_time_in_twenty(texts: int) -> None:
    from simulacra.datatypes.ngram.copies import CopyGuardBuilder, seen_before

    hashes = np.random.default_rng(0).integers(2**64, size=2 * texts + 4_000, dtype=np.uint64)
    builder = CopyGuardBuilder()
    builder.add(hashes[: texts // 2])
    builder.add(hashes[texts // 2 : texts])
    guard = builder.finish()
    assert all(seen_before(guard, key) for key in hashes[: min(texts, 5_000)])
    false = np.mean([seen_before(guard, key) for key in hashes[texts:][:4_000]])
    assert 0.03 < false < 0.08
    assert guard.filters.nbytes < texts + 100


# --- claiming columns -----------------------------------------------------------------------


def profile(values: list[str | None], rows: int | None = None) -> ColumnProfile:
    array = pa.array([value for value in values if value is not None], pa.string())
    distinct = len(set(array.to_pylist()))
    return ColumnProfile(
        name="c",
        type=pa.string(),
        rows=rows or len(values),
        nulls=array.null_count,
        distinct=distinct,
        unique=distinct == len(array),
        minimum=None,
        maximum=None,
        sample=array,
    )


def test_sentences_are_claimed_and_other_strings_are_not(
    sentences: pa.Array, comments: pa.Array
) -> None:
    detect = Text().detect
    assert detect(profile(sentences.to_pylist())).confidence >= 0.8
    assert detect(profile(comments.to_pylist())).confidence >= 0.8
    japanese = [f"今日は東京で雨が{n}降っています" for n in range(50)]
    assert detect(profile(japanese)).confidence >= 0.8
    assert detect(profile(["DELIVER IN PERSON", "TAKE BACK RETURN"] * 500)).confidence == 0
    assert detect(profile([f"Customer#{n:09}" for n in range(500)])).confidence < 0.2
    assert detect(profile([None, None])).confidence == 0


def test_wrong_options_and_types_are_named() -> None:
    with pytest.raises(SpecError, match=r"notes.*min_count"):
        fit(pa.array(["a"]), min_count=0)
    with pytest.raises(SpecError, match=r"notes.*int64"):
        fit(pa.array([1]))
    assert Text().accepts(pa.array(["a", None]), {}).to_pylist() == [True, True]
