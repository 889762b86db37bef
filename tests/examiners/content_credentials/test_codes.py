"""Decisions on validation codes alone: tables of what the SDK may report, and what follows."""

from __future__ import annotations

from typing import Any

import pytest

from signing import now
from touchstone.examiners.content_credentials import integrity
from touchstone.examiners.content_credentials.integrity import Integrity
from touchstone.examiners.content_credentials.manifest_store import SignedBy
from touchstone.examiners.content_credentials.report import Codes, Report
from touchstone.examiners.content_credentials.signers import Signers
from workshop import Workshop

SIGNED = "claimSignature.validated"
BOUND = "assertion.bmffHash.match"
FILES: dict[str, tuple[set[str], set[str], Integrity]] = {
    "all is well": ({SIGNED, BOUND}, set(), Integrity.INTACT),
    "data hash": ({SIGNED, "assertion.dataHash.match"}, set(), Integrity.INTACT),
    "boxes hash": ({SIGNED, "assertion.boxesHash.match"}, set(), Integrity.INTACT),
    "untrusted and expired": (
        {SIGNED, BOUND},
        {"signingCredential.untrusted", "signingCredential.expired"},
        Integrity.INTACT,
    ),
    "key usage, time, identity": (
        {SIGNED, BOUND},
        {"signingCredential.invalid", "timeStamp.mismatch", "cawg.x509.credential.untrusted"},
        Integrity.INTACT,
    ),
    "no hash was checked": ({SIGNED}, set(), Integrity.UNCHECKED),
    "a hashed link is not the file": (
        {SIGNED, "assertion.hashedURI.match"},
        set(),
        Integrity.UNCHECKED,
    ),
    "no signature was checked": ({BOUND}, set(), Integrity.UNCHECKED),
    "an algorithm that the SDK does not know": ({BOUND}, {"algorithm.unsupported"}, Integrity.UNCHECKED),
    "media altered": ({SIGNED}, {"assertion.bmffHash.mismatch"}, Integrity.TAMPERED),
    "one fragment of several altered": ({SIGNED, BOUND}, {"assertion.bmffHash.mismatch"}, Integrity.TAMPERED),
    "assertion altered": ({SIGNED, BOUND}, {"assertion.hashedURI.mismatch"}, Integrity.TAMPERED),
    "claim altered": ({BOUND}, {"claimSignature.mismatch"}, Integrity.TAMPERED),
    "assertion taken out": ({SIGNED, BOUND}, {"assertion.missing"}, Integrity.TAMPERED),
    "signature taken out": ({BOUND}, {"claimSignature.missing"}, Integrity.TAMPERED),
    "an ingredient replaced": ({SIGNED, BOUND}, {"ingredient.manifest.mismatch"}, Integrity.MALFORMED),
    "a rule not kept": ({SIGNED, BOUND}, {"assertion.action.malformed"}, Integrity.MALFORMED),
    "a required assertion left out": (
        {SIGNED, BOUND},
        {"assertion.required.missing"},
        Integrity.MALFORMED,
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_integrity_of_a_file(name: str) -> None:
    success, failure, state = FILES[name]
    assert integrity.of_file(Codes(success=success, failure=failure)) is state


def report(label: str, recorded: dict[str, Any], today: dict[str, Any] | None) -> Report:
    """A report with one ingredient: what its taker recorded, and what is different today."""
    uri = f"self#jumbf=/c2pa/outer/c2pa.assertions/{label}"
    ingredient = {"label": label, "relationship": "parentOf", "active_manifest": "inner", **recorded}
    deltas = [{"ingredientAssertionURI": uri, "validationDeltas": listed(today)}] if today is not None else []
    return Report(
        {
            "active_manifest": "outer",
            "manifests": {"outer": {"ingredients": [ingredient]}, "inner": {}},
            "validation_results": {"activeManifest": listed({}), "ingredientDeltas": deltas},
        }
    )


def listed(codes: dict[str, Any]) -> dict[str, Any]:
    return {kind: [{"code": code} for code in found] for kind, found in codes.items()}


def recorded(**codes: list[str]) -> dict[str, Any]:
    return {"validation_results": {"activeManifest": listed(codes)}}


NEW, OLD = "c2pa.ingredient.v3", "c2pa.ingredient"
INGREDIENTS: dict[str, tuple[str, dict[str, Any], dict[str, Any] | None, Integrity]] = {
    "recorded as good": (NEW, recorded(success=[SIGNED, BOUND]), {}, Integrity.INTACT),
    "good today, hash recorded": (
        NEW,
        recorded(success=[BOUND]),
        {"success": [SIGNED]},
        Integrity.INTACT,
    ),
    "nobody hashed its file": (NEW, recorded(success=[SIGNED]), {}, Integrity.UNCHECKED),
    "old: successes were not recorded": (OLD, {}, {"success": [SIGNED]}, Integrity.INTACT),
    "old, second of its name": (f"{OLD}__2", {}, {"success": [SIGNED]}, Integrity.INTACT),
    "old: a failure was recorded": (
        OLD,
        {"validation_status": [{"code": "claimSignature.mismatch"}]},
        {"success": [SIGNED]},
        Integrity.TAMPERED,
    ),
    "recorded as bad": (
        NEW,
        recorded(success=[SIGNED], failure=["assertion.bmffHash.mismatch"]),
        {},
        Integrity.TAMPERED,
    ),
    "recorded as good, bad today": (
        NEW,
        recorded(success=[SIGNED, BOUND]),
        {"failure": ["claimSignature.mismatch"]},
        Integrity.TAMPERED,
    ),
    "replaced since": (
        NEW,
        recorded(success=[SIGNED, BOUND]),
        {"failure": ["ingredient.manifest.mismatch"]},
        Integrity.TAMPERED,
    ),
    "not looked at today": (NEW, recorded(success=[SIGNED, BOUND]), None, Integrity.UNCHECKED),
    "untrusted": (
        NEW,
        recorded(success=[SIGNED, BOUND]),
        {"failure": ["signingCredential.untrusted"]},
        Integrity.INTACT,
    ),
}


@pytest.mark.parametrize("name", INGREDIENTS)
def test_integrity_of_an_ingredient(name: str) -> None:
    label, taken, today, state = INGREDIENTS[name]
    (ingredient,) = report(label, taken, today).ingredients("outer")
    assert integrity.of_ingredient(ingredient) is state


NOTHING = Codes()
TRUSTED = Codes(success={"signingCredential.trusted"})
VERDICTS: dict[str, tuple[Codes, Codes, bool]] = {
    "trusted today": (TRUSTED, NOTHING, True),
    "trusted when it was taken in, and nothing else today": (NOTHING, TRUSTED, True),
    "trusted then, not today": (Codes(failure={"signingCredential.untrusted"}), TRUSTED, False),
    "not trusted then, trusted today": (TRUSTED, Codes(failure={"signingCredential.untrusted"}), True),
    "not trusted then, nothing else today": (NOTHING, Codes(failure={"signingCredential.untrusted"}), False),
    "recorded as both": (
        NOTHING,
        Codes(success={"signingCredential.trusted"}, failure={"signingCredential.untrusted"}),
        False,
    ),
    "wrong key usage": (
        Codes(success={"signingCredential.trusted"}, failure={"signingCredential.invalid"}),
        NOTHING,
        False,
    ),
    "revoked": (
        Codes(success={"signingCredential.trusted"}, failure={"signingCredential.ocsp.revoked"}),
        NOTHING,
        False,
    ),
    "the SDK says nothing": (NOTHING, NOTHING, False),
}


@pytest.fixture(scope="module")
def signers(workshop: Workshop) -> Signers:
    return Signers(workshop.trust, {"m": SignedBy(chain=workshop.maker.ders)})


def info(workshop: Workshop, **changes: str) -> dict[str, Any]:
    """What the SDK says of the maker's certificate."""
    serial = str(workshop.maker.chain[0].serial_number)
    found = {"issuer": "Test Maker", "common_name": "Test Signer", "cert_serial_number": serial}
    return {"signature_info": {**found, **changes}}


@pytest.mark.parametrize("name", VERDICTS)
def test_trust_in_a_signer(workshop: Workshop, signers: Signers, name: str) -> None:
    today, then, trusted = VERDICTS[name]
    assert signers.judge("m", info(workshop), today, then, now()).trusted is trusted


@pytest.mark.parametrize(
    "changes", [{"cert_serial_number": "1"}, {"issuer": "OpenAI"}, {"common_name": "Sora"}]
)
def test_the_sdk_and_we_must_have_looked_at_the_same_certificate(
    workshop: Workshop, signers: Signers, changes: dict[str, str]
) -> None:
    judged = signers.judge("m", info(workshop, **changes), TRUSTED, NOTHING, now())
    assert (judged.known, judged.trusted) == (False, False)
