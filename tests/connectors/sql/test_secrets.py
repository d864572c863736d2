"""Passwords come from URL, variables or the drivers' own files, and are never seen again."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

import simulacra
from servers import MARIADB, POSTGRESQL, fresh_database, run_sql
from simulacra.cli.app import main
from simulacra.connectors.locate import open_source
from simulacra.connectors.sql.place import database_of
from simulacra.connectors.sql.postgresql.login import conninfo, pg8000_arguments
from simulacra.core.errors import InputError, UsageError

SECRET = "hunter2&Ü @:/?#"
QUOTED = "hunter2%26%C3%9C%20%40%3A%2F%3F%23"
FORMS = (SECRET, QUOTED, "hunter2")


@pytest.fixture(params=["postgres", "mariadb"])
def login(request):
    """The URL of a database, without password, of a user who needs one; and the server's kind."""
    server, kind = (POSTGRESQL, "postgres") if request.param == "postgres" else (MARIADB, "mariadb")
    with fresh_database(server) as url:
        database = url.rpartition("/")[2]
        user = database.replace("simulacra", "u")
        host = url.rpartition("@")[2]
        if kind == "postgres":
            run_sql(url, f"CREATE ROLE {user} LOGIN PASSWORD '{SECRET}'",
                    f"GRANT ALL ON SCHEMA public TO {user}")  # fmt: skip
        else:
            run_sql(url, f"CREATE USER {user}@'%' IDENTIFIED BY '{SECRET}'",
                    f"GRANT ALL ON {database}.* TO {user}@'%'")  # fmt: skip
        try:
            yield f"{url.partition(':')[0]}://{user}@{host}", kind
        finally:
            if kind == "postgres":
                run_sql(url, f"DROP OWNED BY {user}", f"DROP ROLE {user}")
            else:
                run_sql(url, f"DROP USER {user}@'%'")


def with_password(url, password=QUOTED):
    return url.replace("@", f":{password}@", 1)


def test_the_password_of_the_url_is_used(login, execute, ctx):
    url, _ = login
    execute(with_password(url), "CREATE TABLE t (n integer)")
    assert list(open_source(with_password(url), ctx=ctx)) == ["t"]


def test_a_variable_in_the_passwords_place(login, execute, ctx, monkeypatch):
    url, _ = login
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    named = with_password(url, "env:SHOP_PASSWORD")
    execute(named, "CREATE TABLE t (n integer)")
    assert list(open_source(named, ctx=ctx)) == ["t"]
    monkeypatch.delenv("SHOP_PASSWORD")
    with pytest.raises(UsageError, match="the environment variable SHOP_PASSWORD is not set"):
        open_source(named, ctx=ctx)


def test_a_variable_with_the_whole_url(login, execute, ctx, monkeypatch):
    url, _ = login
    monkeypatch.setenv("SHOP", with_password(url))
    execute("env:SHOP", "CREATE TABLE t (n integer)")
    assert list(open_source("env:SHOP", ctx=ctx)) == ["t"]


def test_a_wrong_password_is_told_without_it(login, ctx):
    """PostgreSQL may trust local users: then there is no table."""
    url, kind = login
    with pytest.raises(InputError) as failed:
        open_source(with_password(url, "hunter2"), ctx=ctx)
    assert "hunter2" not in str(failed.value)
    assert failed.value.__cause__ is None
    if kind == "mariadb":
        assert "Access denied" in str(failed.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@127.0.0.1:1/shop",
        "mysql://me:hunter2@127.0.0.1:1/shop",
        "postgresql://me@127.0.0.1:1/shop?password=hunter2",
        "postgresql://me:hunter2@no-such-host.invalid/shop",
        "oracle+nodriver://me:hunter2@127.0.0.1/shop",
        "postgresql://me:hunter2@127.0.0.1:port/shop",
        "postgresql://me:hunter2@two@127.0.0.1/shop",
        "sqlite://me:hunter2@host/shop.sqlite",
        "nothing://me:hunter2@host/shop",
        "postgresql://me:hunter2@127.0.0.1:1/shop?sslmode=hunter",
    ],
)
@pytest.mark.parametrize("command", ["synth", "detect", "subset"])
def test_no_message_has_it(command, url, tmp_path, monkeypatch, capsys):
    words = {
        "synth": [url, str(tmp_path / "out")],
        "detect": [url],
        "subset": [url, str(tmp_path / "out"), "--rows", "1"],
    }[command]
    monkeypatch.setattr("sys.argv", ["simulacra", command, *words])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code not in {0, None}
    assert "hunter2" not in out + err
    assert "Traceback" not in err


def test_what_is_written_of_a_database_has_none_of_it(
    login, tmp_path, monkeypatch, capsys, execute
):
    """Bundle, specification, copy, report and all that is printed."""
    url, _ = login
    full = with_password(url)
    execute(
        full,
        "CREATE TABLE people (id integer PRIMARY KEY, age integer)",
        "INSERT INTO people " + " UNION ALL ".join(f"SELECT {n}, {n % 7}" for n in range(60)),
    )
    monkeypatch.chdir(tmp_path)
    told = ""
    for words in (
        ["detect", full, "-o", "spec.yaml"],
        ["fit", full, "-o", "model.sim"],
        ["synth", full, "copy"],
        ["synth", full, "copy.duckdb", "--resume"],
        ["subset", full, "part", "--rows", "10", "--json"],
        ["evaluate", full, "copy", "--report", "report.html", "--json", "report.json"],
        ["inspect", "model.sim"],
    ):
        monkeypatch.setattr("sys.argv", ["simulacra", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert ended.value.code in {0, None}, (words, err)
        told += out + err
    with zipfile.ZipFile("model.sim") as bundle:
        bundle.extractall("bundle")
    written = b"".join(path.read_bytes() for path in Path().rglob("*") if path.is_file())
    assert b"people" in written
    for form in FORMS:
        assert form not in told
        assert form.encode() not in written
        assert form.encode("utf-16-le") not in written


def test_nothing_shows_it_of_a_database(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    database = database_of("postgresql://me:hunter2@host/shop?sslpassword=hunter2&options=x")
    assert "hunter2" not in repr(database)
    assert database.safe == "postgresql://me@host/shop"
    assert "hunter2" not in database.scrubbed("login me hunter2 failed: hunter2")
    source = simulacra.source("postgresql://me:hunter2@host/shop")
    assert source.uri  # a user's own object


def test_pgpass(tmp_path, monkeypatch):
    """The first line that fits, as libpq takes it."""
    file = tmp_path / "pgpass"
    file.write_text(
        "# comment\nother:*:*:*:no\nhost:5432:shop:me:pass\\:w\\\\ord\n*:*:*:*:everyone\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PGPASSFILE", str(file))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    file.chmod(0o600)
    mine = database_of("postgresql://me@host/shop")
    assert pg8000_arguments(mine.url)["password"] == "pass:w\\ord"
    assert r"password='pass:w\\ord'" in conninfo(mine.url)
    assert "pass:w\\ord" not in mine.scrubbed("no login with pass:w\\ord")
    assert pg8000_arguments(database_of("postgresql://you@host/shop").url)["password"] == "everyone"
    given = database_of("postgresql://me:own@host/shop")
    assert pg8000_arguments(given.url)["password"] == "own"
    file.chmod(0o644)  # libpq ignores a file that others can read
    assert pg8000_arguments(mine.url)["password"] is None


def test_my_cnf(login, tmp_path, monkeypatch, execute, ctx):
    url, kind = login
    if kind != "mariadb":
        pytest.skip("PostgreSQL has its own file")
    file = tmp_path / ".my.cnf"
    file.write_text(f'[client]\npassword="{SECRET}"\n', encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    execute(url, "CREATE TABLE t (n integer)")
    assert list(open_source(url, ctx=ctx)) == ["t"]
