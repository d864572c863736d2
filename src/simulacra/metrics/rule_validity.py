"""Rule validity: does every synthetic row keep what holds between the columns of real ones?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import ValidationError

from simulacra.core.errors import PluginError, SpecError
from simulacra.core.protocols import FittedRule, Rule
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind, load
from simulacra.core.schema import RuleSpec, TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import leaves
from simulacra.metrics.intervals import wilson
from simulacra.metrics.sides import Floor, at_most

_SHUFFLED_ROWS = 10_000
_CHANCE = "by chance"

Flags = NDArray[np.bool_]


class RuleValidity:
    """One score a rule: the share of synthetic rows that keep it; 1 where all do.

    The rules are those of the table's specification; if it has none, those of the option ``rules``,
    which an evaluation fills with what it finds in the real rows. Each is learned
    from the real rows and asked of the synthetic ones, in their order: a rule sees columns as the
    rules before it leave them. Rows that break a rule are not asked about later ones of the same
    columns. Columns that the specification lacks are those of other tables' rows, which rules may
    name. ``details["by_chance"]`` is the share of rows that keep the rule when the values of
    its columns are put together at random, in up to 10,000 real rows: what a rule is worth. Where
    that is all of them, and no synthetic row breaks it, the rule has no score; a rule of one column
    has no such share. All rows given are looked at.

    The floor is the share of the hold-out that keeps the rule; without one, of the real rows.
    Intervals are Wilson's.
    """

    name: ClassVar[str] = "rule_validity"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("rule_validity", "Rule validity", Group.VALIDITY),
    )
    optional: ClassVar[bool] = False

    def compute(
        self,
        real: pa.Table,
        synthetic: pa.Table,
        *,
        holdout: pa.Table | None,
        table: TableSpec,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> list[Score]:
        """Return one score a rule; one without a value if there is none."""
        declared = [rule for rule in table.rules if rule.active]
        rules: Sequence[RuleSpec] = declared or options.get("rules", ())
        why = "" if rules else "the table has no rules"
        if not synthetic.num_rows or not real.num_rows:
            why = "there are no real or no synthetic rows"
        if why:
            return [Score(self.name, None, details={"why": why})]
        judged = {"synthetic": synthetic}
        if holdout is not None and holdout.num_rows:
            judged["held-out"] = holdout
        used = [leaf for leaf in leaves(table, real) if leaf.spec.items is None]
        flat = table.model_copy(update={"columns": {leaf.name: leaf.spec for leaf in used}})
        sides = {
            name: _Side(
                pa.table(
                    {leaf.name: leaf.values(rows) for leaf in used}
                    | {n: rows.column(n) for n in rows.column_names if n not in table.columns}
                )
            )
            for name, rows in {"real": real, **judged}.items()
        }
        few = at_most(sides["real"].table, _SHUFFLED_ROWS, rng.child("few"))
        sides[_CHANCE] = _Side(_shuffled(few, rng.child("shuffled")))
        return [self._score(rule, flat, sides) for rule in rules]

    def _score(self, rule: RuleSpec, table: TableSpec, sides: dict[str, _Side]) -> Score:
        named = [name for name in _values(rule.options) if name in table.columns]
        details: dict[str, Any] = {"rule": rule.rule, "what": _text(rule), "options": rule.options}
        try:
            plugin: Rule = load(Kind.RULE, rule.rule)
            config = plugin.config.model_validate(rule.options)
            fitted = plugin.fit(sides["real"].table, config, table=table)
        except (PluginError, SpecError, ValidationError) as error:
            details = {"why": f"it can't be learned from the real rows: {error}"} | details
            return Score(self.name, None, tuple(dict.fromkeys(named)), details=details)
        columns = tuple(name for name in fitted.columns if name in table.columns)
        spare = _keeping(fitted, sides["real"].table)
        if spare is None:
            details = {"why": "no real row keeps it", **details}
            return Score(self.name, None, columns, details=details)
        kept = {
            name: side.apply(fitted, spare)
            for name, side in sides.items()
            if set(fitted.columns) <= set(side.table.column_names)
        }
        asked, good = kept["synthetic"]
        details |= {"rows": asked, "broken": asked - good}
        chance = _share(kept[_CHANCE])
        if len(set(fitted.columns)) > 1:
            details["by_chance"] = chance
            if chance == 1.0 and good == asked:
                details = {"why": "values put together at random keep it as well", **details}
                return Score(self.name, None, columns, details=details)
        value = _share(kept["synthetic"])
        if value is None:
            why = "every row breaks an earlier rule of the same columns"
            return Score(self.name, None, columns, details={"why": why, **details})
        other = "held-out" if "held-out" in kept else "real"
        details |= {
            "floor": Floor.HOLDOUT.value if other == "held-out" else Floor.REAL.value,
            "verdict": f"{asked - good:,} of {asked:,} synthetic rows break the rule, and "
            f"{kept[other][0] - kept[other][1]:,} of {kept[other][0]:,} {other} ones.",
            "does_not_show": "Whether rows that keep the rule are as real ones in other ways.",
        }
        return Score(self.name, value, columns, _share(kept[other]), details, wilson(value, asked))


class _Side:
    """The rows of one side.

    Args:
        table: The rows.

    Attributes:
        table: The rows as the rules so far encode them.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self._spoilt: dict[str, Flags] = {}

    def apply(self, fitted: FittedRule, spare: pa.RecordBatch) -> tuple[int, int]:
        """Ask all rows whether they keep a rule, and encode them by it.

        Rows that don't keep it can't be encoded: they get the values of another in the columns that
        the rule changes, and are not asked about these again.

        Args:
            fitted: The rule.
            spare: One row that keeps it.

        Returns:
            How many rows could be asked, and how many of them keep the rule.
        """
        batch = _one_batch(self.table)
        broken = _broken(fitted, batch)
        spoilt = np.zeros(len(broken), dtype=bool)
        for column in fitted.columns:
            spoilt |= self._spoilt.get(column, False)
        sound = _replaced(batch, broken, spare, fitted.columns) if broken.any() else batch
        encoded = fitted.encode(sound)
        for column in {*fitted.columns, *(set(encoded.schema.names) - set(batch.schema.names))}:
            place = encoded.schema.get_field_index(column)
            own = batch.schema.get_field_index(column)
            if place >= 0 and own >= 0 and encoded.column(place).equals(sound.column(own)):
                # Only read: later rules may ask for the rows' own values.
                encoded = encoded.set_column(place, batch.field(own), batch.column(own))
            else:
                self._spoilt[column] = self._spoilt.get(column, False) | spoilt | broken
        self.table = pa.Table.from_batches([encoded])
        return int((~spoilt).sum()), int((~spoilt & ~broken).sum())


def _replaced(
    batch: pa.RecordBatch, broken: Flags, spare: pa.RecordBatch, columns: Sequence[str]
) -> pa.RecordBatch:
    """Return the rows with the values of another in some columns, where they break a rule."""
    places = pa.array(np.where(broken, len(broken), np.arange(len(broken))))
    for name in dict.fromkeys(columns):
        values = pa.concat_arrays([batch.column(name), spare.column(name)]).take(places)
        batch = batch.set_column(batch.schema.get_field_index(name), batch.field(name), values)
    return batch


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    """Return a table as one batch."""
    whole = table.combine_chunks().to_batches()
    return whole[0] if whole else pa.RecordBatch.from_pylist([], schema=table.schema)


def _broken(fitted: FittedRule, batch: pa.RecordBatch) -> Flags:
    return np.asarray(fitted.violations(batch).to_numpy(zero_copy_only=False), dtype=bool)


def _keeping(fitted: FittedRule, real: pa.Table) -> pa.RecordBatch | None:
    """Return one row that keeps a rule."""
    batch = _one_batch(real)
    good = np.flatnonzero(~_broken(fitted, batch))
    return batch.slice(int(good[0]), 1) if len(good) else None


def _shuffled(table: pa.Table, rng: RngKey) -> pa.Table:
    """Return rows whose values come from different rows."""
    columns = {}
    for name in table.column_names:
        order = rng.child(name).generator().permutation(table.num_rows)
        columns[name] = table.column(name).take(pa.array(order))
    return pa.table(columns)


def _share(kept: tuple[int, int]) -> float | None:
    asked, good = kept
    return good / asked if asked else None


def _values(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts among a rule's options: names of columns, and more."""
    for value in options.values():
        for text in value if isinstance(value, list | tuple) else (value,):
            if isinstance(text, str):
                yield text


def _text(rule: RuleSpec) -> str:
    """Return a rule in a line."""
    options = ", ".join(f"{name} {value}" for name, value in rule.options.items())
    return f"{rule.rule}: {options}"
