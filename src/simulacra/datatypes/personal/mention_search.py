"""Where free text mentions people: addresses, numbers and names within longer texts.

What has a form of its own (an ``@``, check digits, an international prefix) is found anywhere,
names only after titles and greetings: most words that are names are other things as well. Texts
without a sign of any of them, which are most, cost one search.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.placeholders import QUOTED
from simulacra.datatypes.personal import words
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.registry import kind_of

MENTIONED = (
    "email", "url", "uuid", "mac", "ip", "iban", "card", "national_id", "ssn", "phone",
    "person_name", "last_name", "first_name",
)  # fmt: skip
"""The kinds that are looked for. Bundles number them by place: new ones are added at the end."""


class Mention(NamedTuple):
    """A part of a text: ``text[begin:end]``, and which kind of personal data it is."""

    begin: int
    end: int
    kind: str


_TITLES = (
    "Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Madam|Herrn?|Frau|Mme|Mlle|Monsieur|Madame|Señora?|Sra?"
    "|Signora?|Sig|Dott|Dhr|Mevr|Fru|Pani?"
)
_GREETINGS = "Dear|Hello|Hi|Hey|Hallo|Liebe[r]?|Bonjour|Cher|Chère|Hola|Ciao|Regards,?|Sincerely,?"
_CHINESE_TITLES = "先生|女士|小姐|太太|教授|医生"
_SIGN = (
    r"@|://|www\.|::|[0-9](?:[ ().\-/]{0,2}[0-9]){5}|(?:[0-9A-Fa-f]{2}[:\-]){5}"
    r"|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){7}|[0-9A-Fa-f]{8}-|[A-Z]{2}[0-9]{2}"
    r"|[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\."
    rf"|(?:{_TITLES}|{_GREETINGS})[. ,]|{_CHINESE_TITLES}"
)
"""What a text with a mention has, as a regular expression of RE2."""
_NAME = r"[^\W\d_][\w'\u2019]*(?:-[^\W\d_]\w*)?"
_PARTICLES = r"(?:(?:von|van|de|der|den|da|del|di|du|la|le|zu) )*"
_FORMS = (
    ("url", ("://", "www."), re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]*[^\s<>\"')\].,;:!?]")),
    (
        "email",
        ("@",),
        re.compile(r"[\w!#$%&*+/=?^`{|}~][\w.!#$%&'*+/=?^`{|}~\-]*@(?:[\w\-]+\.)+\w\w+"),
    ),
    (
        "uuid",
        ("-",),
        re.compile(r"(?<!\w)[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?!\w)"),
    ),
    ("mac", (":", "-"), re.compile(r"(?<!\w)(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?!\w)")),
    (
        "ip",
        (".", "::", ":"),
        re.compile(
            r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]\d?\w)"
            r"|(?<![\w:])(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"
            r"|(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6})(?![\w:])"
        ),
    ),
)
"""Forms that tell by themselves, and what is in every text that has one."""
_RUN = re.compile(
    r"(?<![\w\-])(?:[A-Z]{2}\d\d(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?"
    r"|[1-9][1-9][0-9A-Z]{16}"
    r"|[+(]{0,2}\d(?:[ ().\-/]{0,2}\d){5,30}(?:-?[A-Za-z])?)(?!\w)"
)
"""Digits with what may stand between them, perhaps of several numbers; accounts; firms' numbers."""
_MOST_PIECES = 12
_FEWEST_CHARACTERS = 6
_CALLS = re.compile(
    r"(?:tel|phone|call|mobile|cell|fax|handy|telefon\w*|whatsapp|mob|ring|电话|手机)[\W_]{0,3}$",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{4}([./-])\d\d?\1\d\d?|\d\d?([./-])\d\d?\2(?:\d{4}|\d\d)")
_SURE_PHONE = r"\+[0-9][0-9 ().\-/]{6,20}[0-9]|\(0?[0-9]{2,5}\)[0-9 .\-/]{5,12}[0-9]"
_LIKELY_PHONE = (
    r"[0-9]{3}[.\- ][0-9]{3}[.\- ][0-9]{4}|1[3-9][0-9]{9}|00[1-9][0-9 ().\-/]{7,18}[0-9]"
    r"|0[1-9](?:[ ().\-/]?[0-9]){7,10}"
)
_AFTER_CALLS = r"[0-9](?:[ ().\-/]{0,2}[0-9]){5,14}"
_SSN = "[0-9]{3}-[0-9]{2}-[0-9]{4}"
_HALF_KNOWN = rf"(?:{QUOTED} )?"
"""A first name that a rule has hidden already, as the row's own has it."""
_TITLED = re.compile(
    rf"\b(?:{_TITLES})\b\.? {_HALF_KNOWN}({_PARTICLES}{_NAME}(?: {_PARTICLES}{_NAME}){{0,2}})"
)
_GREETED = re.compile(
    rf"\b(?:{_GREETINGS}) ({_HALF_KNOWN})({_NAME}(?: {_NAME})?)(?= *(?:[,.!:;\n]|{QUOTED})|$)"
)
_CHINESE = re.compile(rf"([\u4e00-\u9fff]{{1,4}})(?:{_CHINESE_TITLES})")
_MASK = "\0"


def suspects(texts: pa.Array) -> pa.Array:
    """Return the places of the texts that may have a mention.

    Args:
        texts: Large strings without nulls.
    """
    return pc.indices_nonzero(pc.match_substring_regex(texts, _SIGN))


def mentions(texts: list[str]) -> list[list[Mention]]:
    """Return what each text mentions, in order and apart from each other."""
    found: list[list[Mention]] = [[] for _ in texts]
    runs: list[list[_Run]] = []
    rest = []
    for place, text in enumerate(texts):
        left = text
        for kind, signs, form in _FORMS:
            if any(sign in left for sign in signs):
                new = [Mention(*match.span(), kind) for match in form.finditer(left)]
                left = _without(left, new)
                found[place] += new
        runs.append([_Run.of(match, left) for match in _RUN.finditer(left)])
        rest.append(left)
    kinds = _kinds_of({call for several in runs for run in several for call in run.calls()})
    for place, several in enumerate(runs):
        for run in several:
            found[place] += run.settled(kinds)
        found[place] += _names(_without(rest[place], found[place]))
        found[place].sort()
    return found


def _without(text: str, found: list[Mention]) -> str:
    for begin, end, _ in found:
        text = text[:begin] + _MASK * (end - begin) + text[end:]
    return text


class _Call(NamedTuple):
    """What may be a number, and whether a word before says that it is to be called."""

    text: str
    is_called: bool


class _Run(NamedTuple):
    """A run of digits and spaces, which may be several numbers."""

    begin: int
    pieces: tuple[tuple[int, int], ...]
    text: str
    is_called: bool

    @classmethod
    def of(cls, match: re.Match[str], text: str) -> _Run:
        run = match.group()
        pieces = tuple(piece.span() for piece in re.finditer(r"\S+", run))
        is_called = _CALLS.search(text, max(0, match.start() - 16), match.start()) is not None
        return cls(match.start(), pieces[:_MOST_PIECES], run, is_called)

    def _between(self, first: int, last: int) -> _Call:
        begin, end = self.pieces[first][0], self.pieces[last][1]
        return _Call(self.text[begin:end], self.is_called and first == 0)

    def calls(self) -> Iterator[_Call]:
        """Yield every stretch of whole pieces that has no date in it."""
        for first in range(len(self.pieces)):
            for last in range(first, len(self.pieces)):
                begin, end = self.pieces[last]
                if _DATE.fullmatch(self.text[begin:end]):
                    break
                if end - self.pieces[first][0] >= _FEWEST_CHARACTERS:
                    yield self._between(first, last)

    def settled(self, kinds: dict[_Call, str]) -> Iterator[Mention]:
        """Yield the longest stretches that are numbers, from the left on."""
        first = 0
        while first < len(self.pieces):
            step = 1
            for last in range(len(self.pieces) - 1, first - 1, -1):
                kind = kinds.get(self._between(first, last))
                if kind is not None:
                    begin, end = self.pieces[first][0], self.pieces[last][1]
                    yield Mention(self.begin + begin, self.begin + end, kind)
                    step = last - first + 1
                    break
            first += step


def _kinds_of(calls: set[_Call]) -> dict[_Call, str]:
    """Return the kind of each number that is of one."""
    if not calls:
        return {}
    ordered = sorted(calls)
    texts = pa.array([call.text for call in ordered], pa.large_string())
    is_called = np.array([call.is_called for call in ordered])

    def has(form: str) -> np.ndarray:
        return np.asarray(pc.match_substring_regex(texts, f"^(?:{form})$"))

    def is_a(kind: str) -> np.ndarray:
        return kind_of(kind).matches(texts, PersonalConfig(kind=kind))

    judged = (
        ("iban", is_a("iban")),
        ("phone", has(_SURE_PHONE) | (is_called & has(_AFTER_CALLS))),
        ("ssn", has(_SSN)),
        ("card", is_a("card") & has(r"[2-6](?:[ \-]?[0-9]){12,18}")),
        ("national_id", is_a("national_id")),
        ("phone", has(_LIKELY_PHONE)),
    )
    found: dict[_Call, str] = {}
    for kind, answers in judged:
        for place in np.flatnonzero(answers):
            found.setdefault(ordered[place], kind)
    return found


def _names(text: str) -> Iterator[Mention]:
    """Yield the names after titles and greetings, and before Chinese titles."""
    taken = 0
    while match := _TITLED.search(text, taken):
        begin, end = match.span(1)
        end = begin + _capitalised(text[begin:end])
        taken = max(begin, end)
        if end > begin:
            yield Mention(begin, end, "person_name" if " " in text[begin:end] else "last_name")
    for match in _GREETED.finditer(text, taken):
        begin, end = match.span(2)
        first = text[begin:end].split(maxsplit=1)[0]
        if _capitalised(text[begin:end]) < end - begin:
            continue
        if match.group(1):
            yield Mention(begin, end, "last_name")
        elif words.known_name(first, "first"):
            yield Mention(begin, end, "person_name" if first != text[begin:end] else "first_name")
    for match in _CHINESE.finditer(text):
        begin, end = match.span(1)
        for start in range(max(begin, end - 3), end):
            if words.known_name(text[start], "last"):
                yield Mention(start, end, "last_name" if end == start + 1 else "person_name")
                break


def _capitalised(name: str) -> int:
    """Return where the words that begin with capitals end; particles may stand between them."""
    end = 0
    for piece in re.finditer(r"\S+", name):
        word = piece.group()
        if word[0].isupper():
            end = piece.end()
        elif not re.fullmatch(_PARTICLES.strip(), word + " "):
            break
    return end
