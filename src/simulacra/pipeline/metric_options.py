"""Options that only some metrics take: whose they are, and which metrics they ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulacra.core.errors import UsageError
from simulacra.core.schema import DatasetSpec, TableSpec

QUASI_IDENTIFIERS = "quasi_identifiers"
_ASKS_FOR = {
    QUASI_IDENTIFIERS: "k_anonymity",
    "generator": "shadow_membership",
    "fair": "demographic_parity",
}
"""Metrics that are measured only when asked for, by the option that asks for them."""
_COLUMNS = (QUASI_IDENTIFIERS, "sensitive")
"""Options that name columns."""


def asked_for(options: Mapping[str, Any], metrics: Sequence[str]) -> list[str]:
    """Return metrics, and those that options ask for."""
    more = [metric for option, metric in _ASKS_FOR.items() if options.get(option)]
    return list(dict.fromkeys([*metrics, *more]))


def can_be_measured(
    metrics: Sequence[str], own: Mapping[str, Any], every: Mapping[str, Any]
) -> list[str]:
    """Return metrics but those that only other tables have options for.

    Args:
        metrics: The metrics wanted.
        own: The options of a table.
        every: Those of all tables.
    """
    elsewhere = {
        metric for option, metric in _ASKS_FOR.items() if every.get(option) and not own.get(option)
    }
    return [metric for metric in metrics if metric not in elsewhere]


def options_by_table(options: Mapping[str, Any], spec: DatasetSpec) -> dict[str, dict[str, Any]]:
    """Return for each table the options that are about it.

    Columns are named as ``column``, for every table that has it, or ``table.column``; a generator
    may be given by table. What is to be fair is about the tables that have all of its columns.

    Args:
        options: The options of all tables.
        spec: The tables.

    Raises:
        UsageError: There is no such column, or one generator is given for several tables.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in spec.tables}
    for option, value in options.items():
        parted: Mapping[str, Any]
        if option in _COLUMNS:
            parted = _columns(option, [value] if isinstance(value, str) else list(value), spec)
        elif option == "generator":
            parted = _generators(value, spec)
        elif option == "fair":
            parted = _fair(value, spec)
        else:
            parted = dict.fromkeys(spec.tables, value)
        for name, part in parted.items():
            found[name][option] = part
    return found


def _columns(option: str, wanted: Sequence[str], spec: DatasetSpec) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for column in wanted:
        owners = {
            name: named
            for name, table in spec.tables.items()
            if (named := _named(column, name, table)) is not None
        }
        if not owners:
            raise UsageError(
                f"there is no column {column!r} to be one of the {option.replace('_', ' ')}",
                mend="Write column or table.column",
            )
        for name, named in owners.items():
            found.setdefault(name, []).append(named)
    return found


def _named(column: str, name: str, table: TableSpec) -> str | None:
    """Return what a column is called within a table; None if it has no such column."""
    for called in (column, column.removeprefix(f"{name}.")):
        # The fields of a struct are named by their path, as address.city.
        if called in table.columns or called.split(".")[0] in table.columns:
            return called
    return None


def _fair(fair: Mapping[str, Any], spec: DatasetSpec) -> dict[str, dict[str, Any]]:
    sensitive = fair.get("sensitive") or []
    wanted = [fair.get("target"), *([sensitive] if isinstance(sensitive, str) else sensitive)]
    found: dict[str, dict[str, Any]] = {}
    for name, table in spec.tables.items():
        names = [_named(str(column), name, table) for column in wanted]
        if None not in names and len(names) > 1:
            found[name] = {**fair, "target": names[0], "sensitive": names[1:]}
    if not found:
        raise UsageError(
            f"no table has a target and sensitive columns as in fair={dict(fair)!r}",
            mend='Write {"target": "income", "sensitive": "sex"}, as column or table.column',
        )
    return found


def _generators(given: Any, spec: DatasetSpec) -> dict[str, Any]:
    if isinstance(given, Mapping):
        if unknown := given.keys() - spec.tables.keys():
            raise UsageError(
                f"a generator is given for the table {min(unknown)!r}, but none is so called"
            )
        return dict(given)
    if len(spec.tables) > 1:
        raise UsageError(
            "one generator is given for several tables", mend="Give a dict of them by table name"
        )
    return dict.fromkeys(spec.tables, given)
