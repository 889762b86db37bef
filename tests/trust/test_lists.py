"""Trust lists of the user: formats, what they stand for, and lists that cannot be used."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from signing import Authority, make_authority, make_signer
from touchstone.trust import BadList, May, Role, Trust
from touchstone.trust.lists import MAX_LIST, parse_list, read_list, read_lists


@pytest.fixture(scope="module")
def root() -> Authority:
    return make_authority()


def encoded(authority: Authority) -> str:
    return base64.b64encode(authority.certificate.public_bytes(Encoding.DER)).decode()


def in_etsi(authority: Authority) -> str:
    service = {
        "ServiceInformation": {"ServiceDigitalIdentity": {"X509Certificates": [{"val": encoded(authority)}]}}
    }
    return json.dumps({"LoTE": {"TrustedEntitiesList": [{"TrustedEntityServices": [service]}]}})


def in_jwks(authority: Authority) -> str:
    return json.dumps({"entities": [{"jwks": {"keys": [{"kty": "EC", "x5c": [encoded(authority)]}]}}]})


FORMATS = {
    "PEM": lambda a: a.pem,
    "PEM with words around it": lambda a: f"# Leica\n{a.pem}\nSony\n{a.pem}",
    "ETSI TS 119 602": in_etsi,
    "x5c": in_jwks,
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name: str, root: Authority) -> None:
    found = parse_list(FORMATS[name](root).encode(), "a list")
    assert set(found) == {root.certificate}


@pytest.mark.parametrize(
    ("file", "role"),
    [
        ("anchors.pem", Role.SIGNER),
        ("C2PA-TSA-TRUST-LIST.pem", Role.TIMESTAMP),
        ("my-timestamps.pem", Role.TIMESTAMP),
        ("time-stamp.pem", Role.TIMESTAMP),
        ("datsa.pem", Role.SIGNER),
    ],
)
def test_the_name_says_what_a_list_is_for(tmp_path: Path, root: Authority, file: str, role: Role) -> None:
    path = tmp_path / file
    path.write_text(root.pem)
    (anchor,) = read_list(path).anchors
    assert anchor.roles == {role}
    assert anchor.may == (frozenset(May) if role is Role.SIGNER else frozenset())


def test_signers_are_left_out_of_a_list(tmp_path: Path, root: Authority) -> None:
    path = tmp_path / "list.pem"
    leaf = make_signer(root).chain[0].public_bytes(Encoding.PEM).decode()
    path.write_text(root.pem + leaf)
    read = read_list(path)
    assert (len(read.anchors), read.left_out) == (1, 1)


BAD = {
    "nothing": b"",
    "prose": b"trust everybody",
    "a certificate that is none": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "broken JSON": b'{"x5c": [',
    "JSON too deep": b"[" * 100_000,
    "a certificate in JSON that is none": b'{"x5c": ["%%%"]}',
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lists_are_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.pem"
    path.write_bytes(BAD[name])
    with pytest.raises(BadList, match=r"mine\.pem"):
        read_list(path)


def test_a_list_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.pem"
    path.write_bytes(b"\n" * (MAX_LIST + 1))
    with pytest.raises(BadList, match="larger than 4 MiB"):
        read_list(path)


def test_a_folder_is_read_with_the_folders_in_it(tmp_path: Path, root: Authority) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "a.pem").write_text(root.pem)
    (tmp_path / "more" / "b.crt").write_text(root.pem)
    (tmp_path / "notes.txt").write_text("not a list")
    assert [trust_list.path.name for trust_list in read_lists(tmp_path)] == ["a.pem", "b.crt"]


class TestTrust:
    def test_a_list_adds_to_what_is_pinned(self, tmp_path: Path, root: Authority) -> None:
        path = tmp_path / "mine.pem"
        path.write_text(root.pem)
        chain = make_signer(root, with_root=True).ders
        assert not Trust().signer(chain).known
        assert Trust(lists=[path]).signer(chain).may == frozenset(May)
        assert len(Trust(lists=[path]).anchors) == len(Trust().anchors) + 1

    def test_official_lists_are_not_believed_about_cameras(self, tmp_path: Path, root: Authority) -> None:
        (tmp_path / "c2pa-trust-list.pem").write_text(root.pem)
        standing = Trust(pins=False, official=tmp_path).signer(make_signer(root, with_root=True).ders)
        assert standing.may == {May.AI, May.EDIT}

    def test_one_bad_list_does_not_take_the_others_away(self, tmp_path: Path, root: Authority) -> None:
        good, bad = tmp_path / "good.pem", tmp_path / "bad.pem"
        good.write_text(root.pem)
        bad.write_text("nothing")
        trust = Trust(pins=False, lists=[bad, good, tmp_path / "absent"])
        assert len(trust.anchors) == 1
        assert len(trust.problems) == 2
        assert "bad.pem" in trust.problems[0]
        assert "absent" in trust.problems[1]

    def test_it_travels_to_a_worker(self, tmp_path: Path, root: Authority) -> None:
        path = tmp_path / "mine.pem"
        path.write_text(root.pem)
        trust = Trust(official=tmp_path / "official", lists=[path])
        described = json.loads(json.dumps(trust.to_dict()))
        assert Trust.from_dict(described).anchors == trust.anchors
        assert pickle.loads(pickle.dumps(trust)).to_dict() == trust.to_dict()  # noqa: S301 - our own bytes
        assert Trust.from_dict({}).anchors == Trust().anchors
