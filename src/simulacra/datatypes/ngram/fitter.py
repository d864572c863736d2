"""Learning a column of text from a stream."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.compiled import Hashes, Ints
from simulacra.core.context import RunContext
from simulacra.core.placeholders import QUOTED
from simulacra.core.protocols import FittedColumn
from simulacra.core.random import RngKey
from simulacra.datatypes.ngram.codec import EMPTY, NULL, TextCodec
from simulacra.datatypes.ngram.config import TextConfig
from simulacra.datatypes.ngram.copies import CopyGuardBuilder
from simulacra.datatypes.ngram.learn import learn_texts
from simulacra.datatypes.ngram.lengths import EDGES, Lengths, scan_batch
from simulacra.datatypes.ngram.sampling import TextSample
from simulacra.datatypes.ngram.tokens import as_bytes
from simulacra.datatypes.ngram.unicode import character_tables
from simulacra.datatypes.personal.mentions import MentionLearner
from simulacra.datatypes.personal.people import salt_of


class TextFitter:
    """Learns one column of text from a stream.

    One pass over all rows counts lengths and hashes every text; word order is learned from a
    uniform sample of the texts.
    """

    def __init__(
        self,
        name: str,
        arrow_type: pa.DataType,
        config: TextConfig,
        *,
        rng: RngKey,
        ctx: RunContext,
    ) -> None:
        self._name = name
        self._type = arrow_type
        self._config = config
        self._rng = rng
        self._ctx = ctx
        self._nulls = 0
        self._longest = 0
        self._longest_found = 0
        self._mentions = MentionLearner(name, salt_of(rng)) if config.personal else None
        self._length_counts = np.zeros(len(EDGES) - 1, np.int64)
        self._guard = CopyGuardBuilder()
        self._sample = TextSample(config.sample_texts, config.sample_bytes, rng.child("sample"))

    def update(self, values: pa.Array) -> None:
        """Take the next rows' values."""
        self._nulls += values.null_count
        texts = values.cast(pa.large_string()).drop_null()
        keys, longest, counts = _scanned(texts)
        quoting = pc.match_substring_regex(texts, QUOTED)
        if pc.any(quoting).as_py():
            # What a rule has hidden is filled in otherwise: those texts can't be copied whole.
            keys, _, _ = _scanned(texts.filter(pc.invert(quoting)))
        self._guard.add(keys)
        self._longest_found = max(self._longest_found, longest)
        if self._mentions is not None:
            # Copies are told by texts as they were; lengths are of those that are learned.
            hidden = self._mentions.hide(texts)
            if hidden is not texts:
                texts = hidden
                _, longest, counts = _scanned(texts)
        self._longest = max(self._longest, longest)
        self._length_counts += counts
        _, edges = as_bytes(texts)
        filled = np.diff(edges) > 0
        self._sample.add(texts if filled.all() else texts.filter(pa.array(filled)))

    def finish(self) -> FittedColumn:
        """Return the codec and the rows of each code.

        The rows of each length are exact; how they divide among topics is taken from the sample.
        """
        empties = int(self._length_counts[0])
        lengths = Lengths.of(self._length_counts, self._longest, buckets=self._config.length_codes)
        learned = None
        rows = np.zeros((1, 0), np.int64)
        if lengths.buckets:
            sample = self._sample.finish()
            self._ctx.progress.note(
                f"{self._name}: word order learned from {len(sample):,} of "
                f"{self._sample.seen:,} texts"
            )
            learned, sampled = learn_texts(
                sample,
                lengths,
                self._guard.finish(),
                min_count=self._config.min_count,
                topics=self._config.topics,
                rng=self._rng.child("words"),
            )
            rows = _apportion(lengths.rows, sampled)
        meaning, counts = _number_codes(self._nulls, empties, rows)
        mentions = None
        if self._mentions is not None and self._mentions.has_found:
            is_cut = learned is not None and bool(learned.cut.any())
            mentions = self._mentions.finish(self._longest_found if is_cut else None)
        codec = TextCodec(self._name, self._type, meaning, lengths, learned, mentions)
        return FittedColumn(codec, (counts,))


def _scanned(texts: pa.Array) -> tuple[Hashes, int, Ints]:
    """Return the hashes of long texts, the greatest length, and the rows per length."""
    data, edges = as_bytes(texts)
    keys = np.empty(len(texts), np.uint64)
    counts = np.zeros(len(EDGES) - 1, np.int64)
    found, longest = scan_batch(data, edges, character_tables(), EDGES, counts, keys)
    return keys[:found], longest, counts


def _apportion(totals: Ints, sampled: Ints) -> Ints:
    """Divide each column's total in the proportions of the sample, to whole rows.

    Args:
        totals: The rows per length bucket, shape ``(buckets,)``.
        sampled: The sampled texts, shape ``(topics, buckets)``.
    """
    # A bucket without a sampled text: all rows to the first topic.
    shares = np.cumsum(np.vstack([sampled[:1] + (sampled.sum(axis=0) == 0), sampled[1:]]), axis=0)
    edges = np.rint(totals * (shares / shares[-1])).astype(np.int64)
    rows: Ints = np.diff(edges, axis=0, prepend=0)
    return rows


def _number_codes(nulls: int, empties: int, rows: Ints) -> tuple[Ints, Ints]:
    """Number what values can be, from the most frequent to the rarest.

    Returns:
        The topic and the length bucket (or ``NULL`` or ``EMPTY``) of each code, shape
        ``(codes, 2)``, and the rows of each code.
    """
    topics, buckets = np.indices(rows.shape).reshape(2, -1)
    special = [(NULL, nulls), (EMPTY, empties)]
    # Only a column without any value keeps a code that no row has.
    present = [pair for pair in special if pair[1] > 0] or special[: not rows.size]
    meaning = np.concatenate(
        [
            np.array([(0, kind) for kind, _ in present], np.int64).reshape(-1, 2),
            np.stack([topics, buckets], axis=1),
        ]
    )
    counts = np.concatenate([np.array([n for _, n in present], np.int64), rows.ravel()])
    order = np.argsort(-counts, kind="stable")
    return meaning[order], counts[order]
