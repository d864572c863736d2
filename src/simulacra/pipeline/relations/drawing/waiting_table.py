"""A drawn table that waits for tables its keys lead to, and is filled when they are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.pipeline.fitted_table import KeptKeys
from simulacra.pipeline.relations.columns import take_values
from simulacra.pipeline.relations.drawing.agreement import shared_columns
from simulacra.pipeline.relations.drawing.drawn_table import alone_columns
from simulacra.pipeline.relations.drawing.linked_parents import matched_rows, require_parents
from simulacra.pipeline.relations.drawing.table import TableDrawing
from simulacra.pipeline.relations.parent_rows import Rows


@dataclass(frozen=True, slots=True)
class WaitingTable:
    """A table whose rows are kept in a file until all of their parents are drawn.

    Attributes:
        drawing: The drawing of the table, all but those keys.
        path: The file.
    """

    drawing: TableDrawing
    path: Path

    @classmethod
    def of(
        cls, drawing: TableDrawing, batches: Iterator[pa.RecordBatch], path: Path
    ) -> WaitingTable:
        """Keep the rows of a table in a file."""
        schema = drawing.run.fitted.schema
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        return cls(drawing, path)

    def filled(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows with all of their keys, once the tables waited for are drawn.

        Raises:
            LimitError: A row that needs a parent finds none, or a key has no value left.
        """
        drawing, run = self.drawing, self.drawing.run
        self._choose_parents()
        keys = KeptKeys(run.fitted, drawing.late_keys, run.name)
        start = 0
        with pa.memory_map(str(self.path)) as file, pa.ipc.open_file(file) as reader:
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                part = slice(start, start + batch.num_rows)
                for place in drawing.late:
                    rows = drawing.drawn.parents[place][part]
                    batch = self._with_key(place, rows, batch)
                if drawing.late_keys:
                    flat = batch.cast(run.fitted.layout.schema)
                    batch = keys.apply(flat).cast(run.fitted.schema)
                yield batch
                start = part.stop

    def _choose_parents(self) -> None:
        """Choose the parents of all rows among tables drawn after them."""
        drawing, run = self.drawing, self.drawing.run
        rng, relations = run.rng.child("late"), run.family.relations
        drawn = drawing.drawn
        drawn.parents = list(drawn.parents)
        chosen = [place for place in range(len(relations)) if place not in drawing.late]
        for place, codes in drawing.late.items():
            relation = relations[place]
            own = {column: drawn.values[column] for column in alone_columns(relation, run.fitted)}
            parents = matched_rows(
                relation,
                codes,
                run.tables[relation.parent],
                must=shared_columns(
                    place, relations, chosen, drawn.parents, run.parent_column, own
                ),
                rng=rng.child(relation.name),
            )
            require_parents(relation, codes, parents, run.fitted.spec, where=run.name)
            drawn.parents[place] = parents
            chosen.append(place)

    def _with_key(self, place: int, rows: Rows, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows with the columns of a key filled from their parents."""
        run = self.drawing.run
        relation = run.family.relations[place]
        for own, there in zip(relation.key.columns, relation.key.parent_columns, strict=True):
            at = batch.schema.get_field_index(own)
            field = batch.schema.field(at)
            found = take_values(run.parent_column(place, there), rows).cast(field.type)
            batch = batch.set_column(at, field, pc.coalesce(found, batch.column(at)))
        return batch
