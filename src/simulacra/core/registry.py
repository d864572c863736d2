"""Plug-ins: found by entry point, loaded by name when first used.

The built-in models, datatypes and so on come in by the same door as everybody else's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from simulacra.core.errors import PluginError

_OWN_DISTRIBUTION = "simulacra"
DISABLE_VARIABLE = "SIMULACRA_DISABLE_PLUGINS"


class Kind(StrEnum):
    """What a plug-in can be; the value ends the entry point group's name."""

    MODEL = "models"
    DATATYPE = "datatypes"
    RULE = "rules"
    CONNECTOR = "connectors"
    METRIC = "metrics"
    ENGINE = "engines"


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A registered plug-in, loaded or not.

    Attributes:
        kind: What it is.
        name: What users call it.
        distribution: The installed package that brings it.
        version: That package's version.
        problem: Why it can't be used, None if it can.
        mend: What would make it work.
    """

    kind: Kind
    name: str
    distribution: str
    version: str
    problem: str | None = None
    mend: str | None = None


# All at once: every package's metadata is read for them, whichever group is asked for.
_installed = cache(entry_points)


@cache
def _entries(kind: Kind) -> Mapping[str, tuple[EntryPoint, ...]]:
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in _installed().select(group=f"simulacra.{kind.value}"):
        if os.environ.get(DISABLE_VARIABLE) == "1" and _distribution(entry) != _OWN_DISTRIBUTION:
            continue
        found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "unknown"


def names(kind: Kind) -> list[str]:
    """Return the names of the registered plug-ins of one kind, sorted."""
    return sorted(_entries(kind))


@cache
def load(kind: Kind, name: str) -> Any:
    """Return the plug-in ``name`` of one kind, built.

    Raises:
        PluginError: No such plug-in; two packages bring one of that name; or it can't be imported.
    """
    entries = _entries(kind).get(name, ())
    if not entries:
        raise PluginError(
            f"there is no {kind.value[:-1]} called {name!r}",
            mend=f"Choose from {', '.join(names(kind)) or 'none'}, or install a package with it",
        )
    if len(entries) > 1:
        packages = " and ".join(sorted(_distribution(entry) for entry in entries))
        raise PluginError(
            f"the {kind.value[:-1]} {name!r} is registered by {packages}",
            mend="Uninstall one of them",
        )
    try:
        return entries[0].load()()
    except Exception as error:
        raise PluginError(
            f"the {kind.value[:-1]} {name!r} of {_distribution(entries[0])} can't be loaded",
            why=f"{type(error).__name__}: {error}",
            mend=_mend(entries[0], error),
        ) from error


def _mend(entry: EntryPoint, error: Exception) -> str:
    extras = f"[{','.join(entry.extras)}]" if entry.extras else ""
    if isinstance(error, ImportError) and error.name and not extras:
        return f"pip install {error.name.split('.')[0]}"
    return f"pip install --upgrade '{_distribution(entry)}{extras}'"


def describe(kind: Kind) -> list[PluginInfo]:
    """Return every registered plug-in of one kind, trying to load each."""
    infos = []
    for name, entries in sorted(_entries(kind).items()):
        dist = entries[0].dist
        problem = mend = None
        try:
            load(kind, name)
        except PluginError as error:
            problem, mend = error.why or error.what, error.mend
        infos.append(
            PluginInfo(
                kind, name, _distribution(entries[0]), dist.version if dist else "?", problem, mend
            )
        )
    return infos
