"""Columns of texts masked a distinct value at a time."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc


def masked_texts(values: pa.Array, mask: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Return texts of any type, each distinct one masked once; nulls stay, and so does nothing.

    Args:
        values: Strings, or a dictionary of them.
        mask: Takes and gives large strings, none null or empty.
    """
    texts = values.cast(pa.large_string())
    encoded = texts.dictionary_encode()
    distinct = encoded.dictionary
    filled = pc.not_equal(distinct, "")
    if pc.all(filled).as_py():
        made = mask(distinct) if len(distinct) else distinct
    else:
        some = mask(distinct.filter(filled))
        made = pc.replace_with_mask(distinct, filled, some)
    return made.take(encoded.indices).cast(values.type)
