"""Names that SQLAlchemy leaves as MySQL quotes them: a back-tick is two there."""

from __future__ import annotations

from typing import Any

_NAMES = {"name", "constrained_columns", "column_names"}


def unescaped(part: Any) -> Any:
    """Return what SQLAlchemy tells of a MySQL table with names as they are, not as SQL has them."""
    if isinstance(part, list):
        return [unescaped(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _plain(value) if key in _NAMES else _with_plain_keys(value)
        for key, value in part.items()
    }


def _plain(name: Any) -> Any:
    if isinstance(name, list):
        return [_plain(one) for one in name]
    return name.replace("``", "`") if isinstance(name, str) else name


def _with_plain_keys(value: Any) -> Any:
    """Return options, of which some, as lengths in an index, go by columns' names."""
    if not isinstance(value, dict):
        return value
    return {_plain(key): _with_plain_keys(below) for key, below in value.items()}
