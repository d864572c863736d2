"""Contracts of rules: what must hold between the columns of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

import pyarrow as pa

from simulacra.core.protocols.config import Config

if TYPE_CHECKING:
    from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
    from simulacra.core.schema import TableSpec


class FittedRule(Protocol):
    """A rule of one table, as a change of its columns that makes breaking it impossible.

    One that can't mend rows says so by an attribute ``redraws`` that is true, on its plug-in too:
    then rows that violate it are drawn again, and ``encode`` and ``decode`` leave rows as they are.
    """

    columns: tuple[str, ...]
    """The columns it reads or changes."""

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Rewrite real rows into the form that is learned."""
        ...

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Undo ``encode``; the result keeps the rule."""
        ...

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say for each row, as found or as made, whether it breaks the rule."""
        ...

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        ...


class Rule(Protocol):
    """A kind of thing that must hold between the columns of a table.

    One that needs the rows of a child table, or all rows of one parent, says so by a further
    method; see ``simulacra.rules.relatives``.
    """

    name: ClassVar[str]
    config: ClassVar[type[Config]]

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Learn what the rule needs from a uniform sample of the rows."""
        ...

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        ...
