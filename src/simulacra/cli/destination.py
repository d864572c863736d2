"""Where a command writes tables, and what it says of them when they are there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import typer

from simulacra.connectors.replacing import IfExists


@dataclass(frozen=True, slots=True)
class Destination:
    """The target of a command that writes tables.

    Attributes:
        uri: A file, a folder or a database.
        file_format: Name of a connector; that of the ending when None.
        partitioned: Whether each table becomes a folder of Parquet parts.
        overwrite: Whether what is there may be replaced.
        if_exists: What is done with tables of a database.
    """

    uri: str
    file_format: str | None
    partitioned: bool
    overwrite: bool
    if_exists: IfExists

    @property
    def options(self) -> dict[str, Any]:
        """How it is written, as every ``write`` takes it."""
        return {
            "file_format": self.file_format,
            "partitioned": self.partitioned,
            "overwrite": self.overwrite,
            "if_exists": self.if_exists,
        }

    def check(self, source: str, *, may_replace: bool | None = None) -> None:
        """Refuse early what can't or must not be written.

        Args:
            source: What is read.
            may_replace: Instead of ``overwrite``, where it is known better.

        Raises:
            UsageError: It is the source, or options make no sense together.
            OutputError: There is something already, or no way to write.
        """
        from simulacra.connectors.targets import check_target

        options = self.options
        if may_replace is not None:
            options["overwrite"] = may_replace
        check_target(self.uri, source=source, **options)

    def say_written(self, rows: Mapping[str, int], *, as_json: bool, **more: Any) -> None:
        """Tell how many rows each table got.

        Args:
            rows: By table.
            as_json: Whether for machines, on standard output.
            more: What is told to them besides.
        """
        if as_json:
            typer.echo(json.dumps({"dest": self.uri, "rows": dict(rows), **more}))
            return
        tables = ", ".join(f"{name} {count:,}" for name, count in rows.items())
        typer.echo(f"{self.uri}: {tables} {'row' if sum(rows.values()) == 1 else 'rows'}", err=True)
