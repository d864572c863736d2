"""The rules found are those that the data's makers know of, and no others."""

from __future__ import annotations
