"""Fits the rules of a table: those declared, and those found in its rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from simulacra.core import registry
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.protocols import FittedRule
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import RuleSpec, TableSpec
from simulacra.pipeline.options import checked_config
from simulacra.pipeline.rule_clashes import Clash, decides_on, find_clash
from simulacra.rules.columns import check_given
from simulacra.rules.custom import Check, Custom, FittedCheck, redraws
from simulacra.rules.discovery import search
from simulacra.rules.relatives import is_beyond_rows

_Fit = Callable[[pa.RecordBatch], FittedRule]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A rule to be fitted.

    Attributes:
        name: Its plug-in.
        text: What it says, for people.
        found: Whether no one declared it: then it gives way where it can't be kept.
        fit: Fits it to rows as the rules before it leave them.
    """

    name: str
    text: str
    found: bool
    fit: _Fit


class RuleFitting:
    """Fits the rules of one flat table.

    Args:
        where: Its name, for messages.
        table: Its specification, of flat columns.
        sample: A uniform sample of its rows, and columns given beside them.
        given: Columns that are no columns of the table, and known before rows are drawn.
        fixed: Own columns that rules must not change, either.
        elsewhere: Own columns that are made after all rules, and what makes each.
        rng: The key of its rules.
        ctx: Progress.
    """

    def __init__(
        self,
        where: str,
        table: TableSpec,
        sample: pa.RecordBatch,
        *,
        given: Collection[str],
        fixed: Collection[str],
        elsewhere: Mapping[str, str],
        rng: RngKey,
        ctx: RunContext,
    ) -> None:
        self._where = where
        self._table = table
        self._sample = sample
        self._own = tuple(name for name in sample.schema.names if name not in given)
        self._elsewhere = {n: made for n, made in elsewhere.items() if n in self._own}
        self._unchanging = frozenset(given) | frozenset(fixed) | self._elsewhere.keys()
        self._rng = rng
        self._ctx = ctx

    def fit(self, checks: Sequence[Check], *, find: bool) -> tuple[tuple[str, FittedRule], ...]:
        """Return the fitted rules, in the order in which they encode.

        Args:
            checks: Functions that say which rows are as they must be.
            find: Whether to look for rules that no one declared.

        Raises:
            SpecError: Rows break a declared rule, or declared rules contradict each other.
        """
        declared = [
            rule
            for rule in self._table.rules
            if rule.active and not is_beyond_rows(registry.load(Kind.RULE, rule.rule))
        ]
        wanted = [self._checked(check) for check in checks]
        wanted += [self._declared(rule) for rule in declared]
        # What is kept by drawing again sees rows as they are in the end.
        wanted.sort(key=lambda rule: not redraws(registry.load(Kind.RULE, rule.name)))
        fitted, encoded = self._fitted(wanted)
        if find:
            findings = search(
                pa.Table.from_batches([encoded]),
                self._table,
                given=self._unchanging,
                known=self._table.rules,
                rng=self._rng,
            )
            wanted = [rule for rule, _ in fitted]
            wanted += [self._declared(rule, found=True) for rule in findings.rules]
            fitted, _ = self._fitted(wanted)
            for maybe in findings.suggestions:
                self._note(f"maybe {_text(maybe)}: {maybe.evidence}")
        fitted = self._without_clashes(fitted)
        for rule, _ in fitted:
            self._note(rule.text)
        return tuple((rule.name, made) for rule, made in fitted)

    def _without_clashes(
        self, fitted: list[tuple[_Wanted, FittedRule]]
    ) -> list[tuple[_Wanted, FittedRule]]:
        while True:
            clash = find_clash(
                [made for _, made in fitted],
                self._sample,
                given=self._unchanging,
                rng=self._rng.child("clashes"),
            )
            if clash is None:
                return fitted
            wanted = [rule for rule, _ in fitted]
            found = [place for place in (clash.broken, clash.by) if wanted[place].found]
            if not found:
                raise self._refused(wanted, clash)
            gone = wanted.pop(found[0])
            self._note(f"{gone.text} is not kept: other rules break it, or it breaks them")
            fitted, _ = self._fitted(wanted)

    def _refused(self, wanted: Sequence[_Wanted], clash: Clash) -> SpecError:
        broken, by = wanted[clash.broken], wanted[clash.by]
        if clash.broken == clash.by:
            return SpecError(
                f"the rule {broken.text} can't be kept",
                where=self._where,
                why=f"{clash.rows:,} of {clash.of:,} rows {clash.what}",
                mend="Remove it",
            )
        return SpecError(
            f"the rules {broken.text} and {by.text} contradict each other",
            where=self._where,
            why=f"the latter makes {clash.rows:,} of {clash.of:,} rows break the former",
            mend="Remove one of them, or list them in the other order",
        )

    def _fitted(
        self, wanted: Sequence[_Wanted]
    ) -> tuple[list[tuple[_Wanted, FittedRule]], pa.RecordBatch]:
        """Fit rules one after the other; return them and the rows as they encode them."""
        batch, fitted = self._sample, []
        for rule in wanted:
            try:
                made = rule.fit(batch)
            except SpecError as error:
                if not rule.found:
                    raise
                self._note(f"{rule.text} is not kept: {error}")
                continue
            encoded = made.encode(batch)
            clash = self._made_elsewhere(rule, made, batch, encoded)
            if clash is not None:
                if not rule.found:
                    raise clash
                self._note(f"{rule.text} is not kept: {clash}")
                continue
            check_given(batch, encoded, self._unchanging, where=f"{self._where}: {rule.name}")
            fitted.append((rule, made))
            batch = encoded
        return fitted, batch

    def _made_elsewhere(
        self, rule: _Wanted, made: FittedRule, before: pa.RecordBatch, after: pa.RecordBatch
    ) -> SpecError | None:
        """Return why a rule can't be kept that decides on a column made after all rules."""
        decided = [name for name in self._elsewhere if decides_on(made, name, before, after)]
        if not decided:
            return None
        return SpecError(
            f"the rules {rule.text} and {self._elsewhere[decided[0]]} contradict each other",
            where=f"{self._where}.{decided[0]}",
            why="both decide on this column; the latter does once other rows are drawn",
            mend="Remove one of them",
        )

    def _declared(self, rule: RuleSpec, *, found: bool = False) -> _Wanted:
        plugin = registry.load(Kind.RULE, rule.rule)
        config = checked_config(plugin.config, rule.options, where=f"{self._where}: {rule.rule}")

        def fit(batch: pa.RecordBatch) -> FittedRule:
            try:
                made: FittedRule = plugin.fit(
                    pa.Table.from_batches([batch]), config, table=self._table
                )
            except SpecError as error:
                raise self._placed(error) from error
            return made

        gives_way = found or rule.evidence is not None
        return _Wanted(rule.rule, _text(rule), gives_way, fit)

    def _checked(self, check: Check) -> _Wanted:
        def fit(batch: pa.RecordBatch) -> FittedRule:
            try:
                return FittedCheck.fit(check, pa.Table.from_batches([batch]), self._own)
            except SpecError as error:
                raise self._placed(error) from error

        return _Wanted(
            Custom.name, f"custom {getattr(check, '__name__', check)}", found=False, fit=fit
        )

    def _placed(self, error: SpecError) -> SpecError:
        """Return an error of a rule, which knows columns only, with the table's name."""
        where = f"{self._where}.{error.where}" if error.where else self._where
        return SpecError(error.what, where=where, why=error.why, mend=error.mend)

    def _note(self, text: str) -> None:
        self._ctx.progress.note(f"{self._where}: {text}")


def _text(rule: RuleSpec) -> str:
    options = ", ".join(f"{name}={_plain(value)}" for name, value in rule.options.items())
    return f"{rule.rule} {options}"


def _plain(value: object) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
