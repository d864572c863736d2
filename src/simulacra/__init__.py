"""Simulacra learns real data and writes a synthetic copy of it, with none of its people."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulacra.api import (
        Metadata,
        Synthesizer,
        anonymize,
        between,
        compare,
        evaluate,
        load,
        source,
        subset,
    )
    from simulacra.core.errors import SimulacraError

__version__ = "0.1.0"
__all__ = [
    "Metadata",
    "SimulacraError",
    "Synthesizer",
    "__version__",
    "anonymize",
    "between",
    "compare",
    "evaluate",
    "load",
    "source",
    "subset",
]

_HOMES = {
    "Metadata": "simulacra.api",
    "Synthesizer": "simulacra.api",
    "anonymize": "simulacra.api",
    "between": "simulacra.api",
    "compare": "simulacra.api",
    "evaluate": "simulacra.api",
    "load": "simulacra.api",
    "source": "simulacra.api",
    "subset": "simulacra.api",
    "SimulacraError": "simulacra.core.errors",
}


def __getattr__(name: str) -> Any:
    """Import public names when first used: importing the package stays instant."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
