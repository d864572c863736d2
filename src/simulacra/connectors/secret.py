"""Passwords: how to show a URL without one, and to take one out of what a driver says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

ENV = "env:"
"""Before the name of an environment variable that holds a password, or a whole URL."""

_PASSWORD = re.compile(r"(?s)^([\w+.-]+://[^:/?#@]*):.*@")
_SECRET = r"pass|pwd|secret|token|key|credential|signature|odbc_connect|\bsig\b|\bauth"  # noqa: S105
_PARAMETER = re.compile(rf"(?i)([?&;][^=&;]*(?:{_SECRET})[^=&;]*)=[^&;]*")
_MASK = "***"


def shown(uri: str) -> str:
    """Return a URL or path as people may see it: without password, parameters' secrets masked."""
    if "://" not in uri:
        return uri
    return _PARAMETER.sub(rf"\1={_MASK}", _PASSWORD.sub(r"\1@", uri))


def is_secret(parameter: str) -> bool:
    """Say whether a parameter of a URL by its name holds a secret."""
    return re.search(_SECRET, parameter, re.IGNORECASE) is not None


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """Return a text in which each secret, as it is or as URLs write it, is masked."""
    forms = {
        form
        for secret in secrets
        if secret
        for form in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1])
    }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, _MASK)
    return text
