"""SQL expressions over the columns of a row, worked out by DuckDB."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import pyarrow as pa

from simulacra.core.errors import SpecError
from simulacra.rules.values import plain

_DIVISION_FAILS_SINCE = 2
"""From this version of DuckDB on, a whole number by zero is an error unless told otherwise."""
_OF_MORE_THAN_A_ROW = """
    SELECT function_name FROM duckdb_functions()
    WHERE list_contains($names, function_name)
    GROUP BY 1
    HAVING NOT bool_or(
        function_type <> 'aggregate' AND coalesce(stability, 'CONSISTENT') = 'CONSISTENT'
    )
    ORDER BY 1
"""


class Expression:
    """An expression over columns, in the SQL of DuckDB.

    It sees the columns of one batch and nothing else: neither files nor extensions nor settings.

    Args:
        text: The expression, as ``quantity * price``.
        where: What it is for, for messages.
    """

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self._where = where

    def columns(self, names: Sequence[str]) -> list[str]:
        """Return which of these columns the expression reads, in their order.

        Raises:
            SpecError: It is no expression, or one whose value isn't decided by the row alone.
        """
        import duckdb

        query = "SELECT json_serialize_sql('SELECT ' || $text)"
        with _engine().cursor() as connection:
            try:
                found = connection.execute(query, {"text": self.text}).fetchall()
                parsed = json.loads(found[0][0])
                called = sorted(_values_of(parsed, "FUNCTION", "function_name"))
                of_rows = connection.execute(_OF_MORE_THAN_A_ROW, {"names": called}).fetchall()
            except duckdb.Error as error:
                raise self._wrong(error) from error
        if not _is_expression(parsed):
            raise SpecError(
                f"{self.text!r} is no expression",
                where=self._where,
                why=str(parsed.get("error_message", "it is a whole query, or several")),
            )
        others = [name for (name,) in of_rows]
        others += ["OVER"] * bool(_nodes(parsed, "WINDOW")) + ["SELECT"] * bool(
            _nodes(parsed, "SUBQUERY")
        )
        if others:
            raise SpecError(
                f"{self.text!r} uses {', '.join(others)}, whose value the row alone doesn't decide",
                where=self._where,
                mend="Use no aggregate, no query in the query, nothing random and no clock",
            )
        named = {names[-1] for names in _values_of(parsed, "COLUMN_REF", "column_names")}
        # SQL's names are the same in upper and lower case, unless a column has just this one.
        folded = {name.casefold() for name in named - set(names)}
        read = [name for name in names if name in named or name.casefold() in folded]
        missing = folded - {name.casefold() for name in read}
        if missing:
            raise SpecError(
                f"{self.text!r} reads {', '.join(sorted(missing))}, and there is no such column",
                where=self._where,
                mend=f"Choose from {', '.join(names)}; write names with dots or signs in quotes",
            )
        if len({name.casefold() for name in read}) < len(read):
            raise SpecError(
                f"{self.text!r} reads columns whose names differ in upper and lower case only",
                where=self._where,
                why=", ".join(read),
                mend="Rename one of them",
            )
        return read

    def values(self, rows: pa.RecordBatch) -> pa.Array:
        """Return the expression's value in each row, null where it has none.

        Args:
            rows: The rows, of at least one column.

        Raises:
            SpecError: It can't be worked out.
        """
        import duckdb

        table = pa.table({name: _readable(rows[name]) for name in rows.schema.names})
        with _engine().cursor() as cursor:
            try:
                found = cursor.from_arrow(table).project(f"({self.text}) AS value")
                column = found.to_arrow_table().column("value").combine_chunks()
            except duckdb.Error as error:
                raise self._wrong(error) from error
        return column.chunk(0) if isinstance(column, pa.ChunkedArray) else column

    def _wrong(self, error: Exception) -> SpecError:
        return SpecError(
            f"{self.text!r} can't be worked out",
            where=self._where,
            why=str(error).splitlines()[0],
        )


@cache
def _engine() -> Any:
    """Return a database without tables that sees no files; threads work on cursors of it."""
    import duckdb

    config: dict[str, Any] = {"enable_external_access": "false", "threads": "1"}
    if int(duckdb.__version__.split(".")[0]) >= _DIVISION_FAILS_SINCE:
        config["error_on_division_by_zero"] = "false"
    connection = duckdb.connect(config=config)
    # The hour of an instant must not depend on where the machine stands.
    connection.execute("SET GLOBAL TimeZone = 'UTC'; SET lock_configuration = true")
    return connection


def _is_expression(parsed: dict[str, Any]) -> bool:
    """Say whether ``SELECT …`` was parsed as one column without a table."""
    if parsed["error"] or len(parsed["statements"]) != 1:
        return False
    node = parsed["statements"][0]["node"]
    return (
        node["type"] == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and node["from_table"]["type"] == "EMPTY"
        and not _nodes(parsed, "STAR")
    )


def _nodes(node: object, kind: str) -> list[dict[str, Any]]:
    """Return all parts of one class in a parsed statement."""
    if isinstance(node, list):
        return [found for item in node for found in _nodes(item, kind)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("class") == kind else []
    return [*own, *(found for value in node.values() for found in _nodes(value, kind))]


def _values_of(parsed: object, kind: str, field: str) -> list[Any]:
    return [node[field] for node in _nodes(parsed, kind)]


def _readable(column: pa.Array) -> pa.Array:
    """Return a column in a type that DuckDB reads, and in which small products don't overflow."""
    column = plain(column)
    if pa.types.is_integer(column.type) and not pa.types.is_uint64(column.type):
        return column.cast(pa.int64())
    return column
