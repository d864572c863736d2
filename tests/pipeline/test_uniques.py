from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from simulacra.core.batches import TableSource
from simulacra.core.context import RunContext
from simulacra.core.declared import DeclaredTable
from simulacra.core.errors import LimitError
from simulacra.core.limits import Limits
from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.pipeline.dataset import fit_dataset, load_dataset
from simulacra.pipeline.fitted_table import put_values
from simulacra.pipeline.options import FitOptions
from simulacra.pipeline.ticks import Ticks
from simulacra.pipeline.uniqueness import Uniqueness
from simulacra.pipeline.uniques import plan_keys

UTC_NOW = dt.datetime(2024, 2, 29, 12)
KINDS = {
    "int8": (pa.int8(), st.integers(-3, 9)),
    "int64": (pa.int64(), st.integers(-(10**12), 10**12) | st.integers(0, 5)),
    "uint16": (pa.uint16(), st.integers(0, 9)),
    "decimal": (pa.decimal128(12, 2), st.integers(-9, 9).map(lambda n: Decimal(n) / 4)),
    "wide decimal": (pa.decimal256(50, 3), st.integers(-9, 9).map(Decimal)),
    "double": (pa.float64(), st.sampled_from([0.25, 0.5, 1.75, -2.0])),
    "fine double": (pa.float64(), st.sampled_from([1 / 3, 2 / 7, -(10**9) / 7])),
    "float": (pa.float32(), st.sampled_from([0.1, 0.3])),
    "date": (pa.date32(), st.dates(dt.date(2024, 1, 1), dt.date(2024, 1, 9))),
    "date64": (pa.date64(), st.dates(dt.date(2024, 1, 1), dt.date(2024, 1, 9))),
    "moment": (pa.timestamp("us"), st.integers(0, 5).map(lambda n: UTC_NOW + dt.timedelta(n))),
    "hour": (pa.timestamp("s"), st.integers(0, 5).map(lambda n: UTC_NOW + dt.timedelta(hours=n))),
    "clock": (pa.time32("s"), st.integers(0, 5).map(dt.time)),
    "span": (pa.duration("ms"), st.integers(0, 5).map(dt.timedelta)),
    "text": (pa.string(), st.sampled_from(["a1", "b2@x.org", "", "日本", "zz"])),
    "large text": (pa.large_string(), st.sampled_from(["Anna", "Bert"])),
    "bytes": (pa.binary(), st.sampled_from([b"ab", b"\xff\xff\xff"])),
    "fixed": (pa.binary(2), st.sampled_from([b"ab", b"\xff\xff"])),
}  # fmt: skip


def _usual(kind):
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return "text" if is_text else "integer"


def spec_of(table, key=(), **types):
    columns = {
        field.name: ColumnSpec(type=types.get(field.name, _usual(field.type)), arrow="int64")
        for field in table.schema
    }
    return TableSpec(columns=columns, primary_key=list(key))


def kept_apart(source, drawn, keys, *, rows=7, movable=None, **types):
    """Move drawn rows apart by keys planned from a source, a few at a time."""
    movable = movable or {name for key in keys for name in key}
    plans = plan_keys(keys, spec_of(source, **types), source, movable)
    uniqueness = Uniqueness(plans, "t")
    made = [
        uniqueness.apply(batch, put_values)
        for batch in drawn.combine_chunks().to_batches(max_chunksize=rows)
    ]
    return pa.Table.from_batches(made, drawn.schema)


def tuples(table, key):
    return list(zip(*[table[name].to_pylist() for name in key], strict=True))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=20)
def test_no_value_of_any_type_stays_twice(kind, data):
    arrow, values = KINDS[kind]
    known = data.draw(st.lists(values, min_size=1, max_size=8))
    drawn = data.draw(st.lists(st.none() | st.sampled_from(known), max_size=40))
    # An empty text has no letter to change and no room for a number.
    drawn = [value for value in drawn if value != ""] + [""] * ("" in drawn)
    source, rows = (pa.table({"v": pa.array(v, arrow)}) for v in (known, drawn))
    made = kept_apart(source, rows, [("v",)])["v"]
    made.validate(full=True)
    assert made.type == arrow
    assert made.is_null().equals(rows["v"].is_null())
    left = made.drop_null().to_pylist()
    assert len(set(left)) == len(left)
    # Who comes first keeps the value; others move only if theirs is gone.
    for place, (value, moved) in enumerate(
        zip(rows["v"].to_pylist(), made.to_pylist(), strict=True)
    ):
        if value is not None and value not in made.to_pylist()[:place]:
            assert moved == value


def test_numbers_go_to_the_nearest_that_is_free():
    source = pa.table({"v": pa.array(range(0, 500, 10))})
    drawn = pa.table({"v": [30, 30, 30, 30, 490, 490, 0, 0]})
    made = kept_apart(source, drawn, [("v",)])["v"].to_pylist()
    assert made == [30, 40, 20, 50, 490, 480, 0, 10]


def test_within_their_group_only():
    source = pa.table({"a": [1, 2] * 20, "b": list(range(20)) * 2})
    drawn = pa.table({"a": [1, 1, 2, 2, None, None], "b": [5, 5, 5, 6, 7, 7]})
    made = kept_apart(source, drawn, [("a", "b")], movable={"b"})
    assert tuples(made, "ab") == [(1, 5), (1, 6), (2, 5), (2, 6), (None, 7), (None, 7)]


def test_a_full_grid_is_filled_and_then_left():
    source = pa.table({"g": ["x"] * 30 + ["y"] * 30, "n": list(range(30)) * 2})
    rng = np.random.default_rng(0)
    drawn = pa.table({"g": ["x"] * 30, "n": rng.integers(0, 30, 30)})
    made = kept_apart(source, drawn, [("g", "n")], movable={"n"})
    assert sorted(made["n"].to_pylist()) == list(range(30))
    more = pa.table({"g": ["x"] * 45, "n": rng.integers(0, 30, 45)})
    made = kept_apart(source, more, [("g", "n")], movable={"n"})["n"].to_pylist()
    assert len(set(made)) == 45
    assert set(range(30)) <= set(made)
    assert min(made) == 0
    assert max(made) < 60


def test_types_have_an_end():
    source = pa.table({"v": pa.array([0, 1, 2], pa.uint8())})
    drawn = pa.table({"v": pa.array([1] * 256, pa.uint8())})
    assert sorted(kept_apart(source, drawn, [("v",)])["v"].to_pylist()) == list(range(256))
    with pytest.raises(LimitError, match=r"t\.v: no value is left for row 257"):
        kept_apart(source, pa.table({"v": pa.array([1] * 257, pa.uint8())}), [("v",)], rows=300)
    yes = pa.table({"v": [True, False]})
    with pytest.raises(LimitError, match=r"t\.v: no value is left for row 3"):
        kept_apart(yes, pa.table({"v": [True, True, True]}), [("v",)])


def test_texts_that_are_few_are_used_up_before_others_are_made():
    lands = ["Chile", "Kenya", "Nepal", "Oman"]
    source = pa.table({"v": lands})
    made = kept_apart(source, pa.table({"v": ["Kenya"] * 4}), [("v",)], v="category")
    assert sorted(made["v"].to_pylist()) == lands
    more = kept_apart(source, pa.table({"v": ["Kenya"] * 6}), [("v",)], v="category")
    others = set(more["v"].to_pylist()) - set(lands)
    assert others == {"Kenyb", "Kenyc"}
    # Texts that aren't kept by the bundle are never given away.
    private = kept_apart(source, pa.table({"v": ["Kenya"] * 2}), [("v",)], v="text")
    assert private["v"].to_pylist() == ["Kenya", "Kenyb"]
    with pytest.raises(LimitError, match=r"t\.v"):
        kept_apart(pa.table({"v": ["a"]}), pa.table({"v": ["a"] * 27}), [("v",)], v="text")


def test_mails_stay_with_their_host():
    source = pa.table({"v": ["ann@x.org", "bob.long.name@x.org"]})
    drawn = pa.table({"v": ["ann@x.org"] * 30})
    made = kept_apart(source, drawn, [("v",)], v="text")["v"].to_pylist()
    assert len(set(made)) == 30
    assert all(len(mail) == 9 and mail.endswith("@x.org") for mail in made)


def test_keys_that_share_a_column_are_kept_together():
    rng = np.random.default_rng(3)
    source = pa.table({name: rng.integers(0, 40, 300) for name in "abc"})
    drawn = pa.table({name: rng.integers(0, 12, 200) for name in "abc"})
    made = kept_apart(source, drawn, [("a", "b"), ("b", "c")])
    for key in ("ab", "bc"):
        assert len(set(tuples(made, key))) == 200
    assert made["a"].equals(drawn["a"])
    assert made["c"].equals(drawn["c"])


def test_sets_grow_and_rows_may_come_in_any_batches():
    rng = np.random.default_rng(4)
    source = pa.table({"v": np.arange(100_000)})
    drawn = pa.table({"v": rng.integers(0, 100_000, 60_000)})
    made = [kept_apart(source, drawn, [("v",)], rows=rows)["v"] for rows in (60_000, 9_999)]
    assert made[0].equals(made[1])
    assert len(made[0].unique()) == 60_000
    # A row moves as often as its number is taken: 30 % of the time while 60 % are being filled.
    assert np.mean(made[0].to_numpy() != drawn["v"].to_numpy()) < 0.32
    assert ks_2samp(made[0].to_numpy(), drawn["v"].to_numpy()).statistic < 0.01


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=10)
def test_ticks_stand_for_values(kind, data):
    arrow, values = KINDS[kind]
    array = pa.array(data.draw(st.lists(values, min_size=1, max_size=30)), arrow)
    ticks = Ticks.of(array)
    if ticks is None:
        assert not pa.types.is_primitive(arrow)
        return
    numbers = ticks.count(array)
    assert ticks.values(numbers, arrow).equals(array)
    order = np.argsort(numbers, kind="stable")
    assert array.take(pa.array(order)).to_pylist() == sorted(array.to_pylist())
    low, high = ticks.limits(arrow)
    assert low <= numbers.min() <= numbers.max() <= high


# --- whole tables ------------------------------------------------------------------------------


def learn(table, declared, model="forest"):
    return fit_dataset(
        {"t": TableSource(table)},
        None,
        FitOptions(model),
        declared={"t": declared},
        seed=3,
        about={},
        ctx=RunContext(),
    )


def draw(dataset, rows, threads=1):
    ctx = RunContext(Limits(memory=2**30, threads=threads))
    batches = dataset.draw("t", dataset.plan(rows), seed=None, ctx=ctx)
    return pa.Table.from_batches(batches, dataset.tables["t"].schema)


def weather(rng, places=3, hours=2_000):
    cells = np.sort(rng.choice(places * hours, int(places * hours * 0.97), replace=False))
    start = np.datetime64("2013-01-01T01", "h")
    moments = (start + cells % hours).astype("datetime64[us]")
    heat = 10 + 8 * np.sin(cells % hours / 24 * 2 * np.pi) + cells // hours * 3
    return pa.table(
        {
            "origin": np.array(["EWR", "JFK", "LGA"])[cells // hours],
            "month": (moments.astype("datetime64[M]").astype(int) % 12 + 1),
            "hour": (moments.astype("datetime64[h]").astype(int) % 24),
            "temp": np.round(heat + rng.normal(0, 1, len(cells)), 1),
            "time_hour": pa.array(moments).cast(pa.timestamp("us", "UTC")),
        }
    )


def test_a_key_of_text_and_time_is_unique_and_what_follows_from_it_follows(tmp_path):
    real = weather(np.random.default_rng(0))
    dataset = learn(real, DeclaredTable(primary_key=("origin", "time_hour")))
    made = draw(dataset, None)
    assert len(set(tuples(made, ["origin", "time_hour"]))) == made.num_rows
    times = made["time_hour"].cast(pa.timestamp("us")).to_numpy()
    assert (made["hour"].to_numpy() == times.astype("datetime64[h]").astype(int) % 24).all()
    assert (made["month"].to_numpy() == times.astype("datetime64[M]").astype(int) % 12 + 1).all()
    # Whole hours, nearly all of them within those of the source.
    assert (times == times.astype("datetime64[h]")).all()
    source = real["time_hour"].to_numpy()
    assert np.mean((times >= source.min()) & (times <= source.max())) > 0.99
    # Three times the rows go on beyond the source's hours.
    assert len(set(tuples(draw(dataset, 15_000), ["origin", "time_hour"]))) == 15_000
    dataset.save(tmp_path / "t.sim")
    loaded = load_dataset(tmp_path / "t.sim")
    assert draw(loaded, 5_000, threads=3).equals(draw(dataset, 5_000))


def test_declared_columns_are_unique_and_nulls_may_repeat():
    rng = np.random.default_rng(1)
    rows = 3_000
    real = pa.table(
        {
            "id": np.arange(rows),
            "score": rng.permutation(5 * rows)[:rows],
            "mail": pa.array(
                [f"{'abcdefgh'[n % 8]}{n % 977}.{n}@mail.org" for n in range(rows)],
                mask=rng.random(rows) < 0.3,
            ),
            "amount": np.round(rng.normal(0, 1e4, rows), 2),
        }
    )
    declared = DeclaredTable(primary_key=("id",), unique=(("score",), ("mail",)))
    made = draw(learn(real, declared), 2 * rows)
    for name in ("id", "score"):
        assert len(made[name].unique()) == 2 * rows
    mails = made["mail"].drop_null()
    assert len(mails.unique()) == len(mails)
    share = made["mail"].null_count / (2 * rows)
    assert abs(share - real["mail"].null_count / rows) < 5 * np.sqrt(0.3 * 0.7 / rows)


def test_a_column_that_is_unique_by_chance_may_still_follow_from_others():
    rng = np.random.default_rng(2)
    rows = 2_000
    ordered = np.sort(rng.permutation(10**7)[:rows]) + 1_600_000_000
    shipped = ordered + rng.integers(1, 5, rows) * 86_400
    real = pa.table(
        {
            "ordered": pa.array(ordered * 10**6).cast(pa.timestamp("us")),
            "shipped": pa.array(shipped * 10**6).cast(pa.timestamp("us")),
        }
    )
    dataset = learn(real, DeclaredTable())
    assert all(column.unique for column in dataset.tables["t"].spec.columns.values())
    made = draw(dataset, 4_000)
    seconds = {name: made[name].cast(pa.int64()).to_numpy() // 10**6 for name in real.column_names}
    days = (seconds["shipped"] - seconds["ordered"]) / 86_400
    assert np.isin(days, [1, 2, 3, 4]).mean() > 0.995
    assert len(made["ordered"].unique()) == 4_000
