"""Values of every type, as each database has them, and as they are read."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from simulacra.connectors.locate import open_source
from simulacra.connectors.sql.connections import engine
from simulacra.connectors.sql.place import database_of
from simulacra.core.batches import read_all
from simulacra.core.errors import InputError

D = Decimal
UTC = dt.UTC
INSTANT = pa.timestamp("us", "UTC")
MOMENT = pa.timestamp("us")


@pytest.fixture
def told(monkeypatch):
    """The notes of a run."""
    notes = []
    monkeypatch.setattr(
        "simulacra.core.progress.SilentProgress.note", lambda _, message: notes.append(message)
    )
    return notes


def column(url, ctx, name="c"):
    (source,) = open_source(url, ctx=ctx).values()
    table = read_all(source)
    assert table.schema.equals(source.schema)
    table.validate(full=True)
    return table.column(name)


def check(url, execute, ctx, kind, values, wanted, arrow):
    """Read values of a type, each in a row, a null behind them."""
    execute(
        url,
        f"CREATE TABLE t (n integer PRIMARY KEY, c {kind})",
        *(f"INSERT INTO t (n, c) VALUES ({n}, {value})" for n, value in enumerate(values)),
        f"INSERT INTO t (n, c) VALUES ({len(values)}, NULL)",
    )
    found = column(url, ctx)
    assert found.type == arrow
    assert found.to_pylist() == [*wanted, None]


POSTGRESQL = {
    "boolean": (["true", "false"], [True, False], pa.bool_()),
    "smallint": (["-32768", "32767"], [-32768, 32767], pa.int16()),
    "integer": (["-2147483648"], [-(2**31)], pa.int32()),
    "bigint": (["9223372036854775807"], [2**63 - 1], pa.int64()),
    "oid": (["4294967295"], [2**32 - 1], pa.int64()),
    "numeric(15,2)": (["-1234567890123.45", "0"], [D("-1234567890123.45"), D("0.00")],
                      pa.decimal128(15, 2)),
    "numeric(40,3)": (["1e36", "0.001"], [D("1e36"), D("0.001")],
                      pa.decimal256(40, 3)),
    "numeric": (["12345.678901", "1e20"], [D("12345.678901"), D("1e20")],
                pa.decimal128(38, 6)),
    "money": (["'12.34'"], [D("12.34")], pa.decimal128(19, 2)),
    "real": (["1.5", "'NaN'"], None, pa.float32()),
    "double precision": (["0.1", "1e300"], [0.1, 1e300], pa.float64()),
    "text": (["'a ''q'' \n ü漢🙂'", "''"], ["a 'q' \n ü漢🙂", ""], pa.string()),
    "varchar(9)": (["'x '"], ["x "], pa.string()),
    "char(5)": (["'ab'"], ["ab"], pa.string()),
    "name": (["'n'"], ["n"], pa.string()),
    '"char"': (["'c'"], ["c"], pa.string()),
    "bytea": ([r"'\x00ff'", "''"], [b"\0\xff", b""], pa.binary()),
    "date": (["'2024-02-29'", "'0001-01-01'"], [dt.date(2024, 2, 29), dt.date(1, 1, 1)],
             pa.date32()),
    "time": (["'23:59:59.123456'"], [dt.time(23, 59, 59, 123456)], pa.time64("us")),
    "timetz": (["'12:00:00+02'"], ["12:00:00+02"], pa.string()),
    "timestamp": (["'2024-02-29 12:34:56.789012'"], [dt.datetime(2024, 2, 29, 12, 34, 56, 789012)],
                  MOMENT),
    "timestamp(0)": (["'1969-12-31 23:59:59'"], [dt.datetime(1969, 12, 31, 23, 59, 59)], MOMENT),
    "timestamptz": (["'2024-07-01 12:00:00+02'"], [dt.datetime(2024, 7, 1, 10, tzinfo=UTC)],
                    INSTANT),
    "interval": (["'2 days 00:00:01.5'", "'-1 hour'"],
                 [dt.timedelta(days=2, seconds=1.5), dt.timedelta(hours=-1)], pa.duration("us")),
    "uuid": (["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"], ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
             pa.string()),
    "json": (["""'{"a": [1]}'"""], ['{"a": [1]}'], pa.string()),
    "jsonb": (["""'{"a":[1]}'"""], ['{"a": [1]}'], pa.string()),
    "bit(3)": (["B'101'"], ["101"], pa.string()),
    "bit varying": (["B'1'"], ["1"], pa.string()),
    "inet": (["'10.0.0.1/8'"], ["10.0.0.1/8"], pa.string()),
    "point": (["'(1,2)'"], ["(1,2)"], pa.string()),
    "int4range": (["'[1,5)'"], ["[1,5)"], pa.string()),
    "xml": (["'<a/>'"], ["<a/>"], pa.string()),
    "integer[]": (["'{1,NULL,3}'", "'{}'"], [[1, None, 3], []], pa.list_(pa.int32())),
    "text[]": (["""'{a,"b c",NULL}'"""], [["a", "b c", None]], pa.list_(pa.string())),
    "boolean[]": (["'{t,f}'"], [[True, False]], pa.list_(pa.bool_())),
    "date[]": (["'{2024-01-01}'"], [[dt.date(2024, 1, 1)]], pa.list_(pa.date32())),
    "numeric(5,2)[]": (["'{1.5,NULL}'"], [[D("1.50"), None]], pa.list_(pa.decimal128(5, 2))),
    "numeric[]": (["'{1.5,2}'"], [[1.5, 2.0]], pa.list_(pa.float64())),
    "uuid[]": (["'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'"],
               [["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]], pa.list_(pa.string())),
    "interval[]": (["'{1 day}'"], [[dt.timedelta(days=1)]], pa.list_(pa.duration("us"))),
    "integer[][]": (["'{{1,2},{3,4}}'"], ["{{1,2},{3,4}}"], pa.string()),
}  # fmt: skip


@pytest.mark.parametrize("kind", POSTGRESQL)
def test_postgresql(kind, postgres_url, execute, ctx):
    values, wanted, arrow = POSTGRESQL[kind]
    if wanted is None:
        execute(postgres_url, f"CREATE TABLE t (c {kind})", "INSERT INTO t VALUES (1.5), ('NaN')")
        assert str(column(postgres_url, ctx).to_pylist()) == "[1.5, nan]"
        return
    check(postgres_url, execute, ctx, kind, values, wanted, arrow)


def test_postgresql_enums_and_domains(postgres_url, execute, ctx):
    execute(
        postgres_url,
        "CREATE TYPE mood AS ENUM ('sad', 'so so', 'it''s fine')",
        "CREATE DOMAIN price AS numeric(8,2) CHECK (value > 0)",
        "CREATE DOMAIN mooded AS mood",
        "CREATE TABLE t (a mood, b mood[], c price, d mooded)",
        """INSERT INTO t VALUES ('it''s fine', '{sad,"so so"}', 9.5, 'sad')""",
    )
    (source,) = open_source(postgres_url, ctx=ctx).values()
    assert read_all(source).to_pylist() == [
        {"a": "it's fine", "b": ["sad", "so so"], "c": D("9.50"), "d": "sad"}
    ]
    assert source.schema.field("c").type == pa.decimal128(8, 2)


@pytest.mark.parametrize(
    ("kind", "values", "wanted", "note"),
    [
        ("timestamp", ["'infinity'", "'-infinity'", "'0044-03-15 BC'"],
         [dt.datetime.max, dt.datetime.min, dt.datetime.min], "infinity"),
        ("date", ["'infinity'", "'-infinity'"], [dt.date.max, dt.date.min], "infinity"),
        ("timestamptz", ["'infinity'"], [dt.datetime.max.replace(tzinfo=UTC)], "infinity"),
        ("time", ["'24:00'"], [dt.time.max], "24:00"),
        ("numeric(5,2)", ["'NaN'", "1.5"], [None, D("1.50")], "NaN"),
        ("interval", ["'1 mon 1 day'"], [dt.timedelta(days=31)], "months"),
    ],
)  # fmt: skip
def test_postgresql_values_without_an_arrow_form(
    kind, values, wanted, note, postgres_url, execute, ctx, told
):
    rows = ", ".join(f"({value})" for value in values)
    execute(postgres_url, f"CREATE TABLE t (c {kind})", f"INSERT INTO t VALUES {rows}")
    assert column(postgres_url, ctx).to_pylist() == wanted
    (line,) = told
    assert line.startswith("t.c holds")
    assert note in line


def test_postgresql_numerics_without_a_size(postgres_url, execute, ctx):
    execute(
        postgres_url,
        "CREATE TABLE t (a numeric, b numeric, c numeric, d numeric(3,-2))",
        "INSERT INTO t VALUES (1e50, 'NaN', 1e80, 12300), (0.001, 1.5, 1, 0)",
    )
    (source,) = open_source(postgres_url, ctx=ctx).values()
    assert source.schema.types == [
        pa.decimal256(76, 3), pa.float64(), pa.float64(), pa.decimal128(38, 0)
    ]  # fmt: skip
    table = read_all(source)
    assert table["a"].to_pylist() == [D("1e50"), D("0.001")]
    assert str(table["b"].to_pylist()) == "[nan, 1.5]"
    assert table["c"].to_pylist() == [1e80, 1.0]
    assert table["d"].to_pylist() == [12300, 0]


MARIADB = {
    "boolean": (["true", "false"], [True, False], pa.bool_()),
    "tinyint": (["-128"], [-128], pa.int8()),
    "tinyint unsigned": (["255"], [255], pa.uint8()),
    "smallint unsigned": (["65535"], [65535], pa.uint16()),
    "mediumint": (["-8388608"], [-(2**23)], pa.int32()),
    "int": (["-2147483648"], [-(2**31)], pa.int32()),
    "int(8) unsigned zerofill": (["42", "4294967295"], [42, 2**32 - 1], pa.uint32()),
    "bigint unsigned": (["18446744073709551615"], [2**64 - 1], pa.uint64()),
    "decimal(15,2)": (["-1.5"], [D("-1.50")], pa.decimal128(15, 2)),
    "decimal(65,30)": (["1e-30"], [D("1e-30")], pa.decimal256(65, 30)),
    "float": (["1.1", "16777216"], [pa.scalar(1.1, pa.float32()).as_py(), 2.0**24], pa.float32()),
    "double": (["0.1", "1e300"], [0.1, 1e300], pa.float64()),
    "bit(1)": (["b'1'", "b'0'"], [True, False], pa.bool_()),
    "bit(10)": (["b'101'"], ["0000000101"], pa.string()),
    "year": (["2024"], [2024], pa.int16()),
    "tinyint(1) unsigned": (["2"], [2], pa.uint8()),
    "bigint zerofill": (["42"], [42], pa.uint64()),
    "decimal(10,2) unsigned zerofill": (["1.5"], [D("1.50")], pa.decimal128(10, 2)),
    "decimal": (["7"], [D("7")], pa.decimal128(10, 0)),
    "float(7,4)": (["1.5"], [1.5], pa.float32()),
    "double(10,2)": (["-0.25"], [-0.25], pa.float64()),
    "double unsigned": (["1e-3"], [1e-3], pa.float64()),
    "bit(64)": (["b'1'"], [f"{1:064b}"], pa.string()),
    "year(4)": (["0", "1901"], [0, 1901], pa.int16()),
    "date": (["'2024-02-29'"], [dt.date(2024, 2, 29)], pa.date32()),
    "datetime": (["'2024-02-29 12:34:56'"], [dt.datetime(2024, 2, 29, 12, 34, 56)], MOMENT),
    "datetime(6)": (["'2024-02-29 12:34:56.789012'"],
                    [dt.datetime(2024, 2, 29, 12, 34, 56, 789012)], MOMENT),
    "timestamp null": (["'2024-07-01 10:00:00'"], [dt.datetime(2024, 7, 1, 10, tzinfo=UTC)],
                       INSTANT),
    "time": (["'23:59:59'"], [dt.time(23, 59, 59)], pa.time64("us")),
    "time(6)": (["'-01:00:00.25'", "'838:59:59'"],
                [-dt.timedelta(hours=1, microseconds=250_000),
                 dt.timedelta(hours=838, minutes=59, seconds=59)], pa.duration("us")),
    "char(5)": (["'ab'"], ["ab"], pa.string()),
    "varchar(9)": (["'ü漢🙂''\\\\'"], ["ü漢🙂'\\"], pa.string()),
    "text character set latin1": (["'é'"], ["é"], pa.string()),
    "longtext": (["''"], [""], pa.string()),
    "varbinary(3)": (["x'00ff'", "''"], [b"\0\xff", b""], pa.binary()),
    "binary(3)": (["x'01'"], [b"\1\0\0"], pa.binary()),
    "blob": (["x'00'"], [b"\0"], pa.binary()),
    "enum('a','b''c','d,e')": (["'b''c'", "'d,e'"], ["b'c", "d,e"], pa.string()),
    "set('x','y')": (["'x,y'", "''"], ["x,y", ""], pa.string()),
    "json": (["""'{"a": [1]}'"""], ['{"a": [1]}'], pa.string()),
    "uuid": (["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"], ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
             pa.string()),
    "inet6": (["'::1'"], ["::1"], pa.string()),
    "inet4": (["'10.0.0.1'"], ["10.0.0.1"], pa.string()),
    "linestring": (["ST_LineFromText('LINESTRING(0 0,1 2)')"], ["LINESTRING(0 0,1 2)"],
                   pa.string()),
    "char(4) character set binary": (["'ab'"], [b"ab\0\0"], pa.binary()),
    "varchar(9) character set ucs2": (["'漢ü'"], ["漢ü"], pa.string()),
    "timestamp(6) null": (["'2038-01-19 03:14:07.5'"],
                          [dt.datetime(2038, 1, 19, 3, 14, 7, 500_000, UTC)], INSTANT),
    "point": (["ST_PointFromText('POINT(1 2)')"], ["POINT(1 2)"], pa.string()),
}  # fmt: skip


@pytest.mark.parametrize("kind", MARIADB)
def test_mariadb(kind, mariadb_url, execute, ctx):
    check(mariadb_url, execute, ctx, kind, *MARIADB[kind])


def test_mariadb_values_without_an_arrow_form(mariadb_url, execute, ctx, told):
    execute(
        mariadb_url,
        "CREATE TABLE t (a date, b datetime, c tinyint(1))",
        "SET sql_mode = 'ALLOW_INVALID_DATES'",
        "INSERT INTO t VALUES ('0000-00-00', '2024-02-31 01:02:03', 2), "
        "('2024-01-01', '2024-01-01 00:00:00', 0)",
    )
    (source,) = open_source(mariadb_url, ctx=ctx).values()
    assert read_all(source).to_pylist() == [
        {"a": None, "b": None, "c": 2},
        {"a": dt.date(2024, 1, 1), "b": dt.datetime(2024, 1, 1), "c": 0},
    ]
    assert source.schema.field("c").type == pa.int8()
    assert [line.split(" holds")[0] for line in told] == ["t.a", "t.b"]


def test_mariadb_values_that_no_type_allows(mariadb_url, execute, ctx):
    """What a lax server has kept: an enumeration's empty value, and a set's."""
    execute(
        mariadb_url,
        "CREATE TABLE t (n integer PRIMARY KEY, a enum('x'), b set('x', 'y'))",
    )
    lax = "INSERT INTO t VALUES (1, IF(@@sql_mode = '', 'wrong', 'x'), 'y,x'), (2, NULL, '')"
    made = engine(database_of(mariadb_url)).connect()
    with made.execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET sql_mode = ''")
        connection.exec_driver_sql(lax)
    (source,) = open_source(mariadb_url, ctx=ctx).values()
    assert read_all(source).to_pylist() == [
        {"n": 1, "a": "", "b": "x,y"},
        {"n": 2, "a": None, "b": ""},
    ]


def test_mariadb_columns_that_fill_themselves(mariadb_url, execute, ctx):
    execute(
        mariadb_url,
        "CREATE TABLE t (n integer AUTO_INCREMENT PRIMARY KEY, b integer, "
        "c integer AS (b * 2) STORED, d integer AS (b + 1) VIRTUAL, "
        "e timestamp NOT NULL DEFAULT '2024-01-01' ON UPDATE current_timestamp, "
        "f varchar(9) DEFAULT (concat('a', 'b')), g integer INVISIBLE DEFAULT 5)",
        "INSERT INTO t (b) VALUES (4)",
    )
    (source,) = open_source(mariadb_url, ctx=ctx).values()
    moment = dt.datetime(2024, 1, 1, tzinfo=UTC)
    assert read_all(source).to_pylist() == [
        {"n": 1, "b": 4, "c": 8, "d": 5, "e": moment, "f": "ab", "g": 5}
    ]


DUCKDB = {
    "boolean": (["true"], [True], pa.bool_()),
    "tinyint": (["-128"], [-128], pa.int8()),
    "utinyint": (["255"], [255], pa.uint8()),
    "ubigint": (["18446744073709551615"], [2**64 - 1], pa.uint64()),
    "hugeint": (["12345678901234567890123"], [D(12345678901234567890123)], pa.decimal128(38, 0)),
    "decimal(5,2)": (["1.5"], [D("1.50")], pa.decimal128(5, 2)),
    "float": (["1.5"], [1.5], pa.float32()),
    "double": (["0.1"], [0.1], pa.float64()),
    "varchar": (["'ü漢🙂'"], ["ü漢🙂"], pa.string()),
    "blob": ([r"'\x00\xFF'"], [b"\0\xff"], pa.binary()),
    "date": (["'2024-02-29'"], [dt.date(2024, 2, 29)], pa.date32()),
    "time": (["'23:59:59.5'"], [dt.time(23, 59, 59, 500_000)], pa.time64("us")),
    "timetz": (["'12:00:00+02'"], ["12:00:00+02"], pa.string()),
    "timestamp": (["'2024-02-29 12:34:56.789012'"], [dt.datetime(2024, 2, 29, 12, 34, 56, 789012)],
                  MOMENT),
    "timestamp_s": (["'2024-02-29 12:34:56'"], [dt.datetime(2024, 2, 29, 12, 34, 56)],
                    pa.timestamp("s")),
    "timestamptz": (["'2024-07-01 12:00:00+02'"], [dt.datetime(2024, 7, 1, 10, tzinfo=UTC)],
                    INSTANT),
    "interval": (["'2 days 1 hour'"], [dt.timedelta(days=2, hours=1)], pa.duration("us")),
    "uuid": (["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"], ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
             pa.string()),
    "json": (["""'{"a": [1]}'"""], ['{"a": [1]}'], pa.string()),
    "bit": (["'101'"], ["101"], pa.string()),
    "enum('a', 'b''c')": (["'b''c'"], ["b'c"], pa.string()),
    "union(n integer, s varchar)": (["'x'"], ["x"], pa.string()),
}  # fmt: skip


@pytest.mark.parametrize("kind", DUCKDB)
def test_duckdb(kind, duckdb_url, execute, ctx):
    check(duckdb_url, execute, ctx, kind, *DUCKDB[kind])


def test_duckdb_nested(duckdb_url, execute, ctx):
    execute(
        duckdb_url,
        "CREATE TABLE t (a integer[], b struct(x integer, y varchar[]), c map(varchar, integer), "
        "d integer[2])",
        "INSERT INTO t VALUES ([1, NULL], {'x': 1, 'y': ['a']}, map{'k': 1}, [1, 2])",
    )
    (source,) = open_source(duckdb_url, ctx=ctx).values()
    (row,) = read_all(source).to_pylist()
    assert row == {"a": [1, None], "b": {"x": 1, "y": ["a"]}, "c": [("k", 1)], "d": [1, 2]}


def test_duckdb_infinity(duckdb_url, execute, ctx, told):
    execute(duckdb_url, "CREATE TABLE t (c date)", "INSERT INTO t VALUES ('infinity')")
    assert column(duckdb_url, ctx).to_pylist() == [dt.date.max]
    assert told


SQLITE = {
    "integer": (["9223372036854775807", "-5"], [2**63 - 1, -5], pa.int64()),
    "unsigned big int": (["7"], [7], pa.int64()),
    "boolean": (["1", "0"], [True, False], pa.bool_()),
    "bool": (["2", "0"], [2, 0], pa.int64()),
    "real": (["1", "0.5"], [1.0, 0.5], pa.float64()),
    "numeric(10,2)": (["0.99", "5"], [D("0.99"), D("5.00")], pa.decimal128(10, 2)),
    "decimal(10,1)": (["0.99", "5"], [0.99, 5.0], pa.float64()),
    "decimal(3,1)": (["12345"], [12345], pa.int64()),
    "numeric": (["5"], [5], pa.int64()),
    "nvarchar(160)": (["'ü漢🙂'", "''"], ["ü漢🙂", ""], pa.string()),
    "blob": (["x'00ff'"], [b"\0\xff"], pa.binary()),
    "date": (["'2024-02-29'"], [dt.date(2024, 2, 29)], pa.date32()),
    "datetime": (["'2024-02-29 12:34:56'", "'2024-02-29 12:34:56.5'"],
                 [dt.datetime(2024, 2, 29, 12, 34, 56),
                  dt.datetime(2024, 2, 29, 12, 34, 56, 500_000)], MOMENT),
    "timestamp": (["'2024-02-29T12:34:56Z'"], ["2024-02-29T12:34:56Z"], pa.string()),
    "time": (["'12:34:56'"], [dt.time(12, 34, 56)], pa.time64("us")),
    "": (["1", "2"], [1, 2], pa.int64()),
    "json": (["'{}'"], ["{}"], pa.string()),
}  # fmt: skip


@pytest.mark.parametrize("kind", SQLITE)
def test_sqlite(kind, sqlite_url, execute, ctx):
    check(sqlite_url, execute, ctx, kind, *SQLITE[kind])


@pytest.mark.parametrize(
    ("kind", "values", "wanted", "arrow"),
    [
        ("integer", ["1", "'two'"], ["1", "two"], pa.string()),
        ("real", ["0.5", "'n/a'"], ["0.5", "n/a"], pa.string()),
        ("text", ["'a'", "x'ff'"], [b"a", b"\xff"], pa.binary()),
        ("datetime", ["'2024-01-01 00:00:00'", "1704067200"],
         ["2024-01-01 00:00:00", "1704067200"], pa.string()),
    ],
)  # fmt: skip
def test_sqlite_columns_that_hold_other_values_than_declared(
    kind, values, wanted, arrow, sqlite_url, execute, ctx, told
):
    check(sqlite_url, execute, ctx, kind, values, wanted, arrow)
    (line,) = told
    assert line.lower().startswith(f"t.c: declared {kind}, but holds")


def test_sqlite_columns_of_nulls_have_the_declared_type(sqlite_url, execute, ctx):
    execute(
        sqlite_url,
        "CREATE TABLE t (a integer, b real, c text, d blob, e date, f datetime, g boolean, "
        "h decimal(5,2), i)",
        "INSERT INTO t (a) VALUES (NULL)",
    )
    (source,) = open_source(sqlite_url, ctx=ctx).values()
    assert source.schema.types == [
        pa.int64(), pa.float64(), pa.string(), pa.binary(), pa.date32(), MOMENT, pa.bool_(),
        pa.decimal128(5, 2), pa.string(),
    ]  # fmt: skip
    assert list(read_all(source).to_pylist()[0].values()) == [None] * 9


def test_sqlite_values_that_come_after_many_nulls(sqlite_url, execute, ctx):
    execute(
        sqlite_url,
        "CREATE TABLE t (a text, b real)",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3000) "
        "INSERT INTO t SELECT NULL, NULL FROM r",
        "INSERT INTO t VALUES ('x', 0.5)",
    )
    (source,) = open_source(sqlite_url, ctx=ctx).values()
    batches = list(source.batches(batch_rows=100))
    assert batches[-1].to_pylist()[-1] == {"a": "x", "b": 0.5}
    assert sum(batch.num_rows for batch in batches) == 3001


def test_sqlite_days_that_there_are_not(sqlite_url, execute, ctx, told):
    execute(sqlite_url, "CREATE TABLE t (c date)", "INSERT INTO t VALUES ('2023-02-30')")
    assert column(sqlite_url, ctx).to_pylist() == [None]
    assert told


def test_sqlite_text_that_is_none_is_told_with_its_column(sqlite_url, execute, ctx):
    execute(sqlite_url, "CREATE TABLE t (c text)", "INSERT INTO t VALUES (CAST(x'ff' AS TEXT))")
    (source,) = open_source(sqlite_url, ctx=ctx).values()
    with pytest.raises(InputError, match=r"t\.c: .*UTF-8"):
        list(source.batches())
