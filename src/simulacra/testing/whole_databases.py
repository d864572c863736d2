"""What every model must keep of whole databases, as named checks: one for each shape of schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from simulacra.pipeline.dataset import FittedDataset, load_dataset
from simulacra.testing.check import Check, require
from simulacra.testing.guards import quiet
from simulacra.testing.relations import problems
from simulacra.testing.shapes import SHAPES, database
from simulacra.testing.suite import as_test

_SCALES = (1.0, 0.3, 3.0)


def database_checks(
    model: str, *, shapes: Iterable[str] = SHAPES, **model_options: Any
) -> list[Check]:
    """Return the checks of a model, each ``keeps_databases_of_`` a shape.

    Keys of every synthetic database must be whole and unique, and its rows as many as planned, at
    several scales; and a bundle, on any number of threads, must give the same rows.

    Args:
        model: The registry name of the model.
        shapes: The shapes to try; see :data:`simulacra.testing.shapes.SHAPES`.
        model_options: Options of the model.
    """

    def bind(shape: str) -> Check:
        def run(folder: Path) -> None:
            _keeps(shape, model, model_options, folder)

        return Check(f"keeps_databases_of_{shape}", run)

    return [bind(shape) for shape in shapes]


def database_tests(
    model: str,
    *,
    shapes: Iterable[str] = SHAPES,
    gaps: Mapping[str, str] | None = None,
    **model_options: Any,
) -> Callable[..., None]:
    """Return a pytest test of a model, one case a shape; give it a name that begins with test_.

    Args:
        model: See :func:`database_checks`.
        shapes: The same.
        gaps: Checks known to fail, each with its reason: strict expected failures.
        model_options: Options of the model.

    Raises:
        UsageError: A gap names no check.
    """
    return as_test(database_checks(model, shapes=shapes, **model_options), gaps=gaps)


def _keeps(shape: str, model: str, options: Mapping[str, Any], folder: Path) -> None:
    real = database(shape)
    fitted = real.learn(model, **options)
    for scale in _SCALES:
        plan = fitted.plan(None, scale)
        made = draw_database(fitted, plan)
        found = problems(
            fitted.spec, made, real=real.tables, rows=plan, keep_orphans=real.keep_orphans
        )
        require(not found, "; ".join(found))
    fitted.save(folder / "database.sim")
    again = draw_database(load_dataset(folder / "database.sim"), plan, threads=2)
    same = all(made[name].equals(table) for name, table in again.items())
    require(same, "a bundle on two threads gives other rows")


def draw_database(
    fitted: FittedDataset, rows: Mapping[str, int], *, threads: int = 1, seed: int | None = None
) -> dict[str, pa.Table]:
    """Return the rows of all tables of a new database."""
    drawn = fitted.draw_all(rows, seed=seed, ctx=quiet(threads))
    return {
        name: pa.Table.from_batches(batches, fitted.tables[name].schema) for name, batches in drawn
    }
