"""Databases of every shape: what must hold of every synthetic one, whatever is asked for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from simulacra.core.errors import LimitError
from simulacra.pipeline import fitted_table
from simulacra.pipeline.dataset import load_dataset
from simulacra.pipeline.relations.drawing import blocks, early_features
from simulacra.testing import relations
from simulacra.testing.guards import quiet
from simulacra.testing.random_databases import databases
from simulacra.testing.shapes import SHAPES, database
from simulacra.testing.whole_databases import draw_database

WISHES = [{}, {"scale": 0.3}, {"scale": 3.0}, {"scale": 0.0}, {"rows": 1}]


def draw(fitted, threads=1, **wish):
    """Return what was planned, and the rows of each table."""
    plan = fitted.plan(wish.get("rows"), wish.get("scale"))
    return plan, draw_database(fitted, plan, threads=threads)


@pytest.fixture(scope="module", params=SHAPES)
def learned(request):
    shape = database(request.param)
    return shape, shape.learn()


@pytest.fixture
def small_blocks(monkeypatch):
    """Make blocks so small that every table has several."""
    for module in (blocks, early_features, fitted_table):
        monkeypatch.setattr(module, "BLOCK_ROWS", 50)
    monkeypatch.setattr(blocks, "LARGEST_BLOCK", 90)


def wrong(shape, fitted, **wish):
    plan, made = draw(fitted, **wish)
    return relations.problems(
        fitted.spec, made, real=shape.tables, rows=plan, keep_orphans=shape.keep_orphans
    )


def keys_of(spec):
    return [(name, key) for name, table in spec.tables.items() for key in table.foreign_keys]


@pytest.mark.parametrize("wish", WISHES, ids=str)
def test_keys_and_rows_are_as_they_must_be(learned, wish):
    shape, fitted = learned
    assert wrong(shape, fitted, **wish) == []


def test_rows_of_one_table_may_be_asked_for(learned):
    shape, fitted = learned
    for name, table in fitted.tables.items():
        if table.kept is None and table.rows:
            for rows in (0, 1, table.rows // 2 + 1):
                assert fitted.plan({name: rows})[name] == rows
                assert wrong(shape, fitted, rows={name: rows}) == [], (name, rows)


def test_as_many_rows_as_before_have_no_parent(learned):
    shape, fitted = learned
    _, made = draw(fitted)
    for name, key in keys_of(fitted.spec):
        share = relations.null_share(shape.tables, name, key)
        # Five standard deviations of a share of so many rows.
        noise = 5 * np.sqrt(share * (1 - share) / max(made[name].num_rows, 1))
        found = relations.null_share(made, name, key)
        assert abs(share - found) <= noise, f"{name}.{','.join(key.columns)}"


@pytest.mark.usefixtures("small_blocks")
def test_blocks_and_threads_change_nothing(learned, tmp_path):
    shape, fitted = learned
    plan, alone = draw(fitted)
    assert not relations.problems(
        fitted.spec, alone, real=shape.tables, rows=plan, keep_orphans=shape.keep_orphans
    )
    fitted.save(tmp_path / "d.sim")
    loaded = load_dataset(tmp_path / "d.sim")
    for other in (draw(fitted, threads=3)[1], draw(loaded)[1]):
        assert list(other) == list(alone)
        assert all(other[name].equals(alone[name]) for name in alone)
    for name in alone:
        batches = loaded.draw(name, plan, seed=None, ctx=quiet())
        assert pa.Table.from_batches(batches, alone[name].schema).equals(alone[name]), name


def test_another_seed_gives_other_rows():
    fitted = database("deep").learn()
    plan = fitted.plan(None)
    first, again, other = (draw_database(fitted, plan, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first["customer"] != other["customer"]


@given(databases())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_databases_of_any_schema(real):
    fitted = real.learn()
    shared = any("tenant" in table.columns for table in fitted.spec.tables.values())
    for wish in ({}, {"scale": 0.4}, {"scale": 2.5}):
        try:
            found = wrong(real, fitted, **wish)
        except LimitError as error:
            # Few rows of few tenants may have no parents in common; then the key is named.
            assert shared
            assert ".tenant," in str(error)  # noqa: PT017
        else:
            assert found == []
