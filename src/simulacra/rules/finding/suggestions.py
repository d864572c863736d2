"""Rules that hold in nearly every row, with how many break them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.protocols import FittedRule
from simulacra.core.schema import RuleSpec
from simulacra.rules import ticks
from simulacra.rules.copied import Copy
from simulacra.rules.dependency import Dependency, DependencyConfig
from simulacra.rules.difference import Difference, DifferenceConfig, fit_difference
from simulacra.rules.equal import Equal, EqualConfig, FittedEqual
from simulacra.rules.expressions import Expression
from simulacra.rules.finding.codes import Codes
from simulacra.rules.finding.dependencies import exceptions_of
from simulacra.rules.finding.state import is_known
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
    made = [rule for rule in known if rule.active]
    found = []
    for rule in rules:
        if is_known(rule, known) or any(_settles(other, rule) for other in made):
            continue
        broken = _exceptions(columns, rule)
        rows = len(columns[rule.options["column"]])
        if 0 < broken <= (1 - LEAST_SHARE) * rows:
            evidence = f"{broken:,} of {rows:,} rows break it ({broken / rows:.2%})"
            found.append(rule.model_copy(update={"active": False, "evidence": evidence}))
    return found


def _settles(rule: RuleSpec, suggestion: RuleSpec) -> bool:
    """Say whether a rule leaves nothing to suggest of a column.

    Of one that is measured from another, or often repeats it, there is still to say what it nearly
    always keeps beside a third.
    """
    loose = rule.rule in (Copy.name, Difference.name)
    if loose and suggestion.rule in (Difference.name, Equal.name):
        pair = {"column", "minus"}
        return (
            rule.rule == suggestion.rule
            and all(rule.options.get(name) == suggestion.options.get(name) for name in pair)
            and "order" in rule.options
        )
    return bool(rule.options.get("column") == suggestion.options["column"])


def _exceptions(columns: Mapping[str, pa.Array], rule: RuleSpec) -> int:
    """Return how many rows break a rule."""
    count = _COUNTED.get(rule.rule)
    if count is None:
        msg = f"no exceptions are counted of {rule.rule}"
        raise ValueError(msg)
    return count(columns, rule.options)


def _of_dependency(columns: Mapping[str, pa.Array], options: Mapping[str, Any]) -> int:
    dependency = DependencyConfig(**options)
    codes = Codes({name: columns[name] for name in (dependency.column, *dependency.of)})
    return exceptions_of(dependency, dict(zip(codes.names, codes.codes, strict=True)))


def _of_formula(columns: Mapping[str, pa.Array], options: Mapping[str, Any]) -> int:
    formula = FormulaConfig(**options)
    reads = tuple(Expression(formula.expression, formula.column).columns(list(columns)))
    column = columns[formula.column]
    fitted = FittedFormula(formula, reads, column.type, _decimals(column))
    return _broken(fitted, columns, (formula.column, *reads))


def _of_equal(columns: Mapping[str, pa.Array], options: Mapping[str, Any]) -> int:
    equal = EqualConfig(**options)
    column = columns[equal.column]
    fitted = FittedEqual(equal, column.type, _decimals(column) or 0, rest=True)
    return _broken(fitted, columns, (equal.column, equal.of))


def _of_difference(columns: Mapping[str, pa.Array], options: Mapping[str, Any]) -> int:
    ordered = DifferenceConfig(**options)
    free = ordered.model_copy(update={"order": None})
    names = (ordered.column, ordered.other)
    rows = pa.table({name: columns[name] for name in names})
    if ordered.order is None:
        return 0
    return _broken(fit_difference(rows, free).ordered(ordered.order), columns, names)


def _decimals(column: pa.Array) -> int | None:
    return ticks.decimals_of(column) if pa.types.is_floating(column.type) else None


def _broken(fitted: FittedRule, columns: Mapping[str, pa.Array], names: Iterable[str]) -> int:
    batch = pa.RecordBatch.from_pydict({name: columns[name] for name in names})
    return int(pc.sum(fitted.violations(batch)).as_py() or 0)


_COUNTED: Mapping[str, Callable[[Mapping[str, pa.Array], Mapping[str, Any]], int]] = {
    Dependency.name: _of_dependency,
    Formula.name: _of_formula,
    Equal.name: _of_equal,
    Difference.name: _of_difference,
}
