"""Columns of a table that are worked out of the rows of a child table, once those are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import pyarrow as pa

from simulacra.core import registry
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.context import RunContext
from simulacra.core.protocols import FittedRule
from simulacra.core.registry import Kind
from simulacra.pipeline.nesting import Layout
from simulacra.pipeline.relations.gathering import Gathered
from simulacra.pipeline.relations.keys.resolve import LinkedTable
from simulacra.pipeline.relations.parent_rows import Rows
from simulacra.rules.expressions import Expression
from simulacra.rules.relatives import ChildValues, Take


@dataclass(frozen=True, slots=True)
class FromChildren:
    """A rule that is kept once the rows of a child table are drawn.

    Attributes:
        rule_name: Its plug-in.
        rule: The fitted rule.
        values: What it is told of the children.
        relation: The place of the key among the child's relations.
        reads: The child's columns that the expression reads.
    """

    rule_name: str
    rule: FittedRule
    values: ChildValues
    relation: int
    reads: tuple[str, ...]

    def of_rows(self, rows: pa.RecordBatch) -> pa.Array | None:
        """Return the value of each child; None where only their number counts."""
        return _of_rows(self.values, self.reads, rows)

    def save(self, out: ArtifactWriter) -> None:
        """Write everything :meth:`load` needs."""
        facts = {
            "rule": self.rule_name,
            "values": asdict(self.values),
            "relation": self.relation,
            "reads": list(self.reads),
        }
        out.json("from_children", facts)
        self.rule.save(out)

    @classmethod
    def load(cls, src: ArtifactReader) -> FromChildren:
        """Read what :meth:`save` wrote."""
        facts = src.json("from_children")
        values: Mapping[str, str] = facts["values"]
        return cls(
            facts["rule"],
            registry.load(Kind.RULE, facts["rule"]).load(src),
            ChildValues(
                values["table"], tuple(values["key"]), Take(values["take"]), values["expression"]
            ),
            int(facts["relation"]),
            tuple(facts["reads"]),
        )


def gather(
    values: ChildValues, child: LinkedTable, parents: Rows, *, into: Gathered, ctx: RunContext
) -> tuple[str, ...]:
    """Read all rows of a child table; return the columns that were read.

    Args:
        values: What is wanted of them.
        child: The table.
        parents: The row of each child's parent, negative for none.
        into: What is made of them.
        ctx: Limits and progress.

    Raises:
        SpecError: The expression can't be worked out.
    """
    layout = Layout.of(child.source.schema)
    reads: tuple[str, ...] = ()
    if values.expression:
        reads = tuple(Expression(values.expression, values.name).columns(layout.columns))
    wanted = list(reads or child.source.schema.names[:1]) if layout.is_flat else None
    start = 0
    with ctx.progress.task(f"Gathering {values.name}", child.rows) as task:
        for batch in child.source.batches(wanted):
            part = slice(start, start + batch.num_rows)
            into.add(parents[part], _of_rows(values, reads, layout.split(batch)[0]))
            start = part.stop
            task.advance(batch.num_rows)
    return reads


def _of_rows(values: ChildValues, reads: tuple[str, ...], rows: pa.RecordBatch) -> pa.Array | None:
    """Return the value of each of some children; None where only their number counts."""
    if not values.expression:
        return None
    some = rows.select(list(reads)) if reads else rows
    return Expression(values.expression, values.name).values(some)
