"""The C2PA SDK behind a small seam: settings that keep it off the network, and its errors in few kinds."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, BinaryIO

import c2pa

MAX_STORE = 64 * 1024 * 1024
"""Bytes. A manifest store larger than this is refused; thirty manifests with thumbnails take a few MB."""
MAX_REPORT = 64 * 1024 * 1024
"""Characters of the SDK's JSON report."""


MAX_REASON = 300
"""Characters of an error of the SDK that are shown."""


class NoManifest(Exception):
    """The file has no Content Credentials."""


class RemoteManifest(Exception):
    """The file only names a place on the web where its Content Credentials are: `url`, as it stands."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


class Damaged(Exception):
    """There are Content Credentials, and they cannot be taken apart. The text is the SDK's reason."""


class Unreadable(Exception):
    """The SDK could not read the file. The text is its reason."""


# What the SDK raises over the manifest store, as opposed to the container that holds it.
_STORE_ERRORS = (
    c2pa.C2paError.Assertion,
    c2pa.C2paError.AssertionNotFound,
    c2pa.C2paError.Decoding,
    c2pa.C2paError.Manifest,
    c2pa.C2paError.Signature,
    c2pa.C2paError.Verify,
)
_STORE_WORDS = re.compile(r"JUMBF|provenance not found")
_NEWER = re.compile(r"unsupported claim version", re.IGNORECASE)
_REMOTE = re.compile(r"must fetch remote manifests? from url\s+(\S+)")


# Kinds of file that the SDK knows by another name only.
_SAME_AS = {"image/apng": "image/png", "video/3gpp": "video/mp4", "video/3gpp2": "video/mp4"}


def reads(mime: str) -> bool:
    """Whether the SDK reads Content Credentials in this kind of file."""
    return _SAME_AS.get(mime, mime) in _mimes()


@cache
def _mimes() -> frozenset[str]:
    return frozenset(c2pa.Reader.get_supported_mime_types())


def read_store(file: BinaryIO) -> bytes:
    """The manifest store (JUMBF) of a file, whatever its container, without validating anything.

    Raises:
        NoManifest, RemoteManifest, Damaged, Unreadable
    """
    file.seek(0)
    with _errors(), c2pa.Reader(None, file, context=_context(validate=False)) as reader:
        report = _parse(reader.json())
        # Asked for a manifest by its label, the SDK hands out the whole store.
        into = _Bounded()
        reader.resource_to_stream(str(report.get("active_manifest")), into)
        return into.getvalue()


def validate(
    mime: str, file: BinaryIO, anchors_pem: Iterable[str], fragments: Sequence[BinaryIO] = ()
) -> Iterator[dict[str, Any]]:
    """The SDK's report on a file, given the certificates to trust; with fragments one report for each.

    Raises:
        NoManifest, RemoteManifest, Damaged, Unreadable
    """
    mime = _SAME_AS.get(mime, mime)
    context = _context(validate=True, anchors_pem="".join(anchors_pem))
    file.seek(0)
    with _errors():
        if not fragments:
            with c2pa.Reader(mime, file, context=context) as reader:
                yield _parse(reader.json())
            return
        for fragment in fragments:
            file.seek(0)
            fragment.seek(0)
            with c2pa.Reader(mime, file, context=context) as reader:
                reader.with_fragment(mime, file, fragment)
                yield _parse(reader.json())


def _context(*, validate: bool, anchors_pem: str = "") -> c2pa.Context:
    settings: dict[str, Any] = {
        "core": {
            # Identity assertions (CAWG) may have to be looked up on the web, and say nothing about AI.
            "decode_identity_assertions": False,
            "allowed_network_hosts": [],
        },
        "verify": {
            "verify_after_reading": validate,
            "verify_trust": True,
            "verify_timestamp_trust": True,
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
        },
    }
    if anchors_pem:
        settings["trust"] = {"trust_anchors": anchors_pem}
    return c2pa.Context(c2pa.Settings.from_dict(settings))


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except c2pa.C2paError.ManifestNotFound as problem:
        raise NoManifest from problem
    except c2pa.C2paError as problem:
        text = str(problem)
        if remote := _REMOTE.search(text):
            raise RemoteManifest(remote.group(1)) from problem
        if not _NEWER.search(text) and (isinstance(problem, _STORE_ERRORS) or _STORE_WORDS.search(text)):
            raise Damaged(text[:MAX_REASON]) from problem
        raise Unreadable(text[:MAX_REASON]) from problem


def _parse(report: str) -> dict[str, Any]:
    if len(report) > MAX_REPORT:
        raise Unreadable(f"the manifest store unfolds to more than {MAX_REPORT // 2**20} MiB")
    try:
        tree = json.loads(report)
    except (ValueError, RecursionError) as problem:
        raise Unreadable(f"the report is no JSON: {problem}") from problem
    if not isinstance(tree, dict):
        raise Unreadable("the report is not an object")
    return tree


class _Bounded(io.BytesIO):
    """A buffer that refuses to grow past the limit."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > MAX_STORE:
            raise OSError(f"the manifest store is larger than {MAX_STORE // 2**20} MiB")
        return super().write(data)
