"""Personal data: what leads to a person is found, and made anew in the same form."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simulacra.core.arrow_types import type_to_text
from simulacra.core.artifacts import ArtifactReader
from simulacra.core.context import RunContext
from simulacra.core.protocols import ColumnProfile, Config, Detection
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.arrow_kinds import is_text
from simulacra.datatypes.options import read_options, require_type
from simulacra.datatypes.personal.agreement import agree
from simulacra.datatypes.personal.codec import PersonalCodec, PersonalFitter
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.detection import detect
from simulacra.datatypes.personal.extra import INSTALL, missing, require_extra
from simulacra.datatypes.personal.kind import WHOLE_NUMBERS, is_long_number
from simulacra.datatypes.personal.people import salt_of
from simulacra.datatypes.personal.registry import kind_of

_ENDLESS = frozenset({
    "card", "email", "iban", "mac", "national_id", "phone", "ssn", "street_address", "url",
    "user_name", "uuid",
})  # fmt: skip
"""Kinds of which there are as many different values as people."""


class Personal:
    """Names, addresses, numbers and whatever else leads to a person.

    Without the extra ``personal`` it claims nothing: columns are then what they were before.
    """

    name: ClassVar[str] = "personal"
    config: ClassVar[type[Config]] = PersonalConfig
    leads_to_people: ClassVar[bool] = True

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim texts that name, locate or number people."""
        return Detection(0.0) if missing() else detect(profile)

    def lacks(self) -> str:
        """Say that the extra is missing."""
        absent = missing()
        return (
            f"personal data are not looked for without {' and '.join(absent)}: {INSTALL}"
            if absent
            else ""
        )

    def agree(
        self, claims: Mapping[str, Detection], sample: pa.Table | None = None
    ) -> Mapping[str, Detection]:
        """Let the columns of one table use the same words, and tell of the same people."""
        return agree(claims, sample)

    def tells_apart(self, options: Mapping[str, Any]) -> bool:
        """Say whether each row gets a value of its own: one person each, of a kind without end."""
        config = PersonalConfig.model_validate(options)
        return config.kind in _ENDLESS and config.people is None

    def accepts(self, values: pa.Array, options: Mapping[str, Any]) -> pa.BooleanArray:
        """Accept what has the kind's form, or any text where not all of the source had it."""
        config = PersonalConfig.model_validate(options)
        answers = np.ones(len(values), np.bool_)
        if not _can_hold(config.kind, values.type):
            return pa.array(~answers)
        if config.share == 1.0 and not missing():
            filled = values.is_valid().to_numpy(zero_copy_only=False)
            texts = values.drop_null().cast(pa.large_string())
            answers[filled] = kind_of(config.kind).matches(texts, config)
        return pa.array(answers)

    def start(
        self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext
    ) -> PersonalFitter:
        """Begin to learn a column.

        Raises:
            SpecError: An option is wrong, the column holds neither text nor whole numbers that
                can be of the kind, or the extra is missing.
        """
        del ctx
        require_extra(name)
        config = read_options(name, column, PersonalConfig)
        arrow_type = require_type(
            name, column, self.name, lambda arrow_type: _can_hold(config.kind, arrow_type)
        )
        return PersonalFitter(name, arrow_type, config, salt_of(rng))

    def mask(
        self, name: str, values: pa.Array, options: Mapping[str, Any], secret: SecretKey
    ) -> pa.Array:
        """Return another value of the same kind for each.

        Raises:
            SpecError: An option is wrong, the column holds no text, or the extra is missing.
        """
        from simulacra.datatypes.masking.texts import masked_texts
        from simulacra.datatypes.personal.masks.registry import mask_of

        require_extra(name)
        column = ColumnSpec(type=self.name, arrow=type_to_text(values.type), options=dict(options))
        config = read_options(name, column, PersonalConfig)
        require_type(name, column, self.name, is_text)
        return masked_texts(values, partial(mask_of(config.kind), config=config, secret=secret))

    def load(self, src: ArtifactReader) -> PersonalCodec:
        """Read a codec that ``save`` wrote.

        Raises:
            BundleError: The members do not make a codec.
        """
        return PersonalCodec.load(src)


def _can_hold(kind: str, arrow_type: pa.DataType) -> bool:
    return is_text(arrow_type) or (kind in WHOLE_NUMBERS and is_long_number(arrow_type))
