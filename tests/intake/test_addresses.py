"""The guard's table: every block of the special-purpose registries, and the public internet beside them."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from touchstone.intake.addresses import PublicInternet, special_address, special_name
from touchstone.messages import say

FORBIDDEN = [
    # IPv4: first, last and typical addresses of each block
    ("0.0.0.0", "unspecified"),  # noqa: S104 - data
    ("0.1.2.3", "this_network"),
    ("0.255.255.255", "this_network"),
    ("10.0.0.0", "private"),
    ("10.255.255.255", "private"),
    ("100.64.0.0", "carrier"),
    ("100.100.100.200", "carrier"),  # a cloud's metadata service stands here
    ("100.127.255.255", "carrier"),
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("168.63.129.16", "cloud_metadata"),
    ("169.254.0.1", "link_local"),
    ("169.254.169.254", "cloud_metadata"),
    ("169.254.170.2", "link_local"),
    ("172.16.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.0.0.1", "protocol"),
    ("192.0.0.170", "protocol"),
    ("192.0.0.192", "protocol"),
    ("192.0.2.1", "documentation"),
    ("192.31.196.1", "protocol"),
    ("192.52.193.1", "protocol"),
    ("192.88.99.1", "tunnel"),
    ("192.168.0.1", "private"),
    ("192.168.255.255", "private"),
    ("192.175.48.1", "protocol"),
    ("198.18.0.1", "benchmarking"),
    ("198.19.255.255", "benchmarking"),
    ("198.51.100.7", "documentation"),
    ("203.0.113.7", "documentation"),
    ("224.0.0.1", "multicast"),
    ("239.255.255.250", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.254", "reserved"),
    ("255.255.255.255", "broadcast"),
    # IPv6
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::2", "embedded"),
    ("::127.0.0.1", "embedded"),
    ("::8.8.8.8", "embedded"),
    ("::ffff:127.0.0.1", "embedded"),
    ("::ffff:8.8.8.8", "embedded"),
    ("::ffff:0:10.0.0.1", "embedded"),
    ("64:ff9b::10.0.0.1", "translated"),
    ("64:ff9b::8.8.8.8", "translated"),
    ("64:ff9b:1::1", "translated"),
    ("64:ff9b:1:ffff::1", "translated"),
    ("64:ff9b:2::1", "reserved"),
    ("100::1", "discard"),
    ("100:0:0:1::1", "discard"),
    ("1000::1", "reserved"),
    ("2001::1", "tunnel"),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "tunnel"),
    ("2001:1::1", "protocol"),
    ("2001:2::1", "benchmarking"),
    ("2001:3::1", "protocol"),
    ("2001:4:112::1", "protocol"),
    ("2001:10::1", "identifier"),
    ("2001:20::1", "identifier"),
    ("2001:2f:ffff::1", "identifier"),
    ("2001:30::1", "identifier"),
    ("2001:1ff:ffff::1", "protocol"),
    ("2001:db8::1", "documentation"),
    ("2002:7f00:1::", "tunnel"),
    ("2002:808:808::1", "tunnel"),
    ("2620:4f:8000::1", "protocol"),
    ("3ffe::1", "reserved"),
    ("3fff::1", "documentation"),
    ("3fff:fff:ffff::1", "documentation"),
    ("4000::1", "reserved"),
    ("5f00::1", "identifier"),
    ("fc00::1", "private"),
    ("fd12:3456:789a::1", "private"),
    ("fe80::1", "link_local"),
    ("febf::1", "link_local"),
    ("fe80::1%eth0", "link_local"),
    ("2606:4700::1111%2", "link_local"),
    ("fec0::1", "private"),
    ("ff02::1", "multicast"),
    ("ff0e::1", "multicast"),
    ("2606:4700::5efe:c0a8:1", "tunnel"),  # ISATAP to 192.168.0.1
    ("2606:4700::200:5efe:a00:1", "tunnel"),
]

ALLOWED = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2003::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "3ffd::1",
    "2606:4700::5eff:c0a8:1",
]


@pytest.mark.parametrize(("text", "kind"), FORBIDDEN)
def test_an_address_that_is_none_of_the_public_internets_is_refused(text: str, kind: str) -> None:
    special = special_address(ip_address(text))
    assert special is not None
    assert special.kind == kind
    assert special.source
    assert say(f"intake.address.{kind}")


@pytest.mark.parametrize("text", ALLOWED)
def test_the_public_internet_is_allowed_up_to_the_edges_of_the_blocks(text: str) -> None:
    assert special_address(ip_address(text)) is None


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("localhost", "loopback"),
        ("LOCALHOST", "loopback"),
        ("localhost.", "loopback"),
        ("a.localhost", "loopback"),
        ("localhost.localdomain", "loopback"),
        ("printer.local", "link_local"),
        ("router.home.arpa", "private"),
        ("metadata.google.internal", "private"),
        ("abcdefgh.onion", "hidden"),
        ("1.0.0.127.in-addr.arpa", "protocol"),
        ("nothing.invalid", "reserved"),
        ("intranet", "private"),
        ("intranet.", "private"),
        ("nas", "private"),
    ],
)
def test_a_name_that_means_something_locally_is_not_even_looked_up(host: str, kind: str) -> None:
    special = special_name(host)
    assert special is not None
    assert special.kind == kind
    assert say(f"intake.address.{kind}")


@pytest.mark.parametrize(
    "host",
    ["example.com", "notlocalhost.com", "localhost.example.com", "mylocal.net", "internal.example.org"],
)
def test_an_ordinary_name_is_looked_up(host: str) -> None:
    assert special_name(host) is None


@pytest.mark.parametrize(
    ("port", "allowed"),
    [
        (80, True),
        (443, True),
        (8080, True),
        (8443, True),
        (22, False),
        (25, False),
        (6379, False),
        (0, False),
    ],
)
def test_only_web_ports_are_allowed(port: int, allowed: bool) -> None:
    assert PublicInternet().allows_port(port) is allowed


def test_the_table_is_as_long_as_it_is_said_to_be() -> None:
    assert len({text for text, _ in FORBIDDEN}) >= 60
