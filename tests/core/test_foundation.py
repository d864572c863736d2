from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra.core import registry
from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.batches import GeneratorSource, TableSource, check_names, read_all
from simulacra.core.context import RunContext
from simulacra.core.errors import InputError, LimitError, OutputError, PluginError, UsageError
from simulacra.core.features import FeatureKind, Features, FeatureSpec, code_dtype
from simulacra.core.limits import Limits, parse_bytes
from simulacra.core.progress import PlainProgress, RichProgress
from simulacra.core.storage import atomic_file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4GB", 4 * 10**9),
        ("500 MiB", 500 * 2**20),
        ("1e9", 10**9),
        ("2k", 2000),
        ("1.5g", 15 * 10**8),
    ],
)
def test_amounts_of_memory(text, expected):
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "0", "4 parsecs", "1..2GB"])
def test_amounts_that_are_none(text):
    with pytest.raises(UsageError, match="amount of memory"):
        parse_bytes(text)


def test_limits_refuse_what_can_not_work():
    with pytest.raises(UsageError, match="threads"):
        Limits(threads=0)
    with pytest.raises(UsageError, match="too small"):
        Limits(memory=1000)


ARROW_TYPES = [
    *(pa.int8(), pa.int64(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.bool_()),
    *(pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.binary(16), pa.null()),
    *(pa.timestamp("ns", "Europe/Berlin"), pa.timestamp("s"), pa.date32(), pa.date64()),
    *(pa.time32("ms"), pa.time64("ns"), pa.duration("us"), pa.decimal128(38, 10)),
    *(pa.decimal256(50, -2), pa.dictionary(pa.int8(), pa.large_string(), ordered=True)),
]


@pytest.mark.parametrize("kind", ARROW_TYPES, ids=str)
def test_types_survive_as_text(kind):
    assert type_from_text(type_to_text(kind)) == kind


@pytest.mark.parametrize("text", ["int33", "timestamp[weeks]", "", "decimal128(3)"])
def test_texts_that_are_no_type(text):
    with pytest.raises(ValueError, match=r".*"):
        type_from_text(text)


@given(st.integers(1, 2**32))
def test_code_dtype_is_the_smallest(cardinality):
    dtype = code_dtype(cardinality)
    assert np.iinfo(dtype).max >= cardinality - 1
    if dtype != np.uint8:
        assert np.iinfo(np.dtype(f"u{dtype.itemsize // 2}")).max < cardinality - 1


def test_features_refuse_arrays_that_do_not_fit():
    spec = FeatureSpec("a", "a", FeatureKind.NOMINAL, 3)
    with pytest.raises(ValueError, match="code 3 of 3"):
        Features.of([spec], [np.array([0, 3])])
    with pytest.raises(ValueError, match="shape"):
        Features.of([spec, spec], [np.array([0, 1]), np.array([0])])
    with pytest.raises(ValueError, match="1 feature specs for 0"):
        Features.of([spec], [])


@pytest.mark.parametrize("threads", [1, 3])
def test_map_keeps_order_and_hands_on_errors(threads):
    ctx = RunContext(limits=Limits(threads=threads))
    assert list(ctx.map(lambda x: x * x, range(50))) == [x * x for x in range(50)]

    def fails(x):
        if x == 5:
            raise KeyError(x)
        return x

    with pytest.raises(KeyError):
        list(ctx.map(fails, range(50)))


def test_map_works_a_bounded_number_ahead():
    begun = []
    results = RunContext(limits=Limits(threads=2)).map(
        lambda x: begun.append(x) or x, iter(range(100))
    )
    next(results)
    results.close()
    assert len(begun) <= 6


def test_a_generator_is_read_again_and_again():
    source = GeneratorSource(lambda: iter([[{"a": 1}], [{"a": 2}]]))
    assert read_all(source).to_pydict() == read_all(source).to_pydict() == {"a": [1, 2]}
    assert [b.num_columns for b in source.batches([])] == [0, 0]


def test_a_one_shot_iterator_is_refused():
    one_shot = iter([[{"a": 1}]])
    source = GeneratorSource(lambda: one_shot, pa.schema([("a", pa.int64())]))
    with pytest.raises(InputError, match="one-shot"):
        list(source.batches())


def test_batches_of_another_schema_are_refused():
    source = GeneratorSource(lambda: [pa.table({"a": [1]}), pa.table({"b": [1]})])
    with pytest.raises(InputError, match="another schema"):
        list(source.batches())


def test_equal_names_are_refused():
    with pytest.raises(InputError, match=r"t\.a: two columns"):
        check_names(pa.schema([("a", pa.int8()), ("a", pa.int8())]), "t")


def test_table_source_selects_and_batches():
    source = TableSource(pa.table({"a": range(10), "b": range(10)}))
    assert source.rows() == 10
    assert [b.num_rows for b in source.batches(["b"], batch_rows=4)] == [4, 4, 2]


def test_files_appear_whole_or_not_at_all(tmp_path):
    target = tmp_path / "deep" / "x.txt"
    with atomic_file(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    with pytest.raises(KeyboardInterrupt), atomic_file(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "new"
    assert [p.name for p in target.parent.iterdir()] == ["x.txt"]
    with pytest.raises(KeyboardInterrupt), atomic_file(tmp_path / "new" / "deep" / "x"):
        raise KeyboardInterrupt
    assert [p.name for p in tmp_path.iterdir()] == ["deep"]


def test_an_unwritable_place_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't write"), atomic_file(tmp_path / "file" / "x"):
        pass


def test_unknown_plugins_are_named_with_the_known_ones():
    with pytest.raises(PluginError, match=r"no model called 'nope'.*forest"):
        registry.load(registry.Kind.MODEL, "nope")


def test_a_name_brought_twice_is_refused(monkeypatch):
    entries = registry._entries(registry.Kind.MODEL)
    twice = {"forest": entries["forest"] * 2}
    monkeypatch.setattr(registry, "_entries", lambda _: twice)
    registry.load.cache_clear()
    with pytest.raises(PluginError, match="registered by"):
        registry.load(registry.Kind.MODEL, "forest")


def test_a_plugin_that_can_not_be_imported_says_what_mends_it(monkeypatch):
    from importlib.metadata import EntryPoint

    broken = EntryPoint("b", "no_such_module_here:X", "simulacra.models")
    monkeypatch.setattr(registry, "_entries", lambda _: {"b": (broken,)})
    registry.load.cache_clear()
    [info] = registry.describe(registry.Kind.MODEL)
    assert "no_such_module_here" in info.problem
    assert info.mend == "pip install no_such_module_here"


def test_errors_tell_what_where_why_and_the_mend():
    error = LimitError("it broke", where="t.c", why="reasons", mend="Do this")
    assert str(error) == "t.c: it broke: reasons. Do this"
    assert error.exit_code == 3


def test_progress_says_what_was_done_and_how_fast(capsys):
    for progress in (PlainProgress(), RichProgress()):
        with progress.task("Reading a[/b] [x]", 5_000_000) as task:
            task.advance(5_000_000)
        progress.note("note [/b]")
        with progress.task("Growing", 0, "features"):
            pass
        said = capsys.readouterr().err
        assert re.search(r"Reading a\[/b\] \[x\].* s, 5,000,000 rows.*\d,\d{3} rows/s", said)
        assert "\nnote [/b]\n" in said
        assert re.search(r"Growing:? \d+\.\d s\n", said)
