"""Whatever users hand over, as named tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulacra.connectors.frames import FrameKind, from_frame
from simulacra.connectors.locate import open_source
from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.protocols import BatchSource

SINGLE_TABLE = "table"
"""The name of a table that was given without one."""


@dataclass(frozen=True, slots=True)
class Source:
    """A path or URL, and how to read what is there; may be given wherever a path may.

    Attributes:
        uri: A file, a folder, a pattern or a URL.
        options: Options of the connector, as ``{"delimiter": ";"}`` for CSV.
    """

    uri: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Named tables, and what to give back in their place.

    Attributes:
        sources: The rows of each table.
        kinds: The frame type each came as.
        is_single: Whether one table was given, not a collection.
    """

    sources: Mapping[str, BatchSource]
    kinds: Mapping[str, FrameKind]
    is_single: bool


def source(uri: str | Path, **options: Any) -> Source:
    """Name data to read in a certain way, for :func:`evaluate` and wherever else a path may stand.

    Args:
        uri: A file, a folder, a pattern or a URL.
        options: Options of the connector; ``simulacra plugins csv`` lists those of CSV.

    Example:
        >>> Synthesizer().fit(source("people.txt.csv", delimiter=";", encoding="cp1252"))
    """
    return Source(str(uri), options)


def inputs_of(data: Any, ctx: RunContext) -> Inputs:
    """Open what the user gave: a frame, a dict of frames by table name, or a path or URL.

    Raises:
        InputError: It can't be read.
        UsageError: It is nothing that holds tables.
    """
    if isinstance(data, str | Path):
        data = Source(str(data), {})
    if isinstance(data, Source):
        sources = open_source(data.uri, options=data.options, ctx=ctx)
        return Inputs(sources, dict.fromkeys(sources, FrameKind.ARROW), len(sources) == 1)
    if isinstance(data, Mapping) and data and not _is_columns(data):
        frames = {str(name): from_frame(frame) for name, frame in data.items()}
        return Inputs(
            {name: source for name, (source, _) in frames.items()},
            {name: kind for name, (_, kind) in frames.items()},
            is_single=False,
        )
    if isinstance(data, Mapping) and not data:
        raise UsageError("there are no tables in an empty dict")
    source, kind = from_frame(data)
    return Inputs({SINGLE_TABLE: source}, {SINGLE_TABLE: kind}, is_single=True)


def _is_columns(data: Mapping[Any, Any]) -> bool:
    """Say whether a dict holds columns rather than tables: plain lists, not of rows."""
    return all(
        isinstance(value, list | tuple) and not (value and isinstance(value[0], Mapping))
        for value in data.values()
    )
