"""Foreign keys, from rows of a server's own catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Keys = dict[tuple[str, str], list[dict[str, Any]]]


def foreign_keys(rows: Iterable[tuple[Any, ...]]) -> Keys:
    """Return the foreign keys of each table.

    Args:
        rows: One for each of their columns, as :data:`..catalogs.POSTGRESQL_KEYS` gives them.
    """
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        schema, table, name, column, parent_schema, parent, parent_column, *how = row
        deferrable, deferred, on_delete, on_update = how
        key = found.setdefault(
            (schema, table, name),
            {
                "name": name,
                "columns": [],
                "schema": parent_schema,
                "table": parent,
                "parent_columns": [],
                "deferrable": bool(deferrable),
                "initially": "DEFERRED" if deferred else None,
                "on_delete": _ACTIONS.get(on_delete),
                "on_update": _ACTIONS.get(on_update),
            },
        )
        key["columns"].append(column)
        key["parent_columns"].append(parent_column)
    keys: Keys = {}
    for (schema, table, _), key in found.items():
        keys.setdefault((schema, table), []).append(key)
    return keys


_ACTIONS = {
    **{action: action for action in ("CASCADE", "SET NULL", "SET DEFAULT")},
    "r": "RESTRICT",
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
}
"""By PostgreSQL's letters and MySQL's words; MySQL's RESTRICT is what it does unless told."""
