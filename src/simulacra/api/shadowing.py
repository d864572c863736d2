"""Learn a table and draw rows in one call, for attacks that train models of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from simulacra.api.metadata import Metadata
from simulacra.api.synthesizer import Synthesizer
from simulacra.core.context import RunContext


def generator(
    model: str = "forest",
    *,
    metadata: Metadata | None = None,
    find_rules: bool = True,
    ctx: RunContext | None = None,
    **options: Any,
) -> Callable[[pa.Table, int, int], pa.Table]:
    """Return what the metric ``shadow_membership`` takes as the option ``generator``.

    Give it what the rows to judge were made with, so that its models are like theirs.

    Args:
        model: Registry name of the model.
        metadata: What the table is; detected anew by each model when None, which takes longer.
        find_rules: Whether to look for rules between columns.
        ctx: Limits and progress.
        options: Options of the model.

    Returns:
        A function of a table of real rows, a number of rows and a seed, which learns the former
        and returns so many synthetic rows.

    Raises:
        UsageError: An option is unknown or out of range.
        PluginError: There is no such model.

    Example:
        >>> evaluate(real, new, holdout=held_out, options={"generator": generator("forest")})
    """

    def synthesizer(seed: int) -> Synthesizer:
        return Synthesizer(model, seed=seed, find_rules=find_rules, ctx=ctx, **options)

    synthesizer(0)  # what is wrong with the options is said before anything is measured

    def generate(learned: pa.Table, rows: int, seed: int) -> pa.Table:
        made: pa.Table = synthesizer(seed).fit(learned, metadata).sample(rows)
        return made

    return generate
