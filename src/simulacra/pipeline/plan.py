"""What a run would do: rows, columns, and roughly how long and how much memory it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from simulacra.core.context import RunContext
from simulacra.core.protocols import BLOCK_ROWS, BatchSource
from simulacra.pipeline.fit import structure_budget
from simulacra.pipeline.nesting import Layout
from simulacra.pipeline.options import FitOptions

# Cells (rows x columns) a second and thread, and memory at rest: what the figures for lineitem in
# docs/benchmarks.md come to, rounded.
_READ_RATE = 10e6
_LEARN_RATE = 1.5e6
_DRAW_RATE = 5e6
_BASE_MEMORY = 600 * 2**20
_BYTES_PER_CELL = 24


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What is planned for one table.

    Attributes:
        rows: Rows that will be read; None if they can't be known without reading.
        columns: Its columns.
        structure_rows: The most rows that structure will be learned from.
        new_rows: Rows that will be drawn; None if that depends on ``rows``.
        seconds: About how long it takes; None if that depends on ``rows``.
    """

    rows: int | None
    columns: int
    structure_rows: int
    new_rows: int | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is planned.

    Attributes:
        tables: The plan of each table.
        memory: About how many bytes will be used at most.
    """

    tables: Mapping[str, TablePlan]
    memory: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "tables": {name: asdict(table) for name, table in self.tables.items()},
            "memory_bytes": self.memory,
        }

    def __str__(self) -> str:
        lines = ["Would learn and draw:"]
        for name, table in self.tables.items():
            read = "?" if table.rows is None else f"{table.rows:,}"
            new = "as many" if table.new_rows is None else f"{table.new_rows:,}"
            time = "" if table.seconds is None else f", about {max(table.seconds, 1):.0f} s"
            lines.append(
                f"  {name}: {read} rows × {table.columns} columns → {new} rows{time} "
                f"(structure from at most {table.structure_rows:,})"
            )
        lines.append(f"  about {self.memory / 2**30:.1f} GiB of memory")
        return "\n".join(lines)


def plan_run(
    sources: Mapping[str, BatchSource],
    options: FitOptions,
    *,
    rows: int | Mapping[str, int] | None,
    scale: float | None,
    ctx: RunContext,
) -> Plan:
    """Plan a run; reads nothing but schemas and what they say of rows."""

    def asked(name: str) -> int | None:
        return rows.get(name) if isinstance(rows, Mapping) else rows

    tables = {
        name: _plan_table(source, options, rows=asked(name), scale=scale, ctx=ctx)
        for name, source in sources.items()
    }
    sample_bytes = max(
        (t.structure_rows * t.columns * _BYTES_PER_CELL for t in tables.values()), default=0
    )
    block_bytes = 4 * ctx.limits.threads * BLOCK_ROWS * _BYTES_PER_CELL
    widest = max((t.columns for t in tables.values()), default=0)
    return Plan(tables, _BASE_MEMORY + sample_bytes + block_bytes * widest)


def _plan_table(
    source: BatchSource,
    options: FitOptions,
    *,
    rows: int | None,
    scale: float | None,
    ctx: RunContext,
) -> TablePlan:
    known = source.rows()
    columns = len(Layout.of(source.schema).columns)
    budget = structure_budget(source.schema, options, ctx)
    structure = budget if known is None else min(budget, known)
    new_rows = rows
    if rows is None and known is not None:
        new_rows = known if scale is None else round(known * scale)
    seconds = None
    if known is not None and new_rows is not None:
        cells = 2 * known / _READ_RATE + structure / _LEARN_RATE + new_rows / _DRAW_RATE
        seconds = columns * cells / ctx.limits.threads
    return TablePlan(known, columns, structure, new_rows, seconds)
