"""URLs as browsers read them, kept to what a fetch needs. Pure; every input ends as a URL or an error.

Where the URL standard forgives (backslashes, control characters, credentials) this refuses: the addresses
come from a browser, which has already put them into their plain form, and two readers of one odd address
that disagree about its host are how guards are passed. Number forms of IPv4 addresses are the exception:
they are read as the standard says, so that what is checked is what everyone would connect to.

Source: WHATWG URL Standard (host parser, IPv4 parser).
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, unquote, urljoin

import idna
from yarl import URL

from ..messages import say
from . import IntakeError
from .addresses import IPAddress

MAX_LENGTH = 16_384
"""Characters in a URL: as `wire.UrlSource` has it, and beyond what servers take."""

SHOWN_LENGTH = 120
"""Characters of a URL that are shown to a person."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_WEB_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?:#.*)?", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_IPV6_AUTHORITY = re.compile(r"\[(?P<host>[^\]]*)\](?::(?P<port>[0-9]*))?")
_AUTHORITY = re.compile(r"(?P<host>[^:\[\]]*)(?::(?P<port>[0-9]*))?")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")
_HOST_NAME = re.compile(
    r"(?=.{1,254}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?"
)
_NUMBER = re.compile(r"(?:0x(?P<hex>[0-9a-f]*)|(?P<octal>0[0-7]*)|(?P<decimal>[1-9][0-9]*))")
_LOOKS_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")

# What may stand in a path or query as it is; anything else is percent-encoded, as a browser does it.
# Percent signs stay: the address is already encoded, and signed addresses must not change.
_KEPT = "".join(sorted(set(string.punctuation) - set('"<>`')))


@dataclass(frozen=True)
class WebUrl:
    """A checked http or https URL.

    Attributes:
        scheme: `http` or `https`.
        host: a lower-case ASCII name, or an address in its usual form without brackets.
        port: 0 to 65535.
        rest: path and query, percent-encoded.
        address: the address, when the host is one rather than a name.
    """

    scheme: str
    host: str
    port: int
    rest: str
    address: IPAddress | None = None

    @property
    def secure(self) -> bool:
        return self.scheme == "https"

    def __str__(self) -> str:
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.rest}"

    def to_yarl(self) -> URL:
        """For aiohttp, taken as it is: signed addresses stop working when they are encoded anew."""
        return URL(str(self), encoded=True)

    @property
    def shown(self) -> str:
        """For a person, and for logs: without the query, which may carry someone's key."""
        return shorten(str(self).split("?", 1)[0])

    @property
    def file_name(self) -> str:
        """The last part of the path, decoded; the host where there is none."""
        name = unquote(self.rest.split("?", 1)[0].rstrip("/").rpartition("/")[2])
        return "".join(letter for letter in name if letter.isprintable())[:255] or self.host

    def join(self, reference: str) -> WebUrl:
        """The URL that `reference` means in a document at this one.

        Raises:
            IntakeError: as `parse_url` does.
        """
        reference = reference.strip(" \t\r\n\f")
        if _FORBIDDEN.search(reference) or len(reference) > MAX_LENGTH:
            raise _bad(reference, "odd_characters" if len(reference) <= MAX_LENGTH else "too_long")
        try:
            return parse_url(urljoin(str(self), reference))
        except ValueError as problem:  # urljoin on brackets that hold no address
            raise _bad(reference, "bad_host") from problem


def shorten(text: str) -> str:
    """At most `SHOWN_LENGTH` printable characters of something that others wrote."""
    plain = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[: SHOWN_LENGTH + 1]
    )
    return plain if len(plain) <= SHOWN_LENGTH else plain[: SHOWN_LENGTH - 1] + "…"


def parse_url(text: str) -> WebUrl:
    """Read one absolute http or https URL.

    Raises:
        IntakeError: `bad_url`, naming the URL and what is wrong with it.
    """
    text = text.strip(" ")
    if len(text) > MAX_LENGTH:
        raise _bad(text, "too_long")
    if _FORBIDDEN.search(text):
        raise _bad(text, "odd_characters")
    found = _WEB_URL.fullmatch(text)
    if found is None:
        scheme = _SCHEME.match(text)
        if scheme and scheme[1].lower() not in _DEFAULT_PORTS:
            raise _bad(text, "scheme", scheme=shorten(scheme[1]))
        raise _bad(text, "no_host" if scheme else "no_scheme")
    scheme_name, authority = found["scheme"].lower(), found["authority"]
    if "@" in authority:
        # Not shown back: what stands before the @ may be someone's password.
        raise IntakeError(
            "bad_url", say("intake.url.credentials", host=shorten(authority.rpartition("@")[2]))
        )
    host, address, port_text = _read_authority(text, authority)
    port = int(port_text) if port_text else _DEFAULT_PORTS[scheme_name]
    if port > 0xFFFF:
        raise _bad(text, "bad_port")
    rest = quote(found["rest"], safe=_KEPT)
    if not rest.startswith("/"):
        rest = "/" + rest
    return WebUrl(scheme_name, host, port, rest, address)


def _read_authority(text: str, authority: str) -> tuple[str, IPAddress | None, str | None]:
    if found := _IPV6_AUTHORITY.fullmatch(authority):
        if "%" in found["host"]:
            raise _bad(text, "zone")
        try:
            address = IPv6Address(found["host"])
        except AddressValueError as problem:
            raise _bad(text, "bad_host") from problem
        return str(address), address, found["port"]
    found = _AUTHORITY.fullmatch(authority)
    if found is None or len(found["port"] or "") > 5:
        raise _bad(text, "bad_host" if found is None else "bad_port")
    host = normal_host(found["host"])
    if host is None:
        raise _bad(text, "no_host" if not found["host"] else "bad_host")
    if ends_in_number(host):
        number = parse_ipv4(host)
        if number is None:
            raise _bad(text, "bad_host")
        return str(number), number, found["port"]
    return host, None, found["port"]


def normal_host(host: str) -> str | None:
    """A host as the resolver gets it: percent-decoded, folded and in ASCII (IDNA); None when it is none."""
    try:
        host = unquote(host, errors="strict")
        if not host.isascii():
            host = idna.encode(host, uts46=True).decode("ascii")
    except (UnicodeError, idna.IDNAError):  # IDNAError is a UnicodeError; named for the reader
        return None
    host = host.lower()
    return host if _HOST_NAME.fullmatch(host) else None


def ends_in_number(host: str) -> bool:
    """Whether a host is an IPv4 address or nothing (URL Standard, "ends in a number checker")."""
    return bool(_LOOKS_NUMERIC.fullmatch(host.removesuffix(".").rpartition(".")[2]))


def parse_ipv4(host: str) -> IPv4Address | None:
    """Read an IPv4 address in any of its forms: `127.0.0.1`, `0x7f.1`, `017700000001`, `2130706433`.

    Source: URL Standard, IPv4 parser. None where that fails: more than four parts, a part too large.
    """
    parts = host.removesuffix(".").split(".")
    if len(parts) > 4:
        return None
    numbers = [_parse_ipv4_number(part) for part in parts]
    if any(number is None for number in numbers):
        return None
    *leading, last = [number for number in numbers if number is not None]
    if any(number > 255 for number in leading) or last >= 256 ** (5 - len(numbers)):
        return None
    value = last + sum(number * 256 ** (3 - place) for place, number in enumerate(leading))
    return IPv4Address(value)


def _parse_ipv4_number(part: str) -> int | None:
    found = _NUMBER.fullmatch(part)
    if found is None or len(part) > 20:  # longer ones are too large, or padding that nobody means
        return None
    if found["hex"] is not None:
        return int(found["hex"] or "0", 16)
    return int(found["octal"], 8) if found["octal"] else int(found["decimal"])


def _bad(text: str, why: str, **names: str) -> IntakeError:
    return IntakeError("bad_url", say(f"intake.url.{why}", url=shorten(text.split("?", 1)[0]), **names))
