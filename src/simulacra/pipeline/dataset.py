"""A learned dataset: fitted from sources, drawn block by block, kept in a bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.context import RunContext
from simulacra.core.declared import DeclaredTable
from simulacra.core.errors import BundleError, InputError, SpecError
from simulacra.core.protocols import BatchSource
from simulacra.core.random import RngKey
from simulacra.core.schema import DatasetSpec, TableSpec
from simulacra.pipeline.conditions.wanted import Condition
from simulacra.pipeline.detect_dataset import detect_dataset
from simulacra.pipeline.fit import fit_table, structure_budget
from simulacra.pipeline.fitted_table import FittedTable, load_table
from simulacra.pipeline.journal import Journal
from simulacra.pipeline.nesting import Layout
from simulacra.pipeline.options import FitOptions
from simulacra.pipeline.plain import plain, schema_as_found
from simulacra.pipeline.relations.drawing.database import Drawing
from simulacra.pipeline.relations.drawing.row_plan import plan_rows
from simulacra.pipeline.relations.learning.database import learn_related
from simulacra.pipeline.relations.learning.shared_values import with_shared_values
from simulacra.pipeline.relations.rule_keys import check_keys
from simulacra.pipeline.relations.sources import is_empty
from simulacra.pipeline.subsample import uniform_sample
from simulacra.pipeline.validate import check_schema


@dataclass(frozen=True, slots=True)
class FittedDataset:
    """Learned tables.

    Attributes:
        tables: Each by its name.
        order: Their names, parents before children.
        seed: The seed that it was learned with, and is drawn with unless told otherwise.
        about: How it was made, for people: model, options, versions.
    """

    tables: Mapping[str, FittedTable]
    order: tuple[str, ...]
    seed: int
    about: Mapping[str, Any]

    @property
    def spec(self) -> DatasetSpec:
        """The specification of all tables."""
        return DatasetSpec(tables={name: table.spec for name, table in self.tables.items()})

    def plan(
        self, rows: int | Mapping[str, int] | None, scale: float | None = None
    ) -> dict[str, int]:
        """Return how many rows of each table are drawn; see :func:`plan_rows`.

        Raises:
            UsageError: The arguments make no sense.
        """
        return plan_rows(self.tables, self.order, rows, scale)

    def draw_all(
        self,
        rows: Mapping[str, int],
        *,
        seed: int | None,
        ctx: RunContext,
        journal: Journal | None = None,
        given: Mapping[str, Condition] | None = None,
    ) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
        """Yield each table's name and its new rows in blocks, parents before children.

        The rows of one table must be taken before the next table is asked for.

        Args:
            rows: How many of each table; see :meth:`plan`.
            seed: Another seed than the dataset's.
            ctx: Limits and progress.
            journal: Where blocks are kept, and taken from if they are there.
            given: What is wanted of the rows, by table.

        Raises:
            UsageError: What is wanted is too rare.
        """
        seed = self.seed if seed is None else seed
        yield from Drawing(
            self.tables, self.order, rows, seed=seed, ctx=ctx, journal=journal, given=given
        )

    def draw(
        self, name: str, rows: Mapping[str, int], *, seed: int | None, ctx: RunContext
    ) -> Iterator[pa.RecordBatch]:
        """Yield the new rows of one table in blocks, drawing its ancestors for it alone."""
        seed = self.seed if seed is None else seed
        for table, batches in Drawing(self.tables, self.order, rows, seed=seed, ctx=ctx, only=name):
            if table == name:
                yield from batches
                return

    def save(self, path: Path) -> None:
        """Write a bundle.

        Raises:
            OutputError: The place can't be written.
        """
        with write_bundle(path, about=dict(self.about)) as out:
            out.json("spec", self.spec.model_dump(mode="json"))
            facts = {"seed": self.seed, "tables": list(self.tables), "order": list(self.order)}
            out.json("dataset", facts)
            for place, table in enumerate(self.tables.values()):
                table.save(out.child("tables").child(place))


def load_dataset(path: Path) -> FittedDataset:
    """Read a bundle.

    Raises:
        BundleError: It is damaged, hostile, or of an unknown version.
        PluginError: It needs a plug-in that is not installed.
    """
    with open_bundle(path) as (manifest, src):
        try:
            spec = DatasetSpec.model_validate(src.json("spec"))
            dataset = src.json("dataset")
            tables = {
                name: load_table(spec.tables[name], src.child("tables").child(place))
                for place, name in enumerate(dataset["tables"])
            }
            order = tuple(dataset["order"])
            if sorted(order) != sorted(tables):
                raise ValueError("the order names other tables")  # noqa: TRY301 - told as damage
            about = manifest.get("about", {})
            return FittedDataset(tables, order, int(dataset["seed"]), about)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BundleError(
                "its contents make no sense",
                where=str(path),
                why=f"{type(error).__name__}: {error}",
                mend="The file is damaged or was changed; write it again",
            ) from error


def fit_dataset(
    sources: Mapping[str, BatchSource],
    spec: DatasetSpec | None,
    options: FitOptions,
    *,
    declared: Mapping[str, DeclaredTable] | None = None,
    seed: int,
    about: Mapping[str, Any],
    ctx: RunContext,
) -> FittedDataset:
    """Learn every table of a dataset, and what they have to do with each other.

    Args:
        sources: The tables' rows, by name.
        spec: What the tables are; detected when None.
        options: What to learn with.
        declared: What the store they come from says of them, if there is no specification.
        seed: Decides everything random.
        about: How it is made, for people.
        ctx: Limits and progress.

    Raises:
        InputError: A table can't be read, or none has rows.
        SpecError: The specification doesn't fit the data.
    """
    options.model_config()
    sources = {name: plain(source) for name, source in sources.items()}
    samples: dict[str, pa.Table] = {}
    if spec is None:
        found = detect_dataset(
            sources,
            declared=declared,
            sample_rows=lambda schema: structure_budget(schema, options, ctx),
            rng=lambda name: RngKey(seed, ("fit", name)).child("structure"),
            infer_keys=options.infer_keys,
            ctx=ctx,
        )
        spec, samples = found.spec, dict(found.samples)
    else:
        check_schema(spec, sources)
    check_keys(spec)
    spec = with_shared_values(_keeping(spec, options.keep), ctx)
    related = _related(spec, sources)
    fitted: dict[str, FittedTable] = {}
    order: tuple[str, ...] = ()
    for name in [name for name in spec.tables if name not in related]:
        rng = RngKey(seed, ("fit", name))
        fitted[name] = fit_one(
            sources[name],
            spec.tables[name],
            options,
            where=name,
            sample=samples.pop(name, None),
            rng=rng,
            ctx=ctx,
        )
    if related:
        budgets = {n: structure_budget(sources[n].schema, options, ctx) for n in related}
        learned, order = learn_related(
            {name: sources[name] for name in related},
            DatasetSpec(tables={name: spec.tables[name] for name in related}),
            {
                name: samples[name]
                if name in samples
                else uniform_sample(
                    sources[name], budgets[name], RngKey(seed, ("fit", name)).child("structure")
                )
                for name in related
            },
            budgets,
            options,
            seed=seed,
            ctx=ctx,
        )
        fitted |= learned
    order += tuple(name for name in spec.tables if name not in related)
    return FittedDataset({name: fitted[name] for name in spec.tables}, order, seed, about)


def _keeping(spec: DatasetSpec, names: tuple[str, ...]) -> DatasetSpec:
    """Mark tables as kept, and see that none of those leads to a table that is made anew.

    Raises:
        SpecError: There is no such table, or its parent isn't kept.
    """
    for name in names:
        if name not in spec.tables:
            raise SpecError(
                "there is no such table to keep",
                where=name,
                mend=f"There are: {', '.join(spec.tables)}",
            )
    tables = {
        name: table.model_copy(update={"keep": True}) if name in names else table
        for name, table in spec.tables.items()
    }
    for name, table in tables.items():
        for key in table.foreign_keys:
            if table.keep and not tables[key.parent].keep:
                raise SpecError(
                    f"it is kept as it is, but refers to {key.parent}, which is made anew",
                    where=f"{name}.{','.join(key.columns)}",
                    mend=f"Keep {key.parent} as well, or don't keep {name}",
                )
    return DatasetSpec(tables=tables)


def _related(spec: DatasetSpec, sources: Mapping[str, BatchSource]) -> list[str]:
    """Return the tables that have to do with others, are kept, or stay without rows.

    Raises:
        InputError: No table has rows.
    """
    involved = {name for name, table in spec.tables.items() if table.keep}
    empty = {name for name in spec.tables if is_empty(sources[name])}
    if len(empty) == len(spec.tables):
        raise InputError(
            "there is no row to learn from",
            where=", ".join(spec.tables),
            mend="Give at least one row",
        )
    involved |= empty
    for name, table in spec.tables.items():
        for key in table.foreign_keys:
            involved |= {name, key.parent}
    return [name for name in spec.tables if name in involved]


def fit_one(
    source: BatchSource,
    spec: TableSpec,
    options: FitOptions,
    *,
    where: str,
    sample: pa.Table | None,
    rng: RngKey,
    ctx: RunContext,
) -> FittedTable:
    """Learn a table that stands alone; see :func:`simulacra.pipeline.fit.fit_table`."""
    learned = fit_table(source, spec, options, where=where, sample=sample, rng=rng, ctx=ctx)
    return FittedTable(
        spec,
        schema_as_found(source),
        Layout.of(source.schema),
        learned.rows,
        learned.model,
        key=learned.key,
        uniques=learned.uniques,
    )
