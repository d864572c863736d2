"""The options of a free-text column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from simulacra.core.protocols import Config


class TextConfig(Config):
    """Options of a free-text column."""

    min_count: Annotated[
        int,
        Field(ge=2, description="Rows a word must be seen in to be kept; rarer ones are invented"),
    ] = 5
    sample_texts: Annotated[
        int, Field(ge=1, description="Most texts to learn word order from, drawn uniformly")
    ] = 300_000
    sample_bytes: Annotated[
        int, Field(ge=1, le=2**30, description="Most bytes of text to learn word order from")
    ] = 32 * 2**20
    topics: Annotated[int, Field(ge=1, le=16, description="Most topics to tell texts apart by")] = 8
    personal: Annotated[
        bool,
        Field(description="Whether addresses, numbers and names of people in texts are made anew"),
    ] = True
    mentions: Annotated[
        Mapping[str, float],
        Field(description="Share of the texts that mention each kind of them, as found"),
    ] = Field(default_factory=dict)
    length_codes: Annotated[int, Field(ge=1, le=64, description="Most classes of length")] = 12


def is_text_type(arrow_type: pa.DataType) -> bool:
    """Say whether a type is one of Arrow's string types."""
    kinds = pa.types
    return bool(
        kinds.is_string(arrow_type)
        or kinds.is_large_string(arrow_type)
        or kinds.is_string_view(arrow_type)
    )
