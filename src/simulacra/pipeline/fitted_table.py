"""A learned table: what it is, how it lies flat, what was learned of it and of its relations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from simulacra.core import registry
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.context import RunContext
from simulacra.core.protocols import BLOCK_ROWS
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import TableSpec
from simulacra.pipeline.flat_model import FlatModel, load_flat_model
from simulacra.pipeline.journal_parts import Record
from simulacra.pipeline.keys import CompositeKey, KeyNumbering
from simulacra.pipeline.nesting import Layout
from simulacra.pipeline.relations.fitted import Family

ENGINE = "threads"


@dataclass(frozen=True, slots=True)
class FittedTable:
    """A learned table.

    Attributes:
        spec: Its specification.
        schema: The schema as found, metadata included; that of the rows drawn.
        layout: How its columns lie flat.
        rows: How many rows it had.
        model: What was learned of its columns; None if foreign keys are all it has, or it is kept.
        key: How its composite key is kept unique, if it has one without foreign keys.
        family: Its place among other tables; None if it stands alone.
        kept: Its rows, and what they know of their children, if it is written as it is.
    """

    spec: TableSpec
    schema: pa.Schema
    layout: Layout
    rows: int
    model: FlatModel | None
    key: CompositeKey | None = None
    family: Family | None = None
    kept: pa.Table | None = None

    def draw(
        self, rows: int, *, rng: RngKey, record: Record, ctx: RunContext
    ) -> Iterator[pa.RecordBatch]:
        """Yield ``rows`` new rows of a table that stands alone, in blocks.

        The same key gives the same rows, whatever the number of threads.

        Args:
            rows: How many.
            rng: The key of the table in this run.
            record: Where blocks are kept.
            ctx: Limits and progress.
        """
        model = self.model
        assert model is not None  # noqa: S101 - a table that stands alone has columns of its own
        numbering = KeyNumbering(self.key, rng) if self.key else None

        def block(number: int) -> pa.RecordBatch:
            start = number * BLOCK_ROWS
            flat = model.draw(
                min(BLOCK_ROWS, rows - start),
                context=None,
                rng=rng.child("block", number),
                start=start,
            )
            return self.layout.unflatten(flat)

        engine = registry.load(Kind.ENGINE, ENGINE)
        blocks = range(-(-rows // BLOCK_ROWS))
        for batch in record.through(blocks, lambda missing: engine.map(block, missing, ctx=ctx)):
            yield (numbering.apply(batch) if numbering else batch).cast(self.schema)

    def kept_values(self) -> dict[str, list[str]]:
        """Return, for each column, the real values that are part of what was learned."""
        found: dict[str, dict[str, None]] = {}
        if self.model is not None:
            for name, values in self.model.kept_values():
                found.setdefault(name, {}).update(dict.fromkeys(values))
        if self.kept is not None:
            for name in self.spec.columns:
                values = [str(value) for value in self.kept.column(name).unique().to_pylist()]
                found.setdefault(name, {}).update(dict.fromkeys(values))
        if self.family is not None:
            links = self.family.links
            for columns in (self.family.view.codecs, links.columns if links else {}):
                for name, named in columns.items():
                    found.setdefault(name, {}).update(dict.fromkeys(named.codec.kept_values()))
        return {name: list(values) for name, values in found.items()}

    def save(self, out: ArtifactWriter) -> None:
        """Write everything :func:`load_table` needs but the specification."""
        out.table("schema", self.schema.empty_table())
        out.table("plain_schema", self.layout.schema.empty_table())
        out.json(
            "facts",
            {
                "rows": self.rows,
                "key": self.key.to_json() if self.key else None,
                "has_model": self.model is not None,
                "has_family": self.family is not None,
            },
        )
        if self.model is not None:
            self.model.save(out)
        if self.family is not None:
            self.family.save(out.child("family"))
        if self.kept is not None:
            out.table("kept", self.kept)


def load_table(spec: TableSpec, src: ArtifactReader) -> FittedTable:
    """Read what :meth:`FittedTable.save` wrote."""
    facts = src.json("facts")
    return FittedTable(
        spec=spec,
        schema=src.table("schema").schema,
        layout=Layout.of(src.table("plain_schema").schema),
        rows=int(facts["rows"]),
        model=load_flat_model(src) if facts["has_model"] else None,
        key=CompositeKey.from_json(facts["key"]) if facts["key"] else None,
        family=Family.load(src.child("family")) if facts["has_family"] else None,
        kept=src.table("kept") if src.has("kept") else None,
    )
