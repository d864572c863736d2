"""What may be said of how a database is read and written."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from simulacra.connectors.replacing import IfExists
from simulacra.core.protocols import Config


def _listed(value: Any) -> Any:
    """Take names from a text with commas, too."""
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class SqlReadOptions(Config):
    """Options to read a database with."""

    schemas: Annotated[
        Names,
        Field(alias="schema", description="Schemas, by commas; the default one unless told; * all"),
    ] = ()
    include: Annotated[Names, Field(description="Patterns of tables to read, as order*")] = ()
    exclude: Annotated[Names, Field(description="Patterns of tables not to read")] = ()
    views: Annotated[bool, Field(description="Whether views are read like tables")] = False


class SqlWriteOptions(Config):
    """Options to write a database with."""

    if_exists: Annotated[
        IfExists,
        Field(
            description="If a table is there: fail (unless it is empty), append to it or replace it"
        ),
    ] = IfExists.FAIL
    schema_name: Annotated[
        str | None, Field(alias="schema", description="Where tables are made", min_length=1)
    ] = None
