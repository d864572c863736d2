"""A fitted column of personal data: nulls are learned, all else is made anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.features import Codes, FeatureKind, FeatureSpec
from simulacra.core.protocols import FittedColumn
from simulacra.core.random import RngKey
from simulacra.datatypes.bins import damaged
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.extra import require_extra
from simulacra.datatypes.personal.kind import Facts
from simulacra.datatypes.personal.people import People
from simulacra.datatypes.personal.registry import kind_of
from simulacra.datatypes.personal.told import days_of, is_day


@dataclass(frozen=True, slots=True)
class PersonalCodec:
    """A fitted column.

    Attributes:
        column: The column's name.
        type: Its Arrow type.
        config: What it is.
        facts: The forms that were learned; None if there was no value.
        salt: Tells the people of this table from others under the same seed.
        learned: The rows that were learned.
        null_code: The code of null: 0, 1, or -1 if there are no nulls.
        filled: How many of the rows learned had a value.
    """

    column: str
    type: pa.DataType
    config: PersonalConfig
    facts: Facts | None
    salt: int
    learned: int
    null_code: int
    filled: int = 0

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        """One feature: whether a value is null."""
        codes = (self.facts is not None) + (self.null_code >= 0)
        return (FeatureSpec(self.column, self.column, FeatureKind.NOMINAL, codes),)

    def encode(self, values: pa.Array) -> list[Codes]:
        """Say which values are null."""
        codes = np.zeros(len(values), np.uint8)
        if self.null_code >= 0 and self.facts is not None:
            is_null = values.is_null().to_numpy(zero_copy_only=False)
            codes = np.where(is_null, self.null_code, 1 - self.null_code).astype(np.uint8)
        return [codes]

    def decode(self, codes: Sequence[Codes], *, rng: RngKey, start: int) -> pa.Array:
        """Make the values of rows ``start`` and following.

        They depend on the seed and the number of the row alone, so every column of the table tells
        of the same person in the same row, in whatever block.

        Raises:
            SpecError: The extra ``personal`` is not installed.
        """
        return self.decode_beside(codes, rng=rng, start=start, beside={})

    @property
    def follows(self) -> tuple[str, ...]:
        """The columns that tell something of the row's person."""
        sex = () if self.config.sex is None else (self.config.sex.column,)
        return sex if self.config.birth is None else (*sex, self.config.birth)

    def decode_beside(
        self, codes: Sequence[Codes], *, rng: RngKey, start: int, beside: Mapping[str, pa.Array]
    ) -> pa.Array:
        """Make the values of rows ``start`` and following, of people as other columns say.

        Raises:
            SpecError: The extra ``personal`` is not installed.
        """
        count = len(codes[0])
        if self.facts is None:
            return pa.nulls(count, self.type)
        require_extra(self.column)
        people = People.of_rows(
            RngKey(rng.seed, ("people", self.salt, self.config.person)),
            np.arange(start, start + count, dtype=np.uint64),
            column=self.column,
            people=self.config.people,
            learned=self.learned,
        )
        sex = self.config.sex
        if sex is not None and sex.column in beside:
            people = replace(people, sexes=sex.read(beside[sex.column]))
        births = beside.get(self.config.birth or "")
        if births is not None and is_day(births.type):
            people = replace(people, births=days_of(births))
        made = kind_of(self.config.kind).make(self.facts, people, self.config)
        if self.null_code >= 0:
            is_null = pa.array(codes[0] == self.null_code)
            made = pc.if_else(is_null, pa.scalar(None, made.type), made)
        return made.cast(self.type)

    def kept_values(self) -> Iterable[str]:
        """Yield nothing: only forms are kept."""
        return ()

    def replaced(self) -> Mapping[str, int]:
        """Return how many values were replaced by made ones, by what they were."""
        return {self.config.kind: self.filled} if self.filled else {}

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        out.json(
            "personal",
            {
                "column": self.column,
                "type": type_to_text(self.type),
                "config": self.config.model_dump(),
                "facts": self.facts,
                "salt": self.salt,
                "learned": self.learned,
                "null_code": self.null_code,
                "filled": self.filled,
            },
        )

    @classmethod
    def load(cls, src: ArtifactReader) -> PersonalCodec:
        """Read a codec that ``save`` wrote.

        Raises:
            BundleError: The members do not make a codec.
        """
        saved = src.json("personal")
        try:
            codec = cls(
                str(saved["column"]),
                type_from_text(saved["type"]),
                PersonalConfig.model_validate(saved["config"]),
                dict(saved["facts"]) if saved["facts"] is not None else None,
                int(saved["salt"]),
                int(saved["learned"]),
                int(saved["null_code"]),
                int(saved["filled"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(str(error)) from error
        if codec.null_code not in {-1, 0, 1} or not 0 <= codec.filled <= codec.learned:
            raise damaged("a column of personal data can't be right")
        return codec


class PersonalFitter:
    """Learns the form of a column.

    Args:
        column: The column's name.
        arrow_type: Its Arrow type.
        config: What it is.
        salt: See :class:`PersonalCodec`.
    """

    def __init__(
        self, column: str, arrow_type: pa.DataType, config: PersonalConfig, salt: int
    ) -> None:
        self._column = column
        self._type = arrow_type
        self._config = config
        self._salt = salt
        self._learner = kind_of(config.kind).learner(config)
        self._rows = 0
        self._nulls = 0

    def update(self, values: pa.Array) -> None:
        """Take the next rows."""
        self._rows += len(values)
        self._nulls += values.null_count
        texts = values.drop_null().cast(pa.large_string())
        if len(texts):
            self._learner.add(texts)

    def finish(self) -> FittedColumn:
        """Settle on the forms."""
        filled = self._rows - self._nulls
        facts = self._learner.facts() if filled else None
        null_code, counts = -1, [filled]
        if facts is None:
            null_code, counts = 0, [self._nulls]
        elif self._nulls:
            null_code = int(filled >= self._nulls)
            counts = [max(filled, self._nulls), min(filled, self._nulls)]
        codec = PersonalCodec(
            self._column, self._type, self._config, facts, self._salt, self._rows, null_code, filled
        )
        return FittedColumn(codec, (np.array(counts, np.int64),))
