"""How long texts may be where the rows came from: a pseudonym must fit there too."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.schema import DatasetSpec
from simulacra.pipeline.masking.arrays import Change
from simulacra.pipeline.masking.columns import Place
from simulacra.pipeline.masking.families import Families


def rooms(spec: DatasetSpec, places: Iterable[Place]) -> dict[Place, int]:
    """Return the most characters of columns that have a limit, by what their store says.

    Columns that hold the same keys have the least limit of all, so that they go on agreeing.
    """
    families = Families(spec)
    found = {}
    for place in places:
        limits = [limit for member in families.of(place) if (limit := _limit(spec, member))]
        if limits:
            found[place] = min(limits)
    return found


def _limit(spec: DatasetSpec, place: Place) -> int | None:
    columns = spec.tables[place[0]].origin.get("columns", {})
    generic = columns.get(place[1], {}).get("generic", {})
    length = generic.get("length")
    return int(length) if generic.get("kind") == "text" and length else None


def within(room: int, change: Change, shorter: Change) -> Change:
    """Return a change whose texts have room: those that would not are changed in another way.

    Args:
        room: The most characters.
        change: What is done to texts.
        shorter: What is done to those that this makes too long; it keeps their length.
    """

    def fitting(values: pa.Array) -> pa.Array:
        made = change(values)
        long = pc.greater(pc.utf8_length(made), room).fill_null(False)  # noqa: FBT003
        if not pc.any(long).as_py():
            return made
        return pc.replace_with_mask(made, long, shorter(values.filter(long)))

    return fitting
