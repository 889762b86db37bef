"""Feeds our own parsers with bytes that coverage leads to, and stops at the first escape.

An escape is an exception that the parser does not promise, or a reader that had to be stopped by its caller.
What was found interesting is kept in .cache/fuzz/TARGET and taken up by the next run. With `--seed` and an
empty `--corpus` the same inputs are tried each time, which is how the tests run it.

usage: fuzz.py [TARGET ...] [--runs N] [--seconds S] [--seeds DIR] [--seed N] [--corpus DIR]

Needs atheris (Linux, `pip install atheris`). Exit status: 0 no escape, 1 an escape, 2 atheris is missing.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
KEPT = REPOSITORY / ".cache" / "fuzz"

Parse = Callable[[bytes], None]


def container() -> Parse:
    """Boxes, EBML elements, chunks, SEI, Exif, XMP: whatever the bytes say they are."""
    from touchstone.media.container import NotMedia
    from touchstone.media.probe import read_container
    from touchstone.messages import say

    unexpected = say("container.problem.unexpected")

    def parse(data: bytes) -> None:
        with contextlib.suppress(NotMedia):
            if unexpected in read_container(io.BytesIO(data), len(data)).problems:
                raise AssertionError("a reader raised what it does not promise")

    return parse


def labels() -> Parse:
    """The same, and the rules over the tags that were found."""
    from touchstone.examiners import Clip, Skip
    from touchstone.examiners.labels import Labels
    from touchstone.media.container import NotMedia
    from touchstone.media.probe import read_container

    examiner = Labels()

    def parse(data: bytes) -> None:
        file = io.BytesIO(data)
        with contextlib.suppress(NotMedia, Skip):
            list(examiner.examine(Clip(file, len(data), read_container(file, len(data)))))

    return parse


def answers() -> Parse:
    """What a worker that was taken over may send to the daemon."""
    from touchstone.media.answers import BadMessage, from_json

    def parse(data: bytes) -> None:
        try:
            message = json.loads(data)
        except (ValueError, RecursionError):
            return
        if isinstance(message, dict):
            with contextlib.suppress(BadMessage):
                from_json(message)

    return parse


def native() -> Parse:
    """Frames from the browser to the native host."""
    from touchstone.native_host.framing import read_message
    from touchstone.native_host.problems import NativeError

    def parse(data: bytes) -> None:
        with contextlib.suppress(NativeError):
            read_message(io.BytesIO(data))

    return parse


def hls() -> Parse:
    from touchstone.intake import IntakeError
    from touchstone.intake.hls import read_hls
    from touchstone.intake.urls import parse_url

    url = parse_url("https://example.com/list.m3u8")

    def parse(data: bytes) -> None:
        with contextlib.suppress(IntakeError):
            read_hls(data, url, 3)

    return parse


def dash() -> Parse:
    from touchstone.intake import IntakeError
    from touchstone.intake.dash import read_dash
    from touchstone.intake.urls import parse_url

    url = parse_url("https://example.com/list.mpd")

    def parse(data: bytes) -> None:
        with contextlib.suppress(IntakeError):
            read_dash(data, url, 3, 0.0)

    return parse


def url() -> Parse:
    from touchstone.intake import IntakeError
    from touchstone.intake.urls import parse_url

    def parse(data: bytes) -> None:
        with contextlib.suppress(IntakeError):
            parse_url(data.decode("utf-8", "replace"))

    return parse


def manifest() -> Parse:
    """The signatures of a Content Credentials store: JUMBF boxes, CBOR, DER."""
    from touchstone.examiners.content_credentials.cbor import BadCbor, decode
    from touchstone.examiners.content_credentials.manifest_store import read_signers
    from touchstone.examiners.content_credentials.timestamp_token import BadToken, signer_chains

    def parse(data: bytes) -> None:
        read_signers(data)
        with contextlib.suppress(BadCbor):
            decode(data)
        with contextlib.suppress(BadToken):
            signer_chains(data)

    return parse


def batches() -> Parse:
    """Pictures from a browser: heads, planes, and what examiners ask of them."""
    from touchstone.frame_batches import BadBatch
    from touchstone.media.batches import read_batches
    from touchstone.media.browser_frames import BrowserFrames

    def parse(data: bytes) -> None:
        file = io.BytesIO(data)
        with contextlib.suppress(BadBatch):
            read_batches(file, len(data))
            for run in BrowserFrames(file, len(data)):
                for frame in run.frames:
                    frame.upright(frame.rgb())

    return parse


TARGETS: Mapping[str, Callable[[], Parse]] = {
    target.__name__: target
    for target in (container, labels, answers, native, hls, dash, url, manifest, batches)
}

SEEDS: Mapping[str, tuple[bytes, ...]] = {
    "answers": (
        b'{"type":"found","evidence":{"examiner":"labels","finding":"x","supports":"ai"}}',
        b'{"type":"container","format":"mp4","mime":"video/mp4","width":1,"problems":[]}',
        b'{"type":"skipped","examiner":"labels","reason":"x"}',
    ),
    "native": (b'\x20\0\0\0{"type":"hello","request":"1234"}',),
    "hls": (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n#EXT-X-ENDLIST\n",
        b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100,RESOLUTION=1x1\nb.m3u8\n",
    ),
    "dash": (
        b'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
        b'<AdaptationSet mimeType="video/mp4">'
        b'<SegmentTemplate media="$Number$.m4s" duration="4"/><Representation id="1" bandwidth="1"/>'
        b"</AdaptationSet></Period></MPD>",
    ),
    "url": (b"https://example.com:443/a?b#c", b"http://0x7f.1/", b"https://[2001:db8::1]/"),
    "manifest": (
        b"\0\0\0\x1djumb\0\0\0\x15jumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71",
        b"\xa1\x61a\x82\x01\x02",
    ),
    "batches": tuple(
        len(head).to_bytes(4, "big") + head + bytes(size)
        for head, size in (
            (b'{"run":0,"width":3,"height":3,"format":"I420","times_s":[0,1]}', 34),
            (b'{"run":0,"width":2,"height":1,"format":"NV12","times_s":[2],"rotation":90}', 4),
            (
                b'{"run":0,"width":1,"height":2,"format":"I422P10","times_s":[2],"colour":{"full_range":true}}',
                12,
            ),
            (b'{"run":0,"width":1,"height":2,"format":"BGRA","times_s":[2]}', 8),
        )
    ),
}


def write_seeds(target: str, into: Path, given: Path | None) -> None:
    from touchstone.media.rehearsal import smallest_gif, smallest_mp4

    into.mkdir(parents=True, exist_ok=True)
    seeds = list(SEEDS.get(target, (smallest_mp4(), smallest_gif())))
    if given is not None:
        seeds += [path.read_bytes() for path in sorted(given.iterdir()) if path.stat().st_size < 1 << 20]
    for number, seed in enumerate(seeds):
        (into / f"seed-{number}").write_bytes(seed)


def fuzz(target: str, folder: Path, runs: int, seconds: int, seed: int) -> None:
    """Fuzz one target in this process, which ends with it. A `seed` of 0 is another one each time."""
    import atheris  # type: ignore[import-untyped]

    with atheris.instrument_imports(include=["touchstone"]):
        parse = TARGETS[target]()
    options = [f"-runs={runs}", "-max_len=16384", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"]
    if seed:
        options.append(f"-seed={seed}")
    if seconds:
        options.append(f"-max_total_time={seconds}")
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder.parent}/", str(folder)], parse)
    atheris.Fuzz()


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("target", nargs="*", help=f"of {', '.join(TARGETS)} (default: all)")
    ask.add_argument("--runs", type=int, default=100_000, help="inputs to try on each (default: %(default)s)")
    ask.add_argument("--seconds", type=int, default=0, help="time for each; 0 for no limit")
    ask.add_argument("--seed", type=int, default=0, help="of the random numbers; 0 for another each time")
    ask.add_argument("--corpus", type=Path, default=KEPT, help="where inputs are kept (default: %(default)s)")
    ask.add_argument("--seeds", type=Path, help="a folder of files to start from")
    ask.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    args = ask.parse_args()
    if unknown := set(args.target) - set(TARGETS):
        ask.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed; on Linux: pip install atheris", file=sys.stderr)
        return 2
    if args.in_process:
        fuzz(args.target[0], args.corpus / args.target[0], args.runs, args.seconds, args.seed)
    escaped = []
    for target in args.target or TARGETS:
        write_seeds(target, args.corpus / target, args.seeds)
        started = time.monotonic()
        limits = ["--runs", str(args.runs), "--seconds", str(args.seconds), "--seed", str(args.seed)]
        command = [sys.executable, __file__, target, *limits, "--corpus", str(args.corpus), "--in-process"]
        # The order of sets shows in what is covered.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        run = subprocess.run(command, stderr=subprocess.PIPE, text=True, env=environment)
        tried = next((line.split()[-1] for line in run.stderr.splitlines() if "executed_units" in line), "?")
        took = time.monotonic() - started
        outcome = "an escape" if run.returncode else "no escape"
        print(f"{target:<10} {tried:>9} inputs in {took:6.1f} s: {outcome}")
        if run.returncode:
            escaped.append(target)
            print(run.stderr[-4000:], file=sys.stderr)
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())
