"""A text that quotes other columns of its row: "Spoke to Alice Johnson about order 4711".

A placeholder stands in the text that is learned, and the row's own value in the text that is made.
So both say the same, and the value never gets among the words that are learned.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, NamedTuple, Self, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import BundleError, SpecError
from simulacra.core.placeholders import QUOTED
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules.columns import Names, column_of, replace
from simulacra.rules.equal import is_text
from simulacra.rules.quoted_rows import (
    as_texts,
    can_be_quoted,
    cut_at,
    free_placeholders,
    quoting_rows,
    with_texts,
)
from simulacra.rules.quoting import SPELLINGS, Quote, ordinary_words, spelled

NAMES_OF_PERSONS = frozenset({"first_name", "last_name", "person_name"})
"""The kinds of personal data whose single words are quoted, too."""


class QuotesConfig(Config):
    """Options of the rule ``quotes``."""

    text: Annotated[str, Field(description="The column of texts")]
    of: Annotated[
        Names,
        Field(min_length=1, description="Columns whose value of the same row it may quote"),
    ]
    words: Annotated[
        Names | None,
        Field(
            description="Those of them whose single words it may quote, too, as a first name; "
            "unless told, the names of persons"
        ),
    ] = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.text in self.of:
            msg = "a text does not quote itself"
            raise ValueError(msg)
        strange = set(self.words or ()) - set(self.of)
        if strange:
            msg = f"words of columns that 'of' lacks: {', '.join(sorted(strange))}"
            raise ValueError(msg)
        return self


class Form(NamedTuple):
    """How a value is quoted, and the character that stands for it."""

    column: str
    word: int | None
    spelling: str
    placeholder: str


class Quotes:
    """Puts the row's own values in the place of those that its text quotes."""

    name: ClassVar[str] = "quotes"
    config: ClassVar[type[Config]] = QuotesConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Learn in which forms values are quoted.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which columns.
            table: The table's specification, which says what are names of persons.

        Raises:
            SpecError: A column is missing or of another type, or there are too many forms.
        """
        options = cast("QuotesConfig", config)
        columns = {name: column_of(sample, name) for name in (options.text, *options.of)}
        _check_types(columns, options)
        words = options.words
        if words is None:
            words = names_of_persons(table, options.of)
        texts = columns.pop(options.text)
        values = {name: as_texts(column) for name, column in columns.items()}
        ordinary = ordinary_words(texts.to_pylist(), values, words)
        counts: Counter[tuple[str, int | None, str]] = Counter()
        for _, _, found in quoting_rows(texts, values, words, ordinary):
            counts.update({(quote.column, quote.word, quote.spelling) for quote in found})
        free = free_placeholders(
            [texts, *(v for v in columns.values() if not pa.types.is_integer(v.type))]
        )
        if len(counts) > len(free):
            raise SpecError(
                f"its texts quote other columns in {len(counts)} forms",
                where=options.text,
                why=f"at most {len(free)} can be told apart",
                mend="Name fewer columns in the option of",
            )
        # The commonest first; of those as common, in an order that rows don't change.
        forms = sorted(counts, key=lambda form: (-counts[form], repr(form)))
        return FittedQuotes(
            options.text,
            options.of,
            words,
            tuple(Form(*form, character) for form, character in zip(forms, free, strict=False)),
            ordinary,
            cut_at(texts),
        )

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote.

        Raises:
            BundleError: The member makes no rule.
        """
        saved = src.json("quotes")
        forms = tuple(Form(*form) for form in saved["forms"])
        if not all(
            form.column in saved["of"]
            and form.spelling in SPELLINGS
            and re.fullmatch(QUOTED, form.placeholder)
            for form in forms
        ):
            raise BundleError(
                "a rule in the bundle is unusable",
                why="its forms can't be right",
                mend="The file is damaged or was changed; write it again",
            )
        return FittedQuotes(
            saved["text"],
            tuple(saved["of"]),
            tuple(saved["words"]),
            forms,
            saved["ordinary"],
            saved["longest"],
        )


class FittedQuotes:
    """The rule ``quotes`` of known columns.

    Args:
        text: The column of texts.
        of: The columns that it quotes.
        words: Those of which it quotes single words, too.
        forms: How.
        ordinary: Words that many texts have in lower case, where they quote nothing.
        longest: Where texts are cut off, in code points; None if they aren't.
    """

    def __init__(
        self,
        text: str,
        of: Sequence[str],
        words: Sequence[str],
        forms: Sequence[Form],
        ordinary: Sequence[str],
        longest: int | None,
    ) -> None:
        self.columns: tuple[str, ...] = (text, *of)
        self.forms = tuple(forms)
        self._text = text
        self._of = tuple(of)
        self._words = frozenset(words)
        self._ordinary = frozenset(ordinary)
        self._longest = longest
        self._known = {(f.column, f.word, f.spelling): f.placeholder for f in forms}
        self._forms = {form.placeholder: form for form in forms}
        self._any = f"[{''.join(sorted(self._forms)) or QUOTED[1:-1]}]"
        self._hole = re.compile(f" ?({self._any})")

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Put placeholders in the place of quoted values."""
        if not self.forms:
            return batch
        texts = pc.replace_substring_regex(
            batch[self._text], self._any, "\N{REPLACEMENT CHARACTER}"
        )
        values = {name: as_texts(batch[name]) for name in self._of}
        changed = {
            row: self._hidden(text, found)
            for row, text, found in quoting_rows(texts, values, self._words, self._ordinary)
        }
        return replace(batch, self._text, with_texts(texts, changed))

    def _hidden(self, text: str, found: Sequence[Quote]) -> str:
        for quote in reversed(found):
            placeholder = self._known.get((quote.column, quote.word, quote.spelling))
            if placeholder is not None:
                text = text[: quote.begin] + placeholder + text[quote.end :]
        return text

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Put the row's values in the place of placeholders; nothing where there is none."""
        texts = batch[self._text]
        rows = np.flatnonzero(self._has_placeholder(texts))
        if not len(rows):
            return batch
        some = pa.array(rows)
        values = {name: as_texts(batch[name].take(some)) for name in self._of}
        changed = {}
        for place, (row, text) in enumerate(zip(rows.tolist(), texts.take(some), strict=True)):
            own = {name: column[place] for name, column in values.items()}
            changed[row] = self._filled(text.as_py(), own)[: self._longest]
        return replace(batch, self._text, with_texts(texts, changed))

    def _filled(self, text: str, values: Mapping[str, str | None]) -> str:
        def value(found: re.Match[str]) -> str:
            form = self._forms[found.group(1)]
            own = values[form.column]
            if own is None:
                # The space goes with what isn't there.
                return ""
            return found.group().replace(form.placeholder, spelled(own, form.word, form.spelling))

        return self._hole.sub(value, text)

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which texts have a placeholder left: any value may be quoted or not."""
        return pa.array(self._has_placeholder(batch[self._text]))

    def _has_placeholder(self, texts: pa.Array) -> NDArray[np.bool_]:
        if not self.forms:
            return np.zeros(len(texts), np.bool_)
        found = pc.fill_null(pc.match_substring_regex(texts, self._any), fill_value=False)
        return np.asarray(found)

    def kept_values(self) -> list[tuple[str, pa.Array]]:
        """Return the words of texts that the rule holds."""
        return [(self._text, pa.array(sorted(self._ordinary), pa.string()))]

    def save(self, out: ArtifactWriter) -> None:
        """Write the columns, the forms, and words that many texts share."""
        out.json(
            "quotes",
            {
                "text": self._text,
                "of": self._of,
                "words": sorted(self._words),
                "forms": self.forms,
                "ordinary": sorted(self._ordinary),
                "longest": self._longest,
            },
        )


def names_of_persons(table: TableSpec, columns: Sequence[str]) -> tuple[str, ...]:
    """Return which columns are names of persons, by the specification."""
    return tuple(
        name
        for name in columns
        if (column := table.columns.get(name)) is not None
        and column.type == "personal"
        and column.options.get("kind") in NAMES_OF_PERSONS
    )


def _check_types(columns: Mapping[str, pa.Array], options: QuotesConfig) -> None:
    for name, values in columns.items():
        fits = is_text if name == options.text else can_be_quoted
        if not fits(values.type):
            what = "is no text" if name == options.text else "can't be quoted"
            raise SpecError(
                f"{values.type} {what}",
                where=name,
                mend=f"Leave {name} out of the rule quotes",
            )
