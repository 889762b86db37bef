"""From a signer's certificate to the anchors: only links that were really signed count."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509

from signing import Authority, make_authority, make_signer, now
from touchstone.trust.anchors import Anchor, Role, anchor_for
from touchstone.trust.paths import MAX_DEPTH, arrivals, read_chain


def anchors(*certificates: x509.Certificate) -> list[Anchor]:
    return [anchor_for(c, roles=[Role.SIGNER], source="a test") for c in certificates]


@pytest.fixture(scope="module")
def root() -> Authority:
    return make_authority()


@pytest.fixture(scope="module")
def issuer(root: Authority) -> Authority:
    return make_authority(name="Issuer", under=root)


def test_an_anchor_is_reached_by_its_certificate(root: Authority, issuer: Authority) -> None:
    signer = make_signer(issuer)
    found = arrivals(signer.chain, anchors(issuer.certificate))
    assert [a.last for a in found] == [signer.chain[0], issuer.certificate]
    assert {a.anchor.sha256 for a in found} == {anchors(issuer.certificate)[0].sha256}


def test_an_anchor_is_reached_by_its_key_alone(root: Authority, issuer: Authority) -> None:
    signer = make_signer(issuer)
    assert root.certificate not in signer.chain
    (found,) = arrivals(signer.chain, anchors(root.certificate))
    assert found.last == issuer.certificate
    assert found.certificates == (signer.chain[0], issuer.certificate)


def test_the_order_of_the_chain_does_not_matter(root: Authority, issuer: Authority) -> None:
    deep = make_authority(name="Deep", under=issuer)
    leaf = make_signer(deep).chain[0]
    assert arrivals([leaf, issuer.certificate, deep.certificate], anchors(root.certificate))


def test_strangers_in_the_chain_are_passed_by(root: Authority, issuer: Authority) -> None:
    stranger = make_authority("Stranger")
    twin = make_authority(name="Issuer")  # the issuer's name, another key
    leaf = make_signer(issuer).chain[0]
    chain = [leaf, stranger.certificate, twin.certificate, issuer.certificate]
    assert arrivals(chain, anchors(root.certificate))
    assert not arrivals(chain, anchors(stranger.certificate))


def test_carrying_an_anchor_is_not_being_issued_by_it(root: Authority) -> None:
    own = make_signer(make_authority("Attacker"), with_root=True)
    assert not arrivals([*own.chain, root.certificate], anchors(root.certificate))


def test_a_name_without_the_key_leads_nowhere(root: Authority) -> None:
    twin = make_authority()
    assert twin.certificate.subject == root.certificate.subject
    assert not arrivals(make_signer(twin, with_root=True).chain, anchors(root.certificate))


def test_a_name_without_the_key_is_no_link_in_the_chain(root: Authority, issuer: Authority) -> None:
    """A forged certificate names the real issuer, whose certificate lies beside it and leads on."""
    twin = make_authority(name="Issuer")
    assert twin.certificate.subject == issuer.certificate.subject
    forged = make_signer(twin, "OpenAI").chain[0]
    assert not arrivals([forged, issuer.certificate], anchors(root.certificate, issuer.certificate))


def test_a_signer_is_no_authority(root: Authority) -> None:
    maker = make_signer(root)
    forged = make_signer(Authority(maker.chain[0], maker.key), with_root=True)
    assert not arrivals([*forged.chain, root.certificate], anchors(root.certificate))


def test_a_path_ends_at_the_limit() -> None:
    authority = make_authority()
    top = authority
    for number in range(MAX_DEPTH + 1):
        authority = make_authority(name=f"Level {number}", under=authority)
    assert not arrivals(make_signer(authority, with_root=True).chain, anchors(top.certificate))


def test_validity_is_that_of_every_certificate(root: Authority, issuer: Authority) -> None:
    signer = make_signer(issuer, valid_for=timedelta(days=3))
    (found,) = arrivals(signer.chain, anchors(root.certificate))
    assert found.valid_at(now())
    assert not found.valid_at(now() + timedelta(days=4))
    assert not found.valid_at(now() - timedelta(days=4))


def test_a_chain_that_cannot_be_read_is_empty() -> None:
    assert read_chain([]) == []
    assert read_chain([b"no certificate"]) == []
    signer = make_signer(make_authority())
    assert read_chain([*signer.ders[:1], b"no certificate"]) == [signer.chain[0]]
