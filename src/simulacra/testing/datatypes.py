"""What every datatype must do, on each column that it claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.features import code_dtype
from simulacra.core.protocols import DataType
from simulacra.core.random import RngKey
from simulacra.testing import corpus
from simulacra.testing.check import Check, checks_of, for_each, require
from simulacra.testing.datatype_extras import (
    counts_what_it_replaced,
    follows_the_columns_of_its_row,
    gives_each_row_its_own_value_as_it_says,
)
from simulacra.testing.datatype_masks import masks_each_value_by_itself
from simulacra.testing.datatype_subject import (
    SEED,
    DatatypeSubject,
    decode,
    same_codes,
    same_values,
)
from simulacra.testing.fresh import BUNDLE, run_fresh
from simulacra.testing.guards import (
    globally_seeded,
    load_bundle,
    no_global_randomness,
    save_bundle,
)

_COUNT_ERROR = 0.02
"""Share of rows that counts may have under another code: streams are summarised."""


def checks(
    datatype: DataType,
    *,
    columns: Mapping[str, pa.Array] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Check]:
    """Return a datatype's checks.

    Args:
        datatype: The datatype.
        columns: Columns to try it on besides those of :mod:`simulacra.testing.corpus`, for values
            that the corpus lacks.
        options: Options of some columns, by their names, instead of those that it detects: for
            those that it can't, such as a column that is followed.
    """
    own = dict(columns or {})
    subject = DatatypeSubject(
        datatype,
        {**corpus.columns(), **own},
        lambda: {**corpus.own_profiles(), **corpus.profiles(own)},
        options or {},
    )
    return checks_of(subject, _CHECKS)


# --- claiming --------------------------------------------------------------------------------


def claims_a_column(subject: DatatypeSubject, folder: Path) -> None:
    """Of all columns it claims at least one; else nothing is checked: give ``columns=``."""
    del folder
    require(subject.claimed, "it claims no column of the corpus; give conformance_tests columns=")


def claims_with_a_confidence(subject: DatatypeSubject, folder: Path) -> None:
    """A confidence is a share, and options are what its config takes."""
    del folder

    def check(name: str) -> None:
        claim = subject.claims[name]
        require(0.0 <= claim.confidence <= 1.0, f"confidence {claim.confidence} is not in [0, 1]")
        if claim.confidence > 0:
            subject.datatype.config.model_validate(dict(claim.options))

    for_each(subject.claims, check)


def accepts_what_it_claims(subject: DatatypeSubject, folder: Path) -> None:
    """Each value of a claimed column is of its type, nulls too."""
    del folder

    def check(name: str) -> None:
        values = subject.columns[name]
        accepted = subject.datatype.accepts(values, subject.claims[name].options)
        require(pa.types.is_boolean(accepted.type), f"accepts gave {accepted.type}, not bool")
        require(len(accepted) == len(values), f"{len(accepted)} answers for {len(values)} values")
        strays = values.filter(pc.invert(accepted.fill_null(False)))  # noqa: FBT003 - no keyword
        require(not len(strays), f"it claims the column but not {strays[:3].to_pylist()}")

    for_each(subject.claimed, check)


# --- codes -----------------------------------------------------------------------------------


def encodes_within_its_features(subject: DatatypeSubject, folder: Path) -> None:
    """Codes are as many as rows, unsigned, and below the cardinality that features say."""
    del folder

    def check(name: str) -> None:
        codec, values = subject.fitted(name).codec, subject.columns[name]
        features = codec.features
        codes = codec.encode(values)
        names = [spec.name for spec in features]
        require(len(set(names)) == len(names), f"features share a name: {names}")
        require(len({spec.column for spec in features}) == 1, "it has not one column's features")
        require(len(codes) == len(features), f"{len(codes)} arrays for {len(features)} features")
        for spec, array in zip(features, codes, strict=True):
            require(array.shape == (len(values),), f"{spec.name}: shape {array.shape}")
            require(array.dtype.kind == "u", f"{spec.name}: codes are {array.dtype}, not unsigned")
            require((array < spec.cardinality).all(), f"{spec.name}: a code beyond cardinality")

    for_each(subject.claimed, check)


def counts_every_row(subject: DatatypeSubject, folder: Path) -> None:
    """Counts sum to the rows seen and agree with the codes of those rows."""
    del folder

    def check(name: str) -> None:
        fitted, values = subject.fitted(name), subject.columns[name]
        features, codes = fitted.codec.features, fitted.codec.encode(values)
        require(len(fitted.counts) == len(features), "as many counts as features are needed")
        for spec, counts, array in zip(features, fitted.counts, codes, strict=True):
            require(counts.shape == (spec.cardinality,), f"{spec.name}: shape {counts.shape}")
            require(counts.dtype == np.int64, f"{spec.name}: counts are {counts.dtype}, not int64")
            require(counts.sum() == len(values), f"{spec.name}: counts {counts.sum()} rows")
            found = np.bincount(array, minlength=spec.cardinality)
            misplaced = np.abs(found - counts).sum() / 2
            require(
                misplaced <= _COUNT_ERROR * len(values),
                f"{spec.name}: {misplaced:.0f} of {len(values)} rows counted under other codes",
            )

    for_each(subject.claimed, check)


def encodes_alike_however_rows_are_split(subject: DatatypeSubject, folder: Path) -> None:
    """Slices give the codes that the whole gives."""
    del folder

    def check(name: str) -> None:
        codec, values = subject.fitted(name).codec, subject.columns[name]
        whole = codec.encode(values)
        cuts = [0, len(values) // 4, len(values) // 4, len(values) // 2 + 1, len(values)]
        parts = [
            codec.encode(values.slice(begin, max(end - begin, 0))) for begin, end in pairwise(cuts)
        ]
        joined = [np.concatenate(arrays)[: len(values)] for arrays in zip(*parts, strict=True)]
        require(same_codes(joined, whole), "codes depend on how the rows are split")

    for_each([n for n in subject.claimed if len(subject.columns[n]) > 1], check)


def encodes_unseen_values(subject: DatatypeSubject, folder: Path) -> None:
    """Values that were not there while learning get codes too."""
    del folder

    def check(name: str) -> None:
        values = subject.columns[name]
        half = len(values) // 2
        codec = subject.learn(name, [values.slice(0, half)]).codec
        for spec, array in zip(codec.features, codec.encode(values), strict=True):
            require(array.shape == (len(values),), f"{spec.name}: rows were dropped")
            require((array < spec.cardinality).all(), f"{spec.name}: a code beyond cardinality")

    for_each(subject.claimed, check)


def learns_from_no_rows(subject: DatatypeSubject, folder: Path) -> None:
    """A column of an empty table becomes an empty column of its type."""
    del folder

    def check(name: str) -> None:
        codec, kind = subject.learn(name, []).codec, subject.columns[name].type
        codes = codec.encode(pa.array([], kind))
        require(all(not len(array) for array in codes), "no rows became codes")
        require(decode(codec, codes).type == kind, f"no codes became another type than {kind}")

    for_each(subject.claimed, check)


# --- values ----------------------------------------------------------------------------------


def decodes_to_its_type(subject: DatatypeSubject, folder: Path) -> None:
    """As many values as codes, of the column's Arrow type, null where they were null."""
    del folder

    def check(name: str) -> None:
        codec, values = subject.fitted(name).codec, subject.columns[name]
        decoded = decode(codec, codec.encode(values))
        require(decoded.type == values.type, f"{values.type} came back as {decoded.type}")
        require(len(decoded) == len(values), f"{len(decoded)} values for {len(values)} codes")
        require(decoded.is_null().equals(values.is_null()), "nulls came back in other rows")

    for_each(subject.claimed, check)


def decodes_any_codes(subject: DatatypeSubject, folder: Path) -> None:
    """A model may draw any combination of codes."""
    del folder

    def check(name: str) -> None:
        codec = subject.fitted(name).codec
        generator = RngKey(SEED, (name,)).generator()
        rows, kind = max(len(subject.columns[name]), 1), subject.columns[name].type
        codes = [
            generator.integers(0, spec.cardinality, rows).astype(code_dtype(spec.cardinality))
            for spec in codec.features
        ]
        decoded = decode(codec, codes)
        require(decoded.type == kind, f"{kind} became {decoded.type}")
        require(len(decoded) == rows, f"{len(decoded)} values for {rows} codes")

    for_each(subject.claimed, check)


def decodes_alike_for_the_same_key(subject: DatatypeSubject, folder: Path) -> None:
    """The key settles the values."""
    del folder

    def check(name: str) -> None:
        codec, values = subject.fitted(name).codec, subject.columns[name]
        codes = codec.encode(values)
        one, other = decode(codec, codes), decode(codec, codes)
        require(same_values(one, other), "the same codes and key gave other values")

    for_each(subject.claimed, check)


# --- keeping ---------------------------------------------------------------------------------


def learns_alike_for_the_same_key(subject: DatatypeSubject, folder: Path) -> None:
    """Learning twice gives the same bundle, whatever the global random states."""

    def check(name: str) -> None:
        for number in (1, 2):
            with globally_seeded(number), no_global_randomness():
                codec = subject.learn(name, [subject.columns[name]]).codec
                decode(codec, codec.encode(subject.columns[name]))
            save_bundle(folder / f"{number}.sim", codec.save)
        one, other = ((folder / f"{number}.sim").read_bytes() for number in (1, 2))
        require(one == other, "learning twice from the same key gave different bundles")

    for_each(subject.claimed, check)


def decodes_alike_when_loaded_afresh(subject: DatatypeSubject, folder: Path) -> None:
    """A saved column, loaded in another process, gives the same values."""
    names = subject.claimed

    def save(out: Any) -> None:
        for number, name in enumerate(names):
            subject.fitted(name).codec.save(out.child(number))

    save_bundle(folder / BUNDLE, save)
    codes = [subject.fitted(name).codec.encode(subject.columns[name]) for name in names]
    again = run_fresh(folder, subject.datatype, "decode", codes, seed=SEED)

    def check(name: str) -> None:
        number = names.index(name)
        wanted = decode(subject.fitted(name).codec, codes[number])
        require(
            same_values(again[number]["values"].combine_chunks(), wanted),
            "loaded in a fresh process it decodes otherwise",
        )
        loaded = load_bundle(folder / BUNDLE, lambda src: subject.datatype.load(src.child(number)))
        require(loaded.features == subject.fitted(name).codec.features, "its features changed")
        require(
            same_codes(loaded.encode(subject.columns[name]), codes[number]), "its codes changed"
        )

    for_each(names, check)


def leaves_values_alone(subject: DatatypeSubject, folder: Path) -> None:
    """The values given are not written to."""
    del folder
    pristine = corpus.columns()

    def check(name: str) -> None:
        values = subject.columns[name]
        codec = subject.learn(name, [values]).codec
        codes = codec.encode(values)
        kept = [array.copy() for array in codes]
        decode(codec, codes)
        require(same_codes(kept, codes), "decode changed the codes it was given")
        if name in pristine:
            require(same_values(values, pristine[name]), "the values given have been changed")

    for_each(subject.claimed, check)


def lists_kept_values_as_text(subject: DatatypeSubject, folder: Path) -> None:
    """What a bundle holds of the real values can be shown."""
    del folder

    def check(name: str) -> None:
        for value in subject.fitted(name).codec.kept_values():
            require(isinstance(value, str), f"{value!r} is not text")

    for_each(subject.claimed, check)


_CHECKS: list[Callable[[DatatypeSubject, Path], None]] = [
    claims_a_column,
    claims_with_a_confidence,
    accepts_what_it_claims,
    encodes_within_its_features,
    counts_every_row,
    encodes_alike_however_rows_are_split,
    encodes_unseen_values,
    learns_from_no_rows,
    decodes_to_its_type,
    decodes_any_codes,
    decodes_alike_for_the_same_key,
    learns_alike_for_the_same_key,
    decodes_alike_when_loaded_afresh,
    leaves_values_alone,
    lists_kept_values_as_text,
    masks_each_value_by_itself,
    gives_each_row_its_own_value_as_it_says,
    follows_the_columns_of_its_row,
    counts_what_it_replaced,
]
