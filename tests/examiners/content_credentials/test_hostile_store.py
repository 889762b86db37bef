"""The readers of raw bytes (CBOR, JUMBF, DER): whatever they are given, they answer soon and in bounds."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from signing import make_authority, make_signer
from timestamping import OCTETS, SEQUENCE, der, token
from touchstone.examiners.content_credentials import cbor
from touchstone.examiners.content_credentials.manifest_store import read_signers
from touchstone.examiners.content_credentials.timestamp_token import BadToken, signer_chains

GOOD: list[tuple[str, Any]] = [
    ("00", 0),
    ("1818", 24),
    ("3903e7", -1000),
    ("43010203", b"\1\2\3"),
    ("6161", "a"),
    ("83010203", [1, 2, 3]),
    ("9f0102ff", [1, 2]),
    ("a16161f5", {"a": True}),
    ("bf6161f6ff", {"a": None}),
    ("5f42010243030405ff", b"\1\2\3\4\5"),
    ("d28100", cbor.Tagged(18, [0])),
    ("fb3ff199999999999a", None),  # a float: read over
]


@pytest.mark.parametrize(("text", "value"), GOOD)
def test_cbor(text: str, value: Any) -> None:
    assert cbor.decode(bytes.fromhex(text)) == value


BAD = {
    "nothing": "",
    "a stop code alone": "ff",
    "cut off": "43",
    "reserved length": "1c",
    "a stop code at the start of a list": "81ff",
    "a key twice": "a2616101616102",
    "a list as key": "a18000",
    "a list longer than memory": "9b7fffffffffffffff",
    "a map longer than memory": "bb7fffffffffffffff",
    "text longer than memory": "7b7fffffffffffffff",
    "not UTF-8": "61ff",
    "mixed string": "5f6161ff",
    "a key without a value": "bf6161ff",
    "nested too deep": "81" * 200 + "00",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_cbor(name: str) -> None:
    with pytest.raises(cbor.BadCbor):
        cbor.decode(bytes.fromhex(BAD[name]))


def box(kind: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return (8 + len(data)).to_bytes(4, "big") + kind + data


def superbox(label: str, *content: bytes) -> bytes:
    return box(b"jumb", box(b"jumd", bytes(16), b"\x03", label.encode(), b"\0"), *content)


def head(major: int, size: int) -> bytes:
    return bytes([major << 5 | 25]) + size.to_bytes(2, "big")


def text(value: str) -> bytes:
    return head(3, len(value)) + value.encode()


def octets(value: bytes) -> bytes:
    return head(2, len(value)) + value


def cose(protected: bytes, unprotected: bytes) -> bytes:
    return b"\xd2\x84" + octets(protected) + unprotected + b"\xf6" + octets(b"signature")


def store(*manifests: bytes) -> bytes:
    return superbox("c2pa", *manifests)


def manifest_with(label: str, signature: bytes) -> bytes:
    return superbox(label, superbox("c2pa.signature", box(b"cbor", signature)))


PROTECTED = b"\xa1\x18\x21" + octets(b"signer")  # {33: b"signer"}
UNPROTECTED = b"\xa1" + text("x5chain") + octets(b"signer")
EMPTY = b"\xa0"

STORES = {
    "protected": (store(manifest_with("m", cose(PROTECTED, EMPTY))), [b"signer"]),
    "unprotected": (store(manifest_with("m", cose(EMPTY, UNPROTECTED))), [b"signer"]),
    "several certificates": (
        store(manifest_with("m", cose(b"\xa1\x18\x21\x82" + octets(b"a") + octets(b"b"), EMPTY))),
        [b"a", b"b"],
    ),
    "both headers": (store(manifest_with("m", cose(PROTECTED, UNPROTECTED))), []),
    "a number in the unprotected header": (store(manifest_with("m", cose(EMPTY, PROTECTED))), []),
    "the header twice": (
        store(manifest_with("m", cose(b"\xa2" + PROTECTED[1:] + PROTECTED[1:], EMPTY))),
        [],
    ),
    "the label twice": (store(*[manifest_with("m", cose(PROTECTED, EMPTY))] * 2), []),
    "two signatures": (
        store(superbox("m", *[superbox("c2pa.signature", box(b"cbor", cose(PROTECTED, EMPTY)))] * 2)),
        [],
    ),
    "no COSE": (store(manifest_with("m", b"\x01")), []),
    "no CBOR": (store(manifest_with("m", b"\xff\xff")), []),
}


@pytest.mark.parametrize("name", STORES)
def test_whose_chain_a_manifest_has(name: str) -> None:
    data, chain = STORES[name]
    assert read_signers(data)["m"].chain == chain


HOSTILE = {
    "nothing": b"",
    "zeros": bytes(4096),
    "a box of size 0 in a box of size 0": b"\0\0\0\0jumb" * 400,
    "a box that is longer than the store": b"\x7f\xff\xff\xffjumb",
    "boxes of eight bytes": box(b"free") * 100_000,
    "nested superboxes": b"",
}
for _ in range(1000):
    HOSTILE["nested superboxes"] = superbox("x", HOSTILE["nested superboxes"])[: 1 << 16]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_stores_are_read_soon(name: str) -> None:
    started = time.perf_counter()
    read_signers(HOSTILE[name])
    assert time.perf_counter() - started < 1


class TestTimestampToken:
    @pytest.fixture(scope="class")
    @classmethod
    def made(cls) -> tuple[bytes, list[bytes]]:
        signer = make_signer(make_authority(), usages=[ExtendedKeyUsageOID.TIME_STAMPING], with_root=True)
        imprint = der(SEQUENCE, der(SEQUENCE), der(OCTETS, b"digest"))
        return token(signer, imprint), [c.public_bytes(Encoding.DER) for c in signer.chain]

    def test_the_signer_comes_first(self, made: tuple[bytes, list[bytes]]) -> None:
        data, ders = made
        assert signer_chains(data) == [ders]

    def test_a_response_holds_a_token(self, made: tuple[bytes, list[bytes]]) -> None:
        data, ders = made
        granted = der(SEQUENCE, der(0x02, b"\0"))
        assert signer_chains(der(SEQUENCE, granted, data)) == [ders]

    @pytest.mark.parametrize("harm", ["", "30", "3080", "3084ffffffff", "30030601ff", "0203010203"])
    def test_bad_tokens(self, harm: str) -> None:
        with pytest.raises(BadToken):
            signer_chains(bytes.fromhex(harm))

    def test_random_harm_raises_nothing_else(self, made: tuple[bytes, list[bytes]]) -> None:
        chance = random.Random(7)
        answered = 0
        for _ in range(300):
            harmed = bytearray(made[0])
            harmed[chance.randrange(len(harmed))] ^= 1 << chance.randrange(8)
            try:
                signer_chains(bytes(harmed))
            except BadToken:
                continue
            answered += 1
        assert 0 < answered < 300
