"""The base of every plug-in's options."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """Base of every plug-in's options: unknown names are errors, values can't change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
