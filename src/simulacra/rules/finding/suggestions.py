"""Rules that hold in nearly every row, with how many break them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.schema import RuleSpec
from simulacra.rules import ticks
from simulacra.rules.dependency import Dependency, DependencyConfig
from simulacra.rules.expressions import Expression
from simulacra.rules.finding.codes import Codes
from simulacra.rules.finding.dependencies import exceptions_of
from simulacra.rules.formula import FittedFormula, Formula, FormulaConfig

LEAST_SHARE = 0.99


def suggested(
    columns: Mapping[str, pa.Array], rules: Iterable[RuleSpec], known: Collection[RuleSpec]
) -> list[RuleSpec]:
    """Return the rules that 99 % of the rows keep, inactive, with the evidence in words.

    Args:
        columns: The columns, before any rule rewrites them.
        rules: What nearly holds in fewer rows.
        known: Rules that are declared or kept: columns that they work out need no other rule.
    """
    made = {rule.options.get("column") for rule in known if rule.active}
    found = []
    for rule in rules:
        if rule.options["column"] in made or any(rule.says_the_same(other) for other in known):
            continue
        broken = _exceptions(columns, rule)
        rows = len(columns[rule.options["column"]])
        if 0 < broken <= (1 - LEAST_SHARE) * rows:
            evidence = f"{broken:,} of {rows:,} rows break it ({broken / rows:.2%})"
            found.append(rule.model_copy(update={"active": False, "evidence": evidence}))
    return found


def _exceptions(columns: Mapping[str, pa.Array], rule: RuleSpec) -> int:
    """Return how many rows break a rule."""
    if rule.rule == Dependency.name:
        options = DependencyConfig(**rule.options)
        codes = Codes({name: columns[name] for name in (options.column, *options.of)})
        return exceptions_of(options, dict(zip(codes.names, codes.codes, strict=True)))
    if rule.rule != Formula.name:
        msg = f"no exceptions are counted of {rule.rule}"
        raise ValueError(msg)
    formula = FormulaConfig(**rule.options)
    reads = tuple(Expression(formula.expression, formula.column).columns(list(columns)))
    column = columns[formula.column]
    decimals = ticks.decimals_of(column) if pa.types.is_floating(column.type) else None
    fitted = FittedFormula(formula, reads, column.type, decimals)
    names = (formula.column, *reads)
    batch = pa.RecordBatch.from_pydict({name: columns[name] for name in names})
    return int(pc.sum(fitted.violations(batch)).as_py() or 0)
