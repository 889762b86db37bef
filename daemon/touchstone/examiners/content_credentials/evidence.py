"""Puts what was read into one piece of evidence, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...messages import say
from ...trust import May
from ...verdict import Evidence, Supports
from ...zoo import soft_bindings
from . import integrity
from .integrity import Integrity
from .report import Report
from .signers import Signer
from .statements import Reader, Statement, claim_generators, read_actions
from .vocabulary import MAX_TEXT, Kind, generator

NAME = "content_credentials"
MAX_SHOWN = 50
"""Actions, codes and links of a chain that go into the details."""

_SUPPORTS: Mapping[Kind, Supports] = {Kind.AI: Supports.AI, Kind.EDITED: Supports.EDITED}
_NEEDED: Mapping[Kind, May] = {Kind.AI: May.AI, Kind.EDITED: May.EDIT, Kind.CAMERA: May.CAMERA}


@dataclass(frozen=True)
class Reading:
    """Everything that was found out about one file.

    Attributes:
        report: of the SDK.
        state: integrity of the active manifest and the file.
        signers: by manifest label.
        statement: what the chain says; None if it says nothing.
        words: the reader that read it.
        extra: further details, such as the number of fragments.
    """

    report: Report
    state: Integrity
    signers: Mapping[str, Signer]
    statement: Statement | None
    words: Reader
    extra: Mapping[str, Any]


def remote(url: str) -> Evidence:
    """Content Credentials that are elsewhere on the web, and were not fetched."""
    return _neither(say("content_credentials.remote"), remote_url=url[:MAX_TEXT])


def damaged(reason: str) -> Evidence:
    """Content Credentials that cannot be taken apart."""
    return _neither(say("content_credentials.damaged"), tampered=True, reason=reason)


def from_reading(reading: Reading) -> Evidence:
    """The evidence of a file whose manifest store was read and validated."""
    details = _details(reading)
    if reading.state is Integrity.TAMPERED:
        return _neither(
            say("content_credentials.tampered", signer=_active(reading).name), **details, tampered=True
        )
    if reading.state is Integrity.UNCHECKED:
        return _neither(say("content_credentials.unchecked"), **details)
    statement = reading.statement
    if statement is None or statement.kind in (Kind.OTHER, Kind.EMPTY, Kind.SCREEN):
        key = "screen" if statement is not None and statement.kind is Kind.SCREEN else "silent"
        return _neither(say(f"content_credentials.{key}", signer=_active(reading).name), **details)
    speaker = reading.signers[statement.path[-1]]
    verified = _verified(reading, statement)
    if statement.kind is Kind.CAMERA:
        if verified:
            return _evidence(
                say("content_credentials.camera", signer=speaker.name), Supports.CAMERA, True, details
            )
        doubt = "untrusted" if not _all_trusted(reading, statement) else "unproven"
        key = f"camera_{'malformed' if reading.state is Integrity.MALFORMED else doubt}"
        return _neither(say(f"content_credentials.{key}", signer=speaker.name), **details, claims_camera=True)
    how = "verified" if verified else _how_far(reading, statement)
    if not verified:
        details["certainty"] = "stated" if how == "stated" else "attested"
        details["claimed_by"] = _claimed_by(reading, statement, how)
    made = details.get("generator")
    key = f"content_credentials.{statement.kind.value}_{how}"
    finding = (
        say(f"{key}_with", signer=speaker.name, generator=made) if made else say(key, signer=speaker.name)
    )
    return _evidence(finding, _SUPPORTS[statement.kind], verified, details)


def _verified(reading: Reading, statement: Statement) -> bool:
    """Whether every signature from the file to the words is verified, and the one who speaks may say this."""
    return (
        reading.state is Integrity.INTACT
        and _all_trusted(reading, statement)
        and _NEEDED[statement.kind] in reading.signers[statement.path[-1]].may
    )


def _all_trusted(reading: Reading, statement: Statement) -> bool:
    return all(reading.signers[label].trusted for label in statement.path)


def _how_far(reading: Reading, statement: Statement) -> str:
    """How far a statement goes that is not verified: `stated` by someone unknown, `attested` by someone known
    whose certificate does not validate (any more), `malformed` where only the manifest's form is at fault.
    """
    path = [reading.signers[label] for label in statement.path]
    if not all(signer.known for signer in path) or _NEEDED[statement.kind] not in path[-1].may:
        return "stated"
    return "malformed" if all(signer.trusted for signer in path) else "attested"


def _claimed_by(reading: Reading, statement: Statement, how: str) -> str:
    name = reading.signers[statement.path[-1]].name
    if how == "attested" and any(reading.signers[label].expired for label in statement.path):
        how = "expired"
    return say(f"content_credentials.by.{how}", signer=name)


def _active(reading: Reading) -> Signer:
    return reading.signers[reading.report.active]


def _evidence(finding: str, supports: Supports, verified: bool, details: dict[str, Any]) -> Evidence:
    return Evidence(examiner=NAME, finding=finding, supports=supports, verified=verified, details=details)


def _neither(finding: str, **details: Any) -> Evidence:
    return _evidence(finding, Supports.NEITHER, False, details)


# --- details for the panel --------------------------------------------------------------------


def _details(reading: Reading) -> dict[str, Any]:
    """What the panel shows, and what the verdict needs: only plain JSON values, and no empty ones."""
    report, statement = reading.report, reading.statement
    intact = reading.state in (Integrity.INTACT, Integrity.MALFORMED)
    speaking = statement.path[-1] if statement and intact else report.active
    signer = reading.signers[speaking]
    path = statement.path if statement and intact else (report.active,)
    generators = claim_generators(report, speaking)
    found: dict[str, Any] = {
        "integrity": reading.state.value,
        "signer": signer.name,
        "signer_trusted": signer.trusted,
        "trust_anchor": signer.anchor,
        "signed_at": signer.signed_at.isoformat() if signer.signed_at else None,
        "claimed_time": signer.claimed_at.isoformat() if signer.claimed_at and not signer.signed_at else None,
        "claim_generator": generators[0] if generators else None,
        "active_claim_generator": next(iter(claim_generators(report, report.active)), None),
        "chain": [_link(reading, label) for label in path[:MAX_SHOWN]],
        "validation": {
            "success": sorted(report.codes.success)[:MAX_SHOWN],
            "failure": sorted(report.codes.failure)[:MAX_SHOWN],
        },
        "broken": integrity.reasons(report.codes)[:MAX_SHOWN],
        "soft_bindings": _soft_bindings(report),
        "watermarks_named": _watermarks_named(_soft_bindings(report)),
        "ignored_ingredients": {k: v.value for k, v in list(reading.words.broken.items())[:MAX_SHOWN]},
        **reading.extra,
    }
    if intact:
        found["says"] = statement.kind.value if statement else None
        found["source_type"] = statement.source_type if statement else None
        found["action"] = statement.action if statement else None
        found["software_agent"] = statement.agent if statement else None
        found["actions"] = _actions(report)
        if statement and statement.kind in _SUPPORTS:
            found["generator"] = _generator_name(statement, generators)
    return {key: value for key, value in found.items() if value not in (None, [], {}, "")}


def _generator_name(statement: Statement, generators: list[str]) -> str | None:
    """The generator for people: a product by the name it is known by, else what the manifest calls it."""
    texts = [text for text in (statement.agent, *generators) if text]
    for text in texts:
        if product := generator(text):
            return product.name
    return texts[0] if texts else None


def _link(reading: Reading, label: str) -> dict[str, Any]:
    signer = reading.signers[label]
    return {
        "signer": signer.name,
        "trusted": signer.trusted,
        "signed_at": signer.signed_at.isoformat() if signer.signed_at else None,
        "claim_generator": next(iter(claim_generators(reading.report, label)), None),
    }


def _actions(report: Report) -> list[dict[str, str]]:
    shown: list[dict[str, str]] = []
    for action in read_actions(report, report.active):
        if len(shown) == MAX_SHOWN:
            break
        entry = {
            "action": action.name,
            "source_type": action.source_type,
            "software_agent": action.agent,
            "description": action.description,
        }
        shown.append({key: value for key, value in entry.items() if value})
    return shown


def _soft_bindings(report: Report) -> list[str]:
    """Algorithms of the watermarks and fingerprints that the active manifest names: provenance, not AI."""
    names = {
        str(data["alg"])[:MAX_TEXT]
        for label, data in report.assertions(report.active)
        if label.startswith("c2pa.soft-binding")
        and isinstance(data, Mapping)
        and isinstance(data.get("alg"), str)
    }
    return sorted(names)[:MAX_SHOWN]


def _watermarks_named(algorithms: list[str]) -> list[dict[str, str]]:
    """What each of them is and, in words, which decoder would read it."""
    return [
        {
            "alg": binding.alg,
            "title": binding.title,
            "decoder": binding.decoder,
            "note": say(
                f"content_credentials.soft_binding.{binding.decoder}",
                alg=binding.alg,
                title=binding.title,
                home=binding.home,
            ),
        }
        for binding in soft_bindings.named(algorithms)
    ]
