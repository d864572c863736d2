"""How a CSV file is written: its options, and the style that a schema carries to a writer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, ClassVar

import pyarrow as pa
from pydantic import AfterValidator, Field

from simulacra.connectors.csv_sniff import UTF_8, Dialect, Quoting
from simulacra.connectors.csv_types import TRUTHS, ColumnType
from simulacra.core.protocols import Config


def _one_ascii(text: str) -> str:
    text = "\t" if text in {r"\t", "tab"} else text
    if len(text) != 1 or not text.isascii() or text in "\r\n":
        msg = "must be one ASCII character"
        raise ValueError(msg)
    return text


def _known_encoding(name: str) -> str:
    import codecs

    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise ValueError(str(error)) from None


class CsvOptions(Config):
    """Options of CSV files; what is not given is found out, or as in the file learned from."""

    delimiter: Annotated[
        str | None, AfterValidator(_one_ascii), Field(description="Between cells")
    ] = None
    quote: Annotated[str | None, AfterValidator(_one_ascii), Field(description="Around cells")] = (
        None
    )
    encoding: Annotated[
        str | None, AfterValidator(_known_encoding), Field(description="Python's name for it")
    ] = None
    header: Annotated[bool | None, Field(description="Whether the first row holds names")] = None


@dataclass(frozen=True, slots=True)
class CsvStyle:
    """What makes two CSV files look alike.

    Attributes:
        delimiter: Between cells.
        quote: Around cells that need it.
        encoding: Python's name for it.
        has_header: Whether the first row holds names.
        quoting: What is quoted even where it need not be.
        line_end: What ends a row.
        truths: For boolean columns by name, how true and false are spelled.
        nulls: For columns by name, what stands for null if not nothing.
        bare: Float columns whose whole numbers have no ``.0``.
    """

    KEY: ClassVar[bytes] = b"simulacra.csv"

    delimiter: str = ","
    quote: str = '"'
    encoding: str = UTF_8
    has_header: bool = True
    quoting: Quoting = "needed"
    line_end: str = "\n"
    truths: Mapping[str, Sequence[str]] = field(default_factory=dict)
    nulls: Mapping[str, str] = field(default_factory=dict)
    bare: Sequence[str] = ()

    @classmethod
    def of(cls, dialect: Dialect, types: Sequence[ColumnType]) -> CsvStyle:
        """Return the style of a file that was read."""
        columns = list(zip(dialect.names, types, strict=True))
        return cls(
            dialect.delimiter,
            dialect.quote,
            dialect.encoding,
            dialect.has_header,
            dialect.quoting,
            dialect.line_end,
            {
                name: column.truth
                for name, column in columns
                if pa.types.is_boolean(column.type) and column.truth != TRUTHS[0]
            },
            {name: column.null for name, column in columns if column.null},
            [
                name
                for name, column in columns
                if pa.types.is_floating(column.type) and column.whole_bare
            ],
        )

    @classmethod
    def for_writing(
        cls, schema: pa.Schema, options: CsvOptions, *, delimiter: str | None
    ) -> CsvStyle:
        """Return the style for a new file: as in the options, else as the schema's file had it.

        Args:
            schema: The columns, with the metadata of the file learned from, if it was CSV.
            options: What the user wants.
            delimiter: What the file's ending demands, None if nothing.
        """
        known = dict(json.loads((schema.metadata or {}).get(cls.KEY, b"{}")))
        wanted = {
            "delimiter": options.delimiter or delimiter,
            "quote": options.quote,
            "encoding": options.encoding,
            "has_header": options.header,
        }
        known.update({name: value for name, value in wanted.items() if value is not None})
        return cls(**known)

    def to_json(self) -> dict[str, Any]:
        """Return what ``for_writing`` reads."""
        return asdict(self)
