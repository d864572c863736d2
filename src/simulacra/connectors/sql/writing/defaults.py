"""Defaults of columns, from one dialect to another: constants and the present moment."""

from __future__ import annotations

import re

from simulacra.connectors.sql.types.generic import Generic
from simulacra.connectors.sql.types.spelling import quoted_text

_CAST = r"(?:::[\w\s\".\[\]]+(?:\([\d,\s]*\))?)*"
_TEXT = re.compile(rf"(?s)\(*'((?:[^'\\]|''|\\.)*)'\)*{_CAST}\)*")
_NUMBER = re.compile(rf"\(*'?(-?\d+(?:\.\d+)?)'?\)*{_CAST}\)*")
_NOW = re.compile(r"(?i)\(*(now\(\)|current_timestamp(\(\d*\))?|get_current_timestamp\(\))\)*")
_TODAY = re.compile(r"(?i)\(*(curdate\(\)|current_date(\(\))?)\)*")
_FLAG = re.compile(rf"(?i)\(*(?:cast\()?'?(true|false|t|f|1|0)'?(?: as boolean\))?{_CAST}\)*")
_NULL = re.compile(rf"(?i)\(*null\)*{_CAST}\)*")


def is_null(default: str) -> bool:
    """Say whether a default is what columns without one have."""
    return _NULL.fullmatch(default) is not None


def carried(default: str, generic: Generic, source: str, target: str) -> str | None:
    """Return a default as another dialect writes it, None if it may mean something else there.

    Args:
        default: SQL of the source's dialect.
        generic: The column's type in the target.
        source: Name of the dialect it comes from.
        target: Name of that it goes to.
    """
    kind = generic["kind"]
    if kind == "boolean" and (match := _FLAG.fullmatch(default)):
        return "TRUE" if match[1].lower() in {"true", "t", "1"} else "FALSE"
    if kind in {"integer", "decimal", "float"} and (match := _NUMBER.fullmatch(default)):
        return match[1]
    if now := _present(default, generic, target):
        return now
    if kind in {"text", "enum", "date", "timestamp"} and (match := _TEXT.fullmatch(default)):
        if "mysql" in {source, target} and "\\" in match[1]:
            return None  # escapes differ
        text = quoted_text(match[1].replace("''", "'"))
        return f"({text})" if target == "mysql" and kind == "text" else text
    return None


def _present(default: str, generic: Generic, target: str) -> str | None:
    """Return the present moment or day as another dialect writes it, if that is the default."""
    if generic["kind"] == "timestamp" and _NOW.fullmatch(default):
        digits = f"({generic.get('digits', 6)})" if target == "mysql" else ""
        return f"CURRENT_TIMESTAMP{digits}"
    if generic["kind"] == "date" and _TODAY.fullmatch(default):
        return "(CURRENT_DATE)" if target == "mysql" else "CURRENT_DATE"
    return None
