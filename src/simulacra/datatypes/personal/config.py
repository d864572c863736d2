"""The options of a column of personal data."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from simulacra.core.protocols import Config
from simulacra.datatypes.personal.sex import SexColumn


class PersonalConfig(Config):
    """Options of personal data."""

    kind: Annotated[str, Field(description="What it is: email, phone, last_name, iban, …")]
    locale: Annotated[
        str | None,
        Field(description="Whose words: de_DE, zh_CN, … (default: found in the values, or en_US)"),
    ] = None
    person: Annotated[
        str,
        Field(description="Whose it is: columns of a table with the same word tell of one person"),
    ] = ""
    people: Annotated[
        int | None,
        Field(
            ge=1, description="How many people as many rows as were learned tell of; none: one each"
        ),
    ] = None
    number: Annotated[
        str | None,
        Field(description="Of the kind national_id: which number, as cn.ric or br.cpf"),
    ] = None
    sex: Annotated[
        SexColumn | None,
        Field(description="The column that says whether it is a woman's or a man's, as found"),
    ] = None
    birth: Annotated[
        str | None,
        Field(description="Of the kind national_id: the column with the day of birth, as found"),
    ] = None
    share: Annotated[
        float | None, Field(ge=0, le=1, description="Share of the values that match, as found")
    ] = None

    @field_validator("kind")
    @classmethod
    def _is_known(cls, kind: str) -> str:
        from simulacra.datatypes.personal.registry import kind_names

        if kind not in kind_names():
            msg = f"there is no kind {kind!r}; choose from {', '.join(kind_names())}"
            raise ValueError(msg)
        return kind

    @field_validator("number")
    @classmethod
    def _is_a_number(cls, number: str | None) -> str | None:
        from simulacra.datatypes.personal.schemes import NATIONAL

        if number is not None and number not in NATIONAL:
            msg = f"there is no number {number!r}; choose from {', '.join(NATIONAL)}"
            raise ValueError(msg)
        return number

    @field_validator("locale")
    @classmethod
    def _is_a_locale(cls, locale: str | None) -> str | None:
        from simulacra.datatypes.personal.extra import missing

        if locale is None or missing():
            return locale
        from simulacra.datatypes.personal.words import locales

        if locale not in locales():
            msg = f"there are no words for {locale!r}; choose from {', '.join(locales())}"
            raise ValueError(msg)
        return locale
