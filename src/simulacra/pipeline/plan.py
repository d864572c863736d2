"""What a run would do: rows, columns, and roughly how long and how much memory it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from simulacra.core.context import RunContext
from simulacra.core.declared import DeclaredTable
from simulacra.core.protocols import BLOCK_ROWS, BatchSource
from simulacra.core.schema import DatasetSpec
from simulacra.pipeline.fit import structure_budget
from simulacra.pipeline.nesting import Layout
from simulacra.pipeline.options import FitOptions
from simulacra.pipeline.plain import plain
from simulacra.pipeline.plan_relations import KnownRelations, known_relations
from simulacra.pipeline.validate import check_schema

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
        owner: The table under whose rows its rows are drawn, if that is known.
        is_kept: Whether its rows are written as they are.
    """

    rows: int | None
    columns: int
    structure_rows: int
    new_rows: int | None
    seconds: float | None
    owner: str | None = None
    is_kept: bool = False

    def __str__(self) -> str:
        read = "?" if self.rows is None else f"{self.rows:,}"
        new = "as many" if self.new_rows is None else f"{self.new_rows:,}"
        text = f"{read} rows × {self.columns} columns → {new} rows"
        if self.is_kept:
            return f"{text}, kept as they are"
        under = f" under {self.owner}" if self.owner is not None else ""
        time = "" if self.seconds is None else f", about {max(self.seconds, 1):.0f} s"
        return f"{text}{under}{time} (structure from at most {self.structure_rows:,})"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is planned.

    Attributes:
        tables: The plan of each table, in the order of drawing as far as it is known.
        memory: About how many bytes will be used at most.
        finds_keys: Whether foreign keys will be looked for, which may change the order and what
            follows from the rows asked for.
    """

    tables: Mapping[str, TablePlan]
    memory: int
    finds_keys: bool = False

    @property
    def seconds(self) -> float | None:
        """About how long it takes; None if that can't be known without reading."""
        parts = [table.seconds for table in self.tables.values()]
        return None if None in parts else sum(part for part in parts if part is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "tables": {name: asdict(table) for name, table in self.tables.items()},
            "memory_bytes": self.memory,
            "seconds": self.seconds,
            "finds_keys": self.finds_keys,
        }

    def __str__(self) -> str:
        lines = ["Would learn and draw:"]
        lines += [f"  {name}: {table}" for name, table in self.tables.items()]
        if self.finds_keys:
            lines.append(
                "  foreign keys are looked for while reading: the order may change, "
                "and rows of tables not asked for follow"
            )
        time = "" if self.seconds is None else f"{max(self.seconds, 1):.0f} s and "
        lines.append(f"  about {time}{self.memory / 2**30:.1f} GiB of memory")
        return "\n".join(lines)


def plan_run(
    sources: Mapping[str, BatchSource],
    options: FitOptions,
    *,
    spec: DatasetSpec | None = None,
    declared: Mapping[str, DeclaredTable],
    rows: int | Mapping[str, int] | None,
    scale: float | None,
    ctx: RunContext,
) -> Plan:
    """Plan a run; reads nothing but schemas and what they say of rows.

    Args:
        sources: The tables.
        options: What to learn with.
        spec: What the user says of them, if anything.
        declared: What the store says of them, if the user says nothing.
        rows: How many rows of each table would be drawn, or by table.
        scale: How many, as a multiple of those learned.
        ctx: Limits and progress.

    Raises:
        SpecError: The specification doesn't fit the data.
        UsageError: The rows asked for make no sense.
    """
    if spec is not None:
        check_schema(spec, {name: plain(source) for name, source in sources.items()})
    known = known_relations(sources, spec, declared, options.keep)
    new_rows: Mapping[str, int | None] | None = known.rows(sources, rows, scale)
    if new_rows is None:
        asked = rows if isinstance(rows, Mapping) else dict.fromkeys(sources, rows)
        new_rows = {
            name: _scaled(source.rows(), scale) if asked.get(name) is None else asked[name]
            for name, source in sources.items()
        }
    order = [name for name in known.graph.order if known.is_related(name)]
    order += [name for name in sources if name not in order]
    tables = {
        name: _plan_table(sources[name], known, name, options, new_rows=new_rows[name], ctx=ctx)
        for name in order
    }
    sample_bytes = max(
        (t.structure_rows * t.columns * _BYTES_PER_CELL for t in tables.values()), default=0
    )
    block_bytes = 4 * ctx.limits.threads * BLOCK_ROWS * _BYTES_PER_CELL
    widest = max((t.columns for t in tables.values()), default=0)
    is_told = spec is not None or any(table.foreign_keys for table in declared.values())
    return Plan(
        tables,
        _BASE_MEMORY + sample_bytes + block_bytes * widest,
        finds_keys=options.infer_keys and len(tables) > 1 and not is_told,
    )


def _scaled(rows: int | None, scale: float | None) -> int | None:
    return rows if rows is None or scale is None else round(rows * scale)


def _plan_table(
    source: BatchSource,
    known: KnownRelations,
    name: str,
    options: FitOptions,
    *,
    new_rows: int | None,
    ctx: RunContext,
) -> TablePlan:
    count = source.rows()
    columns = len(Layout.of(source.schema).columns)
    budget = structure_budget(source.schema, options, ctx)
    structure = budget if count is None else min(budget, count)
    if known.spec.tables[name].keep:
        return TablePlan(count, columns, 0, count, 0.0, is_kept=True)
    seconds = None
    if count is not None and new_rows is not None:
        cells = 2 * count / _READ_RATE + structure / _LEARN_RATE + new_rows / _DRAW_RATE
        seconds = columns * cells / ctx.limits.threads
    return TablePlan(count, columns, structure, new_rows, seconds, known.owner(name))
