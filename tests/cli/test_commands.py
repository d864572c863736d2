from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
import yaml

import simulacra as package


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.csv"
    lines = [f"{i},{20 + i % 50},{'mf'[i % 2]},20{10 + i % 10}-0{1 + i % 9}-11" for i in range(500)]
    path.write_text("id,age,sex,joined\n" + "\n".join(lines) + "\n")
    return path


def test_synth_writes_a_copy_in_the_same_form(simulacra, people, tmp_path):
    dest = tmp_path / "copy.csv"
    result = simulacra("synth", people, dest, "--rows", 800, "--model", "independent", "-q")
    assert (result.code, result.out) == (0, "")
    real, made = pcsv.read_csv(people), pcsv.read_csv(dest)
    assert made.schema == real.schema
    assert made.num_rows == 800
    assert len(set(made["id"].to_pylist())) == 800
    assert set(made["sex"].to_pylist()) == {"m", "f"}


def test_the_same_seed_gives_the_same_bytes(simulacra, people, tmp_path):
    for name, seed, threads in (("a", 3, 1), ("b", 3, 2), ("c", 4, 2)):
        arguments = ("--seed", seed, "--threads", threads, "-q")
        assert simulacra("synth", people, tmp_path / f"{name}.csv", *arguments).code == 0
    a, b, c = ((tmp_path / f"{name}.csv").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_fit_then_sample_equals_synth(simulacra, people, tmp_path):
    bundle = tmp_path / "m.sim"
    assert simulacra("synth", people, tmp_path / "a.csv", "--scale", 0.5, "-q").code == 0
    assert simulacra("fit", people, "-o", bundle, "-q").code == 0
    assert simulacra("sample", bundle, tmp_path / "b.csv", "--rows", 250, "-q").code == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_folder_becomes_a_folder(simulacra, people, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    people.rename(source / "people.csv")
    pq.write_table(pa.table({"x": list(range(100))}), source / "things.parquet")
    result = simulacra("synth", source, tmp_path / "out", "--json")
    assert result.code == 0
    assert json.loads(result.out)["rows"] == {"people": 500, "things": 100}
    assert sorted(p.name for p in (tmp_path / "out").glob("[!.]*")) == [
        "people.parquet",
        "spec.yaml",
        "things.parquet",
    ]


def test_a_dry_run_does_nothing(simulacra, people, tmp_path):
    result = simulacra(
        "synth", people, tmp_path / "x.csv", "--dry-run", "--rows", 10, "--json", "-q"
    )
    plan = json.loads(result.out)
    assert plan["tables"]["people"]["columns"] == 4
    assert plan["tables"]["people"]["new_rows"] == 10
    assert plan["memory_bytes"] > 0
    assert not (tmp_path / "x.csv").exists()


def test_detect_writes_a_specification_that_synth_takes(simulacra, people, tmp_path):
    spec = tmp_path / "spec.yaml"
    assert simulacra("detect", people, "-o", spec, "-q").code == 0
    table = yaml.safe_load(spec.read_text())["tables"]["people"]
    assert table["primary_key"] == ["id"]
    types = {name: column["type"] for name, column in table["columns"].items()}
    assert types["joined"] in {"date", "datetime"}
    assert types["sex"] == "category"
    assert simulacra("detect", people, "--check", spec, "-q").code == 0
    assert simulacra("synth", people, tmp_path / "y.csv", "--spec", spec, "-q").code == 0


def test_a_check_that_fails_says_where_and_exits_with_1(simulacra, people, tmp_path):
    spec = tmp_path / "spec.yaml"
    simulacra("detect", people, "-o", spec, "-q")
    people.write_text(people.read_text().replace("id,age", "id,years"))
    result = simulacra("detect", people, "--check", spec, "-q")
    assert result.code == 1
    assert "people.years" in result.out
    assert "people.age" in result.out


def test_a_diagram_is_mermaid(simulacra, people):
    result = simulacra("detect", people, "--diagram", "-q")
    assert result.out.startswith("erDiagram\n")
    assert "identifier id PK" in result.out


def test_evaluate_prints_and_writes_scores(simulacra, people, tmp_path):
    dest = tmp_path / "copy.csv"
    simulacra("synth", people, dest, "-q")
    result = simulacra("evaluate", people, dest, "--json", tmp_path / "r.json", "-q")
    assert result.code == 0
    assert "Detection (C2ST AUC)" in result.out
    assert json.loads((tmp_path / "r.json").read_text())


def test_inspect_lists_the_real_values_kept(simulacra, people, tmp_path):
    bundle = tmp_path / "m.sim"
    simulacra("fit", people, "-o", bundle, "-q")
    told = json.loads(simulacra("inspect", bundle, "--json", "--values").out)
    assert sorted(told["tables"]["people"]["values"]["sex"]) == ["f", "m"]
    assert "people: 500 rows learned" in simulacra("inspect", bundle).out


def test_plugins_and_their_options(simulacra):
    assert "forest" in simulacra("plugins").out
    assert "trees = " in simulacra("plugins", "forest").out
    assert "column (required)" in simulacra("plugins", "difference").out
    assert {p["name"] for p in json.loads(simulacra("plugins", "--json").out)} >= {"csv", "forest"}
    assert simulacra("plugins", "nope").code == 2


def test_doctor_and_version(simulacra):
    assert json.loads(simulacra("doctor", "--json").out)["broken"] == []
    assert simulacra("version").out == f"{package.__version__}\n"


def test_settings_reach_the_model(simulacra, people, tmp_path):
    result = simulacra("synth", people, tmp_path / "x.csv", "--set", "forest.nope=1", "-q")
    assert result.code == 2
    assert "nope" in result.err
    assert simulacra("synth", people, tmp_path / "x.csv", "--set", "copula.x=1").code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("nope",), 2),
        (("synth",), 2),
        (("synth", "absent.csv", "x.csv"), 3),
        (("sample", "absent.sim", "x.csv"), 3),
        (("inspect", "absent.sim"), 3),
        (("--help",), 0),
        (("synth", "--help"), 0),
    ],
)
def test_exit_codes(simulacra, arguments, code):
    assert simulacra(*arguments).code == code


def test_rows_and_scale_together_make_no_sense(simulacra, people, tmp_path):
    result = simulacra("synth", people, tmp_path / "x.csv", "--rows", 1, "--scale", 1)
    assert result.code == 2


def test_unknown_models_are_refused_before_anything_is_read(simulacra, tmp_path):
    result = simulacra("synth", "absent.csv", tmp_path / "x.csv", "--model", "nope")
    assert result.code == 2
    assert "forest" in result.err


def test_an_existing_target_is_not_replaced_unasked(simulacra, people, tmp_path):
    dest = tmp_path / "x.csv"
    dest.write_text("mine")
    result = simulacra("synth", people, dest, "-q")
    assert result.code in {2, 3}
    assert dest.read_text() == "mine"
    assert simulacra("synth", people, dest, "-q", "--overwrite", "--model", "independent").code == 0
    assert dest.read_text() != "mine"


def test_stopping_leaves_nothing(simulacra, people, tmp_path, monkeypatch):
    from simulacra.pipeline.flat_model import FlatModel

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(FlatModel, "draw", stop)
    before = sorted(p.name for p in tmp_path.iterdir())
    result = simulacra("synth", people, tmp_path / "x.csv", "-q", "--model", "independent")
    assert result.code == 130
    assert "nothing was left behind" in result.err
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_how_to_read_a_file_can_be_said(simulacra, people, tmp_path):
    people.write_text(people.read_text().replace(",", "|").replace("sex", "s;x"))
    told = simulacra("detect", people, "--read", "delimiter=|", "--read", "header=true", "--json")
    assert list(json.loads(told.out)["tables"]["people"]["columns"])[2] == "s;x"
    dest = tmp_path / "x.csv"
    arguments = ("--model", "independent", "--read", "delimiter=|", "-q")
    assert simulacra("synth", people, dest, *arguments).code == 0
    assert dest.read_text().startswith("id|age|s;x|joined")
    assert simulacra("evaluate", people, dest, "--read", "delimiter=|", "-q").code == 0
    assert simulacra("synth", people, tmp_path / "y.csv", "--read", "nope=1").code == 2
    assert simulacra("synth", people, tmp_path / "y.csv", "--read", "nope").code == 2
