"""The secret that pseudonyms are made by: never shown, and everything derived from it one way.

HMAC-SHA-256 (RFC 2104) gives a key for each purpose and a number for each text; without the secret
neither can be worked out, nor can a text be tried.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from simulacra.core.errors import UsageError

T = TypeVar("T")

LEAST_CHARACTERS = 16
"""A shorter secret can be guessed."""
_DIGEST = "sha256"
_MOST_REMEMBERED = 64


class SecretKey:
    """A secret, and what is worked out from it.

    Args:
        secret: At least ``LEAST_CHARACTERS`` bytes that nobody can guess.

    Raises:
        UsageError: It is shorter.
    """

    def __init__(self, secret: str | bytes) -> None:
        data = secret.encode() if isinstance(secret, str) else bytes(secret)
        if len(data) < LEAST_CHARACTERS:
            raise UsageError(
                "the key is too short",
                why=f"one of fewer than {LEAST_CHARACTERS} characters can be guessed",
                mend="Make one with: openssl rand -hex 32",
            )
        self._secret = data
        self._remembered: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = Lock()

    @classmethod
    def random(cls) -> SecretKey:
        """Return a key that nobody knows and that is gone with this process."""
        return cls(secrets.token_bytes(32))

    def __repr__(self) -> str:
        return "SecretKey(***)"

    def __reduce__(self) -> str:
        raise TypeError("a secret key is not written anywhere")

    def words(self, count: int, *label: str | int) -> NDArray[np.uint64]:
        """Return a key for a purpose: ``count`` words (4 at most), the same for the same label."""
        return np.frombuffer(self._digest(label), np.uint64)[:count].copy()

    def integer(self, *label: str | int) -> int:
        """Return a seed of 128 bits for a purpose."""
        return int.from_bytes(self._digest(label)[:16], "little")

    def numbers(self, texts: Sequence[str], *label: str | int) -> list[int]:
        """Return a number of 128 bits for each text, as good as random to who lacks the secret."""
        key = self._digest(label)
        return [
            int.from_bytes(hmac.digest(key, text.encode("utf-8", "surrogatepass"), _DIGEST)[:16])
            for text in texts
        ]

    def remembered(self, place: Hashable, make: Callable[[], T]) -> T:
        """Return what was made for a place before, or make it; the last few are kept."""
        with self._lock:
            if place in self._remembered:
                self._remembered.move_to_end(place)
                return cast(T, self._remembered[place])
        made = make()
        with self._lock:
            self._remembered[place] = made
            while len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return made

    def _digest(self, label: tuple[str | int, ...]) -> bytes:
        # Lengths and type marks keep ("a", "b") apart from ("ab",), and 1 apart from "1".
        parts = [repr(part).encode() for part in label]
        message = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
        return hmac.digest(self._secret, message, _DIGEST)
