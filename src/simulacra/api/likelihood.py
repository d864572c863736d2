"""How likely rows are by what was learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from simulacra.api.conditions import table_of
from simulacra.core.errors import SpecError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from simulacra.pipeline.dataset import FittedDataset


def log_prob(data: Any, fitted: FittedDataset) -> NDArray[np.float64]:
    """Return the logarithm of the probability of each row; see ``Synthesizer.log_prob``.

    Raises:
        SpecError: A column is missing, or of another type.
        UsageError: Several tables were learned, or the model doesn't tell.
    """
    if len(fitted.tables) > 1:
        raise UsageError(
            "rows of several tables have no probability of their own",
            mend="Learn one table by itself",
        )
    ((name, table),) = fitted.tables.items()
    rows = table_of(data)
    for column in table.layout.schema.names:
        if column not in rows.column_names:
            raise SpecError("the rows lack a column that was learned", where=f"{name}.{column}")
    try:
        rows = rows.select(table.layout.schema.names).cast(table.layout.schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise SpecError(
            "the rows are of other types than was learned",
            where=name,
            why=str(error).splitlines()[0],
        ) from error
    if table.model is None or table.layout.items:
        raise UsageError(f"rows of {name} have no probability", why="it holds lists, or keys only")
    batches = rows.combine_chunks().to_batches() or [table.layout.schema.empty_table()]
    return table.model.log_prob(table.layout.flatten(batches[0]).batch)
