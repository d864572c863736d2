"""A journal keeps whole blocks, and nothing else: what goes on from it gives the same rows."""

import datetime as dt
import json
from itertools import islice

import numpy as np
import pyarrow as pa
import pytest

from simulacra.core.batches import TableSource
from simulacra.core.context import RunContext
from simulacra.core.errors import OutputError
from simulacra.core.limits import Limits
from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, TableSpec
from simulacra.pipeline import fitted_table, journal_parts
from simulacra.pipeline.dataset import fit_dataset, load_dataset
from simulacra.pipeline.flat_model import FlatModel
from simulacra.pipeline.journal import Journal
from simulacra.pipeline.journal_parts import TableRecord
from simulacra.pipeline.options import FitOptions
from simulacra.pipeline.relations.drawing import blocks, database, early_features
from simulacra.pipeline.relations.graph import Role

# --- parts ----------------------------------------------------------------------------------


@pytest.fixture
def parts_of_two(monkeypatch):
    monkeypatch.setattr(journal_parts, "PART_BLOCKS", 2)


def block(number):
    """Rows of many types; each block has a dictionary of its own."""
    names = [f"{number}-{n}" for n in range(3)]
    return pa.record_batch(
        {
            "n": pa.array([number, None, -number], pa.int16()),
            "x": [float("nan"), 0.5, None],
            "name": names,
            "kind": pa.array(names).dictionary_encode(),
            "tags": pa.array([names, [], None]),
            "address": pa.array([{"zip": number}, None, {"zip": None}]),
            "seen": pa.array([dt.datetime(2024, 1, 1), None, None], pa.timestamp("ns", "UTC")),
            "price": pa.array(["1.50", "2.00", None]).cast(pa.decimal128(9, 2)),
            "raw": pa.array([b"\0", b"", None]),
            "nothing": pa.nulls(3),
            "": pa.array([True, None, False]),
        }
    )


def is_block(batch, number):
    wanted = block(number)
    return batch.schema == wanted.schema and repr(batch.to_pylist()) == repr(wanted.to_pylist())


class Blocks:
    """Makes blocks and remembers which."""

    def __init__(self):
        self.made = []

    def __call__(self, numbers):
        for number in numbers:
            self.made.append(number)
            yield block(number)


def drawn(folder, count, taken=None):
    """Return which blocks were made to yield all, or as many as are taken before the run stops."""
    blocks, record = Blocks(), TableRecord(folder)
    found = list(islice(record.through(range(count), blocks), taken))
    assert all(is_block(batch, number) for number, batch in enumerate(found))
    assert len(found) == min(count, count if taken is None else taken)
    return blocks.made


@pytest.mark.usefixtures("parts_of_two")
@pytest.mark.parametrize("taken", range(6))
def test_only_parts_that_are_not_there_are_made(taken, tmp_path):
    drawn(tmp_path / "t", 5, taken)
    assert not TableRecord(tmp_path / "t").is_whole
    # A part is there once the block after its last is asked for.
    kept = 2 * ((taken - 1) // 2) if taken else 0
    assert drawn(tmp_path / "t", 5) == list(range(kept, 5))
    assert drawn(tmp_path / "t", 5) == []
    whole = TableRecord(tmp_path / "t")
    assert whole.is_whole
    assert [is_block(batch, n) for n, batch in enumerate(whole.made())] == [True] * 5
    assert {path.suffix for path in (tmp_path / "t").iterdir()} == {".arrow", ".json"}


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def swap(path):
    (other,) = path.parent.glob("000000.*")
    path.write_bytes(other.read_bytes())


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


@pytest.mark.usefixtures("parts_of_two")
@pytest.mark.parametrize("harm", [cut, flip, swap, empty, remove])
def test_a_part_that_is_not_sound_is_made_again(harm, tmp_path):
    drawn(tmp_path, 7)
    (path,) = tmp_path.glob("000001.*")
    harm(path)
    assert not TableRecord(tmp_path).is_whole
    assert drawn(tmp_path, 7) == [2, 3]
    assert TableRecord(tmp_path).is_whole
    assert len(list(tmp_path.glob("*.arrow"))) == 4


@pytest.mark.parametrize("text", ["", "{", "{}", '{"parts": "x"}', '{"parts": 9}', "[]"])
def test_a_torn_note_that_a_table_is_whole_means_nothing(text, tmp_path):
    drawn(tmp_path, 3)
    (tmp_path / "whole.json").write_text(text)
    assert not TableRecord(tmp_path).is_whole
    assert drawn(tmp_path, 3) == []


def test_a_table_without_blocks_is_whole(tmp_path):
    assert drawn(tmp_path / "t", 0) == []
    assert TableRecord(tmp_path / "t").is_whole
    assert list(TableRecord(tmp_path / "t").made()) == []


def test_a_full_disk_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"can't keep a journal.*go on"):
        list(TableRecord(tmp_path / "file").through([1], Blocks()))


# --- the folder -----------------------------------------------------------------------------

FACTS = {"seed": 1, "rows": {"a": 10}}


def left(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def journal_with_work(folder, **how):
    journal = Journal(folder, **how)
    with journal.opened():
        journal.agree_on_drawing(FACTS)
        list(journal.table(0).through([1], Blocks()))
    return journal


def test_a_journal_without_work_goes_away(tmp_path):
    with Journal(tmp_path / "deep" / "j").opened():
        pass
    assert left(tmp_path) == []


def test_work_stays_after_an_exception_and_goes_when_the_run_is_done(tmp_path):
    journal = Journal(tmp_path / "deep" / "j")
    with pytest.raises(KeyboardInterrupt), journal.opened():
        list(journal.table(0).through([1], Blocks()))
        raise KeyboardInterrupt
    assert journal.holds_work()
    with journal.opened():
        journal.finish()
    assert left(tmp_path) == ["deep"]


def test_what_others_put_into_the_folder_stays(tmp_path):
    journal = journal_with_work(tmp_path / "j")
    (tmp_path / "j" / "mine").touch()
    with journal.opened():
        journal.finish()
    assert left(tmp_path) == ["j", "j/mine"]


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(OutputError, match=r"no journal of a run: it holds thesis\.tex"):
        Journal(tmp_path).opened().__enter__()
    assert left(tmp_path) == ["thesis.tex"]
    with pytest.raises(OutputError, match="can't keep a journal"):
        Journal(tmp_path / "thesis.tex").opened().__enter__()


def test_two_processes_do_not_share_a_journal(tmp_path):
    journal = Journal(tmp_path / "j")
    with journal.opened():
        for work in ([], [1]):
            list(journal.table(0).through(work, Blocks()))
            with pytest.raises(OutputError, match="another process works with this journal"):
                Journal(tmp_path / "j").opened().__enter__()
            assert journal.table(0).is_whole


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"seed": 2, "rows": {"a": 10}}, r"seed: 1, now 2\."),
        ({"seed": 1, "rows": {"a": 11}}, r'rows: {"a": 10}, now {"a": 11}\.'),
        ({"seed": 1, "rows": {"a": 10}, "more": "x" * 50}, r"more: null, now another\."),
    ],
)
def test_a_journal_of_another_run_is_refused(facts, told, tmp_path):
    journal = journal_with_work(tmp_path / "j")
    with pytest.raises(OutputError, match=told) as caught, journal.opened():
        journal.agree_on_drawing(facts)
    assert "--overwrite" in str(caught.value)
    assert journal.table(0).is_whole
    with (anew := Journal(tmp_path / "j", overwrite=True)).opened():
        anew.agree_on_drawing(FACTS)
        assert anew.table(0).is_whole
        anew.agree_on_drawing(facts)
        assert not anew.table(0).is_whole


@pytest.mark.parametrize("text", ["", "{", '{"seed": 1'])
def test_a_torn_note_of_what_is_drawn_makes_everything_anew(text, tmp_path):
    journal = journal_with_work(tmp_path / "j")
    (tmp_path / "j" / "drawing.json").write_text(text)
    with journal.opened():
        journal.agree_on_drawing(FACTS)
        assert not journal.table(0).is_whole


def test_other_learning_makes_drawing_void(tmp_path):
    journal = journal_with_work(tmp_path / "j")
    with journal.opened():
        journal.agree_on_learning({"seed": 1})
        journal.learned.touch()
    with journal.opened():
        journal.agree_on_learning({"seed": 1})
        assert journal.learned.exists()
    with (anew := Journal(tmp_path / "j", overwrite=True)).opened():
        anew.agree_on_learning({"seed": 2})
        assert not anew.holds_work()


def test_what_a_killed_process_had_under_way_is_thrown_away(tmp_path):
    journal = journal_with_work(tmp_path / "j")
    for name in ("staged", "spool"):
        (tmp_path / "j" / name).mkdir()
        (tmp_path / "j" / name / "x").touch()
    with journal.opened():
        assert not journal.staged.exists()
        assert list(journal.spool().iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_was_published_is_known_again(kind, tmp_path):
    journal = journal_with_work(tmp_path / "j")
    ready, target = tmp_path / "ready", tmp_path / "target"

    def make(path):
        if kind == "folder":
            path.mkdir()
            path /= "t.csv"
        path.write_text("a\n1\n")

    make(ready)
    assert not journal.is_published(target)
    with journal.opened():
        journal.note_ready(ready)
    assert not journal.is_published(target)
    ready.rename(target)
    assert journal.is_published(target)
    target.rename(tmp_path / "elsewhere")
    make(target)
    assert not journal.is_published(target)


# --- tables that refer to each other --------------------------------------------------------


def key(column, parent, parent_column="id"):
    return ForeignKey(columns=[column], parent=parent, parent_columns=[parent_column])


def described(table, primary_key, *keys, **kinds):
    columns = {}
    for field in table.schema:
        kind = kinds.get(field.name)
        if kind is None:
            kind = "identifier" if field.name == "id" else "integer"
        columns[field.name] = ColumnSpec(type=kind, arrow=str(field.type), unique=kind[:2] == "id")
    return TableSpec(columns=columns, primary_key=primary_key, foreign_keys=list(keys))


@pytest.fixture(scope="module")
def company():
    """Return tables with every kind of relation: kept, owned, linked, within itself, in a cycle."""
    rng = np.random.default_rng(0)

    def some(size, count, nulls=0.0):
        values = rng.integers(1, size + 1, count)
        return pa.array(values, pa.int32(), mask=rng.random(count) < nulls)

    lines = np.sort(rng.integers(1, 601, 2_000))
    number = np.arange(2_000) - np.searchsorted(lines, lines) + 1
    tables = {
        "countries": pa.table({"id": ["de", "fr", "jp"], "size": [83, 68, 124]}),
        "departments": pa.table({"id": range(1, 11), "head": some(200, 10, 0.2)}),
        "employees": pa.table(
            {
                "id": range(1, 201),
                "boss": pa.array([None if n < 5 else n // 5 for n in range(200)], pa.int32()),
                "department": some(10, 200),
                "pay": some(50, 200),
            }
        ),
        "orders": pa.table(
            {
                "id": range(1, 601),
                "seller": some(200, 600, 0.1),
                "packer": some(200, 600),
                "land": rng.choice(["de", "fr", "jp"], 600),
                "day": some(300, 600),
            }
        ),
        "lines": pa.table({"order": lines, "number": number, "price": some(90, 2_000)}),
        "alone": pa.table({"id": range(1, 101), "x": some(9, 100)}),
    }
    spec = DatasetSpec(
        tables={
            "countries": described(tables["countries"], ["id"]),
            "departments": described(tables["departments"], ["id"], key("head", "employees")),
            "employees": described(
                tables["employees"],
                ["id"],
                key("boss", "employees"),
                key("department", "departments"),
            ),
            "orders": described(
                tables["orders"],
                ["id"],
                key("seller", "employees"),
                key("packer", "employees"),
                key("land", "countries"),
                land="category",
            ),
            "lines": described(tables["lines"], ["order", "number"], key("order", "orders")),
            "alone": described(tables["alone"], ["id"]),
        }
    )
    return fit_dataset(
        {name: TableSource(table) for name, table in tables.items()},
        spec,
        FitOptions("independent", keep=("countries",)),
        seed=3,
        about={},
        ctx=RunContext(),
    )


BLOCK = 2_048
ROWS = {
    "departments": 50,
    "employees": 4_700,
    "orders": 6_250,
    "lines": 9_400,
    "alone": 2_200,
}
"""So many that every table but the first has several blocks."""


@pytest.fixture(scope="module", autouse=True)
def small_blocks():
    """Make blocks small: what matters is how many there are."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (blocks, database, early_features, fitted_table):
            patch.setattr(module, "BLOCK_ROWS", BLOCK)
        patch.setattr(blocks, "LARGEST_BLOCK", 4 * BLOCK)
        yield


class Stopped(Exception):  # noqa: N818 - no error
    pass


def draw(company, journal, stop_at=None, threads=2):
    """Return all batches, by table; stops before one of them."""
    ctx, found, count = RunContext(limits=Limits(threads=threads)), {}, 0
    rows = company.plan(ROWS)
    for name, batches in company.draw_all(rows, seed=None, ctx=ctx, journal=journal):
        found[name] = []
        for batch in batches:
            if count == stop_at:
                raise Stopped
            count += 1
            found[name].append(batch)
    return found


@pytest.fixture(scope="module")
def undisturbed(company):
    return draw(company, None)


def same(one, other):
    return list(one) == list(other) and all(
        [a.equals(b) for a, b in zip(one[name], other[name], strict=True)] for name in one
    )


def test_there_is_every_kind_of_relation(company):
    families = [table.family for table in company.tables.values() if table.family is not None]
    assert {r.role for family in families for r in family.relations} == set(Role)
    assert company.tables["lines"].family.numbered
    assert company.tables["alone"].family is None


def test_keeping_a_journal_changes_no_row(company, undisturbed, tmp_path):
    with (journal := Journal(tmp_path / "j")).opened():
        assert same(draw(company, journal), undisturbed)
        assert same(draw(company, journal), undisturbed)


@pytest.mark.parametrize("stop_at", [0, 1, 3, 4, 6, 8, 11, 12, 13])
def test_a_run_that_is_stopped_goes_on_to_the_same_rows(
    company, undisturbed, stop_at, tmp_path, monkeypatch
):
    monkeypatch.setattr(journal_parts, "PART_BLOCKS", 1)
    journal = Journal(tmp_path / "j")
    with pytest.raises(Stopped), journal.opened():
        draw(company, journal, stop_at)
    with journal.opened():
        assert same(draw(company, journal, threads=1), undisturbed)


def test_a_run_that_is_stopped_again_and_again_comes_to_its_end(
    company, undisturbed, tmp_path, monkeypatch
):
    monkeypatch.setattr(journal_parts, "PART_BLOCKS", 1)
    journal, stops = Journal(tmp_path / "j"), 0
    total = sum(map(len, undisturbed.values()))
    with journal.opened():
        for stop_at in range(total):
            with pytest.raises(Stopped):
                draw(company, journal, stop_at)
            stops += 1
        assert same(draw(company, journal), undisturbed)
    assert stops == total > 13


def test_finished_blocks_are_not_drawn_again(company, tmp_path, monkeypatch):
    monkeypatch.setattr(journal_parts, "PART_BLOCKS", 1)
    starts = []
    true_draw = FlatModel.draw

    def counted(model, rows, **how):
        starts.append((rows, how["start"]))
        return true_draw(model, rows, **how)

    monkeypatch.setattr(FlatModel, "draw", counted)
    with (journal := Journal(tmp_path / "j")).opened():
        draw(company, journal, threads=1)
        every = len(starts)
        starts.clear()
        draw(company, journal, threads=1)
        assert starts == []
        part = min((journal.folder / "tables").glob("*/000002.*.arrow"))
        part.write_bytes(b"torn")
        draw(company, journal, threads=1)
        assert len(starts) == 1
        assert BLOCK < starts[0][1] <= 2 * BLOCK  # cut where an owner's rows begin
    assert every > 10


def test_a_bundle_goes_on_where_what_was_learned_stopped(
    company, undisturbed, tmp_path, monkeypatch
):
    monkeypatch.setattr(journal_parts, "PART_BLOCKS", 1)
    company.save(tmp_path / "m.sim")
    again = load_dataset(tmp_path / "m.sim")
    again.save(tmp_path / "again.sim")
    assert (tmp_path / "again.sim").read_bytes() == (tmp_path / "m.sim").read_bytes()
    journal = Journal(tmp_path / "j")
    with pytest.raises(Stopped), journal.opened():
        draw(company, journal, 5)
    with journal.opened():
        assert same(draw(again, journal), undisturbed)


def test_parts_hold_rows_as_arrow_streams(company, tmp_path):
    with (journal := Journal(tmp_path / "j")).opened():
        draw(company, journal)
        notes = [json.loads(p.read_text()) for p in journal.folder.glob("tables/*/whole.json")]
        assert notes == [{"parts": 1}] * len(ROWS)
        for path in journal.folder.glob("tables/*/*.arrow"):
            assert pa.ipc.open_stream(path.read_bytes()).read_all().num_rows in ROWS.values()
