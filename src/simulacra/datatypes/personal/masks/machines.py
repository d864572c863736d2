"""Addresses of machines and random codes, exchanged for others of the same sort."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.masking.classes import TextClass, everything, masked_by_class
from simulacra.datatypes.masking.codes import are_hexadecimal, masked_hexadecimal
from simulacra.datatypes.masking.permuting import permuted
from simulacra.datatypes.masking.shapes import masked_by_shape
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.kind import matching
from simulacra.datatypes.personal.masks.pieces import shaped

_HEX = "0123456789abcdef"
_MAC = "|".join(
    f"(?:{digit}{{2}}[:.-]?){{5}}{digit}{{2}}|(?:{digit}{{4}}[.]){{2}}{digit}{{4}}"
    for digit in ("[0-9a-f]", "[0-9A-F]")
)
_PRIVATE = tuple(
    ipaddress.IPv4Network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
_SPECIAL = tuple(ipaddress.IPv4Network(net) for net in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3"))
_DOCUMENTED = 0x20010DB8 << 96
"""The addresses of version 6 that are made for documents (2001:db8::/32, RFC 3849)."""


def masked_uuids(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return UUIDs of the same version."""
    del config
    return masked_by_class(
        texts,
        [
            TextClass(are_hexadecimal, partial(masked_hexadecimal, secret=secret)),
            TextClass(everything, lambda rest: shaped(rest, secret, "code")),
        ],
    )


def masked_macs(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return addresses of network cards; whether they are for groups or of a maker stays."""
    del config
    return masked_by_class(
        texts,
        [
            TextClass(lambda some: matching(some, _MAC), partial(_macs, secret=secret)),
            TextClass(everything, lambda rest: shaped(rest, secret, "mac")),
        ],
    )


def _macs(texts: pa.Array, *, secret: SecretKey) -> pa.Array:
    shapes = pa.array([_mac_shape(text) for text in texts.to_pylist()], pa.large_string())
    return masked_by_shape(texts, shapes, _mac_alphabets, secret, "mac")


def _mac_shape(text: str) -> str:
    """Return ``h`` for each digit; for the second one the two bits that mean something."""
    sign = "h" if text == text.lower() else "H"
    bits = "wxyz" if sign == "h" else "WXYZ"
    shape = [sign if c.isalnum() else c for c in text]
    shape[1] = bits[int(text[1], 16) & 3]
    return "".join(shape)


def _mac_alphabets(shape: str) -> Sequence[str]:
    free = {"h": _HEX, "H": _HEX.upper()}
    for bits, (small, capital) in enumerate(zip("wxyz", "WXYZ", strict=True)):
        digits = "".join(digit for digit in _HEX if int(digit, 16) & 3 == bits)
        free |= {small: digits, capital: digits.upper()}
    return tuple(free.get(sign, sign) for sign in shape)


def masked_ips(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return addresses of machines: private ones of the same network, others of any.

    Those of version 6 come from what is set aside for documents.
    """
    del config
    return masked_by_class(
        texts,
        [
            *(
                TextClass(partial(_are_in, nets=(net,)), partial(_moved, net=net, secret=secret))
                for net in _PRIVATE
            ),
            TextClass(partial(_are_in, nets=_SPECIAL), lambda kept: kept),
            TextClass(partial(_are_in, nets=(_ALL,)), partial(_moved, net=_ALL, secret=secret)),
            TextClass(_are_six, partial(_documented, secret=secret)),
            TextClass(everything, lambda rest: shaped(rest, secret, "ip")),
        ],
    )


_ALL = ipaddress.IPv4Network("0.0.0.0/0")


def _are_in(texts: pa.Array, *, nets: Sequence[ipaddress.IPv4Network]) -> NDArray[np.bool_]:
    found = [_address(text) for text in texts.to_pylist()]
    return np.array(
        [
            isinstance(address, ipaddress.IPv4Address) and any(address in net for net in nets)
            for address in found
        ],
        np.bool_,
    )


def _are_six(texts: pa.Array) -> NDArray[np.bool_]:
    found = [_address(text) for text in texts.to_pylist()]
    return np.array([isinstance(address, ipaddress.IPv6Address) for address in found], np.bool_)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _moved(texts: pa.Array, *, net: ipaddress.IPv4Network, secret: SecretKey) -> pa.Array:
    first = int(net.network_address)
    numbers = np.array([int(ipaddress.IPv4Address(t)) - first for t in texts.to_pylist()], np.int64)
    moved = permuted(secret, numbers, net.num_addresses, "ip", str(net))
    made = [str(ipaddress.IPv4Address(first + number)) for number in moved.tolist()]
    return pa.array(made, pa.large_string())


def _documented(texts: pa.Array, *, secret: SecretKey) -> pa.Array:
    whole = [str(ipaddress.ip_address(text)) for text in texts.to_pylist()]
    made = [
        str(ipaddress.IPv6Address(_DOCUMENTED | number >> 32))
        for number in secret.numbers(whole, "ip", "six")
    ]
    return pa.array(made, pa.large_string())
