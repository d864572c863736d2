"""Parents before children."""

from __future__ import annotations

from collections.abc import Iterable

from simulacra.connectors.sql.writing.tables import NewTable, Reference


def parents_first(
    tables: Iterable[NewTable],
) -> list[tuple[NewTable, tuple[Reference, ...], tuple[Reference, ...]]]:
    """Order tables so that each comes after those it refers to, as far as that can be.

    Returns:
        Each table with its foreign keys to what came before (or to itself, or to tables that are
        not among these), and those to what comes after: one of each cycle at least.
    """
    waiting = {table.place: table for table in tables}
    found = []
    while waiting:
        table = next(
            (
                table
                for place, table in waiting.items()
                if not any(
                    key.parent in waiting and key.parent != place for key in table.references
                )
            ),
            None,
        )
        # In a cycle that begins which refers to the fewest that are still to come.
        table = table or min(
            waiting.values(), key=lambda t: sum(key.parent in waiting for key in t.references)
        )
        del waiting[table.place]
        later = tuple(key for key in table.references if key.parent in waiting)
        ready = tuple(key for key in table.references if key.parent not in waiting)
        found.append((table, ready, later))
    return found
