"""From the keys of a table to its rows: which parent does each child row refer to?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulacra.core.compiled import Flags, Hashes, Ints
from simulacra.pipeline.relations.keys.forms import KeyForm
from simulacra.pipeline.relations.keys.lookup import DirectTable, HashTable, table_of
from simulacra.pipeline.relations.keys.words import Words, hashed_words
from simulacra.pipeline.relations.parent_rows import NULL, ORPHAN

_FIRST_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class KeyIndex:
    """The rows of one table by one of its keys, of any number of columns and any types.

    A key is one or two 64-bit words: a whole number, date or time is one word, two such columns are
    two; text, bytes, long decimals and three columns or more are hashed to 128 bits. That keeps
    16 bytes a key of one word and 24 of two, whatever its length, with no chance worth a name that
    two keys share a hash (see ``sip_hash``); words themselves are compared, so that whole numbers
    are exact without any chance.

    Attributes:
        forms: How the values of each column become words.
        rows: Rows of the table, with or without a key.
        keys: Rows that can be found: those with a key that no earlier row has.
    """

    forms: tuple[KeyForm, ...]
    table: DirectTable | HashTable
    rows: int
    keys: int

    @classmethod
    def build(
        cls,
        batches: Iterator[pa.RecordBatch],
        columns: Sequence[str],
        *,
        where: str,
        rows: int | None = None,
    ) -> KeyIndex:
        """Read the key columns of a table.

        A row with a null in its key is not indexed; of rows with the same key the first is.

        Args:
            batches: The table's rows, in order; need hold no other columns.
            columns: The key columns.
            where: The table's name, for messages.
            rows: How many there are, if known: saves moving them as they come.

        Raises:
            SpecError: Values of a column can't be keys; names it.
        """
        forms: tuple[KeyForm, ...] = ()
        words, skipped = np.empty((0, 1), np.uint64), np.empty(0, bool)
        found = 0
        for batch in batches:
            if not forms:
                forms = tuple(
                    KeyForm.of(batch.schema.field(name).type, f"{where}.{name}") for name in columns
                )
                room = rows or _FIRST_ROWS
                words, skipped = np.empty((room, _width(forms)), np.uint64), np.empty(room, bool)
            key = _key(batch, columns, forms, where)
            end = found + batch.num_rows
            if end > len(skipped):
                room = max(end, len(skipped) + len(skipped) // 2)
                words, skipped = _grown(words, room), np.resize(skipped, room)
            words[found:end] = key.words
            skipped[found:end] = key.null | key.foreign
            found = end
        words, skipped = words[:found], skipped[:found]
        table = table_of(words, skipped)
        keys = found - int(np.count_nonzero(skipped)) - table.duplicates
        return cls(forms, table, found, keys)

    def rows_of(self, batch: pa.RecordBatch, columns: Sequence[str], *, where: str = "") -> Ints:
        """Return the row of the table that each child row refers to.

        Args:
            batch: Rows of a child.
            columns: Its foreign key, in the order of the key's columns.
            where: The child's name, for messages.

        Returns:
            Row numbers, shape ``(rows,)``: ``NULL`` where a column is null, ``ORPHAN`` where the
            table has no such key.

        Raises:
            SpecError: A column's values are of another family than the key's, as text and numbers.
        """
        if not self.forms:
            nulls = [np.asarray(batch.column(name).is_null()) for name in columns]
            return np.where(np.logical_or.reduce(nulls), NULL, ORPHAN).astype(np.int64)
        key = _key(batch, columns, self.forms, where)
        out = np.empty(batch.num_rows, np.int64)
        self.table.find(key.words, out)
        out[key.foreign | (out < 0)] = ORPHAN
        out[key.null] = NULL
        return out

    @property
    def duplicates(self) -> int:
        """Rows of the table whose key an earlier row has."""
        return self.table.duplicates

    @property
    def nbytes(self) -> int:
        """Bytes of memory held."""
        table = self.table
        if isinstance(table, DirectTable):
            return int(table.places.nbytes)
        return int(table.slots.nbytes + table.words.nbytes)

    def __len__(self) -> int:
        return self.keys


def _width(forms: Sequence[KeyForm]) -> int:
    return min(sum(form.width for form in forms), 2)


def _key(
    batch: pa.RecordBatch, columns: Sequence[str], forms: Sequence[KeyForm], where: str
) -> Words:
    parts = [
        form.words(batch.column(name), f"{where}.{name}" if where else name)
        for name, form in zip(columns, forms, strict=True)
    ]
    if len(parts) == 1:
        return parts[0]
    words = np.concatenate([part.words for part in parts], axis=1)
    if words.shape[1] > 2:
        words = hashed_words(words)
    return Words(words, _any([p.null for p in parts]), _any([p.foreign for p in parts]))


def _any(flags: Sequence[Flags]) -> Flags:
    found: Flags = np.logical_or.reduce(flags)
    return found


def _grown(words: Hashes, room: int) -> Hashes:
    grown = np.empty((room, words.shape[1]), np.uint64)
    grown[: len(words)] = words
    return grown
