"""What only the statement that made a table says: SQLite keeps the text, and no more of it.

Of a computed column its catalogue tells that it is one, of a foreign key neither name nor when it
is checked, of a check nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""(?sx)
    (?P<blank> \s+ | --[^\n]* | /\*.*?(?:\*/|$) )
    | (?P<name> "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] )
    | (?P<text> '(?:[^']|'')*' )
    | (?P<word> [^\W\d][\w$]* )
    | (?P<sign> . )
    """
)
_OF_TABLE = {"constraint", "primary", "unique", "check", "foreign"}


@dataclass(slots=True)
class Referring:
    """A foreign key: what the catalogue doesn't tell of it."""

    name: str | None
    deferrable: bool = False
    deferred: bool = False


@dataclass(slots=True)
class Statement:
    """What a ``CREATE TABLE`` says.

    Attributes:
        computed: The expression of each computed column.
        checks: The checks, with their names if they have some.
        primary_key: The primary key's name.
        unique: The other keys' names, with the columns in lower case.
        references: The foreign keys, in their order.
    """

    computed: dict[str, str] = field(default_factory=dict)
    checks: list[tuple[str | None, str]] = field(default_factory=list)
    primary_key: str | None = None
    unique: list[tuple[str | None, tuple[str, ...]]] = field(default_factory=list)
    references: list[Referring] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int

    def is_word(self, word: str) -> bool:
        return self.kind == "word" and self.text.lower() == word

    def is_sign(self, sign: str) -> bool:
        return self.kind == "sign" and self.text == sign

    def name(self) -> str:
        if self.kind == "word":
            return self.text
        sign = self.text[-1]
        inner = self.text[1:-1]
        return inner if sign == "]" else inner.replace(2 * sign, sign)


def statement_of(sql: str) -> Statement:
    """Return what a ``CREATE TABLE`` statement says; nothing if it is none."""
    found = Statement()
    for part in _parts(_in_brackets(_tokens(sql))):
        is_column = not (part[0].kind == "word" and part[0].text.lower() in _OF_TABLE)
        _Reading(part, sql, part[0].name() if is_column else None, found).read()
    return found


def index_parts(sql: str) -> tuple[list[str], str | None]:
    """Return what a ``CREATE INDEX`` statement indexes, as SQL, and the rows that it is for."""
    tokens = _tokens(sql)
    parts = list(_parts(_in_brackets(tokens)))
    where = next((token for token in tokens if token.is_word("where")), None)
    rest = None if where is None else sql[where.end :].strip().rstrip(";").strip()
    return [_without_order(part, sql) for part in parts], rest


def _without_order(part: Sequence[_Token], sql: str) -> str:
    last = part[-2] if len(part) > 1 and part[-1].text.lower() in {"asc", "desc"} else part[-1]
    return sql[part[0].start : last.end]


def _tokens(sql: str) -> list[_Token]:
    return [
        _Token(str(match.lastgroup), match[0], *match.span())
        for match in _TOKEN.finditer(sql)
        if match.lastgroup != "blank"
    ]


def _in_brackets(tokens: Sequence[_Token]) -> Sequence[_Token]:
    """Return what follows the first bracket that opens."""
    opening = next((i for i, token in enumerate(tokens) if token.is_sign("(")), len(tokens))
    return tokens[opening + 1 :]


def _parts(tokens: Sequence[_Token]) -> Iterator[list[_Token]]:
    """Yield what stands between the commas, up to the bracket that closes."""
    part: list[_Token] = []
    depth = 0
    for token in tokens:
        depth += token.is_sign("(") - token.is_sign(")")
        if depth < 0:
            break
        if depth == 0 and token.is_sign(","):
            if part:
                yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


class _Reading:
    """Reads one column, or one constraint of the table."""

    def __init__(
        self, part: Sequence[_Token], sql: str, column: str | None, found: Statement
    ) -> None:
        self._part = part
        self._sql = sql
        self._column = column
        self._found = found
        self._name: str | None = None

    def read(self) -> None:
        depth = 0
        for number, token in enumerate(self._part):
            depth += token.is_sign("(") - token.is_sign(")")
            is_name = number == 0 and self._column is not None
            if depth == 0 and token.kind == "word" and not is_name:
                self._take(token.text.lower(), number)

    def _take(self, word: str, number: int) -> None:
        rest = self._part[number + 1 :]
        if word == "constraint" and rest:
            self._name = rest[0].name()
        elif word == "check" and rest:
            self._found.checks.append((self._named(), _inside(rest, self._sql)))
        elif word == "as" and rest and rest[0].is_sign("(") and self._column is not None:
            self._found.computed[self._column] = _inside(rest, self._sql)
        elif word == "primary":
            self._found.primary_key = self._named()
        elif word == "unique":
            columns = [self._column] if self._column is not None else _names(rest)
            self._found.unique.append((self._named(), tuple(name.lower() for name in columns)))
        elif word == "references":
            self._found.references.append(Referring(self._named()))
        elif word == "deferrable" and self._found.references:
            is_not = self._part[number - 1].is_word("not")
            self._found.references[-1].deferrable = not is_not
        elif word == "deferred" and self._found.references:
            self._found.references[-1].deferred = True

    def _named(self) -> str | None:
        name, self._name = self._name, None
        return name


def _names(tokens: Sequence[_Token]) -> list[str]:
    """Return the columns in the bracket that begins."""
    return [part[0].name() for part in _parts(tokens[1:])]


def _inside(tokens: Sequence[_Token], sql: str) -> str:
    """Return the text in the bracket that begins."""
    depth = 0
    for token in tokens:
        depth += token.is_sign("(") - token.is_sign(")")
        if depth == 0:
            return sql[tokens[0].end : token.start].strip()
    return sql[tokens[0].end :].strip()
