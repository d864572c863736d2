"""Databases of every shape that schemas have, each small, and each hard in one way."""

from simulacra.testing.shapes import circles, edges, keys, pairs, parents, strays, tenants
from simulacra.testing.shapes.catalogue import SHAPES, database

__all__ = [
    "SHAPES",
    "circles",
    "database",
    "edges",
    "keys",
    "pairs",
    "parents",
    "strays",
    "tenants",
]
