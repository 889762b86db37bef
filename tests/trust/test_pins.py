"""The pins that come with the program: facts that hold together, and no one who must not be there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from touchstone.trust import BadPins, May, Role, pinned_anchors
from touchstone.trust.anchors import parse_pins, read_pins
from touchstone.trust.certificates import fingerprint, public_key_of, subject_of
from touchstone.trust.lists import parse_list

# Authorities that issue to anyone who asks and pays: there the name in the certificate has to be a maker's.
PUBLIC = ("GlobalSign", "Document Signing CA")
CAMERA_MAKERS = ("Leica", "Canon", "FUJIFILM", "Nikon", "SONY")


def test_every_pin_says_what_it_is_and_why() -> None:
    for pin in pinned_anchors():
        assert len(pin.sha256) == 64, pin.name
        assert load_der_public_key(pin.public_key), pin.name
        assert pin.roles and pin.why and pin.source, pin.name
        assert bool(pin.may) is (Role.SIGNER in pin.roles), pin.name


def test_no_certificate_is_pinned_twice() -> None:
    counted = Counter(pin.sha256 for pin in pinned_anchors())
    assert [name for name, count in counted.items() if count > 1] == []


def test_public_authorities_are_pinned_for_named_organisations_only() -> None:
    public = [
        p for p in pinned_anchors() if any(name in p.name for name in PUBLIC) and Role.SIGNER in p.roles
    ]
    assert len(public) >= 4
    assert all(pin.organisations for pin in public)
    assert all(May.CAMERA not in pin.may for pin in public)


def test_no_test_authority_is_pinned() -> None:
    for pin in pinned_anchors():
        assert "test" not in pin.subject.lower()


@pytest.mark.parametrize("maker", CAMERA_MAKERS)
def test_camera_makers_are_believed_about_cameras_and_not_about_ai(maker: str) -> None:
    (pin,) = [pin for pin in pinned_anchors() if pin.name.startswith(maker)]
    assert May.CAMERA in pin.may
    assert May.AI not in pin.may


def test_the_web_services_of_a_phone_maker_are_not_its_cameras() -> None:
    by_name = {pin.name: pin for pin in pinned_anchors()}
    assert May.CAMERA in by_name["Google C2PA Mobile A 1P ICA G3"].may
    assert May.CAMERA not in by_name["Google C2PA Media Services 1P ICA G3"].may
    assert May.CAMERA not in by_name["Google C2PA Root CA G3"].may, "it stands above both"


@pytest.mark.corpus
def test_pins_agree_with_the_lists_that_they_were_taken_from(corpus_marks: Path) -> None:
    pins = {pin.sha256: pin for pin in pinned_anchors()}
    for name in ("C2PA-TRUST-LIST.pem", "C2PA-TSA-TRUST-LIST.pem"):
        for certificate in parse_list((corpus_marks / "trust" / name).read_bytes(), name):
            pin = pins[fingerprint(certificate)]
            assert (pin.subject, pin.public_key) == (subject_of(certificate), public_key_of(certificate))
            assert (Role.TIMESTAMP if "TSA" in name else Role.SIGNER) in pin.roles


REST = 'name="x"\nsubject="x"\nsha256=""\nwhy=""\nsource=""\n'
BAD = {
    "not TOML": "[[pin]",
    "no name": '[[pin]]\nsha256 = "00"',
    "a role that is none": f'[[pin]]\n{REST}public_key=""\nroles=["king"]',
    "a key that is no base64": f'[[pin]]\n{REST}public_key="%"\nroles=[]',
}


@pytest.mark.parametrize("name", BAD)
def test_bad_pins_are_refused_by_name(name: str) -> None:
    with pytest.raises(BadPins, match=r"my\.toml"):
        parse_pins(BAD[name], "my.toml")


def test_a_missing_file_of_pins_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadPins, match="absent"):
        read_pins(tmp_path / "absent.toml")
