"""How much a fetch may cost: bytes, seconds, requests."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class FetchLimits:
    """Limits of a fetch. The defaults let a verdict be reached on a slow line and stop an endless answer.

    Attributes:
        whole_bytes: a file up to this long is fetched whole; of a longer one only what scanning needs.
        max_bytes: most bytes fetched for one scan; a signed file up to this long is fetched whole, since
            its signature covers all of it.
        head_bytes: first range asked for.
        header_bytes: most bytes of one header box that are fetched.
        samples: how many ranges of the media data are fetched of a long file, spread over it.
        sample_bytes: length of each.
        playlist_bytes: longest HLS or DASH playlist.
        segments: how many media segments of a playlist are fetched, spread over it.
        requests: most HTTP requests for one scan, redirects included.
        redirects: most redirects followed for one request.
        connect_s: seconds for the name, the connection and TLS together.
        idle_s: seconds without a byte arriving.
        total_s: seconds for everything that one scan fetches.
        queue_s: seconds to wait for a turn.
        fetches: scans that fetch at once.
        fetches_per_host: of these, from one host.
        requests_per_host_s: requests to one host per second, over time.
        burst_per_host: requests to one host that need not wait.
    """

    whole_bytes: int = 64 * MIB
    max_bytes: int = 512 * MIB
    head_bytes: int = MIB
    header_bytes: int = 64 * MIB
    samples: int = 8
    sample_bytes: int = 4 * MIB
    playlist_bytes: int = 4 * MIB
    segments: int = 3
    requests: int = 96
    redirects: int = 5
    connect_s: float = 10.0
    idle_s: float = 15.0
    total_s: float = 90.0
    queue_s: float = 60.0
    fetches: int = 6
    fetches_per_host: int = 3
    requests_per_host_s: float = 8.0
    burst_per_host: int = 64
