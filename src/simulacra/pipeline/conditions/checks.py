"""What can be wanted of a table, and what can't."""

from __future__ import annotations

from simulacra.core.errors import UsageError
from simulacra.pipeline.conditions.wanted import Condition
from simulacra.pipeline.fitted_table import FittedTable


def check_drawable(condition: Condition, table: FittedTable, where: str) -> None:
    """Refuse conditions on what is not drawn from a distribution.

    Args:
        condition: What is wanted.
        table: The table.
        where: Its name, for messages.

    Raises:
        UsageError: The table is kept as it is, or a column is a key that is made otherwise.
    """
    if table.model is None:
        raise UsageError(
            f"{where} can't be given values of",
            why="its rows are kept as they are, or it has nothing but keys",
            mend="Leave it out",
        )
    for column in sorted(condition.columns):
        family = table.family
        if family is not None and column in family.unsettled | family.arranged:
            raise UsageError(
                f"{where}.{column} can't be given",
                why="other rows decide on it",
                mend="Give other columns, or remove the rule across rows that is about it",
            )
        if column not in table.model.names:
            raise UsageError(
                f"{where}.{column} can't be given",
                why="it is a key, which follows from the rows that are drawn",
                mend="Give columns of the table that it refers to",
            )
