"""What every datatype must do that masks values."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.protocols import Masking
from simulacra.core.secret_key import SecretKey
from simulacra.testing.check import for_each, require
from simulacra.testing.datatype_subject import DatatypeSubject

_SECRET, _OTHER = SecretKey("a secret for the checks"), SecretKey("another one for the checks")
_TELLING = 50
"""Different values from which on two secrets never give the same pseudonyms by chance."""


def masks_each_value_by_itself(subject: DatatypeSubject, folder: Path) -> None:
    """A pseudonym depends on the value and the secret; type and nulls stay, nothing is joined."""
    del folder
    datatype = subject.datatype
    if not isinstance(datatype, Masking):
        return

    def check(name: str) -> None:
        values, options = subject.columns[name], subject.claims[name].options
        masked = datatype.mask(name, values, options, _SECRET)
        require(masked.type == values.type, f"{values.type} became {masked.type}")
        require(len(masked) == len(values), f"{len(masked)} pseudonyms for {len(values)} values")
        require(masked.is_null().equals(values.is_null()), "nulls are in other rows")
        turned = pa.array(range(len(values) - 1, -1, -1), pa.int64())
        alone = datatype.mask(name, values.take(turned).slice(1), options, _SECRET)
        require(
            alone.equals(masked.take(turned).slice(1)), "pseudonyms depend on where values stand"
        )
        distinct = pc.count_distinct(values).as_py()
        require(pc.count_distinct(masked).as_py() == distinct, "different values became the same")
        if distinct >= _TELLING:
            other = datatype.mask(name, values, options, _OTHER)
            require(not other.equals(masked), "pseudonyms don't depend on the secret")

    for_each(subject.claimed, check)
