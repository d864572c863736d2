"""National numbers of people and firms: their parts and their check digits.

Each is a template whose ``complete`` writes the check digits, so the same lines make a number and
judge one. Names are those of python-stdnum's modules, which the tests hold them to. To add one, add
an entry.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.datatypes.letters import Letters, matrix_of
from simulacra.datatypes.personal import check_digits as check
from simulacra.datatypes.personal.template import Template, digits, numbers

_DAYS = tuple(
    f"{month:02d}{day:02d}"
    for month, length in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), start=1)
    for day in range(1, length + 1)
)
_DAYS_FIRST = tuple(day[2:] + day[:2] for day in _DAYS)
_SHORT_YEARS = numbers(40, 99, 2)
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
# Districts that kept their code all along (GB/T 2260).
_DISTRICTS = (
    "110101",
    "110102",
    "110105",
    "120101",
    "120102",
    "120103",
    "140121",
    "140122",
    "140123",
    "150121",
    "150122",
    "150221",
    "210224",
    "210321",
    "210421",
    "222401",
    "222402",
    "222424",
    "230722",
    "232721",
    "310101",
    "310104",
    "310105",
    "330122",
    "330127",
    "340121",
    "340421",
    "340621",
    "350121",
    "360121",
    "422822",
    "422823",
    "422825",
    "430121",
    "430321",
    "433122",
    "510121",
    "510321",
    "510421",
    "520203",
    "522323",
    "522324",
    "530124",
    "532322",
    "532323",
    "540121",
    "540122",
    "610323",
    "610324",
    "610326",
    "620121",
    "620122",
    "620123",
    "632221",
    "632222",
    "640121",
    "640122",
    "650121",
    "652323",
    "652324",
)
_MONTH_DAY = "(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"


@dataclass(frozen=True, slots=True)
class Scheme:
    """A kind of number.

    Attributes:
        form: The form of real ones, as a regular expression of RE2.
        template: How new ones are made.
    """

    form: str
    template: Template

    def matches(self, compact: pa.Array) -> NDArray[np.bool_]:
        """Say which texts without separators, in capitals, have the form and the check digits."""
        found = pc.match_substring_regex(compact, f"^({self.form})$")
        right: NDArray[np.bool_] = found.fill_null(False).to_numpy(zero_copy_only=False).copy()  # noqa: FBT003
        if self.template.complete is not None and right.any():
            for length in np.unique(pc.utf8_length(compact.filter(pa.array(right))).to_numpy()):
                same = pc.equal(pc.utf8_length(compact), int(length)).fill_null(False)  # noqa: FBT003
                places = np.flatnonzero(right & same.to_numpy(zero_copy_only=False))
                given = matrix_of(compact.take(pa.array(places)))
                completed = given.copy()
                self.template.complete(completed)
                right[places] = (given == completed).all(axis=1)
        return right


def _us_ssn() -> tuple[tuple[str, ...], ...]:
    areas = tuple(n for n in numbers(1, 899, 3) if n != "666")
    return (areas, numbers(1, 99, 2), numbers(1, 9999, 4))


def _spanish(letters: Letters) -> None:
    number = check.dot(letters[:, :8], 10 ** np.arange(7, -1, -1))
    symbols = np.array([ord(c) for c in "TRWAGMYFPDXBNJZSQVHLCKE"], np.uint32)
    letters[:, 8] = symbols[number % 23]


def _dutch(letters: Letters) -> None:
    """Write the last digit; where it would be ten, the one before it moves on by one."""
    weights = np.arange(9, 1, -1)
    stuck = check.dot(letters[:, :8], weights) % 11 == 10
    letters[stuck, 7] += 1
    letters[:, 8] = check.dot(letters[:, :8], weights) % 11 + 48


def _belgian(letters: Letters) -> None:
    check.write_two(letters, 9, 97 - check.mod_97_of(letters[:, :9]))


def _brazilian(letters: Letters) -> None:
    for at in (9, 10):
        rest = check.dot(letters[:, :at], np.arange(at + 1, 1, -1)) * 10 % 11
        letters[:, at] = rest % 10 + 48


def _chinese_firm(letters: Letters) -> None:
    """Write the check characters of an organisation's code and of the whole (GB 32100)."""
    inner = check.dot(letters[:, 8:16], [3, 7, 9, 10, 5, 8, 4, 2])
    symbols = np.array([ord(c) for c in "0123456789X"], np.uint32)
    letters[:, 16] = symbols[-inner % 11]
    worth = np.zeros(128, np.int64)
    worth[[ord(c) for c in _USCC]] = np.arange(len(_USCC))
    weights = np.array([pow(3, place, 31) for place in range(17)])
    total = worth[np.minimum(letters[:, :17], 127)] @ weights
    letters[:, 17] = np.array([ord(c) for c in _USCC], np.uint32)[-total % 31]


_PESEL = check.weighted(
    [9, 7, 3, 1, 9, 7, 3, 1, 9, 7], 10, "0123456789", places=slice(0, 10), at=10
)
_CHINESE = check.weighted(
    [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2],
    11,
    "10X98765432",
    places=slice(0, 17),
    at=17,
)

NATIONAL: dict[str, Scheme] = {
    "be.nn": Scheme(
        f"[0-9]{{2}}{_MONTH_DAY}[0-9]{{5}}",
        Template((_SHORT_YEARS, _DAYS, numbers(1, 997, 3), ("??",)), _belgian),
    ),
    "br.cpf": Scheme("[0-9]{11}", Template((*digits(9), ("??",)), _brazilian)),
    "cn.ric": Scheme(
        f"[1-9][0-9]{{5}}(18|19|20)[0-9]{{2}}{_MONTH_DAY}[0-9]{{3}}[0-9X]",
        Template((_DISTRICTS, numbers(1945, 2005, 4), _DAYS, *digits(3), ("?",)), _CHINESE),
    ),
    "cn.uscc": Scheme(
        "[1-9A-Y][0-9A-Y][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}",
        Template((("91",), _DISTRICTS, *(tuple(_USCC),) * 8, ("??",)), _chinese_firm),
    ),
    "es.dni": Scheme("[0-9]{8}[A-Z]", Template((*digits(8), ("?",)), _spanish)),
    "fr.nir": Scheme(
        "[12][0-9]{2}(0[1-9]|1[0-2])[0-9]{10}",
        Template(
            (
                ("1", "2"),
                _SHORT_YEARS,
                numbers(1, 12, 2),
                numbers(1, 19, 2) + numbers(21, 95, 2),
                numbers(1, 990, 3),
                numbers(1, 999, 3),
                ("??",),
            ),
            check.french_insee,
        ),
    ),
    "in_.aadhaar": Scheme(
        "[2-9][0-9]{11}",
        Template((tuple("23456789"), *digits(10), ("?",)), check.verhoeff(at=11)),
    ),
    "nl.bsn": Scheme(
        # The eighth digit is even, so that those moved on by _dutch are nobody else's.
        "[0-9]{9}",
        Template((tuple("123456789"), *digits(6), tuple("02468"), ("?",)), _dutch),
    ),
    "pl.pesel": Scheme(
        "[0-9]{2}([02468][1-9]|[13579][0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{5}",
        Template((_SHORT_YEARS, _DAYS, *digits(4), ("?",)), _PESEL),
    ),
    "se.personnummer": Scheme(
        f"[0-9]{{2}}{_MONTH_DAY}[0-9]{{4}}",
        Template((_SHORT_YEARS, _DAYS, *digits(3), ("?",)), check.luhn(at=9)),
    ),
}
"""National numbers by the names of python-stdnum's modules, in their compact form."""

DIGITS_ALONE = frozenset({
    "be.nn", "fr.nir", "in_.aadhaar", "nl.bsn", "pl.pesel", "se.personnummer",
})  # fmt: skip
"""Those made of digits alone, the first not nought: whole numbers hold them."""

SSN = Scheme("[0-8][0-9]{8}", Template(_us_ssn()))
"""The Social Security number of the United States, which has no check digit."""

CARDS: dict[str, Scheme] = {
    "visa": Scheme("4[0-9]{15}", Template((("4",), *digits(14), ("?",)), check.luhn(at=15))),
    "mastercard": Scheme(
        "(5[1-5]|2[2-7])[0-9]{14}",
        Template((numbers(51, 55, 2), *digits(13), ("?",)), check.luhn(at=15)),
    ),
    "amex": Scheme(
        "3[47][0-9]{13}", Template((("34", "37"), *digits(12), ("?",)), check.luhn(at=14))
    ),
    "diners": Scheme(
        "3(0[0-5]|[68][0-9])[0-9]{11}",
        Template((("36", "38"), *digits(11), ("?",)), check.luhn(at=13)),
    ),
    "discover": Scheme(
        "6(011|5[0-9]{2})[0-9]{12}",
        Template((("6011",), *digits(11), ("?",)), check.luhn(at=15)),
    ),
    "jcb": Scheme(
        "35(2[89]|[3-8][0-9])[0-9]{12}",
        Template((numbers(3528, 3589, 4), *digits(11), ("?",)), check.luhn(at=15)),
    ),
    "maestro": Scheme(
        "(50[0-9]{2}|5[6-8][0-9]{2}|6[0-9]{3})[0-9]{8}",
        Template((("5018", "5020", "5038", "6304"), *digits(7), ("?",)), check.luhn(at=11)),
    ),
}

_BRITISH_BANKS = ("MIDL", "BARC", "LOYD", "NWBK")
IBANS: dict[str, Scheme] = {
    country: Scheme(
        f"{country}[0-9A-Z]{{{2 + sum(len(part[0]) for part in parts)}}}",
        Template(((country,), ("??",), *parts), check.iban),
    )
    for country, parts in {
        "AT": digits(16),
        "CH": digits(17),
        "DE": digits(18),
        "DK": digits(14),
        "GB": (_BRITISH_BANKS, *digits(14)),
        "IE": (("AIBK", "BOFI"), *digits(14)),
        "LU": digits(16),
        "NL": (("ABNA", "INGB", "RABO"), *digits(10)),
        "PL": digits(24),
        "SE": digits(20),
    }.items()
}
"""Bank account numbers of the countries whose account numbers need no check of their own."""
