"""A learned dataset: fitted from sources, drawn block by block, kept in a bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simulacra.core import registry
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter, open_bundle, write_bundle
from simulacra.core.context import RunContext
from simulacra.core.errors import BundleError, UsageError
from simulacra.core.protocols import BLOCK_ROWS, BatchSource
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import DatasetSpec, TableSpec
from simulacra.pipeline.detect import detect_table
from simulacra.pipeline.fit import fit_table, structure_budget
from simulacra.pipeline.flat_model import FlatModel, load_flat_model
from simulacra.pipeline.flat_sources import FlatSource
from simulacra.pipeline.keys import CompositeKey, KeyNumbering
from simulacra.pipeline.nesting import Layout
from simulacra.pipeline.options import FitOptions
from simulacra.pipeline.plain import plain, schema_as_found
from simulacra.pipeline.validate import check_schema

ENGINE = "threads"


@dataclass(frozen=True, slots=True)
class FittedTable:
    """A learned table.

    Attributes:
        spec: Its specification.
        schema: The schema as found, metadata included; that of the rows drawn.
        layout: How its columns lie flat.
        model: What was learned.
        rows: How many rows it had.
        key: How its composite key is kept unique, if it has one.
    """

    spec: TableSpec
    schema: pa.Schema
    layout: Layout
    model: FlatModel
    rows: int
    key: CompositeKey | None

    def draw(self, rows: int, *, rng: RngKey, ctx: RunContext) -> Iterator[pa.RecordBatch]:
        """Yield ``rows`` new rows in blocks.

        The same key gives the same rows, whatever the number of threads.
        """
        numbering = KeyNumbering(self.key, rng) if self.key else None

        def block(number: int) -> pa.RecordBatch:
            start = number * BLOCK_ROWS
            flat = self.model.draw(
                min(BLOCK_ROWS, rows - start),
                context=None,
                rng=rng.child("block", number),
                start=start,
            )
            return self.layout.unflatten(flat)

        blocks = range(-(-rows // BLOCK_ROWS))
        for batch in registry.load(Kind.ENGINE, ENGINE).map(block, blocks, ctx=ctx):
            yield (numbering.apply(batch) if numbering else batch).cast(self.schema)


@dataclass(frozen=True, slots=True)
class FittedDataset:
    """Learned tables.

    Attributes:
        tables: Each by its name.
        seed: The seed that it was learned with, and is drawn with unless told otherwise.
        about: How it was made, for people: model, options, versions.
    """

    tables: Mapping[str, FittedTable]
    seed: int
    about: Mapping[str, Any]

    @property
    def spec(self) -> DatasetSpec:
        """The specification of all tables."""
        return DatasetSpec(tables={name: table.spec for name, table in self.tables.items()})

    def draw(
        self, name: str, rows: int, *, seed: int | None, ctx: RunContext
    ) -> Iterator[pa.RecordBatch]:
        """Yield ``rows`` new rows of one table in blocks, reporting progress."""
        if rows < 0:
            raise UsageError(f"{rows} rows", where=name, mend="Give 0 or more")
        key = RngKey(self.seed if seed is None else seed, ("sample", name))
        with ctx.progress.task(f"Drawing {name}", rows) as task:
            for batch in self.tables[name].draw(rows, rng=key, ctx=ctx):
                task.advance(batch.num_rows)
                yield batch

    def save(self, path: Path) -> None:
        """Write a bundle.

        Raises:
            OutputError: The place can't be written.
        """
        with write_bundle(path, about=dict(self.about)) as out:
            out.json("spec", self.spec.model_dump(mode="json"))
            out.json("dataset", {"seed": self.seed, "tables": list(self.tables)})
            for place, table in enumerate(self.tables.values()):
                _save_table(table, out.child("tables").child(place))


def _save_table(table: FittedTable, out: ArtifactWriter) -> None:
    out.table("schema", table.schema.empty_table())
    out.table("plain_schema", table.layout.schema.empty_table())
    out.json("facts", {"rows": table.rows, "key": table.key.to_json() if table.key else None})
    table.model.save(out)


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
                name: _load_table(spec.tables[name], src.child("tables").child(place))
                for place, name in enumerate(dataset["tables"])
            }
            return FittedDataset(tables, int(dataset["seed"]), manifest.get("about", {}))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BundleError(
                "its contents make no sense",
                where=str(path),
                why=f"{type(error).__name__}: {error}",
                mend="The file is damaged or was changed; write it again",
            ) from error


def _load_table(spec: TableSpec, src: ArtifactReader) -> FittedTable:
    facts = src.json("facts")
    key = CompositeKey.from_json(facts["key"]) if facts["key"] else None
    layout = Layout.of(src.table("plain_schema").schema)
    schema = src.table("schema").schema
    return FittedTable(spec, schema, layout, load_flat_model(src), int(facts["rows"]), key)


def fit_dataset(
    sources: Mapping[str, BatchSource],
    spec: DatasetSpec | None,
    options: FitOptions,
    *,
    seed: int,
    about: Mapping[str, Any],
    ctx: RunContext,
) -> FittedDataset:
    """Learn every table of a dataset.

    Args:
        sources: The tables' rows, by name.
        spec: What the tables are; detected when None.
        options: What to learn with.
        seed: Decides everything random.
        about: How it is made, for people.
        ctx: Limits and progress.

    Raises:
        InputError: A table can't be read or has no rows.
        SpecError: The specification doesn't fit the data.
    """
    options.model_config()
    sources = {name: plain(source) for name, source in sources.items()}
    if spec is not None:
        check_schema(spec, sources)
    tables = {}
    for name, source in sources.items():
        rng = RngKey(seed, ("fit", name))
        sample: pa.Table | None = None
        if spec is None:
            found = detect_table(
                source,
                where=name,
                sample_rows=structure_budget(source.schema, options, ctx),
                rng=rng.child("structure"),
                ctx=ctx,
            )
            table_spec, sample = found.spec, found.profile.sample
        else:
            table_spec = spec.tables[name]
        tables[name] = fit_one(
            source, table_spec, options, where=name, sample=sample, rng=rng, ctx=ctx
        )
    return FittedDataset(tables, seed, about)


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
    """Learn one table; see :func:`simulacra.pipeline.fit.fit_table`."""
    learned = fit_table(source, spec, options, where=where, sample=sample, rng=rng, ctx=ctx)
    layout = Layout.of(source.schema)
    key = CompositeKey.of(
        spec,
        learned.sample,
        FlatSource(source, layout),
        rows=learned.rows,
        where=where,
        ctx=ctx,
    )
    return FittedTable(spec, schema_as_found(source), layout, learned.model, learned.rows, key)


def rows_to_draw(table: FittedTable, rows: int | None, scale: float | None) -> int:
    """Return how many rows are wanted: a number, a share of those learned, or as many.

    Raises:
        UsageError: Both are given, or one makes no sense.
    """
    if rows is not None and scale is not None:
        raise UsageError("both rows and scale are given", mend="Give one of them")
    if scale is not None:
        if not np.isfinite(scale) or scale < 0:
            raise UsageError(f"a scale of {scale}", mend="Give a number from 0 up")
        return round(table.rows * scale)
    wanted = table.rows if rows is None else rows
    if wanted < 0:
        raise UsageError(f"{wanted} rows", mend="Give 0 or more")
    return wanted
