"""First axis: do the Content Credentials belong to these bytes, and are they as they were signed?

Read from validation codes, never from `validation_state`: that one is Invalid for every genuine file whose
certificate has expired. Who signed is the other axis, see `signers.py`.
"""

from __future__ import annotations

import re
from enum import StrEnum

from .report import Codes, Ingredient


class Integrity(StrEnum):
    """What the validation codes say of one manifest."""

    INTACT = "intact"
    MALFORMED = "malformed"  # signature and hashes hold, but something is not as the specification wants it
    TAMPERED = "tampered"  # altered after it was signed, or made for another file
    UNCHECKED = "unchecked"  # not altered as far as can be seen, but not confirmed either


_HASH_MATCHES = re.compile(r"assertion\.(dataHash|bmffHash|boxesHash|collectionHash|multiAssetHash)\.match")

# Of the signer or of time, not of the bytes.
_OTHER_AXIS = ("signingCredential.", "timeStamp.", "cawg.", "claimSignature.outsideValidity")

# A rule that the specification has for manifests, not something that was there and is gone.
_RULES = frozenset({"assertion.required.missing"})

# Something that was signed is missing or is not what was signed (C2PA 2.2, 15.2.1, table of failure codes).
_BROKEN = re.compile(
    r".*\.(mismatch|missing|multiple|redacted|notRedacted|outsideManifest|inaccessible|undeclared)"
)


def of_file(codes: Codes) -> Integrity:
    """Integrity of the active manifest together with the file."""
    failures = _own(codes.failure)
    # A lost or replaced ingredient says nothing about these bytes; it only cannot speak any more.
    if any(_broken(code) and not code.startswith("ingredient.") for code in failures):
        return Integrity.TAMPERED
    bound = any(_HASH_MATCHES.fullmatch(code) for code in codes.success)
    if "claimSignature.validated" not in codes.success or not bound:
        return Integrity.UNCHECKED
    return Integrity.MALFORMED if failures else Integrity.INTACT


def of_ingredient(ingredient: Ingredient) -> Integrity:
    """Integrity of the manifest that an ingredient came with.

    Its file is not here to be hashed: that the manifest belonged to it, only the one that took it in can say.
    """
    failures = _own(ingredient.today.failure | ingredient.recorded.failure)
    if any(_broken(code) for code in failures):
        return Integrity.TAMPERED
    succeeded = ingredient.today.success | ingredient.recorded.success
    if not ingredient.validated or "claimSignature.validated" not in succeeded:
        return Integrity.UNCHECKED
    if ingredient.records_success and not any(_HASH_MATCHES.fullmatch(code) for code in succeeded):
        return Integrity.UNCHECKED  # nobody says that this manifest belonged to the file that was taken in
    return Integrity.MALFORMED if failures else Integrity.INTACT


def reasons(codes: Codes) -> list[str]:
    """The failures that speak against the bytes, sorted."""
    return sorted(_own(codes.failure))


def _own(failures: set[str]) -> set[str]:
    return {code for code in failures if code and not code.startswith(_OTHER_AXIS)}


def _broken(code: str) -> bool:
    return bool(_BROKEN.fullmatch(code)) and code not in _RULES
