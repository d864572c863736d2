"""Keyed bijections of numbers and of digits: without the key neither one way nor back.

Small ranges are shuffled whole. Larger ones go through a Feistel network whose rounds are
SipHash-2-4, a pseudo-random function, on two halves of any size (as FF1 of NIST SP 800-38G has it),
walked until it lands inside (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA
2002). What that makes is an order of the range, in which each number becomes the next one: so none
stays what it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isqrt, log2, prod

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Hashes, Ints, kernel
from simulacra.core.secret_key import SecretKey
from simulacra.core.sip_hash import hash_pair

_SHUFFLED = 1 << 14
"""Ranges up to this size are shuffled whole."""
_LARGE, _ROUNDS, _MORE_ROUNDS = 1 << 20, 10, 32
"""NIST asks for a million numbers at least if there are ten rounds; smaller ranges get more."""
_WINDOW = 1 << 62
"""Digits are permuted in windows of at most so many combinations."""


@kernel
def _stepped(
    number: np.uint64, wide: np.uint64, rounds: int, tweak: np.uint64, key: Hashes
) -> np.uint64:
    """Return the number that follows another in the order made of ``range(wide * wide)``."""
    left, right = number // wide, number % wide
    for turn in range(rounds):
        step = np.uint64(2 * turn) << np.uint64(56)
        left = (left + hash_pair(tweak, step | right, key) % wide) % wide
        step = np.uint64(2 * turn + 1) << np.uint64(56)
        right = (right + hash_pair(tweak, step | left, key) % wide) % wide
    right += np.uint64(1)
    if right == wide:
        right = np.uint64(0)
        left = (left + np.uint64(1)) % wide
    for turn in range(rounds - 1, -1, -1):
        step = np.uint64(2 * turn + 1) << np.uint64(56)
        right = (right + wide - hash_pair(tweak, step | left, key) % wide) % wide
        step = np.uint64(2 * turn) << np.uint64(56)
        left = (left + wide - hash_pair(tweak, step | right, key) % wide) % wide
    return left * wide + right


@kernel
def _step_all(
    numbers: Ints,
    size: int,
    wide: np.uint64,
    rounds: int,
    tweaks: Hashes,
    key: Hashes,
    out: Ints,
) -> None:
    """Write the number that each becomes.

    Args:
        numbers: From 0 to below ``size``, shape ``(rows,)``.
        size: How many there are.
        wide: The least number whose square is ``size`` at least.
        rounds: Of the network, twice one half and the other.
        tweaks: Chooses a permutation for each, shape ``(rows,)``.
        key: Two words.
        out: Where to write.
    """
    for i in range(len(numbers)):
        number = np.uint64(numbers[i])
        while True:
            number = _stepped(number, wide, rounds, tweaks[i], key)
            if number < np.uint64(size):
                break
        out[i] = np.int64(number)


def permuted(secret: SecretKey, numbers: Ints, size: int, *label: str | int) -> Ints:
    """Return the number that each becomes: a bijection of ``range(size)``, no number its own.

    Args:
        secret: What it depends on.
        numbers: From 0 to below ``size``, shape ``(rows,)``, dtype int64.
        size: From 1 to 2**62.
        label: What is numbered; other things are permuted otherwise.
    """
    if size <= _SHUFFLED:
        return _following(secret, size, label)[numbers]
    return _walked(secret, numbers, size, np.zeros(len(numbers), np.uint64), label)


def _following(secret: SecretKey, size: int, label: tuple[str | int, ...]) -> Ints:
    """Return the number that follows each in a shuffled order, shape ``(size,)``."""

    def make() -> Ints:
        seed = secret.integer("shuffled", size, *label)
        order = np.argsort(np.random.Philox(key=seed).random_raw(size), kind="stable")
        following = np.empty(size, np.int64)
        following[order] = np.roll(order, -1)
        return following

    return secret.remembered(("shuffled", size, label), make)


def _walked(
    secret: SecretKey, numbers: Ints, size: int, tweaks: Hashes, label: tuple[str | int, ...]
) -> Ints:
    key = secret.words(2, "network", size, *label)
    wide = np.uint64(isqrt(size - 1) + 1)
    rounds = _ROUNDS if size >= _LARGE else _MORE_ROUNDS
    out = np.empty(len(numbers), np.int64)
    _step_all(np.ascontiguousarray(numbers), size, wide, rounds, tweaks, key, out)
    return out


def permuted_digits(
    secret: SecretKey, digits: NDArray[np.int64], radices: Sequence[int], *label: str | int
) -> NDArray[np.int64]:
    """Return the digits that each row of digits becomes: a bijection of all rows there can be.

    Where they are more than one number holds, windows of digits are permuted in turn, each by a
    permutation that the others choose, until each has depended on each.

    Args:
        secret: What it depends on.
        digits: Shape ``(rows, places)``; of place ``i`` from 0 to below ``radices[i]``.
        radices: How many digits there are at each place.
        label: What the digits are of.
    """
    windows = _windows(radices)
    sizes = [prod(radices[window]) for window in windows]
    numbers = [_number(digits[:, window], radices[window]) for window in windows]
    if len(windows) == 1:
        numbers = [permuted(secret, numbers[0], sizes[0], *label)]
    else:
        key = secret.words(2, "tweaks", *label)
        tweaks = np.zeros(len(digits), np.uint64)
        for place, number in enumerate(numbers):
            _mix(number, place, key, tweaks)
        for turn in range(len(windows) + 1):
            place = turn % len(windows)
            _mix(numbers[place], place, key, tweaks)
            numbers[place] = _walked(
                secret, numbers[place], sizes[place], tweaks, (*label, "window", turn)
            )
            _mix(numbers[place], place, key, tweaks)
    made = np.empty_like(digits)
    for window, number in zip(windows, numbers, strict=True):
        rest = number
        for place in range(window.stop - 1, window.start - 1, -1):
            made[:, place] = rest % radices[place]
            rest = rest // radices[place]
    return made


def _windows(radices: Sequence[int]) -> list[slice]:
    """Return slices of places, each of at most ``_WINDOW`` combinations and about as many."""
    bits = [log2(radix) for radix in radices]
    count = max(1, ceil(sum(bits) / log2(_WINDOW)))
    aim = sum(bits) / count
    found: list[slice] = []
    start, room, filled = 0, 1, 0.0
    for place, radix in enumerate(radices):
        beyond = filled + bits[place] / 2 > aim * (len(found) + 1)
        if place > start and (room * radix > _WINDOW or beyond):
            found.append(slice(start, place))
            start, room = place, 1
        room *= radix
        filled += bits[place]
    return [*found, slice(start, len(radices))]


def _number(digits: NDArray[np.int64], radices: Sequence[int]) -> Ints:
    number = np.zeros(len(digits), np.int64)
    for place, radix in enumerate(radices):
        number = number * radix + digits[:, place]
    return number


@kernel
def _mix(numbers: Ints, place: int, key: Hashes, tweaks: Hashes) -> None:
    for i in range(len(numbers)):
        tweaks[i] ^= hash_pair(np.uint64(place), np.uint64(numbers[i]), key)
