"""Whatever users hand over, as named tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from simulacra.api.spec_files import specification_beside
from simulacra.connectors.choosing import Choice
from simulacra.connectors.frames import FrameKind, from_frame
from simulacra.connectors.locate import declared_tables, folder_of, open_source
from simulacra.core.context import RunContext
from simulacra.core.declared import DeclaredTable
from simulacra.core.errors import UsageError
from simulacra.core.protocols import BatchSource
from simulacra.core.schema import DatasetSpec
from simulacra.pipeline.declared_keys import without_lost_keys
from simulacra.pipeline.typed import typed

SINGLE_TABLE = "table"
"""The name of a table that was given without one."""


@dataclass(frozen=True, slots=True)
class Source:
    """A path or URL, and how to read what is there; may be given wherever a path may.

    Attributes:
        uri: A file, a folder, a pattern or a URL.
        options: Options of the connector, as ``{"delimiter": ";"}`` for CSV.
        include: Patterns of the tables wanted, as ``order*``; all if empty.
        exclude: Patterns of tables not wanted.
    """

    uri: str
    options: Mapping[str, Any]
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """Named tables, and what to give back in their place.

    Attributes:
        sources: The rows of each table.
        kinds: The frame type each came as.
        is_single: Whether one table was given, not a collection.
        spec: The specification that lies beside the tables, or None.
        declare: Asks the store what it declares of them.
        choice: Which tables were wanted.
    """

    sources: Mapping[str, BatchSource]
    kinds: Mapping[str, FrameKind]
    is_single: bool
    spec: DatasetSpec | None = None
    declare: Callable[[], Mapping[str, DeclaredTable]] = dict
    choice: Choice = field(default_factory=Choice)

    @property
    def declared(self) -> Mapping[str, DeclaredTable]:
        """What the store declares of the tables; asked anew each time.

        Raises:
            InputError: It can't be read.
        """
        return self.declare()

    def narrowed(self, spec: DatasetSpec, ctx: RunContext) -> DatasetSpec:
        """Return a specification without the tables that are not wanted."""
        wanted = {name: table for name, table in spec.tables.items() if self.choice.takes(name)}
        if len(wanted) == len(spec.tables):
            return spec
        return DatasetSpec(tables=without_lost_keys(wanted, ctx))


def source(
    uri: str | Path,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    **options: Any,
) -> Source:
    """Name data to read in a certain way, for :func:`evaluate` and wherever else a path may stand.

    Args:
        uri: A file, a folder, a pattern or a URL.
        include: Patterns of the tables wanted, as ``order*``; all if empty.
        exclude: Patterns of tables not wanted.
        options: Options of the connector; ``simulacra plugins csv`` lists those of CSV.

    Example:
        >>> Synthesizer().fit(source("people.txt.csv", delimiter=";", encoding="cp1252"))
    """
    return Source(str(uri), options, _patterns(include), _patterns(exclude))


def _patterns(given: Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def inputs_of(data: Any, ctx: RunContext) -> Inputs:
    """Open what the user gave: a frame, a dict of frames by table name, or a path or URL.

    Raises:
        InputError: It can't be read.
        SpecError: The specification beside the tables is wrong.
        UsageError: It is nothing that holds tables, or a pattern fits none of them.
    """
    if isinstance(data, str | Path):
        data = Source(str(data), {})
    if isinstance(data, Source):
        return _opened(data, ctx)
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


def _opened(data: Source, ctx: RunContext) -> Inputs:
    choice = Choice(data.include, data.exclude)
    folder = folder_of(data.uri)
    beside = specification_beside(folder) if folder is not None else None
    sources = open_source(
        data.uri,
        options=data.options,
        choice=choice,
        ignore=(beside[0],) if beside is not None else (),
        ctx=ctx,
    )
    if beside is not None:
        known = beside[1].tables
        sources = {name: typed(source, known.get(name), name) for name, source in sources.items()}
    return Inputs(
        sources,
        dict.fromkeys(sources, FrameKind.ARROW),
        is_single=len(sources) == 1,
        spec=beside[1] if beside is not None else None,
        declare=partial(declared_tables, data.uri, options=data.options, ctx=ctx),
        choice=choice,
    )


def _is_columns(data: Mapping[Any, Any]) -> bool:
    """Say whether a dict holds columns rather than tables: plain lists, not of rows."""
    return all(
        isinstance(value, list | tuple) and not (value and isinstance(value[0], Mapping))
        for value in data.values()
    )
