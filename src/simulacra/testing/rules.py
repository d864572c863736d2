"""What every rule must do, on a table in which it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.errors import UsageError
from simulacra.core.protocols import FittedRule, Rule
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.rules.relatives import NeedsSiblings
from simulacra.testing.check import Check, checks_of, require
from simulacra.testing.fresh import BUNDLE, run_fresh
from simulacra.testing.guards import (
    globally_seeded,
    load_bundle,
    no_global_randomness,
    save_bundle,
)

_SHUFFLES = 3


@dataclass(frozen=True, slots=True)
class RuleSubject:
    """A rule, its options, and rows that keep it."""

    rule: Rule
    options: Mapping[str, Any]
    table: pa.Table
    spec: TableSpec

    def fit(self) -> FittedRule:
        """Learn from the whole table."""
        config = self.rule.config.model_validate(dict(self.options))
        return self.rule.fit(self.table, config, table=self.spec)

    @property
    def batch(self) -> pa.RecordBatch:
        """The whole table."""
        return self.table.combine_chunks().to_batches()[0]


def checks(
    rule: Rule,
    *,
    options: Mapping[str, Any] | None = None,
    table: pa.Table | None = None,
    spec: TableSpec | None = None,
) -> list[Check]:
    """Return a rule's checks.

    Args:
        rule: The rule.
        options: Its options, as in a specification.
        table: Rows that keep it, at least one.
        spec: Their specification.

    Raises:
        UsageError: One of them is missing; no table keeps every rule.
    """
    if options is None or table is None or spec is None:
        raise UsageError(
            f"the rule {rule.name!r} can't be checked without rows that keep it",
            mend="Give conformance_tests options=, table= and spec=",
        )
    return checks_of(RuleSubject(rule, options, table, spec), _CHECKS)


def _broken(fitted: FittedRule, batch: pa.RecordBatch) -> int:
    violations = fitted.violations(batch)
    require(pa.types.is_boolean(violations.type), f"violations are {violations.type}, not bool")
    require(len(violations) == batch.num_rows, f"{len(violations)} for {batch.num_rows} rows")
    require(violations.null_count == 0, "violations has nulls: a row breaks the rule or not")
    return int(pc.sum(violations).as_py() or 0)


def names_columns_of_the_table(subject: RuleSubject, folder: Path) -> None:
    """The columns that it reads or changes are there."""
    del folder
    columns = subject.fit().columns
    require(columns, "it names no columns")
    missing = set(columns) - set(subject.table.column_names)
    require(not missing, f"it names columns that the table lacks: {sorted(missing)}")


def finds_no_violation_in_rows_that_keep_it(subject: RuleSubject, folder: Path) -> None:
    """Real rows that keep the rule are not accused."""
    del folder
    broken = _broken(subject.fit(), subject.batch)
    require(not broken, f"{broken} real rows are said to break it")


def gives_real_rows_back(subject: RuleSubject, folder: Path) -> None:
    """Decode undoes encode: values, types and order of the columns."""
    del folder
    fitted, batch = subject.fit(), subject.batch
    back = fitted.decode(fitted.encode(batch))
    require(back.schema.equals(batch.schema), f"the schema came back as {back.schema}")
    for name in batch.schema.names:
        require(back.column(name).equals(batch.column(name)), f"{name} came back otherwise")


def cannot_be_broken_by_what_is_drawn(subject: RuleSubject, folder: Path) -> None:
    """Whatever values meet in a row of encoded columns, the decoded row keeps the rule.

    A rule that says ``redraws`` is kept by drawing rows again, and isn't asked.
    """
    del folder
    fitted = subject.fit()
    if getattr(fitted, "redraws", False):
        return
    encoded = fitted.encode(subject.batch)
    for seed in range(_SHUFFLES):
        generator = RngKey(seed, ("shuffle",)).generator()
        mixed = pa.RecordBatch.from_arrays(
            [c.take(pa.array(generator.permutation(len(c)))) for c in encoded.columns],
            schema=encoded.schema,
        )
        decoded = fitted.decode(mixed)
        require(decoded.schema.equals(subject.batch.schema), "the schema came back otherwise")
        broken = _broken(fitted, decoded)
        require(not broken, f"{broken} of {decoded.num_rows} decoded rows break the rule")


def works_alike_however_rows_are_split(subject: RuleSubject, folder: Path) -> None:
    """Batches, empty ones too, become what the whole becomes.

    A rule about all rows of one parent needs them together, and isn't asked.
    """
    del folder
    if isinstance(subject.rule, NeedsSiblings):
        return
    fitted, batch = subject.fit(), subject.batch
    cuts = [0, 1, batch.num_rows // 2]
    parts = [
        batch.slice(0, 0),
        batch.slice(0, 1),
        batch.slice(1, cuts[2] - 1),
        batch.slice(cuts[2]),
    ]
    whole = pa.Table.from_batches([fitted.encode(batch)])
    split = pa.Table.from_batches([fitted.encode(part) for part in parts])
    require(split.combine_chunks().equals(whole.combine_chunks()), "encode depends on the batches")
    encoded = whole.combine_chunks().to_batches()[0]
    pieces = [encoded.slice(0, 0), encoded.slice(0, 1), encoded.slice(1)]
    decoded = pa.Table.from_batches([fitted.decode(piece) for piece in pieces])
    again = pa.Table.from_batches([fitted.decode(encoded)])
    require(decoded.combine_chunks().equals(again), "decode depends on the batches")


def gives_the_same_rows_when_loaded_afresh(subject: RuleSubject, folder: Path) -> None:
    """A saved rule, loaded in another process, decodes the same; it is plain data."""
    fitted = subject.fit()
    save_bundle(folder / BUNDLE, fitted.save)
    encoded = pa.Table.from_batches([fitted.encode(subject.batch)])
    (again,) = run_fresh(folder, subject.rule, "rule", [encoded])
    require(again.combine_chunks().equals(subject.table.combine_chunks()), "it decodes otherwise")
    loaded = load_bundle(folder / BUNDLE, subject.rule.load)
    require(tuple(loaded.columns) == tuple(fitted.columns), "its columns changed")


def leaves_its_inputs_alone(subject: RuleSubject, folder: Path) -> None:
    """Neither the rows given nor the global random states are touched."""
    del folder
    rows = subject.batch
    before = pa.ipc.read_record_batch(rows.serialize(), rows.schema)
    with globally_seeded(1), no_global_randomness():
        fitted = subject.fit()
        fitted.decode(fitted.encode(rows))
        fitted.violations(rows)
    require(rows.equals(before), "the rows given have been changed")


def learns_from_one_row(subject: RuleSubject, folder: Path) -> None:
    """A table of one row is a table."""
    del folder
    one = RuleSubject(subject.rule, subject.options, subject.table.slice(0, 1), subject.spec)
    fitted = one.fit()
    require(
        fitted.decode(fitted.encode(one.batch)).equals(one.batch), "the row came back otherwise"
    )


_CHECKS: list[Callable[[RuleSubject, Path], None]] = [
    names_columns_of_the_table,
    finds_no_violation_in_rows_that_keep_it,
    gives_real_rows_back,
    cannot_be_broken_by_what_is_drawn,
    works_alike_however_rows_are_split,
    gives_the_same_rows_when_loaded_afresh,
    leaves_its_inputs_alone,
    learns_from_one_row,
]
