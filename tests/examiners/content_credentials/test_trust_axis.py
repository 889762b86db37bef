"""Who is believed: attacks on the trust axis, each signed by the test as an attacker would."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import c2pa
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from signing import Authority, Pin, Signer, action, make_authority, make_signer, manifest
from timestamping import timestamp_authority
from touchstone.trust import Trust
from touchstone.verdict import Evidence, Supports
from workshop import Workshop, look, only

AI = manifest(action("c2pa.created", "trainedAlgorithmicMedia"))
CAMERA = manifest(action("c2pa.created", "digitalCapture"))


def unverified(evidence: Evidence, certainty: str) -> None:
    assert (evidence.supports, evidence.verified) == (Supports.AI, False)
    assert evidence.details["certainty"] == certainty
    assert evidence.details["claimed_by"]


def test_a_self_made_certificate_in_a_known_name_is_not_verified(workshop: Workshop) -> None:
    attacker = make_signer(make_authority("OpenAI", "RootCA"), "OpenAI", "Truepic Lens CLI in Sora")
    evidence = only(look(workshop.signed(AI, by=attacker), workshop.trust))
    unverified(evidence, "stated")
    assert evidence.details["signer"] == "OpenAI"
    assert evidence.details["signer_trusted"] is False


@pytest.mark.parametrize("position", ["after", "instead"])
def test_a_pinned_certificate_stuffed_into_the_chain_gives_no_trust(
    workshop: Workshop, position: str
) -> None:
    """The pinned authority's certificate is public; the attacker has it, but it did not issue his."""
    own = make_authority("Truepic", "WebClaimSigningCA")
    attacker = make_signer(own, "OpenAI", "Truepic Lens CLI in Sora")
    pinned = workshop.root.certificate
    chain = (attacker.chain[0], pinned) if position == "instead" else (*attacker.chain, pinned)
    evidence = only(look(workshop.signed(AI, by=Signer(chain, attacker.key)), workshop.trust))
    unverified(evidence, "stated")


def test_an_authority_with_the_pinned_name_and_another_key_gives_no_trust(workshop: Workshop) -> None:
    twin = make_authority()  # the same names as the pinned root
    evidence = only(look(workshop.signed(AI, by=make_signer(twin, with_root=True)), workshop.trust))
    unverified(evidence, "stated")


def test_a_signer_may_not_issue(workshop: Workshop) -> None:
    """A certificate below the pinned root, but one that is no authority, issues another."""
    maker = make_signer(workshop.root, "Honest Maker")
    as_authority = Authority(maker.chain[0], maker.key)
    forged = make_signer(as_authority, "OpenAI", with_root=True)
    evidence = only(look(workshop.signed(AI, by=forged.carrying(workshop.root.certificate)), workshop.trust))
    unverified(evidence, "stated")


@pytest.fixture(scope="module")
def public() -> Authority:
    return make_authority("Public Mail CA", "S/MIME CA")


@pytest.fixture(scope="module")
def limited(workshop: Workshop, public: Authority) -> Trust:
    return workshop.trusting(Pin(public.certificate, organisations=["Black Forest Labs Inc."]))


class TestPublicAuthority:
    """An authority that issues to anyone is pinned for named organisations only."""

    @pytest.mark.parametrize(
        ("organisation", "verified"),
        [
            ("Black Forest Labs Inc.", True),
            ("BLACK FOREST LABS INC.", True),
            ("Black Forest Labs Inc. Fans", False),
            ("Mallory", False),
            ("", False),
        ],
    )
    def test_only_the_named(
        self, workshop: Workshop, public: Authority, limited: Trust, organisation: str, verified: bool
    ) -> None:
        signer = make_signer(public, organisation, with_root=True)
        evidence = only(look(workshop.signed(AI, by=signer), limited))
        assert evidence.verified is verified

    def test_another_pin_in_the_chain_does_not_lift_the_limit(
        self, workshop: Workshop, public: Authority
    ) -> None:
        """The SDK trusts this chain, through the public authority; the limits of the pin it leads to hold."""
        other = make_authority("Truepic", "WebClaimSigningCA")
        trust = workshop.trusting(
            Pin(public.certificate, organisations=["Black Forest Labs Inc."]), Pin(other.certificate)
        )
        mallory = make_signer(public, "OpenAI", with_root=True).carrying(other.certificate)
        unverified(only(look(workshop.signed(AI, by=mallory), trust)), "stated")


class TestRoles:
    """What an anchor stands for is kept apart."""

    def test_a_timestamp_authority_does_not_vouch_for_signers(self, workshop: Workshop) -> None:
        authority = make_authority("TSA", "TSA root")
        trust = workshop.trusting(Pin(authority.certificate, roles=["timestamp"], may=[]))
        signer = make_signer(authority, with_root=True)
        unverified(only(look(workshop.signed(AI, by=signer), trust)), "stated")

    @pytest.mark.parametrize(
        ("may", "supports"), [(("camera",), Supports.CAMERA), (("ai", "edit"), Supports.NEITHER)]
    )
    def test_only_those_who_sign_for_cameras_are_believed_about_them(
        self, workshop: Workshop, may: tuple[str, ...], supports: Supports
    ) -> None:
        authority = make_authority("Maker", "Maker root")
        trust = workshop.trusting(Pin(authority.certificate, may=may))
        evidence = only(look(workshop.signed(CAMERA, by=make_signer(authority, with_root=True)), trust))
        assert evidence.supports is supports
        assert evidence.verified is (supports is Supports.CAMERA)
        assert evidence.details.get("claims_camera", False) is (supports is not Supports.CAMERA)

    def test_a_camera_is_not_believed_about_ai(self, workshop: Workshop) -> None:
        authority = make_authority("Maker", "Maker root")
        trust = workshop.trusting(Pin(authority.certificate, may=["camera"]))
        unverified(
            only(look(workshop.signed(AI, by=make_signer(authority, with_root=True)), trust)), "stated"
        )

    def test_an_unknown_camera_never_counts(self, workshop: Workshop) -> None:
        stranger = make_signer(make_authority("Leica Camera AG", "Leica C2PA Root CA"), "Leica Camera AG")
        evidence = only(look(workshop.signed(CAMERA, by=stranger), workshop.trust))
        assert (evidence.supports, evidence.verified) == (Supports.NEITHER, False)
        assert evidence.details["claims_camera"] is True


def test_a_key_that_is_pinned_vouches_for_a_chain_without_its_certificate(workshop: Workshop) -> None:
    """Roots stay out of manifests; the pin's name and key take their place."""
    assert workshop.root.certificate not in workshop.maker.chain
    assert only(look(workshop.signed(AI), workshop.trust)).verified


LIFE = timedelta(seconds=3)


@pytest.fixture(scope="module")
def clock() -> Authority:
    return make_authority("Time Org", "Time root")


@pytest.fixture(scope="module")
def with_clock(workshop: Workshop, clock: Authority) -> Trust:
    return workshop.trusting(
        Pin(workshop.root.certificate), Pin(clock.certificate, roles=["timestamp"], may=[])
    )


def stamper_of(clock: Authority) -> Signer:
    usages = [ExtendedKeyUsageOID.TIME_STAMPING]
    return make_signer(clock, "Time Org", "Stamper", usages=usages, with_root=True)


@pytest.fixture(scope="module")
def expired(workshop: Workshop, clock: Authority) -> dict[str, Path]:
    """Files by a signer whose certificate has run out since: without a timestamp, and with one."""
    signer = make_signer(make_authority(name="Test Issuer", under=workshop.root), valid_for=LIFE)
    signed = {"without": workshop.signed(AI, by=signer)}
    with timestamp_authority(stamper_of(clock)) as address:
        for version in (1, 2):
            definition = manifest(action("c2pa.created", "trainedAlgorithmicMedia"), version=version)
            signed[f"version {version}"] = workshop.signed(definition, by=signer, timestamps=address)
    time.sleep(LIFE.total_seconds() + 0.5)
    return signed


class TestTime:
    """A certificate that has expired counts only under a timestamp by a trusted authority."""

    def test_without_a_timestamp(self, expired: dict[str, Path], with_clock: Trust) -> None:
        evidence = only(look(expired["without"], with_clock))
        unverified(evidence, "attested")
        assert "expired" in evidence.details["claimed_by"]

    def test_an_expired_signature_inside_a_chain_keeps_all_of_it_from_being_verified(
        self, workshop: Workshop, expired: dict[str, Path]
    ) -> None:
        path = workshop.signed(manifest(), source=expired["without"], intent=c2pa.C2paBuilderIntent.EDIT)
        evidence = only(look(path, workshop.trust))
        unverified(evidence, "attested")
        assert [link["trusted"] for link in evidence.details["chain"]] == [True, False]

    @pytest.mark.parametrize("version", ["version 1", "version 2"])
    def test_with_a_trusted_timestamp(
        self, expired: dict[str, Path], with_clock: Trust, version: str
    ) -> None:
        evidence = only(look(expired[version], with_clock))
        assert evidence.verified
        assert evidence.details["signed_at"]

    @pytest.mark.parametrize("version", ["version 1", "version 2"])
    def test_a_timestamp_by_a_stranger_rescues_nothing(
        self, workshop: Workshop, expired: dict[str, Path], version: str
    ) -> None:
        """For version 1 the SDK says `timeStamp.trusted` of any authority."""
        evidence = only(look(expired[version], workshop.trust))
        unverified(evidence, "attested")
        assert "signed_at" not in evidence.details
        assert evidence.details["claimed_time"]

    def test_a_signer_does_not_vouch_for_time(self, workshop: Workshop, clock: Authority) -> None:
        """An anchor for signers is none for timestamps, also where it issued the stamper's certificate."""
        trust = workshop.trusting(Pin(clock.certificate))
        stamper = stamper_of(clock)
        assert not trust.timestamper(stamper.ders).known
        other = make_signer(clock, "Time Org", "No stamper", with_root=True)
        pinned = workshop.trusting(Pin(clock.certificate, roles=["timestamp"], may=[]))
        assert pinned.timestamper(stamper.ders).known
        assert not pinned.timestamper(other.ders).known, "its key usage is not timestamping"
