"""Texts taken apart into words, numbers and signs, and put together from what those become."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.masking.shapes import alphabets_of, masked_by_shape, shapes_of

Piece = tuple[str, str]
"""What a part of a text is, and the part itself; of the role ``KEPT`` it stays."""
KEPT = ""

Texts = Sequence[str]


def masked_pieces(
    texts: Sequence[Sequence[Piece]], masks: Mapping[str, Callable[[pa.Array], pa.Array]]
) -> pa.Array:
    """Return texts of which every piece is masked as its role says.

    Args:
        texts: The pieces of each.
        masks: For each role what masks different large strings.
    """
    wanted: dict[str, dict[str, None]] = {role: {} for role in masks}
    for pieces in texts:
        for role, piece in pieces:
            if role != KEPT:
                wanted[role][piece] = None
    made: dict[Piece, str] = {}
    for role, found in wanted.items():
        if found:
            masked = masks[role](pa.array(list(found), pa.large_string()))
            made.update(zip(((role, piece) for piece in found), masked.to_pylist(), strict=True))
    joined = ["".join(made.get(piece, piece[1]) for piece in pieces) for pieces in texts]
    return pa.array(joined, pa.large_string())


def shaped(texts: pa.Array, secret: SecretKey, *label: str) -> pa.Array:
    """Return texts with their characters exchanged within their sorts."""
    return masked_by_shape(texts, shapes_of(texts), alphabets_of, secret, *label)


def in_case_of(model: str, text: str) -> str:
    """Return a text in capitals or small letters, or with a capital first, as another is."""
    if model.isupper() and len(model) > 1:
        return text.upper()
    if model.islower():
        return text.lower()
    return text[:1].upper() + text[1:]
