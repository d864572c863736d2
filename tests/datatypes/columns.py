"""Fitting, drawing and storing a single column, as the pipeline does."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core import registry
from simulacra.core.arrow_types import type_to_text
from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.context import RunContext
from simulacra.core.features import Codes, FeatureSpec, code_dtype
from simulacra.core.protocols import BLOCK_ROWS, Codec, ColumnProfile, DataType, FittedColumn
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import ColumnSpec

SEED = 11


def datatype(name: str) -> DataType:
    return registry.load(Kind.DATATYPE, name)


def fit(
    name: str,
    values: pa.Array,
    options: dict[str, Any] | None = None,
    *,
    batch_rows: int = BLOCK_ROWS,
) -> FittedColumn:
    spec = ColumnSpec(type=name, arrow=type_to_text(values.type), options=options or {})
    fitter = datatype(name).start("t.c", spec, rng=RngKey(SEED), ctx=RunContext())
    for begin in range(0, len(values), batch_rows):
        fitter.update(values[begin : begin + batch_rows])
    fitted = fitter.finish()
    check_counts(fitted, len(values))
    return fitted


def check_counts(fitted: FittedColumn, rows: int) -> None:
    """Hold what the contract says of counts and features."""
    specs = fitted.codec.features
    assert len(specs) == len(fitted.counts)
    for spec, counts in zip(specs, fitted.counts, strict=True):
        assert counts.dtype == np.int64
        assert counts.shape == (spec.cardinality,)
        assert counts.min(initial=0) >= 0
        assert int(counts.sum()) == rows


def encode(codec: Codec, values: pa.Array) -> list[Codes]:
    """Encode, and hold what the contract says of codes."""
    arrays = codec.encode(values)
    assert len(arrays) == len(codec.features)
    for spec, codes in zip(codec.features, arrays, strict=True):
        assert codes.shape == (len(values),)
        assert codes.dtype == code_dtype(spec.cardinality)
        assert int(codes.max(initial=0)) < spec.cardinality
    return arrays


def decode(codec: Codec, arrays: list[Codes], *, seed: int = SEED, start: int = 0) -> pa.Array:
    """Decode in blocks, each with its own key."""
    parts = [
        codec.decode(
            [codes[begin : begin + BLOCK_ROWS] for codes in arrays],
            rng=RngKey(seed).child("column", "c").child("block", start + begin),
            start=start + begin,
        )
        for begin in range(0, max(len(arrays[0]), 1), BLOCK_ROWS)
    ]
    return joined(parts)


def joined(parts: list[pa.Array]) -> pa.Array:
    # The dictionaries of one column are equal; Arrow concatenates no others.
    return pa.concat_arrays(parts)


def round_trip(name: str, values: pa.Array, options: dict[str, Any] | None = None) -> pa.Array:
    """Fit, encode and decode; type, length and nulls must be those that came in."""
    codec = fit(name, values, options).codec
    out = decode(codec, encode(codec, values))
    out.validate(full=True)
    assert out.type == values.type
    assert len(out) == len(values)
    assert out.is_null().equals(values.is_null())
    return out


def reloaded(name: str, codec: Codec) -> Codec:
    """Store a codec in a bundle and read it back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "codec.sim"
        with write_bundle(path) as out:
            codec.save(out.child("column"))
        with open_bundle(path) as (_, src):
            return datatype(name).load(src.child("column"))


def assert_same_codec(one: Codec, other: Codec, arrays: list[Codes]) -> None:
    """Hold that two codecs have the same features and decode alike."""
    assert one.features == other.features
    assert list(one.kept_values()) == list(other.kept_values())
    assert same(decode(one, arrays), decode(other, arrays))


def same(one: pa.Array, other: pa.Array) -> bool:
    """Compare, NaN being equal to NaN."""
    if pa.types.is_floating(one.type):
        return one.type == other.type and np.array_equal(
            one.to_numpy(zero_copy_only=False), other.to_numpy(zero_copy_only=False), equal_nan=True
        )
    return one.equals(other)


def draw(fitted: FittedColumn, rows: int, *, seed: int = 5) -> pa.Array:
    """Draw from the marginals of a fitted column, features independently."""
    generator = RngKey(seed).generator()
    arrays = [
        generator.choice(spec.cardinality, rows, p=counts / counts.sum()).astype(
            code_dtype(spec.cardinality)
        )
        for spec, counts in zip(fitted.codec.features, fitted.counts, strict=True)
    ]
    return decode(fitted.codec, arrays)


def profile_of(name: str, values: pa.Array) -> ColumnProfile:
    filled = values.drop_null()
    distinct = len(filled.unique()) if len(filled) else 0
    bounds = {"min": None, "max": None}
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        bounds = pc.min_max(filled).as_py()
    return ColumnProfile(
        name,
        values.type,
        len(values),
        values.null_count,
        distinct,
        bool(len(filled)) and distinct == len(filled),
        bounds["min"],
        bounds["max"],
        filled[:20_000],
    )


def winner(name: str, values: pa.Array) -> tuple[str, dict[str, Any]]:
    """Return the datatype that claims a column most, and the options it found."""
    profile = profile_of(name, values)
    claims = {kind: datatype(kind).detect(profile) for kind in registry.names(Kind.DATATYPE)}
    best = max(claims, key=lambda kind: claims[kind].confidence)
    assert claims[best].confidence > 0
    return best, dict(claims[best].options)


def specs_of(codec: Codec) -> list[tuple[str, int]]:
    return [(spec.kind.value, spec.cardinality) for spec in codec.features]


def feature(codec: Codec) -> FeatureSpec:
    (only,) = codec.features
    return only
