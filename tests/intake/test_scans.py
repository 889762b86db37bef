"""Intake under the whole pipeline: bad input ends as a scan that says why, good input as evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from aiohttp import web

from intake.muxed import mux
from intake.websites import Handler, OnlyThisServer, Site, raw_site, serve_bytes, site
from touchstone.examiners import Examiner
from touchstone.examiners.registry import build
from touchstone.intake.fetch import WebVideos
from touchstone.intake.limits import FetchLimits
from touchstone.intake.sources import SourceIntake
from touchstone.media.workers import InThread
from touchstone.pipeline import Pipeline
from touchstone.verdict import Label, Scan
from touchstone.wire import AnySource, FileSource, UrlSource

QUICK = FetchLimits(connect_s=0.5, idle_s=0.5, total_s=1.0)


def examiners(names: Sequence[str]) -> Sequence[Examiner]:
    return build(names, {})


async def scan(source: AnySource, folder: Path, policy: OnlyThisServer | None = None) -> Scan:
    async with SourceIntake(WebVideos(folder / "spool", policy=policy, limits=QUICK)) as intake:
        return await Pipeline(intake, InThread(examiners)).scan(source)


def zeros(folder: Path) -> Path:
    path = folder / "zeros.mp4"
    with path.open("wb") as file:
        file.truncate(2 << 30)  # sparse
    return path


def truncated(folder: Path) -> Path:
    path = mux(folder / "made", "file")
    path.write_bytes(path.read_bytes()[:-400])  # the header stands at the end
    return path


def written(body: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "given.mp4"
        path.write_bytes(body)
        return path

    return write


@pytest.mark.parametrize(
    "make",
    [
        written(b""),
        written(b"not a video"),
        written(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
        zeros,
        lambda folder: folder / "missing.mp4",
    ],
    ids=["empty", "text", "playlist", "2 GB of zeros", "missing"],
)
async def test_a_bad_file_ends_as_a_scan_with_the_reason(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path)
    async with asyncio.timeout(20):
        result = await scan(FileSource(path=str(path)), tmp_path)
    assert result.verdict.label is Label.UNREADABLE
    assert len(result.verdict.headline) > len("Could not be read: ")
    assert not result.evidence


async def test_a_truncated_file_does_not_pass_for_checked(tmp_path: Path) -> None:
    result = await scan(FileSource(path=str(truncated(tmp_path))), tmp_path)
    assert not result.evidence
    assert "content_credentials" not in result.checked
    assert result.skipped["content_credentials"] or result.verdict.label is Label.UNREADABLE


async def hang(*_: object) -> None:
    await asyncio.sleep(60)


async def test_a_url_that_hangs_ends_as_a_scan_with_the_reason(tmp_path: Path) -> None:
    async with raw_site(hang) as server, asyncio.timeout(5):
        result = await scan(UrlSource(url=server.url()), tmp_path, server.policy)
    assert result.verdict.label is Label.UNREADABLE
    assert "did not answer in time" in result.verdict.headline
    assert result.source.url == server.url()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1/v.mp4", "leads to this computer"),
        ("http://[::ffff:10.0.0.1]/v.mp4", "an IPv4 address in disguise"),
        ("http://0xa9fea9fe/latest/meta-data/", "a cloud provider's internal service"),
        ("http://user:secret@video.example/", "never sent"),
        ("file:///etc/passwd", "only http and https"),
        ("nonsense", "no web address"),
    ],
)
async def test_a_url_that_must_not_be_fetched_says_so(tmp_path: Path, url: str, words: str) -> None:
    result = await scan(UrlSource(url=url), tmp_path)
    assert result.verdict.label is Label.UNREADABLE
    assert words in result.verdict.headline
    assert "secret" not in result.verdict.headline


async def test_a_video_on_the_web_is_scanned_like_the_same_file(tmp_path: Path) -> None:
    path = mux(tmp_path / "made", "fast")
    body = path.read_bytes()
    async with site(serve_bytes(body)) as server:
        fetched = await scan(UrlSource(url=server.url()), tmp_path, server.policy)
    local = await scan(FileSource(path=str(path)), tmp_path)
    assert fetched.verdict == local.verdict
    assert fetched.checked == local.checked
    assert fetched.source.sha256 == local.source.sha256
    assert (fetched.source.width, fetched.source.height) == (64, 48)


MANIFEST = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period>
<AdaptationSet contentType="video" mimeType="video/mp4"><Representation id="v" bandwidth="100000">
<SegmentList duration="2"><Initialization sourceURL="init.mp4"/><SegmentURL media="1.m4s"/></SegmentList>
</Representation></AdaptationSet></Period></MPD>"""


def serve_files(files: dict[str, bytes]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await serve_bytes(files[request.path])(request)

    return handle


@pytest.mark.corpus
@pytest.mark.parametrize("fault", ["none", "a bit of the fragment flipped"])
async def test_a_signed_dash_stream_ends_as_content_credentials(
    tmp_path: Path, corpus_marks: Path, fault: str
) -> None:
    fragment = bytearray((corpus_marks / "c2pa_dash" / "c2pars_dash1.m4s").read_bytes())
    if fault != "none":
        fragment[-1000] ^= 1
    files = {
        "/stream.mpd": MANIFEST.encode(),
        "/init.mp4": (corpus_marks / "c2pa_dash" / "c2pars_dashinit.mp4").read_bytes(),
        "/1.m4s": bytes(fragment),
    }
    server: Site
    async with site(serve_files(files)) as server:
        result = await scan(UrlSource(url=server.url("/stream.mpd")), tmp_path, server.policy)
    [evidence] = [each for each in result.evidence if each.examiner == "content_credentials"]
    assert evidence.details.get("tampered", False) is (fault != "none")
    assert evidence.details["fragments"] == 1
