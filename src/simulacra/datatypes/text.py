"""Free text: comments, descriptions, names of things. New text of the same kind, never a copy.

A column becomes one feature that says whether a value is null or empty, and else about how long it
is and what it is about. The text itself is drawn word by word from a model of which word follows
which two (:mod:`simulacra.datatypes.ngram`), over words seen in at least ``min_count`` rows; rarer
words are replaced by invented ones of the same shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from simulacra.core.artifacts import ArtifactReader
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.protocols import ColumnProfile, Config, Detection
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.datatypes.ngram.config import TextConfig, is_text_type
from simulacra.datatypes.personal.mentions import shares

if TYPE_CHECKING:
    from simulacra.datatypes.ngram.codec import TextCodec
    from simulacra.datatypes.ngram.fitter import TextFitter

_FEW = 20
"""Fewer different texts are a category, whatever they say."""
_SPEAKING = 0.2
"""The share of different texts that must mention people for those that repeat to be free text."""
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"


class Text:
    """Free text in any script, as strings of any Arrow string type."""

    name: ClassVar[str] = "text"
    config: ClassVar[type[Config]] = TextConfig

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim strings of several words (or long ones) that mostly differ."""
        if not is_text_type(profile.type) or not len(profile.sample):
            return Detection(0.0)
        values = profile.sample.cast(pa.large_string())
        filled = profile.rows - profile.nulls
        is_of_few = profile.distinct <= min(1_000, filled / 2)
        if is_of_few and profile.distinct < _FEW:
            return Detection(0.0)
        found = shares(pc.unique(values))
        told: dict[str, Any] = {"mentions": found} if found else {}
        if is_of_few:
            # As a category it would keep each of them whole.
            speaks = _count_words(values)[0] >= 3 and max(found.values(), default=0) >= _SPEAKING
            return Detection(0.88 if speaks else 0.0, told)
        words, wordless = _count_words(values)
        if words >= 3:
            return Detection(0.8, told)
        # Names of things: often two words, hardly ever the same.
        return Detection(0.55 if words >= 1.5 and wordless < 0.6 else 0.1, told)

    def accepts(self, values: pa.Array, options: Mapping[str, Any]) -> pa.BooleanArray:
        """Accept every string."""
        del options
        return pa.array(np.full(len(values), is_text_type(values.type)))

    def start(self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext) -> TextFitter:
        """Begin to learn a column.

        Raises:
            SpecError: An option is wrong, or the Arrow type is no string.
        """
        arrow_type = column.arrow_type()
        if not is_text_type(arrow_type):
            raise SpecError(
                f"free text must be strings, not {column.arrow}",
                where=name,
                mend="Choose another type for the column",
            )
        try:
            config = TextConfig.model_validate(column.options)
        except ValidationError as error:
            why = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
            raise SpecError("an option of the text is wrong", where=name, why=why) from error
        # Only here and below: it loads numba.
        from simulacra.datatypes.ngram.fitter import TextFitter

        return TextFitter(name, arrow_type, config, rng=rng, ctx=ctx)

    def load(self, src: ArtifactReader) -> TextCodec:
        """Read a codec that ``save`` wrote."""
        from simulacra.datatypes.ngram.codec import TextCodec

        return TextCodec.load(src)


def _count_words(values: pa.Array) -> tuple[float, float]:
    """Return the mean number of words, and the share of values of a single word."""
    spaced = pc.list_value_length(pc.utf8_split_whitespace(values)).to_numpy()
    # Scripts without spaces: about three characters a word.
    solo = pc.count_substring_regex(values, _UNSPACED).to_numpy() / 3
    words = spaced + solo
    return float(words.mean()), float((words <= 1).mean())
