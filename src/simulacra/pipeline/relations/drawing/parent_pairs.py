"""Keys that foreign keys alone make up: no two rows have the same parents in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from simulacra.core.errors import LimitError
from simulacra.core.features import Codes
from simulacra.core.random import RngKey
from simulacra.pipeline.relations.drawing.agreement import Within
from simulacra.pipeline.relations.matching.pairs import separate_pairs
from simulacra.pipeline.relations.parent_rows import Rows


def separated(
    others: Sequence[Rows],
    last: Rows,
    kinds: Codes,
    count: int,
    *,
    must: Within | None,
    where: str,
    rng: RngKey,
) -> Rows:
    """Return one relation's parents, changed so that no two rows share all their parents.

    Args:
        others: The parents of all rows in the other relations of the key.
        last: Their parents in this one.
        kinds: The drawn kinds of those: rows of one kind may swap.
        count: How many rows this parent has.
        must: What a row and its parent must agree in: rows swap with their like.
        where: The key, as table.columns, for messages.
        rng: The key of this step.

    Raises:
        LimitError: There are more rows than different parents.
    """
    found = last.copy()
    known = found >= 0
    for rows in others:
        known &= rows >= 0
    places = np.flatnonzero(known)
    if not len(places):
        return found
    owner = _numbered([rows[places] for rows in others])
    for part, able in _parts(places, must, count):
        at = np.searchsorted(places, part)
        local = np.searchsorted(able, found[part]).astype(np.int32)
        made = separate_pairs(owner[at], local, kinds[part], parents=len(able), rng=rng)
        if len(made) and made.min() < 0:
            raise LimitError(
                "more rows than different parents",
                where=where,
                why=f"no two may share their parents, and there are {len(able):,} to choose from",
                mend="Ask for fewer rows, or more rows of the parents",
            )
        found[part] = able[made]
    return found


def _numbered(rows: Sequence[Rows]) -> NDArray[np.int32]:
    """Number the parents that rows have in some relations together."""
    numbers: NDArray[np.int64] = rows[0].astype(np.int64)
    for more in rows[1:]:
        numbers = np.unique(numbers, return_inverse=True)[1] * (int(more.max()) + 1) + more
    return np.unique(numbers, return_inverse=True)[1].astype(np.int32)


def _parts(
    places: NDArray[np.intp], must: Within | None, count: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int32]]]:
    """Yield rows that may swap with each other (rising), and the parents they may have (rising)."""
    if must is None:
        yield places, np.arange(count, dtype=np.int32)
        return
    order = np.argsort(must.parents, kind="stable")
    codes = must.children[places]
    for code in np.unique(codes):
        first, last = np.searchsorted(must.parents[order], [code, code + 1])
        able = np.sort(order[first:last]).astype(np.int32)
        # Whoever agrees with nobody known has any parent.
        yield places[codes == code], able if code >= 0 else np.arange(count, dtype=np.int32)
