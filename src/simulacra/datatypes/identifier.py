"""Identifiers: values that are unique and mean nothing, made anew in the pattern found.

A key is a bijection of its row number, so blocks need not know of each other. What is learned is
the pattern (a range and its order; a prefix; the characters at each place), never a value; but in
a dense range, such as 1 to n, the numbers made are those of the source, as any others would be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.context import RunContext
from simulacra.core.errors import LimitError, SpecError
from simulacra.core.features import Codes, FeatureKind, FeatureSpec
from simulacra.core.protocols import ColumnProfile, Config, Detection, FittedColumn
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.arrow_kinds import is_text
from simulacra.datatypes.bins import damaged
from simulacra.datatypes.expression_pattern import ExpressionPattern
from simulacra.datatypes.forms import Mark
from simulacra.datatypes.identifier_patterns import (
    IdentifierPattern,
    PatternWatch,
    load_pattern,
    watch_for,
)
from simulacra.datatypes.options import read_options, require_type

_KEY_NAME = re.compile(
    r"(^|[_\W])(id|ids|key|uid|uuid|guid|pk|no|nr|num|number|code|sku|isbn|ssn|hash|token)$"
    r"|[a-z](Id|ID|Key|No|Code|UUID|Uuid)$|(id|key)$",
    re.IGNORECASE,
)
_ROWS_THAT_TELL = 1_000
_STRAY = 0.05


class IdentifierConfig(Config):
    """Options of an identifier."""

    pattern: Annotated[
        str | None,
        Field(description="A regular expression of the texts to make; none: the form is learned"),
    ] = None


@dataclass(frozen=True, slots=True)
class IdentifierCodec:
    """A fitted identifier.

    Attributes:
        column: The column's name.
        type: Its Arrow type.
        pattern: How values are made; None if there was none.
        salt: Tells this column's permutation from others' under the same seed.
        null_code: The code of null: 0, 1, or -1 if there are no nulls.
    """

    column: str
    type: pa.DataType
    pattern: IdentifierPattern | None
    salt: int
    null_code: int

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        """One feature: whether a value is null."""
        codes = (self.pattern is not None) + (self.null_code >= 0)
        return (FeatureSpec(self.column, self.column, FeatureKind.NOMINAL, codes),)

    def encode(self, values: pa.Array) -> list[Codes]:
        """Say which values are null."""
        codes = np.zeros(len(values), np.uint8)
        if self.null_code >= 0 and self.pattern is not None:
            is_null = values.is_null().to_numpy(zero_copy_only=False)
            codes = np.where(is_null, self.null_code, 1 - self.null_code).astype(np.uint8)
        return [codes]

    def decode(self, codes: Sequence[Codes], *, rng: RngKey, start: int) -> pa.Array:
        """Make the identifiers of rows ``start`` and following.

        Raises:
            LimitError: The pattern has no room for so many rows.
        """
        count = len(codes[0])
        if self.pattern is None:
            return pa.nulls(count, self.type)
        if not self.pattern.has_room(start + count, self.type):
            raise LimitError(
                f"the identifiers' pattern has no room for {start + count:,} rows",
                where=self.column,
                why=f"it is {self.pattern.describe()} of type {type_to_text(self.type)}",
                mend="Ask for fewer rows, or make it a column of another type",
            )
        # The key of the run, not of the block: all blocks share one permutation.
        key = RngKey(rng.seed, ("identifier", self.salt))
        rows = np.arange(start, start + count, dtype=np.uint64)
        marks = None
        if self.null_code >= 0:
            marks = np.where(codes[0] == self.null_code, int(Mark.NULL), 0).astype(np.int32)
        return self.pattern.draw(rows, marks, key, self.type)

    def kept_values(self) -> Iterable[str]:
        """Yield what the pattern says of real values: the least one, or the constant parts."""
        return self.pattern.kept(self.type) if self.pattern is not None else ()

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        facts = {
            "column": self.column,
            "type": type_to_text(self.type),
            "salt": self.salt,
            "null_code": self.null_code,
            "pattern": self.pattern.facts() if self.pattern is not None else None,
        }
        out.json("identifier", facts)


class IdentifierFitter:
    """Learns a pattern.

    Args:
        column: The column's name.
        arrow_type: Its Arrow type.
        salt: See :class:`IdentifierCodec`.
        given: The pattern that the specification gives; None to learn it.
    """

    def __init__(
        self, column: str, arrow_type: pa.DataType, salt: int, given: IdentifierPattern | None
    ) -> None:
        self._column = column
        self._type = arrow_type
        self._salt = salt
        self._given = given
        self._watch: PatternWatch = watch_for(arrow_type)
        self._rows = 0
        self._nulls = 0

    def update(self, values: pa.Array) -> None:
        """Take the next rows."""
        self._rows += len(values)
        self._nulls += values.null_count
        if self._given is None:
            self._watch.add(values.drop_null())

    def finish(self) -> FittedColumn:
        """Settle on a pattern."""
        filled = self._rows - self._nulls
        pattern = self._watch.finish() if self._given is None or not filled else self._given
        null_code, counts = -1, [filled]
        if pattern is None:
            null_code, counts = 0, [self._nulls]
        elif self._nulls:
            null_code = int(filled >= self._nulls)
            counts = [max(filled, self._nulls), min(filled, self._nulls)]
        codec = IdentifierCodec(self._column, self._type, pattern, self._salt, null_code)
        return FittedColumn(codec, (np.array(counts, np.int64),))


class Identifier:
    """Unique values of a pattern: whole numbers or texts."""

    name: ClassVar[str] = "identifier"
    config: ClassVar[type[Config]] = IdentifierConfig
    leads_to_people: ClassVar[bool] = False

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim unique columns that are called, or look, like keys."""
        if not _can_hold(profile.type) or not profile.unique or not len(profile.sample):
            return Detection(0.0)
        called = _KEY_NAME.search(profile.name) is not None
        if is_text(profile.type):
            return Detection(_text_confidence(profile, called=called))
        return Detection(_number_confidence(profile, called=called))

    def tells_apart(self, options: Mapping[str, Any]) -> bool:
        """Say that every row gets a value of its own."""
        del options
        return True

    def accepts(self, values: pa.Array, options: Mapping[str, Any]) -> pa.BooleanArray:
        """Accept whole numbers and texts; with a pattern, those that it matches."""
        pattern = options.get("pattern")
        if pattern is not None and is_text(values.type):
            matched = pc.match_substring_regex(values, f"^(?:{pattern})$")
            return pc.coalesce(matched, pa.scalar(value=True))
        return pa.array(np.full(len(values), _can_hold(values.type)))

    def start(
        self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext
    ) -> IdentifierFitter:
        """Begin to learn a column.

        Raises:
            SpecError: The Arrow type is neither whole number nor text, or no text for a pattern; or
                the pattern can't be made.
        """
        del ctx
        options = read_options(name, column, IdentifierConfig)
        arrow_type = require_type(name, column, self.name, _can_hold)
        given = None if options.pattern is None else _given(name, options.pattern, arrow_type)
        return IdentifierFitter(name, arrow_type, rng.integer(), given)

    def mask(
        self, name: str, values: pa.Array, options: Mapping[str, Any], secret: SecretKey
    ) -> pa.Array:
        """Return the number or code that each becomes: a bijection of all there can be.

        Raises:
            SpecError: The Arrow type is neither whole number nor text, or a number can't be masked.
        """
        from simulacra.datatypes.masking.keys import masked_keys

        del options
        return masked_keys(values, secret, where=name)

    def load(self, src: ArtifactReader) -> IdentifierCodec:
        """Read a codec that ``save`` wrote.

        Raises:
            BundleError: The members do not make a codec.
        """
        facts = src.json("identifier")
        try:
            pattern = load_pattern(facts["pattern"]) if facts["pattern"] is not None else None
            codec = IdentifierCodec(
                str(facts["column"]),
                type_from_text(facts["type"]),
                pattern,
                int(facts["salt"]),
                int(facts["null_code"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(str(error)) from error
        if not _can_hold(codec.type) or codec.null_code not in {-1, 0, 1}:
            raise damaged("the pattern of a column can't be right")
        return codec


def _given(name: str, expression: str, arrow_type: pa.DataType) -> ExpressionPattern:
    if not is_text(arrow_type):
        raise SpecError(
            f"a pattern is for texts, this column is {type_to_text(arrow_type)}",
            where=name,
            mend="Remove pattern from the column's options",
        )
    pattern = ExpressionPattern(expression)
    try:
        pattern.check()
    except ValueError as error:
        raise SpecError(
            f"the pattern {expression!r} can't be used",
            where=name,
            why=str(error),
            mend="Mend pattern in the column's options, or remove it: the form is then learned",
        ) from error
    return pattern


def _number_confidence(profile: ColumnProfile, *, called: bool) -> float:
    rows = profile.rows - profile.nulls
    if called:
        return 0.9
    if not pa.types.is_integer(profile.type):
        return 0.3
    least, greatest = profile.minimum, profile.maximum
    is_dense = least is not None and greatest - least == rows - 1
    if is_dense and (rows >= _ROWS_THAT_TELL or least in {0, 1}):
        return 0.85
    return 0.3


def _text_confidence(profile: ColumnProfile, *, called: bool) -> float:
    texts = profile.sample.cast(pa.large_string())

    def share(pattern: str) -> float:
        return float(pc.mean(pc.match_substring_regex(texts, pattern).cast(pa.int8())).as_py())

    spaced = share(r"\s")
    if called and spaced < _STRAY:
        return 0.9
    # Names and addresses are unique as well; keys are digits and capitals, or of one length.
    if spaced > 0.0 or share("@") > 0.0:
        return 0.0
    if share("[0-9]") > 0.5:
        return 0.85
    lengths = pc.min_max(pc.utf8_length(texts)).as_py()
    is_code = share("[a-z]") == 0.0 or lengths["min"] == lengths["max"]
    return 0.6 if is_code else 0.0


def _can_hold(arrow_type: pa.DataType) -> bool:
    whole = pa.types.is_integer(arrow_type) or (
        pa.types.is_decimal(arrow_type) and arrow_type.scale <= 0
    )
    return bool(whole or is_text(arrow_type))
