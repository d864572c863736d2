"""Columns whose values are put in order among the rows of one parent, once a block is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulacra.core import registry
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.protocols import FittedRule
from simulacra.core.registry import Kind
from simulacra.pipeline.flat_model import FlatModel
from simulacra.pipeline.relations.parent_rows import Rows
from simulacra.rules.relatives import Siblings


@dataclass(frozen=True, slots=True)
class AmongSiblings:
    """A rule about all rows of one owner.

    Attributes:
        rule_name: Its plug-in.
        rule: The fitted rule.
        siblings: What it is about.
    """

    rule_name: str
    rule: FittedRule
    siblings: Siblings

    def arranged(
        self,
        columns: Mapping[str, pa.Array],
        owners: Rows,
        model: FlatModel | None,
        given: Mapping[str, pa.Array],
    ) -> dict[str, pa.Array]:
        """Return columns of rows with the rule kept, and what follows from it.

        Args:
            columns: All flat columns of the rows of whole owners, but keys that owners fill.
            owners: The owner of each row, negative for none.
            model: What was learned of the table's columns.
            given: What rules use besides.
        """
        name = self.siblings.column
        groups = pa.array(owners.astype(np.int64), mask=owners < 0)
        rows = {name: columns[name], **dict.fromkeys(self.siblings.within, groups)}
        if self.siblings.by:
            rows[self.siblings.by] = columns[self.siblings.by]
        moved = self.rule.decode(pa.RecordBatch.from_pydict(rows)).column(name)
        changed = {name: moved}
        if model is not None and not moved.equals(columns[name]):
            changed = model.with_values({**columns, **given}, changed)
        return {**columns, **changed}

    def save(self, out: ArtifactWriter) -> None:
        """Write everything :meth:`load` needs."""
        siblings = self.siblings
        facts = {
            "rule": self.rule_name,
            "within": list(siblings.within),
            "column": siblings.column,
            "by": siblings.by,
        }
        out.json("among_siblings", facts)
        self.rule.save(out)

    @classmethod
    def load(cls, src: ArtifactReader) -> AmongSiblings:
        """Read what :meth:`save` wrote."""
        facts = src.json("among_siblings")
        return cls(
            facts["rule"],
            registry.load(Kind.RULE, facts["rule"]).load(src),
            Siblings(tuple(facts["within"]), facts["column"], facts["by"]),
        )
