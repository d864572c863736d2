"""A fitted column of text: to codes, and from codes to new text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.compiled import Ints
from simulacra.core.errors import BundleError
from simulacra.core.features import Codes, FeatureKind, FeatureSpec, code_dtype
from simulacra.core.random import RngKey
from simulacra.datatypes.ngram.config import is_text_type
from simulacra.datatypes.ngram.learn import LearnedTexts
from simulacra.datatypes.ngram.lengths import Lengths
from simulacra.datatypes.ngram.storage import load_learned, load_lengths, save_learned, save_lengths
from simulacra.datatypes.personal.mentions import Mentions

NULL: Final = -2
EMPTY: Final = -1
"""In place of a length bucket: what a code stands for when there is no text."""


@dataclass(frozen=True, slots=True)
class TextCodec:
    """A fitted column of text.

    Attributes:
        column: The column's name.
        type: Its Arrow type.
        meaning: The topic and length bucket (or ``NULL`` or ``EMPTY``) of each code, shape
            ``(codes, 2)``, dtype int64.
        lengths: The lengths of its texts.
        learned: What the texts taught; None if there was none.
        mentions: What they say of people; None if nothing, or if it is not looked for.
    """

    column: str
    type: pa.DataType
    meaning: Ints
    lengths: Lengths
    learned: LearnedTexts | None
    mentions: Mentions | None = None

    @property
    def features(self) -> tuple[FeatureSpec, ...]:
        """One feature: null, empty, or topic and length."""
        return (FeatureSpec(self.column, self.column, FeatureKind.NOMINAL, len(self.meaning)),)

    def encode(self, values: pa.Array) -> list[Codes]:
        """Turn values into codes; a kind never seen gets the code of the nearest kind."""
        texts = values.cast(pa.large_string())
        if self.mentions is not None:
            texts = self.mentions.hide(texts)
        missing = texts.is_null().to_numpy(zero_copy_only=False)
        chars = pc.utf8_length(texts).fill_null(0).to_numpy(zero_copy_only=False)
        topics = np.zeros(len(texts), np.int64)
        buckets = np.where(missing, NULL, EMPTY)
        if self.learned is not None:
            filled = chars > 0
            topics = np.where(filled, self.learned.topics.topic_of(texts.fill_null("")), 0)
            buckets = np.where(filled, self.lengths.bucket_of(chars), buckets)
        return [self._code_table()[topics, buckets].astype(code_dtype(len(self.meaning)))]

    def _code_table(self) -> Ints:
        """Return the code of each topic and bucket; NULL and EMPTY count from the end."""
        topics, buckets = self.meaning.max(axis=0)
        table = np.full((topics + 1, max(buckets, -1) + 3), -1)
        table[self.meaning[:, 0], self.meaning[:, 1]] = np.arange(len(self.meaning))
        codes = {int(kind): code for code, (_, kind) in enumerate(self.meaning) if kind < 0}
        shortest = int(table[0, 0]) if self.learned is not None else 0
        empty = codes.get(EMPTY, shortest)
        table[:, EMPTY] = empty
        table[:, NULL] = codes.get(NULL, empty)
        return table

    def decode(self, codes: Sequence[Codes], *, rng: RngKey, start: int) -> pa.Array:
        """Draw a text for each code."""
        topics, buckets = self.meaning[codes[0]].T
        valid = buckets != NULL
        data, offsets = np.zeros(0, np.uint8), np.zeros(len(buckets) + 1, np.int64)
        if self.learned is not None:
            filled = buckets >= 0
            drawn = self.lengths.draw(buckets[filled], rng.child("length").generator())
            targets = np.zeros(len(buckets), np.int64)
            targets[filled] = drawn
            data, offsets = self.learned.generator.draw(
                targets,
                topics.astype(np.uint8),
                filled & self.learned.cut[np.maximum(buckets, 0)],
                rng=rng.child("words"),
            )
        mask = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
        texts = pa.LargeStringArray.from_buffers(
            len(buckets), pa.py_buffer(offsets), pa.py_buffer(data), mask
        )
        if self.mentions is not None:
            texts = self.mentions.fill(texts, seed=rng.seed, start=start)
        return texts.cast(self.type)

    def kept_values(self) -> Iterable[str]:
        """Yield the words and numbers of the source that may be written."""
        return iter(self.learned.kept_words if self.learned is not None else ())

    def replaced(self) -> Mapping[str, int]:
        """Return how often texts mentioned what is made anew, by what it was."""
        kinds = self.mentions.kinds if self.mentions is not None else {}
        return {kind: found.times for kind, found in kinds.items()}

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        facts = {"column": self.column, "type": type_to_text(self.type)}
        mentions = self.mentions.to_json() if self.mentions is not None else None
        out.json("text", {**facts, "mentions": mentions})
        out.arrays("codes", {"meaning": self.meaning})
        save_lengths(self.lengths, out)
        if self.learned is not None:
            save_learned(self.learned, out)

    @classmethod
    def load(cls, src: ArtifactReader) -> TextCodec:
        """Read a codec that ``save`` wrote.

        Raises:
            BundleError: The members do not make a codec.
        """
        facts = src.json("text")
        lengths = load_lengths(src)
        learned = load_learned(src, buckets=lengths.buckets) if lengths.buckets else None
        try:
            column, arrow_type = str(facts["column"]), type_from_text(facts["type"])
            meaning = src.arrays("codes")["meaning"].astype(np.int64)
            saved = facts["mentions"]
            mentions = Mentions.of_json(saved) if saved is not None else None
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(str(error)) from error
        topics = 1 if learned is None else learned.topics.count
        if not (
            is_text_type(arrow_type)
            and meaning.ndim == 2
            and meaning.shape[1] == 2
            and len(meaning)
            and ((meaning >= (0, NULL)) & (meaning < (topics, max(lengths.buckets, 0)))).all()
        ):
            raise _damaged("the codes can't be right")
        return cls(column, arrow_type, meaning, lengths, learned, mentions)


def _damaged(why: str) -> BundleError:
    return BundleError(
        "a text column in the bundle is unusable",
        why=why,
        mend="The file is damaged or was changed; write it again",
    )
