"""Content Credentials: signed provenance by the standard of the C2PA.

Two axes. Integrity: does the manifest belong to these bytes, unaltered? Trust: who signed it, and what are
they believed about? Both are read from validation codes, see `integrity.py` and `signers.py`; what the
manifests then say, see `statements.py`. Source: C2PA Technical Specification 2.2. Nothing is fetched from
the web.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, BinaryIO

from ...messages import catalogue, say
from ...trust import Trust
from ...verdict import Evidence
from ...zoo import soft_bindings
from .. import Clip, Needs, Skip
from . import evidence, integrity, sdk, segments, vocabulary
from .manifest_store import read_signers
from .report import Codes, Report
from .signers import Signer, Signers
from .statements import Reader

__all__ = ["ContentCredentials", "from_settings"]

_BOXED = frozenset({"video/mp4", "video/quicktime", "video/x-m4v", "video/3gpp", "video/3gpp2"})


class ContentCredentials:
    """Reads and validates the manifest of a clip and says what it states about AI, cameras and editing.

    Args:
        trust: whom to believe.
        now: the current time, aware.
    """

    name = evidence.NAME
    needs = Needs.BYTES

    def __init__(self, trust: Trust, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._trust = trust
        self._now = now
        # Everything that is read from disk is read here: a confined worker cannot do it later.
        _ = trust.anchors
        vocabulary.load()
        soft_bindings.table()
        catalogue()

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        """One piece of evidence if the clip has Content Credentials, none if it has not.

        Raises:
            Skip: they cannot be validated, with the reason.
        """
        if not sdk.reads(clip.container.mime):
            raise Skip(say("content_credentials.skip.container", container=clip.container.format))
        if not clip.complete:
            if clip.container.mime in _BOXED and segments.has_none_for_sure(
                clip.file, clip.size, clip.present
            ):
                return
            raise Skip(say("content_credentials.skip.incomplete"))
        try:
            yield self._examine(clip)
        except sdk.NoManifest:
            return
        except sdk.RemoteManifest as there:
            yield evidence.remote(there.url)
        except sdk.Damaged as problem:
            yield evidence.damaged(str(problem))
        except sdk.Unreadable as problem:
            raise Skip(say("content_credentials.skip.unreadable", reason=problem)) from problem

    def _examine(self, clip: Clip) -> Evidence:
        signers = Signers(self._trust, read_signers(sdk.read_store(clip.file)))
        anchors = signers.anchors_pem()
        file: BinaryIO = clip.file
        fragments: Sequence[BinaryIO] = clip.fragments
        if not fragments and (parts := segments.split(clip.file, clip.size)):
            file, fragments = parts
        if not fragments and segments.is_initialization_only(clip.file, clip.size):
            raise Skip(say("content_credentials.skip.initialization"))
        report = _validate(clip.container.mime, file, anchors, fragments)
        words = Reader(report)
        statement = words.read(report.active)
        reading = evidence.Reading(
            report=report,
            state=integrity.of_file(report.codes),
            signers=_judge(signers, report, statement.path if statement else (), self._now()),
            statement=statement,
            words=words,
            extra={"fragments": len(fragments)} if fragments else {},
        )
        return evidence.from_reading(reading)


def from_settings(settings: Mapping[str, Any] | None = None) -> ContentCredentials:
    """The examiner for a worker: `{"trust": ...}` as `Trust.to_dict` makes it; without it the pins alone."""
    return ContentCredentials(Trust.from_dict((settings or {}).get("trust", {})))


def _validate(mime: str, file: BinaryIO, anchors: Sequence[str], fragments: Sequence[BinaryIO]) -> Report:
    """One report for the clip. Each fragment has to hold: failures add up, successes have to agree."""
    merged: Report | None = None
    for tree in sdk.validate(mime, file, anchors, fragments):
        report = Report(tree)
        if merged is None:
            merged = report
        else:
            merged.codes = Codes(
                success=merged.codes.success & report.codes.success,
                informational=merged.codes.informational | report.codes.informational,
                failure=merged.codes.failure | report.codes.failure,
            )
    if merged is None or merged.active not in merged.manifests:
        raise sdk.Damaged("the manifest store has no active manifest")
    return merged


def _judge(signers: Signers, report: Report, path: Sequence[str], now: datetime) -> dict[str, Signer]:
    """Who signed the active manifest and those on the path from it to the words that count."""
    active = report.active
    judged = {active: signers.judge(active, report.manifests[active], report.codes, Codes(), now)}
    for owner, label in pairwise(path):
        taken_in = next(i for i in report.ingredients(owner) if i.manifest == label)
        manifest = report.manifests[label]
        judged[label] = signers.judge(label, manifest, taken_in.today, taken_in.recorded, now)
    return judged
