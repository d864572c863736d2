"""Fill the nulls of a stored table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from simulacra.api.inputs import inputs_of
from simulacra.api.synthesizer import Synthesizer
from simulacra.connectors.locate import open_target
from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.random import RngKey

_ROWS_AT_ONCE = 65_536


def impute(
    data: Any,
    dest: str | Path,
    *,
    model: str | Path | None = None,
    seed: int | None = None,
    overwrite: bool = False,
    ctx: RunContext | None = None,
) -> int:
    """Write a table with its nulls filled, never holding it all.

    Args:
        data: One table: a path or URL, or a frame.
        dest: The file to write.
        model: A bundle that was learned from like rows; the table itself is learned when None.
        seed: Decides what is filled in.
        overwrite: Whether what is at ``dest`` may be replaced.
        ctx: Limits and progress.

    Returns:
        How many values were filled in.

    Raises:
        InputError: The table can't be read.
        OutputError: ``dest`` can't be written.
        SpecError: The table has other columns than what was learned.
        UsageError: There are several tables.
    """
    ctx = ctx or RunContext()
    inputs = inputs_of(data, ctx)
    if len(inputs.sources) > 1:
        raise UsageError(
            f"there are {len(inputs.sources)} tables to fill", mend="Name one file or table"
        )
    ((name, source),) = inputs.sources.items()
    if model is None:
        synthesizer = Synthesizer(seed=seed or 0, ctx=ctx).fit(data)
    else:
        synthesizer = Synthesizer.load(model, ctx=ctx)
    filled = 0
    with (
        open_target(
            str(dest),
            tables={name: source.schema},
            overwrite=overwrite,
            ctx=ctx,
        ) as writers,
        writers[name] as writer,
        ctx.progress.task(f"Filling {name}", source.rows()) as task,
    ):
        key = RngKey(synthesizer.fitted.seed if seed is None else seed, ("impute",))
        for number, batch in enumerate(source.batches(batch_rows=_ROWS_AT_ONCE)):
            rows = pa.Table.from_batches([batch])
            whole = synthesizer.impute(rows, seed=key.child(number).integer(31))
            filled += sum(column.null_count for column in rows.columns)
            filled -= sum(column.null_count for column in whole.columns)
            writer.write(whole.combine_chunks().to_batches()[0].cast(source.schema))
            task.advance(batch.num_rows)
    return filled
