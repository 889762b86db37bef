"""How evidence is weighed into a verdict: pure functions, no I/O, no clock."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..messages import say
from .types import Basis, Evidence, Label, Strength, Supports, Verdict

BASIS_OF_EXAMINER: Mapping[str, Basis] = {
    "content_credentials": Basis.SIGNED,
    "labels": Basis.DECLARED,
    "visible_marks": Basis.VISIBLE_MARK,
    "watermarks": Basis.WATERMARK,
    "detector": Basis.DETECTOR,
    "imported_detectors": Basis.DETECTOR,
}

# No single examiner may move the sum further than this (DESIGN.md, "The verdict"). The detector's cap is
# the top of "moderate support": no calibration that this project can make carries more.
CAP_LOG10_LR: Mapping[str, float] = {"detector": 1.99}
DEFAULT_CAP_LOG10_LR = 6.0

_CAPPED_WITH: Mapping[str, str] = {"imported_detectors": "detector"}
"""Examiners that may err alike: what they say together is capped as one."""

# Posterior thresholds with the inconclusive band between them, under the user's prior.
CALL_AI_ABOVE = 0.90
CALL_NO_SIGNS_BELOW = 0.50
# One in ten. Nobody has measured it for anybody's feed; published tables work with 0.1 % to 20 %. It is the
# user's to set (settings: `prior`), and moves measured evidence only, never a signature or a label.
DEFAULT_PRIOR = 0.1


def strength_of(log10_lr: float) -> Strength:
    """The ENFSI-style word for a measured log10 likelihood ratio."""
    size = abs(log10_lr)
    if size >= 4:
        return Strength.VERY_STRONG
    if size >= 2:
        return Strength.STRONG
    if size >= 1:
        return Strength.MODERATE
    return Strength.LIMITED if size > 0 else Strength.NONE


def weigh(
    evidence: Sequence[Evidence],
    checked: Iterable[str],
    skipped: Mapping[str, str],
    *,
    prior: float = DEFAULT_PRIOR,
) -> Verdict:
    """Weigh all evidence of one scan into a verdict.

    A valid and trusted signature decides. Otherwise a declared label is reported as the claim it is, unless
    something that was measured says more. Measured likelihood ratios add up, each examiner's part capped, to
    a posterior under `prior` (probability that a video is AI-made before anything is looked at). Signs too
    weak to matter leave "no signs", and the headline says that there were some. Contradictions stay visible
    in the headline.

    Args:
        evidence: everything that was found.
        checked: names of the examiners that ran to their end.
        skipped: examiner name to the reason it did not.
        prior: in (0, 1).
    """
    if not 0 < prior < 1:
        raise ValueError(f"prior must lie between 0 and 1, both excluded; got {prior}")
    if signed := _by_signature(evidence):
        return signed
    declared, measured = _by_declaration(evidence), _by_measurement(evidence, prior)
    if declared and measured and measured.label in _LABEL_OF.values() and _outranks(measured, declared):
        return measured
    return declared or measured or _without_evidence(evidence, tuple(checked), skipped, prior)


def _outranks(one: Verdict, other: Verdict) -> bool:
    strongest_first = list(Strength)
    return strongest_first.index(one.strength) < strongest_first.index(other.strength)


def unreadable(reason: str) -> Verdict:
    """The verdict on something that could not be read, with the reason in words."""
    return Verdict(label=Label.UNREADABLE, headline=say("verdict.headline.unreadable", reason=reason))


_LABEL_OF = {
    Supports.AI: Label.AI_GENERATED,
    Supports.EDITED: Label.AI_EDITED,
    Supports.CAMERA: Label.CAMERA_ORIGINAL,
}


def _by_signature(evidence: Sequence[Evidence]) -> Verdict | None:
    verified = [e for e in evidence if e.verified and e.supports is not Supports.NEITHER]
    if not verified:
        return None
    # What AI touched stays touched: of several signed statements the one that says most about AI leads.
    lead = min(verified, key=lambda e: (list(_LABEL_OF).index(e.supports), e.finding))
    signer = lead.details.get("signer") or say("verdict.word.someone")
    generator = _generator(lead)
    key = f"verdict.headline.signed_{lead.supports.value}"
    if (
        generator
        and generator.casefold() not in str(signer).casefold()
        and lead.supports is not Supports.CAMERA
    ):
        headline = say(f"{key}_with", signer=signer, generator=generator)
    else:
        headline = say(key, signer=signer)
    return Verdict(
        label=_LABEL_OF[lead.supports],
        basis=Basis.SIGNED,
        strength=Strength.VERIFIED,
        generator=generator,
        headline=headline + _contradiction(lead, evidence),
    )


def _by_declaration(evidence: Sequence[Evidence]) -> Verdict | None:
    """Claims that nobody verified: labels, in metadata or picture, and manifests of untrusted signers."""
    claims = [
        e
        for e in evidence
        if not e.verified
        and e.log10_lr is None
        and e.supports in (Supports.AI, Supports.EDITED)
        and (BASIS_OF_EXAMINER.get(e.examiner) in (Basis.SIGNED, Basis.DECLARED) or e.details.get("declared"))
    ]
    if not claims:
        return None
    lead = min(claims, key=_claim_rank)
    certainty = str(lead.details.get("certainty", "stated"))
    generator = _generator(lead) or next(
        (g for g in map(_generator, sorted(claims, key=_claim_rank)) if g), None
    )
    suffix = "possible" if certainty in ("possible", "suspected") else "stated"
    key = f"verdict.headline.declared_{lead.supports.value}_{suffix}"
    where = lead.details.get("claimed_by") or say("verdict.word.its_metadata")
    return Verdict(
        label=_LABEL_OF[lead.supports],
        basis=Basis.DECLARED,
        strength=_CLAIM_STRENGTH.get(certainty, Strength.MODERATE),
        generator=generator,
        headline=say(key, where=where) + _contradiction(lead, evidence),
    )


# How far an unverified claim is taken, by details.certainty. `attested`: an intact signature by a known
# signer whose certificate no longer validates; `stated`: a plain claim; `possible` and `suspected`: the
# weaker values that GB 45438-2025 defines for its label.
_CLAIM_STRENGTH: Mapping[str, Strength] = {
    "attested": Strength.STRONG,
    "stated": Strength.MODERATE,
    "possible": Strength.LIMITED,
    "suspected": Strength.LIMITED,
}
_CLAIM_ORDER = ("attested", "stated", "possible", "suspected")


def _claim_rank(claim: Evidence) -> tuple[int, int, bool, str]:
    certainty = str(claim.details.get("certainty", "stated"))
    rank = _CLAIM_ORDER.index(certainty) if certainty in _CLAIM_ORDER else len(_CLAIM_ORDER)
    # A claim that names its generator tells more; the finding's text only makes the order certain.
    return rank, 0 if claim.supports is Supports.AI else 1, _generator(claim) is None, claim.finding


@dataclass(frozen=True)
class _Sum:
    """What measured evidence says in all: the capped sum, the posterior, and the examiner that said most."""

    log10_lr: float
    probability: float
    leader: str
    basis: Basis


def _sum(evidence: Sequence[Evidence], prior: float) -> _Sum | None:
    sums: dict[str, float] = {}
    for e in evidence:
        if e.log10_lr is not None:
            sums[_voice(e)] = sums.get(_voice(e), 0.0) + e.log10_lr
    if not sums:
        return None
    capped = {
        name: math.copysign(min(abs(total), CAP_LOG10_LR.get(name, DEFAULT_CAP_LOG10_LR)), total)
        for name, total in sums.items()
    }
    total = sum(capped.values())
    log10_odds = total + math.log10(prior / (1 - prior))
    leader = max(capped, key=lambda name: capped[name])
    basis = BASIS_OF_EXAMINER.get(leader, Basis.DETECTOR)
    return _Sum(total, 1 / (1 + 10**-log10_odds), leader, basis)


def _by_measurement(evidence: Sequence[Evidence], prior: float) -> Verdict | None:
    total = _sum(evidence, prior)
    if total is None or total.probability <= CALL_NO_SIGNS_BELOW:
        return None
    if total.probability < CALL_AI_ABOVE:
        return Verdict(
            label=Label.INCONCLUSIVE,
            basis=total.basis,
            strength=strength_of(total.log10_lr),
            probability=total.probability,
            headline=say("verdict.headline.between_thresholds"),
        )
    said = [e for e in evidence if e.log10_lr is not None and _voice(e) == total.leader]
    lead = max(said, key=lambda e: e.log10_lr or 0.0)
    generator = _generator(lead)
    key = f"verdict.headline.measured_{total.basis.value}"
    headline = say(f"{key}_with", generator=generator) if generator else say(key)
    return Verdict(
        label=Label.AI_EDITED if lead.supports is Supports.EDITED else Label.AI_GENERATED,
        basis=total.basis,
        strength=strength_of(total.log10_lr),
        probability=total.probability,
        generator=generator,
        headline=headline + _contradiction(lead, evidence),
    )


def _voice(e: Evidence) -> str:
    """Under whose cap a piece of evidence falls."""
    return _CAPPED_WITH.get(e.examiner, e.examiner)


def _without_evidence(
    evidence: Sequence[Evidence], checked: Sequence[str], skipped: Mapping[str, str], prior: float
) -> Verdict:
    if any(e.details.get("tampered") for e in evidence):
        return Verdict(label=Label.INCONCLUSIVE, headline=say("verdict.headline.tampered"))
    if unweighed := _unweighed(evidence):
        return unweighed
    if any(e.details.get("claims_camera") for e in evidence):
        return Verdict(label=Label.NO_SIGNS, headline=say("verdict.headline.no_signs_camera_claim"))
    if not checked:
        # The first reason in the order of examiners: why the file could not be read says more than why its
        # pictures could not.
        reasons = (skipped[name] for name in (*BASIS_OF_EXAMINER, *skipped) if name in skipped)
        reason = next(reasons, say("verdict.word.nothing_could_run"))
        return Verdict(label=Label.INCONCLUSIVE, headline=say("verdict.headline.not_checked", reason=reason))
    suffix = "_partly" if skipped else ""
    total = _sum(evidence, prior)
    if total and total.log10_lr > 0:
        # Something was found, so "no signs" alone would not be true; it is too little to be undecided about.
        return Verdict(
            label=Label.NO_SIGNS,
            basis=total.basis,
            strength=strength_of(total.log10_lr),
            probability=total.probability,
            headline=say(f"verdict.headline.weak_signs{suffix}"),
        )
    return Verdict(label=Label.NO_SIGNS, headline=say(f"verdict.headline.no_signs{suffix}"))


def _unweighed(evidence: Sequence[Evidence]) -> Verdict | None:
    """For a mark that was read and speaks for AI, by a reader that nobody has measured.

    It cannot be weighed, so it decides nothing; that there are no signs would not be true either.
    """
    speaking = [e for e in evidence if e.supports in (Supports.AI, Supports.EDITED) and e.log10_lr is None]
    read = {BASIS_OF_EXAMINER.get(e.examiner) for e in speaking}
    for basis in (Basis.WATERMARK, Basis.VISIBLE_MARK):
        if basis in read:
            headline = say(f"verdict.headline.unweighed_{basis.value}")
            return Verdict(label=Label.INCONCLUSIVE, basis=basis, headline=headline)
    return None


def _generator(e: Evidence) -> str | None:
    name = e.details.get("generator")
    return str(name) if name else None


def _contradiction(lead: Evidence, evidence: Sequence[Evidence]) -> str:
    """A sentence for evidence that speaks against the lead: shown, never averaged away."""
    if any(e.details.get("tampered") for e in evidence if e is not lead):
        return ". " + say("verdict.contradiction.tampered")
    ai_side = (Supports.AI, Supports.EDITED)
    if lead.supports is Supports.CAMERA and any(e.supports in ai_side for e in evidence):
        return ". " + say("verdict.contradiction.camera_but_ai")
    if lead.supports in ai_side and any(e.supports is Supports.CAMERA for e in evidence):
        return ". " + say("verdict.contradiction.ai_but_camera")
    return ""
