"""Numbers and codes with check digits or patterns: cards, accounts, national numbers, machines."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.datatypes.letters import Letters, exchanged, in_order, texts_of
from simulacra.datatypes.personal import check_digits
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.kind import Facts, Learner, Reach, matching, says
from simulacra.datatypes.personal.patterns import (
    Pattern,
    PatternLearner,
    by_pattern,
    only,
    patterns_of,
    written,
)
from simulacra.datatypes.personal.people import People
from simulacra.datatypes.personal.schemes import CARDS, IBANS, NATIONAL, SSN, Scheme
from simulacra.datatypes.personal.template import Template
from simulacra.datatypes.personal.told import TOLD

_SEPARATORS = r"[ ./\-]"
_MOST_SETTLED = 0.9


class _Numbered:
    """A number of one of several schemes, written with separators or without."""

    name: str
    said: re.Pattern[str]
    reach = Reach.IDENTIFYING
    alone = True

    def schemes(self, config: PersonalConfig) -> Mapping[str, Scheme]:
        """Return the schemes that numbers may be of."""
        raise NotImplementedError

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match numbers whose check digits are right."""
        compact = compact_of(texts)
        found = np.zeros(len(texts), np.bool_)
        for scheme in self.schemes(config).values():
            found |= scheme.matches(compact)
        return found

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return nothing: the schemes are learned."""
        del texts
        return {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn the patterns and how many numbers are of each scheme."""
        return _SchemeLearner(self.schemes(config))

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return a number for each person, with the right check digits."""
        schemes = self.schemes(config)
        found = {name: count for name, count in facts["schemes"].items() if count}
        found = found or dict.fromkeys(schemes, 1)
        weights = np.array(list(found.values()), np.float64)
        chosen = people.chosen(weights, "scheme", people.column)
        parts = []
        for place, name in enumerate(found):
            rows = np.flatnonzero(chosen == place)
            own = only(people, rows)
            compact = schemes[name].template.draw(own, name, people.column)
            _tell(name, schemes[name], compact, own)
            parts.append((rows, _spread(compact, own, patterns_of(facts))))
        return in_order(parts, len(people.numbers))


def _tell(name: str, scheme: Scheme, compact: Letters, people: People) -> None:
    """Write into numbers what other columns say of the people, and the check digits anew."""
    told = TOLD.get(name)
    if told is None or (people.births is None and people.sexes is None):
        return
    if people.births is not None:
        told.write_births(compact, people.births)
    if people.sexes is not None:
        told.write_sexes(compact, people.sexes)
    if scheme.template.complete is not None:
        scheme.template.complete(compact)


class _SchemeLearner:
    """Counts patterns, and the schemes of numbers."""

    def __init__(self, schemes: Mapping[str, Scheme]) -> None:
        self._schemes = schemes
        self._counts = dict.fromkeys(schemes, 0)
        self._patterns = PatternLearner(meets=False)

    def add(self, texts: pa.Array) -> None:
        """Count the next values."""
        compact = compact_of(texts)
        for name, scheme in self._schemes.items():
            self._counts[name] += int(scheme.matches(compact).sum())
        self._patterns.add(texts)

    def facts(self) -> Facts:
        """Return the patterns and the schemes."""
        return {**self._patterns.facts(), "schemes": self._counts}


def compact_of(texts: pa.Array) -> pa.Array:
    """Return numbers without separators, in capitals."""
    return pc.utf8_upper(pc.replace_substring_regex(texts, _SEPARATORS, ""))


def _spread(compact: Letters, people: People, patterns: list[Pattern]) -> pa.Array:
    """Write numbers in the patterns that have as many places, else without separators."""
    fitting = [p for p in patterns if len(p.signs) == compact.shape[1]]
    if not fitting:
        return texts_of(compact)
    parts = []
    for pattern, rows in by_pattern(people, fitting):
        made = compact[rows]
        if "a" in pattern.signs and "A" not in pattern.signs:
            made = np.where((made >= 65) & (made <= 90), made + 32, made).astype(np.uint32)
        parts.append((rows, texts_of(written(pattern, made))))
    return in_order(parts, len(compact))


class Card(_Numbered):
    """The number of a payment card (ISO/IEC 7812)."""

    name = "card"
    said = says(
        "(?:credit|debit|bank|payment)?_?card(?:_?(?:number|no|num|nr))?", "cc_?(?:num|number|no)",
        "pan", "银行卡号?",
    )  # fmt: skip

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match 12 to 19 digits of which the last is right, whoever issued them."""
        del config
        compact = compact_of(texts)
        found = np.zeros(len(texts), np.bool_)
        for length in range(12, 20):
            luhn = Template((("?",),), check_digits.luhn(at=length - 1))
            found |= Scheme(f"[0-9]{{{length}}}", luhn).matches(compact)
        return found

    def schemes(self, config: PersonalConfig) -> Mapping[str, Scheme]:
        """Return those of the large issuers."""
        del config
        return CARDS


class Iban(_Numbered):
    """An international bank account number (ISO 13616)."""

    name = "iban"
    said = says("iban", "bank_?account(?:_?(?:number|no))?", "account_?(?:number|no)")

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match accounts of any country whose check digits are right."""
        del config
        return Scheme(
            "[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}", next(iter(IBANS.values())).template
        ).matches(compact_of(texts))

    def schemes(self, config: PersonalConfig) -> Mapping[str, Scheme]:
        """Return the countries whose accounts can be made."""
        del config
        return IBANS


class Ssn(_Numbered):
    """A Social Security number of the United States."""

    name = "ssn"
    said = says("ssn", "social_?security(?:_?(?:number|no|num))?")
    alone = False

    def schemes(self, config: PersonalConfig) -> Mapping[str, Scheme]:
        """Return the one scheme."""
        del config
        return {"us.ssn": SSN}


class NationalId(_Numbered):
    """A national number of a person or firm, by python-stdnum's name."""

    name = "national_id"
    said = says(
        "national_?(?:id|number)", "id_?(?:card|number|no)", "tax_?(?:id|number)", "cpf", "dni",
        "nir", "bsn", "pesel", "aadhaar", "personnummer", "passport", "身份证号?码?", "uscc",
        "统一社会信用代码", "credit_?code",
    )  # fmt: skip

    def schemes(self, config: PersonalConfig) -> Mapping[str, Scheme]:
        """Return the one that is told, else all."""
        return {config.number: NATIONAL[config.number]} if config.number else NATIONAL

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return the number that most are."""
        compact = compact_of(texts)
        shares = {name: scheme.matches(compact).mean() for name, scheme in NATIONAL.items()}
        best = max(shares, key=lambda name: float(shares[name]))
        return {"number": best} if shares[best] >= _MOST_SETTLED else {}


class _Coded:
    """A code made by its pattern alone."""

    name: str
    form: str
    said: re.Pattern[str]
    reach = Reach.IDENTIFYING
    alone = True

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match the form."""
        del config
        return matching(texts, self.form)

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return nothing."""
        del texts
        return {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn the patterns of separators and cases."""
        del config
        return _CodeLearner()

    def template(self, *, upper: bool) -> Template:
        """Return how codes are made."""
        raise NotImplementedError

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return a code for each person."""
        del config
        forms = [Pattern("", f["form"], f["rows"], ()) for f in facts["patterns"]]
        forms = forms or [Pattern("", "", 1, ())]
        parts = []
        for form, rows in by_pattern(people, forms):
            template = self.template(upper="A" in form.form)
            compact = template.draw(only(people, rows), self.name, people.column)
            parts.append((rows, texts_of(_separated(compact, form.form.replace("A", "a")))))
        return in_order(parts, len(people.numbers))


def _separated(compact: Letters, form: str) -> Letters:
    """Put in the separators of a form, whose characters are all ``a``."""
    if form.count("a") != compact.shape[1]:
        return compact
    return written(Pattern("", form, 1, ()), compact)


_ONE_SIGN = np.arange(256, dtype=np.uint8)
_ONE_SIGN[[ord(c) for c in string.ascii_letters + string.digits]] = ord("a")


class _CodeLearner:
    """Counts separators and cases of hexadecimal codes."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}

    def add(self, texts: pa.Array) -> None:
        """Count the next values."""
        upper = pc.equal(pc.utf8_upper(texts), texts)
        signs = exchanged(texts, _ONE_SIGN)
        if signs is None:
            signs = pc.replace_substring_regex(texts, r"[\p{L}\p{N}]", "a")
        forms = pc.if_else(upper, pc.utf8_upper(signs), signs)
        for form, count in zip(
            *(a.to_pylist() for a in pc.value_counts(forms).flatten()), strict=True
        ):
            if form in self._rows or len(self._rows) < 64:
                self._rows[form] = self._rows.get(form, 0) + count

    def facts(self) -> Facts:
        """Return the forms."""
        ranked = sorted(self._rows.items(), key=lambda item: (-item[1], item[0]))
        return {"patterns": [{"form": form, "rows": rows} for form, rows in ranked]}


def _hexadecimal(*, upper: bool) -> tuple[str, ...]:
    return tuple("0123456789ABCDEF" if upper else "0123456789abcdef")


class Mac(_Coded):
    """The address of a network card, of those that nobody was given (IEEE 802: second bit set)."""

    name = "mac"
    form = "(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"
    said = says("mac", "mac_?addr(?:ess)?")

    def template(self, *, upper: bool) -> Template:
        """Return six octets, locally administered."""
        signs = _hexadecimal(upper=upper)
        return Template((signs, tuple(s for s in signs if s in "26aeAE"), *(signs,) * 10))


class Uuid(_Coded):
    """A random UUID (RFC 9562, version 4). Taken only where the specification says so."""

    name = "uuid"
    form = "[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}"
    said = says("uuid", "guid")
    reach = Reach.CHOSEN

    def template(self, *, upper: bool) -> Template:
        """Return 32 signs with the version and the variant in their places."""
        signs = _hexadecimal(upper=upper)
        variant = tuple(s for s in signs if s in "89abAB")
        return Template((*(signs,) * 12, ("4",), *(signs,) * 3, variant, *(signs,) * 15))
