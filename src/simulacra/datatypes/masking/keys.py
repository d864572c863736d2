"""Keys masked, whether they are whole numbers or texts."""

from __future__ import annotations

from functools import partial

import pyarrow as pa

from simulacra.core.errors import SpecError
from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.arrow_kinds import holds_integers, is_text
from simulacra.datatypes.masking.codes import masked_codes
from simulacra.datatypes.masking.integers import masked_integers
from simulacra.datatypes.masking.texts import masked_texts


def masked_keys(values: pa.Array, secret: SecretKey, *, where: str) -> pa.Array:
    """Return the number or code that each value becomes: a bijection of all there can be.

    Args:
        values: Texts or whole numbers of any type.
        secret: What it depends on.
        where: The column, for messages.

    Raises:
        SpecError: The Arrow type is another one, or a number can't be masked.
    """
    if is_text(values.type):
        return masked_texts(values, partial(masked_codes, secret=secret))
    if not holds_integers(values.type):
        raise SpecError(
            f"{values.type} can't be masked",
            where=where,
            why="only texts and whole numbers can",
            mend="Leave the column as it is with --keep, or out of --mask",
        )
    return masked_integers(values, secret, where=where)
