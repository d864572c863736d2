"""What people are reached by and known by online: e-mail, user names, pages, machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.kind import Facts, Learner, Reach, matching, says
from simulacra.datatypes.personal.names import Named
from simulacra.datatypes.personal.people import People
from simulacra.datatypes.personal.styles import (
    StyleLearner,
    by_style,
    chosen_style,
    in_case,
    put_together,
    spelled,
    taken,
)

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]+"
_HOST = r"(?:[\p{L}0-9](?:[\p{L}0-9\-]*[\p{L}0-9])?\.)+[\p{L}]{2,}"
_DOMAINS = pa.array(["example.com", "example.net", "example.org"], pa.large_string())
"""Names that belong to nobody (RFC 2606): no made address reaches a person."""


def _local_parts(facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
    """Return the names by which people log in, all different for different people."""
    named = Named.of(people, config)
    first, last = named.first_slugs, named.last_slugs
    turn = spelled(named.turn)
    # Without a sign between them, anna|lee and ann|alee are one: the given name's number follows.
    number = spelled(named.first + 10 + named.turn * 100_000)
    made = {
        "dot": put_together(first, ".", last, turn),
        "underscore": put_together(first, "_", last, turn),
        "dash": put_together(first, "-", last, turn),
        "plain": put_together(first, last, number),
    }
    styles, places = chosen_style(facts, people, "dot")
    return in_case(facts, by_style(places, [made[style] for style in styles]))


class Email:
    """An e-mail address."""

    name = "email"
    reach = Reach.IDENTIFYING
    alone = True
    said = says("e?_?mails?(?:_?address)?", "mail_?address", "邮箱", "电子邮件")
    styles: ClassVar[Mapping[str, str]] = {
        "dot": r"[^@]*\.[^@]*@.*",
        "underscore": "[^@]*_[^@]*@.*",
        "dash": "[^@]*-[^@]*@.*",
        "plain": ".*",
    }

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match addresses as RFC 5321 has them, without quotes."""
        del config
        return matching(texts, f"{_LOCAL}@{_HOST}")

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return nothing: addresses don't tell a locale."""
        del texts
        return {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn what stands between names, and the case."""
        del config
        return StyleLearner(self.styles)

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return an address of each person at a domain that is nobody's."""
        local = _local_parts(facts, people, config)
        domain = taken(_DOMAINS, people.noise("domain") % np.uint64(len(_DOMAINS)))
        return in_case(facts, put_together(local, "@", domain))


class UserName:
    """A name to log in by."""

    name = "user_name"
    reach = Reach.NAMING
    alone = False
    said = says("user_?name", "login(?:_?name)?", "nick_?name", "screen_?name", "handle", "用户名")
    styles: ClassVar[Mapping[str, str]] = {
        "dot": r".*\..*",
        "underscore": ".*_.*",
        "dash": ".*-.*",
        "plain": ".*",
    }

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match single words that are not only digits."""
        del config
        return matching(texts, r"@?[\p{L}0-9_.\-]*[\p{L}][\p{L}0-9_.\-]*")

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return nothing."""
        del texts
        return {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn what stands between names, and the case."""
        del config
        return StyleLearner(self.styles)

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return the name of each person: that of the e-mail address, where both are alike."""
        return _local_parts(facts, people, config)


class Url:
    """The address of a page."""

    name = "url"
    reach = Reach.IDENTIFYING
    alone = True
    said = says("url", "website", "web_?page", "home_?page", "link", "网址")
    styles: ClassVar[Mapping[str, str]] = {
        "https path": r"https://[^/]+/.+",
        "https": r"https://.*",
        "http path": r"http://[^/]+/.+",
        "http": r"http://.*",
        "www": ".*",
    }

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match addresses of the web, with or without a scheme."""
        del config
        host = r"(?:[\p{L}0-9_\-]+\.)+[\p{L}0-9\-]+(?::[0-9]+)?"
        return matching(texts, rf"(?:https?://(?:{host}|localhost)|www\.{host})(?:[/?#]\S*)?")

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return nothing."""
        del texts
        return {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn the scheme, and whether there is a path."""
        del config
        return StyleLearner(self.styles)

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return an address of each person under a name that is nobody's (RFC 2606)."""
        named = Named.of(people, config)
        host = put_together(named.last_slugs, "-", named.first_slugs, spelled(named.turn))
        path = spelled(people.noise("path") % np.uint64(10**6) + np.uint64(1))
        made = {
            "https path": put_together("https://", host, ".example/", path),
            "https": put_together("https://", host, ".example"),
            "http path": put_together("http://", host, ".example/", path),
            "http": put_together("http://", host, ".example"),
            "www": put_together("www.", host, ".example"),
        }
        styles, places = chosen_style(facts, people, "https")
        return by_style(places, [made[style] for style in styles])


class Ip:
    """The address of a machine (IPv4 or IPv6)."""

    name = "ip"
    reach = Reach.IDENTIFYING
    alone = True
    said = says("ip", "ip_?address(?:es)?", "ip_?v[46]", "remote_?addr", "client_?ip")
    styles: ClassVar[Mapping[str, str]] = {
        "private": r"(?:10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.).*",
        "public": r"[0-9.]+",
        "six": ".*",
    }
    _OCTET = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})"

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match dotted quads and colons with hexadecimal groups."""
        del config
        four = rf"(?:{self._OCTET}\.){{3}}{self._OCTET}"
        six = "(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}"
        return matching(texts, f"{four}|{six}")

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return nothing."""
        del texts
        return {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn how many are private, public, and of version 6."""
        del config
        return StyleLearner(self.styles)

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return an address for each person.

        Public ones come from the network set aside for tests between networks (198.18.0.0/15,
        RFC 2544) and private ones from 10.0.0.0/8; those of version 6 are made for documents
        (2001:db8::/32, RFC 3849).
        """
        del config
        small = people.permuted(2**17, "ip", people.column)
        large = people.permuted(2**24, "ip", people.column)
        made = {
            "private": _dotted(large % np.uint64(2**24), 10 << 24),
            "public": _dotted(small % np.uint64(2**17), (198 << 24) + (18 << 16)),
            "six": put_together(
                "2001:db8:", _hexadecimal(large >> np.uint64(16)), "::", _hexadecimal(large)
            ),
        }
        styles, places = chosen_style(facts, people, "public")
        return by_style(places, [made[style] for style in styles])


def _dotted(hosts: NDArray[np.uint64], network: int) -> pa.Array:
    full = hosts.astype(np.int64) + network
    parts = [pa.array((full >> shift) & 255).cast(pa.large_string()) for shift in (24, 16, 8, 0)]
    return pc.binary_join_element_wise(*parts, pa.scalar(".", pa.large_string()))


def _hexadecimal(numbers: NDArray[np.uint64]) -> pa.Array:
    """Return the lowest sixteen bits in hexadecimal, without leading zeros."""
    table = pa.array([f"{n:x}" for n in range(2**16)], pa.large_string())
    return taken(table, numbers & np.uint64(2**16 - 1))
