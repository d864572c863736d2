"""What every datatype must do that offers more than it must, and each of its columns that does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.protocols import Codec, FollowingCodec, ReplacingCodec, TellingApart
from simulacra.core.random import RngKey
from simulacra.testing.check import for_each, require
from simulacra.testing.datatype_subject import SEED, DatatypeSubject, decode, same_values
from simulacra.testing.guards import load_bundle, save_bundle

_BLOCKS = 3


def gives_each_row_its_own_value_as_it_says(subject: DatatypeSubject, folder: Path) -> None:
    """Where values are said to tell rows apart, none comes twice in any of several blocks."""
    del folder
    datatype = subject.datatype
    if not isinstance(datatype, TellingApart):
        return

    def check(name: str) -> None:
        if not datatype.tells_apart(subject.claims[name].options):
            return
        codec, rows = subject.fitted(name).codec, len(subject.columns[name])
        codes = codec.encode(subject.columns[name])
        blocks = [
            codec.decode(codes, rng=RngKey(SEED, (block,)), start=block * rows)
            for block in range(_BLOCKS)
        ]
        values = pa.chunked_array(blocks).drop_null()
        repeated = len(values) - pc.count_distinct(values).as_py()
        require(not repeated, f"{repeated} of {len(values)} values repeat, yet it tells rows apart")

    for_each(subject.claimed, check)


def follows_the_columns_of_its_row(subject: DatatypeSubject, folder: Path) -> None:
    """Beside columns that it follows, a value is as sound as alone, and its row's matter is its."""

    def check(name: str) -> None:
        codec = subject.fitted(name).codec
        if not isinstance(codec, FollowingCodec) or not codec.follows:
            return
        require(name not in codec.follows, "it follows itself")
        codes = codec.encode(subject.columns[name])
        alone = decode(codec, codes)
        require(
            same_values(_beside(codec, codes, {}), alone),
            "beside no column it is not as if it followed none",
        )
        given = {n: subject.columns[n] for n in codec.follows if n in subject.columns}
        rows = min([len(alone), *map(len, given.values())])
        codes = [array[:rows] for array in codes]
        alone = decode(codec, codes)
        given = {n: values.slice(0, rows) for n, values in given.items()}
        found = _beside(codec, codes, given)
        require(found.type == alone.type, f"{alone.type} became {found.type}")
        require(len(found) == rows, f"{len(found)} values for {rows} codes")
        require(found.is_null().equals(alone.is_null()), "nulls are in other rows")
        require(same_values(_beside(codec, codes, given), found), "the key doesn't settle it")
        half = rows // 2
        changed = {
            n: pa.concat_arrays([values.slice(0, half), pa.nulls(rows - half, values.type)])
            for n, values in given.items()
        }
        require(
            same_values(_beside(codec, codes, changed).slice(0, half), found.slice(0, half)),
            "it follows other rows than its own",
        )
        save_bundle(folder / "follows.sim", codec.save)
        loaded: Any = load_bundle(folder / "follows.sim", subject.datatype.load)
        require(tuple(loaded.follows) == tuple(codec.follows), "saved, it follows other columns")
        require(same_values(_beside(loaded, codes, given), found), "saved, it follows otherwise")

    for_each(subject.claimed, check)


def _beside(codec: FollowingCodec, codes: Any, beside: Mapping[str, pa.Array]) -> pa.Array:
    """Decode a block beside columns, as :func:`decode` does beside none."""
    start = len(codes[0])
    values = codec.decode_beside(codes, rng=RngKey(SEED), start=start, beside=beside)
    values.validate(full=True)
    return values


def counts_what_it_replaced(subject: DatatypeSubject, folder: Path) -> None:
    """Counts of replaced values are whole numbers by what they were, and are saved."""

    def check(name: str) -> None:
        codec = subject.fitted(name).codec
        if not isinstance(codec, ReplacingCodec):
            return
        counts = _counts_of(codec)
        save_bundle(folder / "replaced.sim", codec.save)
        loaded = load_bundle(folder / "replaced.sim", subject.datatype.load)
        require(isinstance(loaded, ReplacingCodec), "saved, it counts nothing any more")
        require(_counts_of(loaded) == counts, "saved, it counts otherwise")

    for_each(subject.claimed, check)


def _counts_of(codec: Codec) -> dict[str, int]:
    assert isinstance(codec, ReplacingCodec)  # noqa: S101 - for the type checker
    counts = dict(codec.replaced())
    for what, count in counts.items():
        require(isinstance(what, str), f"{what!r} is no text")
        require(type(count) is int, f"{what}: {count!r} is no whole number")
        require(count >= 0, f"{what}: {count} is below 0")
    return counts
