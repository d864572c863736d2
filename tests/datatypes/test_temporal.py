import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from datatypes.columns import (
    assert_same_codec,
    datatype,
    decode,
    draw,
    encode,
    fit,
    reloaded,
    round_trip,
    specs_of,
    winner,
)
from metrics.samples import shipped
from simulacra.core.errors import SpecError
from simulacra.datatypes.format_search import find_format
from simulacra.datatypes.formats import compile_format

MOMENT = dt.datetime(2021, 3, 14, 15, 9, 26, 535_897)
EPOCH = dt.datetime(1970, 1, 1)
DAY_US = 86_400 * 10**6


@pytest.mark.parametrize(
    ("name", "arrow_type", "values"),
    [
        ("date", pa.date32(), [-719162, 0, 2932896]),  # years 1, 1970 and 9999
        ("date", pa.date64(), [0, 86_400_000 * 2_932_896]),
        ("time", pa.time32("s"), [0, 86_399]),
        ("time", pa.time32("ms"), [0, 86_399_999]),
        ("time", pa.time64("us"), [0, 86_399_999_999]),
        ("time", pa.time64("ns"), [0, 86_399_999_999_999]),
        ("duration", pa.duration("s"), [-5, 0, 2**40]),
        ("duration", pa.duration("ns"), [-(2**63) + 1, 2**63 - 1]),
        ("datetime", pa.timestamp("s"), [-62_135_596_800, 253_402_300_799]),
        ("datetime", pa.timestamp("ms", "Europe/Berlin"), [0, 10**12]),
        ("datetime", pa.timestamp("us", "UTC"), [-(10**15), 10**17]),
        ("datetime", pa.timestamp("ns"), [-(2**63) + 1, 2**63 - 1]),
    ],
    ids=str,
)
def test_arrow_types_come_back_exactly_where_values_repeat(name, arrow_type, values):
    bits = pa.int32() if arrow_type.bit_width == 32 else pa.int64()
    column = pa.array([*values, None] * 4, bits).cast(arrow_type)
    assert winner("c", column)[0] == name
    assert round_trip(name, column).equals(column)
    codec = fit(name, column).codec
    assert_same_codec(codec, reloaded(name, codec), encode(codec, column))


FORMATS = [
    ("%Y-%m-%d", "2021-03-14"),
    ("%Y/%m/%d", "2021/03/14"),
    ("%Y%m%d", "20210314"),
    ("%d/%m/%Y", "14/03/2021"),
    ("%m/%d/%Y", "03/14/2021"),
    ("%d.%m.%Y", "14.03.2021"),
    ("%-d.%-m.%Y", "14.3.2021"),
    ("%-m/%-d/%y", "3/14/21"),
    ("%d-%b-%Y", "14-Mar-2021"),
    ("%d-%^b-%y", "14-MAR-21"),
    ("%-d %B %Y", "14 March 2021"),
    ("%b %-d, %Y", "Mar 14, 2021"),
    ("%~B %d %Y", "march 14 2021"),
    ("%Y-%b-%d", "2021-Mar-14"),
    ("%A, %-d %B %Y", "Sunday, 14 March 2021"),
    ("%a, %d %b %Y %H:%M:%S GMT", "Sun, 14 Mar 2021 15:09:26 GMT"),
    ("%Y-%m-%dT%H:%M:%SZ", "2021-03-14T15:09:26Z"),
    ("%Y-%m-%dT%H:%M:%S+02:00", "2021-03-14T15:09:26+02:00"),
    ("%Y-%m-%dT%H:%M:%S.%3fZ", "2021-03-14T15:09:26.535Z"),
    ("%Y-%m-%d %H:%M:%S.%6f", "2021-03-14 15:09:26.535897"),
    ("%Y-%m-%d %H:%M:%S.%9f", "2021-03-14 15:09:26.535897000"),
    ("%Y-%m-%d %H:%M:%S,%3f", "2021-03-14 15:09:26,535"),
    ("%Y-%m-%d %H:%M", "2021-03-14 15:09"),
    ("%m/%d/%Y %I:%M:%S %p", "03/14/2021 03:09:26 PM"),
    ("%-m/%-d/%Y %-I:%M %p", "3/14/2021 3:09 PM"),
    ("%d/%m/%Y, %H:%M", "14/03/2021, 15:09"),
    ("%Y%m%dT%H%M%S", "20210314T150926"),
    ("%Y%m%d%H%M%S", "20210314150926"),
    ("%H:%M:%S", "15:09:26"),
    ("%H:%M", "15:09"),
    ("%I:%M%P", "03:09pm"),
    ("%H:%M:%S.%3f", "15:09:26.535"),
]


@pytest.mark.parametrize(("wanted", "text"), FORMATS)
def test_formats_are_read_as_datetime_reads_them_and_written_back(wanted, text):
    program = compile_format(wanted)
    positions, good = program.read(pa.array([text]))
    assert good.all()
    assert written(program, positions) == [text]
    unit = {0: pa.date32(), 10**6: pa.timestamp("us"), 10**9: pa.timestamp("ns")}
    moment = pa.array(positions.astype(np.int32) if not program.per_second else positions)
    found = moment.cast(unit[program.per_second])[0].as_py()
    if not program.has_time:
        assert found == MOMENT.date()
    else:
        parts = dt.datetime.combine(
            MOMENT if program.has_date else dt.date(1970, 1, 1), found.time()
        )
        assert dt.datetime.fromisoformat(str(found)[:26]) == parts
        assert (found.hour, found.minute) == (15, 9)


@pytest.mark.parametrize("wanted", [wanted for wanted, _ in FORMATS])
def test_formats_are_found_and_text_comes_back_letter_by_letter(wanted):
    program = compile_format(wanted)
    rng = np.random.default_rng(1)
    step = {0: 1, 10**6: 1, 10**9: 1000}[program.per_second]
    span = 20_000 if not program.per_second else 20_000 * DAY_US * step
    positions = rng.integers(0, span // step, 60) * step
    # What the format doesn't show is zero.
    positions, _ = program.read(pa.array(written(program, positions)))
    texts = [*written(program, positions), None]
    column = pa.array(texts * 4)
    kind, options = winner("c", column)
    expected = "date" if not program.has_time else "datetime" if program.has_date else "time"
    assert (kind, options) == (expected, {"format": wanted})
    assert round_trip(kind, column, options).equals(column)
    codec = fit(kind, column, options).codec
    assert_same_codec(codec, reloaded(kind, codec), encode(codec, column))


def written(program, positions) -> list[str]:
    offsets, data = program.write(np.asarray(positions, np.int64))
    return pa.LargeStringArray.from_buffers(
        len(positions), pa.py_buffer(offsets), pa.py_buffer(data)
    ).to_pylist()


@given(st.lists(st.datetimes(), min_size=1, max_size=40), st.sampled_from(["%.f", "%.6f"]))
def test_any_datetime_of_python(moments, fraction):
    if fraction == "%.6f":  # as isoformat writes it
        texts = [moment.isoformat(sep=" ") for moment in moments]
    else:
        texts = [str(moment)[:19] + trimmed(moment) for moment in moments]
    program = compile_format(f"%Y-%m-%d %H:%M:%S{fraction}")
    positions, good = program.read(pa.array(texts))
    assert good.all()
    assert positions.tolist() == [(m - EPOCH) // dt.timedelta(microseconds=1) for m in moments]
    assert written(program, positions) == texts


def trimmed(moment: dt.datetime) -> str:
    digits = f"{moment.microsecond:06}".rstrip("0")
    return f".{digits}" if digits else ""


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        ("%Y-%m-%d", "2021-02-29"),
        ("%Y-%m-%d", "1900-02-29"),
        ("%Y-%m-%d", "2021-13-01"),
        ("%Y-%m-%d", "2021-04-31"),
        ("%Y-%m-%d", "2021-3-14"),
        ("%Y-%m-%d", "2021-03-14 "),
        ("%Y-%m-%d", "0000-01-01"),
        ("%-d/%-m/%Y", "03/14/2021"),
        ("%-d/%-m/%Y", "03/4/2021"),
        ("%H:%M", "24:00"),
        ("%I:%M %p", "13:00 PM"),
        ("%I:%M %p", "00:00 AM"),
        ("%a %Y-%m-%d", "Mon 2021-03-14"),  # a Sunday
        ("%b %d %Y", "MAR 14 2021"),
        ("%H:%M:%S%.f", "10:00:00.50"),
        ("%H:%M:%S%.6f", "10:00:00.000000"),
        ("%H:%M:%S.%3f", "10:00:00.5"),
        ("%Y-%m-%d", ""),
    ],
)
def test_what_would_not_be_written_back_is_not_read(format_, text):
    _, good = compile_format(format_).read(pa.array([text]))
    assert not good.any()


def test_leap_days_and_far_years():
    texts = ["2000-02-29", "1600-02-29", "0001-01-01", "9999-12-31"] * 4
    column = pa.array(texts)
    assert winner("c", column) == ("date", {"format": "%Y-%m-%d"})
    assert round_trip("date", column, {"format": "%Y-%m-%d"}).equals(column)


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["01/02/2020", "25/02/2020", "03/04/2020"], "%d/%m/%Y"),
        (["01/02/2020", "02/25/2020", "03/04/2020"], "%m/%d/%Y"),
        (["01/02/2020", "03/04/2020"], "%m/%d/%Y"),
        (["01.02.2020", "03.04.2020"], "%d.%m.%Y"),
        (["1/2/2020", "11/12/2020"], "%-m/%-d/%Y"),
        (["01/02/2020", "11/12/2020"], "%m/%d/%Y"),
        (["70-01-31", "99-12-01"], "%y-%m-%d"),
        (["May 1 2020", "Dec 2 2020"], "%b %-d %Y"),
        (["May 1 2020", "December 2 2020"], "%B %-d %Y"),
        (["2020-01-01 10:00:00", "2020-01-01 10:00:00.250000"], "%Y-%m-%d %H:%M:%S%.6f"),
    ],
)
def test_what_one_value_leaves_open_the_others_decide(texts, wanted):
    found = find_format(pa.array(texts))
    assert found is not None
    assert (found.format, found.share) == (wanted, 1.0)


@pytest.mark.parametrize(
    "texts",
    [
        ["hello", "world"],
        ["1.5", "2.5"],
        ["2020", "2021"],
        ["12345678", "87654321"],
        ["10.0.0.1", "192.168.1.20"],
        ["25:10", "26:10"],
        ["+49 170 1234567", "+49 171 7654321"],
        ["1-2", "3-4"],
    ],
)
def test_what_is_no_date_is_not_claimed(texts):
    column = pa.array(texts * 3)
    assert winner("c", column)[0] not in {"date", "time", "datetime"}


def test_strays_are_kept_when_frequent_and_else_count_as_null():
    texts = [f"2020-01-{d:02}" for d in range(1, 32)] * 8 + ["unknown"] * 6 + ["?"] + [None] * 5
    column = pa.array(texts)
    kind, options = winner("c", column)
    assert (kind, options) == ("date", {"format": "%Y-%m-%d"})
    fitted = fit("date", column, options)
    out = decode(fitted.codec, encode(fitted.codec, column))
    expected = [None if text == "?" else text for text in texts]
    assert out.to_pylist() == expected
    accepted = datatype("date").accepts(column, options).to_pylist()
    assert accepted == [text is None or text.startswith("2020") for text in texts]
    assert_same_codec(fitted.codec, reloaded("date", fitted.codec), encode(fitted.codec, column))


@pytest.mark.parametrize(
    "offsets", [["+01:00", "+02:00"], ["Z", "+05:30"], [" +0100", " -0530"], ["-05", "-04"]]
)
def test_offsets_that_differ_are_a_feature(offsets):
    rng = np.random.default_rng(7)
    moments = pa.array(rng.integers(0, 1_500, 8_000) * 10**6).cast(pa.timestamp("us"))
    texts = pc.strftime(moments.cast(pa.timestamp("s")), "%Y-%m-%dT%H:%M:%S").to_pylist()
    marks = [offsets[i] for i in rng.integers(0, 2, 8_000)]
    texts = [text + mark for text, mark in zip(texts, marks, strict=True)]
    texts[5:400:20] = ["no-12"] * 20
    column = pa.array([*texts, None])
    kind, options = winner("c", column)
    assert (kind, options["format"]) == ("datetime", "%Y-%m-%dT%H:%M:%S%z")
    fitted = fit("datetime", column, {**options, "min_count": 1})
    assert specs_of(fitted.codec)[-1] == ("nominal", 3)
    assert decode(fitted.codec, encode(fitted.codec, column)).equals(column)
    assert set(datatype("datetime").accepts(column, options).to_pylist()[:400:20]) == {True}
    assert_same_codec(
        fitted.codec, reloaded("datetime", fitted.codec), encode(fitted.codec, column)
    )


def test_hours_of_a_year_are_days_and_times():
    column = shipped("flights")["time_hour"].combine_chunks()
    fitted = fit("datetime", column)
    days = len(pc.unique(column.cast(pa.date32(), safe=False)))
    hours = len(pc.unique(pc.hour(column)))
    assert specs_of(fitted.codec) == [("ordinal", days), ("ordinal", hours)]
    assert decode(fitted.codec, encode(fitted.codec, column)).equals(column)


def test_instants_keep_the_pattern_of_the_day_and_their_range():
    rng = np.random.default_rng(2)
    noon = np.clip(rng.normal(13 * 3600, 7200, 50_000), 0, 86_399)
    seconds = rng.integers(15_000, 19_000, 50_000) * 86_400 + noon.astype(np.int64)
    column = pa.array(seconds).cast(pa.timestamp("s"))
    drawn = draw(fit("datetime", column), 50_000)
    made = np.array(drawn.cast(pa.int64()))
    bound = 1.95 / np.sqrt(25_000) + 1 / 2_000
    assert stats.ks_2samp(seconds % 86_400, made % 86_400).statistic < bound
    assert stats.ks_2samp(seconds, made).statistic < bound
    assert seconds.min() <= made.min()
    assert made.max() <= seconds.max()


def test_granularity_is_kept():
    rng = np.random.default_rng(3)
    for step in (DAY_US, 60 * 10**6, 15 * 60 * 10**6, 10**6, 1000):
        ticks = rng.integers(0, 30_000 * DAY_US // step, 20_000) * step
        drawn = draw(fit("datetime", pa.array(ticks).cast(pa.timestamp("us"))), 20_000)
        assert (np.array(drawn.cast(pa.int64())) % step == 0).all()


def test_the_day_is_that_of_the_time_zone():
    rng = np.random.default_rng(4)
    local = (
        rng.integers(18_000, 20_000, 30_000) * DAY_US + rng.integers(9, 17, 30_000) * 3600 * 10**6
    )
    local += rng.integers(0, 3600, 30_000) * 10**6
    column = pc.assume_timezone(pa.array(local).cast(pa.timestamp("us")), "America/New_York")
    fitted = fit("datetime", column)
    drawn = draw(fitted, 30_000)
    assert drawn.type == column.type
    assert set(pc.hour(pc.local_timestamp(drawn)).to_pylist()) <= set(range(9, 17))
    codec = fitted.codec
    assert_same_codec(codec, reloaded("datetime", codec), encode(codec, column))


def test_instants_at_the_ends_of_int64():
    rng = np.random.default_rng(5)
    info = np.iinfo(np.int64)
    values = np.concatenate([rng.integers(info.min + 1, info.max, 9_000), [info.min + 1, info.max]])
    column = pa.array(values).cast(pa.timestamp("ns"))
    out = np.array(round_trip("datetime", column).cast(pa.int64()))
    assert info.min < out.min()


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("date", {}, "only with a format"),
        ("date", {"format": "%Y-%q"}, "there is no directive '%q'"),
        ("date", {"format": "%Y"}, "a date needs a year, a month and a day"),
        ("date", {"format": "%H:%M"}, "is none of a date"),
        ("time", {"format": "%I:%M"}, "%I needs %p"),
        ("datetime", {"format": "%Y-%m-%d"}, "is none of a datetime"),
        ("duration", {}, "can't be a column of type duration"),
    ],
)
def test_wrong_formats_name_the_place(name, options, why):
    with pytest.raises(SpecError) as caught:
        fit(name, pa.array(["2020-01-01"]), options)
    assert "t.c" in str(caught.value)
    assert why in str(caught.value)


def test_batches_make_no_difference():
    rng = np.random.default_rng(6)
    texts = (
        pa.array(rng.integers(0, 10**6, 30_000) * 10**6).cast(pa.timestamp("us")).cast(pa.string())
    )
    column = pc.if_else(pa.array(rng.random(30_000) < 0.01), "n/a", texts)
    options = winner("c", column)[1]
    one, other = (fit("datetime", column, options, batch_rows=rows) for rows in (999, 10**6))
    assert_same_codec(one.codec, other.codec, encode(one.codec, column))
