"""Where bytes come from: guarded URL fetch, files, uploads, playlists.

Every source ends as a `Material`: bytes on disk exactly as they came, since provenance and metadata are
in them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


class IntakeError(Exception):
    """The bytes could not be had. The text is the reason, in words, and names the source.

    `code` is stable and short; docs/threat-model.md says when each of those of a fetch is given.
    Files: `not_found`, `not_a_file`, `not_readable`, `empty`. Fetches: `fetch_off`, `bad_url`,
    `refused_address`, `dns`, `connection`, `tls`, `timeout`, `http_status`, `too_many_redirects`, `busy`,
    `too_large`, `truncated`, `no_space`, `not_media`, `unsupported`, `protected`.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Material:
    """Bytes at hand, ready to be examined.

    Attributes:
        path: the bytes as they came: the user's own file, or a private temporary one.
        fragments: media segments of a fragmented MP4 whose init segment is `path`, in order.
        name: what the source calls itself.
        url: where it was fetched from.
        size: bytes in `path`.
        complete: false when only parts of a long remote file were fetched (holes read as zeros).
        sha256: of the bytes in `path`; None when not complete, too long to be worth the time, or followed by
            fragments: many videos can share one init segment, so that it identifies none.
        present: byte ranges `(start, end)` of `path`, end excluded, in order, that really hold the source's
            bytes; empty means all of them.
        pictures: `path` is no video but pictures that a browser showed (frame_batches.py).
        automatic: nobody asked for this scan and waits for it; those that somebody asked for go first.
    """

    path: Path
    size: int
    fragments: tuple[Path, ...] = field(default=())
    name: str | None = None
    url: str | None = None
    complete: bool = True
    sha256: str | None = None
    present: tuple[tuple[int, int], ...] = field(default=())
    pictures: bool = False
    automatic: bool = False
