"""Fetching the official trust lists: checked before they are stored, stored whole or not at all.

The only part of trust that touches the network, and only when the user asks for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..system.paths import make_private_dir
from .certificates import is_authority
from .lists import MAX_LIST, BadList, parse_list

Fetch = Callable[[str], Awaitable[bytes]]
"""Gets the bytes behind an https address. Raises `FetchFailed` with the reason."""

INDEX = "index.json"
TIMEOUT_S = 30.0


class FetchFailed(Exception):
    """A list could not be fetched. The text is the reason."""


@dataclass(frozen=True)
class OfficialList:
    """A list that `touchstone trust update` fetches.

    Attributes:
        name: for people.
        file: its name in the store; `tsa` in it marks timestamp authorities.
        url: where it is published.
        fewest: a list that names fewer authorities is not the list (each has had twice as many since 2025).
    """

    name: str
    file: str
    url: str
    fewest: int


_C2PA = "https://raw.githubusercontent.com/c2pa-org/conformance-public/main/trust-list/"

OFFICIAL_LISTS = (
    OfficialList("C2PA trust list", "c2pa-trust-list.pem", _C2PA + "C2PA-TRUST-LIST.pem", 10),
    OfficialList("C2PA timestamp list", "c2pa-tsa-trust-list.pem", _C2PA + "C2PA-TSA-TRUST-LIST.pem", 8),
    OfficialList(
        "interim list", "interim-anchors.pem", "https://contentcredentials.org/trust/anchors.pem", 8
    ),
)


@dataclass(frozen=True)
class Stored:
    """What the index says of one stored list.

    Attributes:
        url: where it came from.
        fetched_at: seconds since the epoch.
        sha256: of the file.
        authorities: how many it names.
    """

    url: str
    fetched_at: float
    sha256: str
    authorities: int


@dataclass(frozen=True)
class Outcome:
    """How the update of one list went: `stored`, and `problem` in words where it was not replaced."""

    official: OfficialList
    stored: Stored | None
    changed: bool = False
    problem: str | None = None


async def update(
    folder: Path,
    fetch: Fetch,
    now: Callable[[], float],
    lists: Sequence[OfficialList] = OFFICIAL_LISTS,
) -> list[Outcome]:
    """Fetch, check and store each list. One that fails leaves the stored one in force.

    Args:
        folder: where they are kept; made if missing.
        fetch: gets the bytes.
        now: seconds since the epoch.

    Raises:
        OSError: the folder cannot be written.
    """
    make_private_dir(folder)
    index = read_index(folder)
    outcomes = []
    for official in lists:
        before = index.get(official.file)
        try:
            data = await fetch(official.url)
            authorities = check(data, official, before)
        except (FetchFailed, BadList) as problem:
            outcomes.append(Outcome(official, before, problem=str(problem)))
            continue
        after = Stored(official.url, now(), hashlib.sha256(data).hexdigest(), authorities)
        _replace(folder / official.file, data)
        index[official.file] = after
        _write_index(folder, index)
        outcomes.append(Outcome(official, after, changed=before is None or before.sha256 != after.sha256))
    return outcomes


def check(data: bytes, official: OfficialList, before: Stored | None = None) -> int:
    """The number of authorities in a list that may be stored.

    Raises:
        BadList: it does not parse, names someone who is no authority, or suspiciously few.
    """
    if len(data) > MAX_LIST:
        raise BadList(f"{official.url}: larger than {MAX_LIST // 2**20} MiB")
    certificates = parse_list(data, official.url)
    if not all(is_authority(certificate, 0) for certificate in certificates):
        raise BadList(f"{official.url}: names a certificate that is no authority")
    count = len(certificates)
    # A list that was cut short, or swapped for another, must not quietly take trust away.
    least = max(official.fewest, before.authorities // 2 if before else 0)
    if count < least:
        raise BadList(f"{official.url}: names {count} authorities where at least {least} were expected")
    return count


def read_index(folder: Path) -> dict[str, Stored]:
    """File name to what is known of it; entries whose file is gone or was changed by hand are left out."""
    try:
        entries: Any = json.loads((folder / INDEX).read_bytes())
    except (OSError, ValueError):
        return {}
    known: dict[str, Stored] = {}
    for file, entry in entries.items() if isinstance(entries, dict) else ():
        try:
            stored = Stored(**entry)
            data = (folder / Path(file).name).read_bytes()
        except (TypeError, OSError):
            continue
        if hashlib.sha256(data).hexdigest() == stored.sha256:
            known[file] = stored
    return known


def _write_index(folder: Path, index: dict[str, Stored]) -> None:
    text = json.dumps({file: asdict(stored) for file, stored in index.items()}, indent=2)
    _replace(folder / INDEX, text.encode())


def _replace(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


async def fetch_https(url: str) -> bytes:
    """The bytes behind `url` over TLS with a verified certificate; redirects only to https.

    Raises:
        FetchFailed: anything else.
    """
    import aiohttp  # 100 ms that only this command pays

    if not url.startswith("https://"):
        raise FetchFailed(f"{url}: not an https address")
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url) as answer,
        ):
            if any(step.url.scheme != "https" for step in (*answer.history, answer)):
                raise FetchFailed(f"{url}: was redirected to an address that is not https")
            if answer.status != 200:
                raise FetchFailed(f"{url}: answered {answer.status}")
            data = bytearray()
            async for chunk in answer.content.iter_chunked(1 << 16):
                data += chunk
                if len(data) > MAX_LIST:
                    raise FetchFailed(f"{url}: larger than {MAX_LIST // 2**20} MiB")
            return bytes(data)
    except TimeoutError as problem:
        raise FetchFailed(f"{url}: no answer within {TIMEOUT_S:.0f} seconds") from problem
    except (aiohttp.ClientError, OSError) as problem:
        raise FetchFailed(f"{url}: {problem}") from problem
