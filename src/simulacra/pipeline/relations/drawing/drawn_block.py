"""The rows of a block as they are drawn, and as one batch that can be kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.features import Codes
from simulacra.pipeline.relations.parent_rows import Rows


@dataclass(frozen=True, slots=True)
class DrawnBlock:
    """The rows of a block.

    Attributes:
        batch: The rows; foreign keys to tables drawn later are null.
        codes: See :class:`~simulacra.pipeline.relations.drawing.drawn_table.DrawnTable`.
        below: The same.
        parents: The parents of its rows, for each relation.
        late: For each relation to a table drawn later, the codes of the parents wanted.
    """

    batch: pa.RecordBatch
    codes: Mapping[str, Codes]
    below: Mapping[str, NDArray[np.int32]]
    parents: Sequence[Rows]
    late: Mapping[int, Codes]

    def as_batch(self) -> pa.RecordBatch:
        """Return everything as columns, those of the rows first."""
        columns = {f"{kind}/{name}": pa.array(values) for kind, name, values in self._beside()}
        fields = [pa.field(name, values.type) for name, values in columns.items()]
        return pa.RecordBatch.from_arrays(
            [*self.batch.columns, *columns.values()],
            schema=pa.schema([*self.batch.schema, *fields]),
        )

    def _beside(self) -> Iterator[tuple[str, str | int, NDArray[Any]]]:
        kinds: dict[str, Mapping[Any, NDArray[Any]]] = {
            "codes": self.codes,
            "below": self.below,
            "parents": dict(enumerate(self.parents)),
            "late": self.late,
        }
        for kind, arrays in kinds.items():
            for name, values in arrays.items():
                yield kind, name, values

    @classmethod
    def of_batch(cls, batch: pa.RecordBatch, schema: pa.Schema) -> DrawnBlock:
        """Undo :meth:`as_batch`.

        Args:
            batch: What it returned.
            schema: The columns of the rows.
        """
        width = len(schema)
        found: dict[str, dict[str, NDArray[Any]]] = {
            kind: {} for kind in ("codes", "below", "parents", "late")
        }
        names = batch.schema.names[width:]
        for name, values in zip(names, batch.columns[width:], strict=True):
            kind, _, own = name.partition("/")
            found[kind][own] = values.to_numpy()
        return cls(
            pa.RecordBatch.from_arrays(batch.columns[:width], schema=schema),
            found["codes"],
            found["below"],
            list(found["parents"].values()),
            {int(number): codes for number, codes in found["late"].items()},
        )
