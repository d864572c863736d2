"""What national numbers tell of people: the day of birth and the sex, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.datatypes.letters import Letters
from simulacra.datatypes.personal.people import FEMALE, MALE, UNTOLD

Dates = NDArray[np.datetime64]
"""Days, dtype datetime64[D]; NaT where none is known."""
_ZERO = 48


def is_day(arrow_type: pa.DataType) -> bool:
    """Say whether values of a type are days, or times of a day."""
    return bool(pa.types.is_date(arrow_type) or pa.types.is_timestamp(arrow_type))


def days_of(values: pa.Array) -> Dates:
    """Return dates or timestamps as days, shape ``(rows,)``, dtype datetime64[D]."""
    days: Dates = values.cast(pa.date32(), safe=False).to_numpy(zero_copy_only=False)
    return days.astype("datetime64[D]")


@dataclass(frozen=True, slots=True)
class Told:
    """Where a number tells what.

    Attributes:
        at: The place of the first digit of the day of birth.
        form: What stands there: years of ``YYYY`` or ``YY``, months ``MM``, days ``DD``.
        sex_at: The place of a digit that is odd for men and even for women.
        centuries: What is added to the month in the years from 1900 on, from 2000 on.
    """

    at: int
    form: str
    sex_at: int
    centuries: tuple[int, int] = (0, 0)

    def write_births(self, letters: Letters, births: Dates) -> None:
        """Write days of birth, in place; where none is known the digits stay."""
        known = np.flatnonzero(~np.isnat(births))
        days = births[known]
        months = days.astype("datetime64[M]")
        years = days.astype("datetime64[Y]").astype(np.int64) + 1970
        month = months.astype(np.int64) % 12 + 1 + np.where(years < 2000, *self.centuries)
        day = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
        place = self.at
        for part, number in (("YYYY", years), ("YY", years % 100), ("MM", month), ("DD", day)):
            if part in self.form and not (part == "YY" and "YYYY" in self.form):
                for turn in range(len(part)):
                    power = 10 ** (len(part) - 1 - turn)
                    letters[known, place + turn] = number // power % 10 + _ZERO
                place += len(part)

    def write_sexes(self, letters: Letters, sexes: NDArray[np.int8]) -> None:
        """Write sexes, in place; a digit that tells the other one is moved by one."""
        digits = letters[:, self.sex_at].astype(np.int64) - _ZERO
        wrong = (sexes != UNTOLD) & (digits % 2 != (sexes == MALE))
        # French numbers begin with 1 or 2, all others may have any digit.
        moved = np.where(digits == 0, 1, np.where(digits % 2 == 1, digits + 1, digits - 1))
        moved = np.where(moved > 9, 8, moved)
        letters[wrong, self.sex_at] = (moved[wrong] + _ZERO).astype(np.uint32)

    def read_sexes(self, letters: Letters) -> NDArray[np.int8]:
        """Return the sexes that numbers tell, shape ``(rows,)``, dtype int8."""
        digits = letters[:, self.sex_at].astype(np.int64) - _ZERO
        return np.where(digits % 2 == 1, MALE, FEMALE).astype(np.int8)


TOLD = {
    "be.nn": Told(0, "YYMMDD", 8),
    "cn.ric": Told(6, "YYYYMMDD", 16),
    "fr.nir": Told(1, "YYMM", 0),
    "pl.pesel": Told(0, "YYMMDD", 9, (0, 20)),
    "se.personnummer": Told(0, "YYMMDD", 8),
}
"""What numbers tell, by the names that ``schemes`` has."""
