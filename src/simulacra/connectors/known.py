"""Which connector a URL or a file name is for."""

from __future__ import annotations

import os
import re

from simulacra.connectors.files import Place, split_suffix
from simulacra.connectors.secret import ENV
from simulacra.core import registry
from simulacra.core.errors import PluginError, UsageError
from simulacra.core.protocols import Connector

_FILESYSTEM = re.compile(r"\w[\w+.-]*://")


class Connectors:
    """The connectors that can be loaded; the broken ones are named only when nothing else fits."""

    def __init__(self) -> None:
        self._usable: list[Connector] = []
        self._broken: list[PluginError] = []
        for name in registry.names(registry.Kind.CONNECTOR):
            try:
                self._usable.append(registry.load(registry.Kind.CONNECTOR, name))
            except PluginError as error:
                self._broken.append(error)

    def suffixes(self) -> list[str]:
        """Return all file endings that a connector claims."""
        return sorted({suffix for connector in self._usable for suffix in connector.suffixes})

    def named(self, name: str) -> Connector:
        """Return the connector of a name.

        Raises:
            PluginError: There is none, or it can't be loaded.
        """
        connector: Connector = registry.load(registry.Kind.CONNECTOR, name)
        return connector

    def of_scheme(self, uri: str) -> Connector | None:
        """Return the connector that claims a URL's scheme, ``postgresql+driver`` as its base.

        The URL may be in an environment variable: ``env:NAME``.
        """
        if uri.startswith(ENV):
            uri = os.environ.get(uri.removeprefix(ENV), "")
        scheme, is_url, _ = uri.partition("://")
        base = scheme.partition("+")[0]
        for connector in self._usable:
            if is_url and (scheme in connector.schemes or base in connector.schemes):
                return connector
        return None

    def filled_by(self, uri: str) -> Connector | None:
        """Return the connector of a database, by a URL's scheme or a local file's ending.

        Databases are filled where they are; files are written anew.
        """
        connector = self.of_scheme(uri)
        if connector is None and not _FILESYSTEM.match(uri):
            connector = self.for_name(uri.rpartition("/")[2])
        return connector if getattr(connector, "fills", False) else None

    def for_name(self, name: str) -> Connector | None:
        """Return the connector with the longest suffix that the name ends in."""
        best, length = None, 0
        for connector in self._usable:
            _, suffix = split_suffix(name, connector.suffixes)
            if len(suffix) > length:
                best, length = connector, len(suffix)
        return best

    def of_file(self, place: Place) -> Connector:
        """Return the connector for a file that is to be read.

        Raises:
            UsageError: None claims its ending.
        """
        connector = self.for_name(place.name)
        if connector is None:
            broken = "; ".join(map(str, self._broken))
            raise UsageError(
                "no connector reads files that end so",
                where=place.uri,
                why=broken,
                mend=f"Known endings: {', '.join(self.suffixes())}",
            )
        return connector
