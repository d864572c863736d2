"""What was learned of one flat table: rules, codecs and a model, and how to draw from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core import registry
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import UsageError
from simulacra.core.features import Codes, Features, FeatureSpec
from simulacra.core.likelihood import Likelihood
from simulacra.core.protocols import (
    Codec,
    FittedModel,
    FittedRule,
    FollowingCodec,
    ReplacingCodec,
)
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.pipeline.nesting import Flat, list_lengths
from simulacra.rules.columns import KeepsValues
from simulacra.rules.custom import redraws

GIVEN = "^"
"""What the names of given columns begin with: values of a row's parents."""


@dataclass(frozen=True, slots=True)
class NamedCodec:
    """A column's codec, the datatype that made it, and its features' names in the table."""

    datatype: str
    codec: Codec
    features: tuple[FeatureSpec, ...]

    @classmethod
    def of(cls, column: str, datatype: str, codec: Codec) -> NamedCodec:
        """Name a codec's features so that no two of a table are called alike."""
        features = tuple(
            replace(spec, name=f"{column}:{place}", column=column)
            for place, spec in enumerate(codec.features)
        )
        return cls(datatype, codec, features)


@dataclass(frozen=True, slots=True)
class FlatModel:
    """A learned flat table.

    Attributes:
        names: The flat columns in order, as found.
        rules: The fitted rules with their registry names, in the order of encoding.
        codecs: The codec of each column that is left after all rules encoded.
        model_name: The registry name of the model.
        model: The learned joint distribution of all features.
        items: For each list column, what was learned of its items given their row.
        given: Columns that rules use and that ``draw`` must be given.
    """

    names: tuple[str, ...]
    rules: tuple[tuple[str, FittedRule], ...]
    codecs: Mapping[str, NamedCodec]
    model_name: str
    model: FittedModel
    items: Mapping[str, FlatModel]
    given: frozenset[str] = frozenset()

    def draw(
        self,
        rows: int,
        *,
        context: Features | None,
        rng: RngKey,
        start: int,
        given: pa.RecordBatch | None = None,
        adjust: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None,
        held: Mapping[str, pa.Array] | None = None,
    ) -> Flat:
        """Draw rows.

        Args:
            rows: How many.
            context: The features of the rows that these belong to, one each; None for a table.
            rng: The key of the block.
            start: The number of the first row in the whole table.
            given: The columns that rules use but that were not learned.
            adjust: Changes drawn values before rules work others out from them.
            held: Values that columns must have, as rules encode them, given which the others are
                drawn; see :meth:`held`.
        """
        fixed = self._encode(held, rows) if held else None
        drawn = self.model.sample(rows, context=context, fixed=fixed, rng=rng.child("features"))
        batch = self._decode(drawn, rng, start, held or {})
        if adjust is not None:
            batch = adjust(batch)
        batch = self._keep_rules(batch, given)
        lists = {name: self._draw_items(name, batch, drawn, rng) for name in self.items}
        return Flat(batch, lists)

    @property
    def redraws(self) -> bool:
        """Whether a rule can't mend rows: those that break it must be drawn again."""
        return any(redraws(rule) for _, rule in self.rules)

    def kept(self, flat: Flat, given: pa.RecordBatch | None = None) -> pa.BooleanArray | None:
        """Say which drawn rows break no rule that can't mend them; None if there is no such rule.

        Args:
            flat: The rows.
            given: The columns that they were drawn with.
        """
        batch = flat.batch
        if given is not None:
            for name, values in zip(given.schema.names, given.columns, strict=True):
                if name not in batch.schema.names:
                    batch = batch.append_column(name, values)
        found = None
        for _, rule in self.rules:
            if redraws(rule):
                kept = pc.invert(rule.violations(batch))
                found = kept if found is None else pc.and_(found, kept)
        return found

    def _encode(self, values: Mapping[str, pa.Array], rows: int) -> Features:
        specs: list[FeatureSpec] = []
        codes: list[Codes] = []
        for name, array in values.items():
            specs += self.codecs[name].features
            codes += self.codecs[name].codec.encode(array)
        return Features.of(specs, codes, rows=rows)

    def _decode(
        self, drawn: Features, rng: RngKey, start: int, held: Mapping[str, pa.Array]
    ) -> pa.RecordBatch:
        """Return the values of codes; a code may stand for several, so those held are as given."""
        codes = dict(zip((spec.name for spec in drawn.specs), drawn.codes, strict=True))
        columns: dict[str, pa.Array] = dict(held)
        for name in sorted(self.codecs.keys() - held.keys(), key=self._follows):
            columns[name] = decoded(
                self.codecs[name].codec,
                [codes[spec.name] for spec in self.codecs[name].features],
                columns,
                rng=rng.child("column", name),
                start=start,
            )
        return pa.RecordBatch.from_pydict({name: columns[name] for name in self.codecs})

    def _follows(self, name: str) -> bool:
        return bool(followed_by(self.codecs[name].codec))

    def _keep_rules(self, batch: pa.RecordBatch, given: pa.RecordBatch | None) -> pa.RecordBatch:
        if given is not None:
            for name, values in zip(given.schema.names, given.columns, strict=True):
                batch = batch.append_column(name, values)
        for _, rule in reversed(self.rules):
            batch = rule.decode(batch)
        return batch.select(list(self.names))

    def reads(self, columns: Collection[str]) -> bool:
        """Say whether a rule reads or changes any of some columns."""
        return any(not set(columns).isdisjoint(rule.columns) for _, rule in self.rules)

    def with_values(
        self, rows: Mapping[str, pa.Array], values: Mapping[str, pa.Array]
    ) -> dict[str, pa.Array]:
        """Return the columns of drawn rows with other values in some of them.

        Columns that rules work out from those follow.

        Args:
            rows: All flat columns of the rows, and those given with them.
            values: The new values of columns that no rule works out.
        """
        if not self.reads(values) or not rows.keys() >= {*self.names, *self.given}:
            return dict(values)
        names = (*self.names, *self.given)
        batch = encode_columns(
            pa.RecordBatch.from_pydict({name: rows[name] for name in names}), self.rules
        )
        for name, array in values.items():
            batch = batch.set_column(batch.schema.get_field_index(name), name, array)
        for _, rule in reversed(self.rules):
            batch = rule.decode(batch)
        return {name: batch.column(name) for name in self.names} | dict(values)

    def log_prob(self, rows: pa.RecordBatch) -> NDArray[np.float64]:
        """Return the logarithm of the probability of each flat row, up to detail within codes.

        Raises:
            UsageError: The model doesn't tell probabilities, or draws rows of other tables' rows.
        """
        if not isinstance(self.model, Likelihood):
            raise UsageError(
                f"the model {self.model_name} doesn't tell how likely rows are",
                mend="Learn with the model forest",
            )
        encoded = encode_columns(rows, self.rules)
        values = {name: encoded.column(name) for name in self.codecs}
        return self.model.log_prob(self._encode(values, rows.num_rows), context=None)

    def left_alone(self, rows: pa.RecordBatch) -> frozenset[str]:
        """Return the columns of some real rows that rules neither rewrite nor may refuse."""
        asked = {name for _, rule in self.rules if redraws(rule) for name in rule.columns}
        encoded = encode_columns(rows, self.rules)
        return frozenset(
            name
            for name in self.names
            if name in self.codecs
            and name not in asked
            and encoded.column(name).equals(rows.column(name))
        )

    def _draw_items(self, name: str, batch: pa.RecordBatch, drawn: Features, rng: RngKey) -> Flat:
        lengths = list_lengths(batch.column(name))
        owner = np.repeat(np.arange(batch.num_rows), lengths)
        return self.items[name].draw(
            len(owner), context=as_context(drawn.take(owner)), rng=rng.child("items", name), start=0
        )

    def kept_values(self) -> Iterator[tuple[str, list[str]]]:
        """Yield, for each column, the real values that are part of what was learned."""
        for name, named in self.codecs.items():
            yield name, list(named.codec.kept_values())
        for _, rule in self.rules:
            if isinstance(rule, KeepsValues):
                for name, held in rule.kept_values():
                    yield name, [str(value) for value in held.unique().drop_null().to_pylist()]
        for name, items in self.items.items():
            for column, values in items.kept_values():
                yield f"{name}[].{column}", values

    def replaced(self) -> Iterator[tuple[str, Mapping[str, int]]]:
        """Yield, for each column with such, how many values were replaced, by what they were."""
        for name, named in self.codecs.items():
            if isinstance(named.codec, ReplacingCodec) and (made := named.codec.replaced()):
                yield name, made
        for name, items in self.items.items():
            for column, made in items.replaced():
                yield f"{name}[].{column}", made

    def save(self, out: ArtifactWriter) -> None:
        """Write everything :func:`load_flat_model` needs."""
        out.json(
            "table",
            {
                "names": self.names,
                "rules": [name for name, _ in self.rules],
                "columns": {name: named.datatype for name, named in self.codecs.items()},
                "model": self.model_name,
                "items": list(self.items),
                "given": sorted(self.given),
            },
        )
        for place, (_, rule) in enumerate(self.rules):
            rule.save(out.child("rules").child(place))
        for place, named in enumerate(self.codecs.values()):
            named.codec.save(out.child("columns").child(place))
        self.model.save(out.child("model"))
        for place, items in enumerate(self.items.values()):
            items.save(out.child("items").child(place))


def followed_by(codec: Codec) -> tuple[str, ...]:
    """Return the columns that a codec's values follow."""
    return codec.follows if isinstance(codec, FollowingCodec) else ()


def decoded(
    codec: Codec,
    codes: Sequence[Codes],
    columns: Mapping[str, pa.Array],
    *,
    rng: RngKey,
    start: int,
) -> pa.Array:
    """Return the values of codes.

    Args:
        codec: The column.
        codes: One array a feature.
        columns: Other columns of the rows, which they may follow.
        rng: The key of the block and column.
        start: The number of the first row.
    """
    if not isinstance(codec, FollowingCodec) or not codec.follows:
        return codec.decode(codes, rng=rng, start=start)
    beside = {name: columns[name] for name in codec.follows if name in columns}
    return codec.decode_beside(codes, rng=rng, start=start, beside=beside)


def as_context(features: Features) -> Features:
    """Return the same features in the role of context, named apart from those to be drawn."""
    specs = (replace(spec.as_context(), name=f"^{spec.name}") for spec in features.specs)
    return replace(features, specs=tuple(specs))


def load_flat_model(src: ArtifactReader) -> FlatModel:
    """Read what :meth:`FlatModel.save` wrote."""
    table: dict[str, Any] = src.json("table")
    rules = [
        (name, registry.load(Kind.RULE, name).load(src.child("rules").child(place)))
        for place, name in enumerate(table["rules"])
    ]
    codecs = {
        column: NamedCodec.of(
            column,
            datatype,
            registry.load(Kind.DATATYPE, datatype).load(src.child("columns").child(place)),
        )
        for place, (column, datatype) in enumerate(table["columns"].items())
    }
    model = registry.load(Kind.MODEL, table["model"]).load(src.child("model"))
    items = {
        name: load_flat_model(src.child("items").child(place))
        for place, name in enumerate(table["items"])
    }
    return FlatModel(
        tuple(table["names"]),
        tuple(rules),
        codecs,
        table["model"],
        model,
        items,
        frozenset(table["given"]),
    )


def encode_columns(
    batch: pa.RecordBatch, rules: Sequence[tuple[str, FittedRule]]
) -> pa.RecordBatch:
    """Apply the rules to rows as found."""
    for _, rule in rules:
        batch = rule.encode(batch)
    return batch
