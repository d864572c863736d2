"""The command line: thin commands over :mod:`simulacra.api`."""

from simulacra.cli.app import main

__all__ = ["main"]
