"""A table as those below it see it: a few codes a row, from its values.

Children are drawn given their parents' rows. What they are given are codes made of the parents'
*values*, so it is the same whether those are real or drawn, and however the parents were learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulacra.core import registry
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.context import RunContext
from simulacra.core.features import Codes, FeatureSpec
from simulacra.core.protocols import Codec
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import ColumnSpec
from simulacra.pipeline.flat_model import NamedCodec

_TELLING = {
    "boolean",
    "category",
    "coordinate",
    "date",
    "datetime",
    "decimal",
    "duration",
    "float",
    "integer",
    "time",
}
"""Datatypes of which a code tells something; that of a text or an identifier does not."""


@dataclass(frozen=True, slots=True)
class ParentView:
    """How a table's columns look from below.

    Attributes:
        codecs: The codec of each column seen; its first feature is what is seen.
    """

    codecs: Mapping[str, NamedCodec]

    def features(self) -> Mapping[str, FeatureSpec]:
        """Return the feature of each column."""
        return {name: named.codec.features[0] for name, named in self.codecs.items()}

    def encode(self, values: Mapping[str, pa.Array], columns: Iterable[str]) -> dict[str, Codes]:
        """Return the codes of some columns."""
        return {name: self.codecs[name].codec.encode(values[name])[0] for name in columns}

    def only(self, columns: Iterable[str]) -> ParentView:
        """Return the view of some columns."""
        return ParentView({name: self.codecs[name] for name in columns})

    def save(self, out: ArtifactWriter) -> None:
        """Write everything :meth:`load` needs."""
        out.json("view", {name: named.datatype for name, named in self.codecs.items()})
        save_codecs(self.codecs, out)

    @classmethod
    def load(cls, src: ArtifactReader) -> ParentView:
        """Read what :meth:`save` wrote."""
        return cls(load_codecs(src.json("view"), src))


def save_codecs(codecs: Mapping[str, NamedCodec], out: ArtifactWriter) -> None:
    """Write the codecs of columns, each by its place."""
    for place, named in enumerate(codecs.values()):
        named.codec.save(out.child(place))


def load_codecs(datatypes: Mapping[str, str], src: ArtifactReader) -> dict[str, NamedCodec]:
    """Read what :func:`save_codecs` wrote.

    Args:
        datatypes: The datatype of each column, in the order in which they were written.
        src: Where they are.
    """
    return {
        name: NamedCodec.of(
            name, datatype, registry.load(Kind.DATATYPE, datatype).load(src.child(place))
        )
        for place, (name, datatype) in enumerate(datatypes.items())
    }


def is_telling(column: ColumnSpec) -> bool:
    """Say whether a column's codes tell children something."""
    return column.type in _TELLING


def fit_view(
    columns: Mapping[str, ColumnSpec],
    sample: Mapping[str, pa.Array],
    *,
    where: str,
    rng: RngKey,
    ctx: RunContext,
) -> ParentView:
    """Learn the codes of columns from a sample of the rows.

    Args:
        columns: The columns that tell something.
        sample: Their values.
        where: The table's name, for messages.
        rng: The key of the view.
        ctx: Limits and progress.
    """

    def fit(name: str) -> NamedCodec:
        codec, _ = fit_column(
            f"{where}.{name}", columns[name], sample[name], rng=rng.child(name), ctx=ctx
        )
        return NamedCodec.of(name, columns[name].type, codec)

    return ParentView(dict(zip(columns, ctx.map(fit, columns), strict=True)))


def fit_column(
    where: str, column: ColumnSpec, values: pa.Array, *, rng: RngKey, ctx: RunContext
) -> tuple[Codec, tuple[np.ndarray, ...]]:
    """Learn one column from all of its values; returns its codec and the rows per code."""
    fitter = registry.load(Kind.DATATYPE, column.type).start(where, column, rng=rng, ctx=ctx)
    fitter.update(values)
    fitted = fitter.finish()
    return fitted.codec, fitted.counts
