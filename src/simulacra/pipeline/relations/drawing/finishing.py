"""Finishes the columns of drawn tables that are worked out of the rows of their children."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import pyarrow as pa

from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.nesting import Flat
from simulacra.pipeline.relations.drawing.drawn_table import DrawnTable
from simulacra.pipeline.relations.drawing.table_run import TableRun
from simulacra.pipeline.relations.from_children import FromChildren
from simulacra.pipeline.relations.gathering import Gathered


class Finishing:
    """What drawn children tell their parents.

    Args:
        tables: The learned tables.
        rows: How many rows are drawn of each.
        final: The tables whose rows are wanted as they are in the end.
    """

    def __init__(
        self, tables: Mapping[str, FittedTable], rows: Mapping[str, int], final: Collection[str]
    ) -> None:
        self._tables = tables
        self._gathered = {
            name: [
                Gathered(rule.values.take, rows[name], f"{name}: {rule.values.name}")
                for rule in _rules(tables[name])
            ]
            for name in final
        }
        self._seen: set[str] = set()

    def is_needed(self, name: str) -> bool:
        """Say whether a table must wait for its children."""
        return bool(self._gathered.get(name))

    def is_ready(self, name: str) -> bool:
        """Say whether all children that a table waits for are there as they are in the end."""
        rules = _rules(self._tables[name]) if self.is_needed(name) else ()
        return all(rule.values.table in self._seen for rule in rules)

    def watched(
        self, name: str, drawn: DrawnTable | None, batches: Iterator[pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a table as they are in the end, and let their parents see them.

        Args:
            name: The table.
            drawn: The table as others see it, with the parents of the rows yielded so far.
            batches: Its rows.
        """
        asked = [
            (rule, gathered)
            for parent, all_gathered in self._gathered.items()
            for rule, gathered in zip(_rules(self._tables[parent]), all_gathered, strict=True)
            if rule.values.table == name
        ]
        layout, start = self._tables[name].layout, 0
        for batch in batches:
            part = slice(start, start + batch.num_rows)
            if asked and drawn is not None:
                rows = layout.flatten(batch.cast(layout.schema)).batch
                for rule, gathered in asked:
                    gathered.add(drawn.parents[rule.relation][part], rule.of_rows(rows))
            yield batch
            start = part.stop
        self._seen.add(name)

    def finished(
        self, run: TableRun, drawn: DrawnTable, batches: Iterator[pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a table with what its children give, and what follows from that.

        Args:
            run: The table.
            drawn: The table as others see it.
            batches: Its rows, as found.
        """
        rules = [
            (rule, gathered.values())
            for rule, gathered in zip(
                run.family.from_children, self._gathered.get(run.name, ()), strict=True
            )
        ]
        layout, start = run.fitted.layout, 0
        for batch in batches:
            part = slice(start, start + batch.num_rows)
            flat = layout.flatten(batch.cast(layout.schema))
            columns = dict(zip(flat.batch.schema.names, flat.batch.columns, strict=True))
            changed: dict[str, pa.Array] = {}
            for rule, made in rules:
                changed |= _kept(rule, columns, made.slice(part.start, batch.num_rows))
            if run.fitted.model is not None:
                known = {n: pa.array(values[part]) for n, values in drawn.below.items()}
                known |= run.parent_values([rows[part] for rows in drawn.parents])
                changed = run.fitted.model.with_values({**columns, **known}, changed)
            columns |= {name: changed[name] for name in columns.keys() & changed.keys()}
            whole = pa.RecordBatch.from_pydict(columns)
            yield layout.unflatten(Flat(whole, flat.lists)).cast(run.fitted.schema)
            start = part.stop


def _rules(table: FittedTable) -> tuple[FromChildren, ...]:
    return () if table.family is None else table.family.from_children


def _kept(
    rule: FromChildren, columns: Mapping[str, pa.Array], made: pa.Array
) -> dict[str, pa.Array]:
    """Return the columns that a rule changes, from what was made of the children."""
    own = {name: columns[name] for name in rule.rule.columns if name in columns}
    batch = pa.RecordBatch.from_pydict({**own, rule.values.name: made})
    decoded = rule.rule.decode(batch)
    return {name: decoded.column(name) for name in own}
