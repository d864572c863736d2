"""SQL expressions over the columns of a row, worked out by DuckDB."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa

from simulacra.core.errors import SpecError


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
            SpecError: It is no expression.
        """
        import duckdb

        query = "SELECT json_serialize_sql('SELECT ' || $text)"
        with duckdb.connect() as connection:
            try:
                found = connection.execute(query, {"text": self.text}).fetchall()
            except duckdb.Error as error:
                raise self._wrong(error) from error
        parsed = json.loads(found[0][0])
        if parsed["error"] or len(parsed["statements"]) != 1:
            raise SpecError(
                f"{self.text!r} is no expression",
                where=self._where,
                why=str(parsed.get("error_message", "it is not one statement")),
            )
        named = set(_column_names(parsed))
        folded = {name.casefold() for name in named}
        return [name for name in names if name in named or name.casefold() in folded]

    def values(self, rows: pa.Table | pa.RecordBatch, kind: pa.DataType | None = None) -> pa.Array:
        """Return the expression's value in each row, null where it has none.

        Args:
            rows: The rows.
            kind: The type wanted; the expression's own when None.

        Raises:
            SpecError: It can't be worked out.
        """
        import duckdb

        table = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
        # Column names may be anything; the rows' order must stay.
        with duckdb.connect(
            config={"enable_external_access": "false", "threads": "1", "lock_configuration": "true"}
        ) as connection:
            try:
                found = connection.from_arrow(table).project(f"({self.text}) AS value")
                column = found.to_arrow_table().column("value").combine_chunks()
            except duckdb.Error as error:
                raise self._wrong(error) from error
        array = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
        if len(array) != table.num_rows:
            raise SpecError(
                f"{self.text!r} gives {len(array):,} values for {table.num_rows:,} rows",
                where=self._where,
                mend="Use no aggregate",
            )
        return array if kind is None else array.cast(kind, safe=False)

    def _wrong(self, error: Exception) -> SpecError:
        return SpecError(
            f"{self.text!r} can't be worked out",
            where=self._where,
            why=str(error).splitlines()[0],
        )


def _column_names(node: object) -> list[str]:
    """Return the names of all columns in a parsed statement."""
    if isinstance(node, list):
        return [name for item in node for name in _column_names(item)]
    if not isinstance(node, dict):
        return []
    own = node["column_names"][-1:] if node.get("class") == "COLUMN_REF" else []
    return [*own, *(name for value in node.values() for name in _column_names(value))]
