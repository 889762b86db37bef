"""Watermarks whose decoder is a network in an ONNX file, as an entry of the zoo or a card describes it.

One frame of every other run is read, since near frames tell much the same, and outputs are pooled.

A message that is known in advance counts by the exact chance that a message drawn at random would agree with
the pooled bits as well: that chance is the same for any picture, so it needs no clips to be measured on. A
message that is not known says nothing about where a clip comes from. That there is one may still be told: a
mark is the same all over the picture, so two pieces of it far apart give the same bits, while pictures
without one differ.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...inference.sessions import Session
from ...inference.uses import ModelFile, taken
from ...media.frames import Run
from ...verdict import ModelUse, Supports
from ...zoo.entry import Input, Message, Model, Variant
from .scheme import Reader, Reading, Stretch

KNOWN = "exact chance that a message drawn at random agrees as well, times the number of messages tried"

STRETCH_BITS = 0.8
"""A run of frames counts as marked when this share of its own bits agrees; the pooled ones decide."""


_SMALLEST = 1e-300  # of a chance: a number that still has a logarithm


class UnusableModel(Exception):
    """A model file cannot be used. The text names it and the remedy."""


class OnnxScheme:
    """Scheme for `watermarks`; see scheme.Scheme.

    The file is held against its checksum and loaded when this is made, never later.

    Args:
        model: what the zoo says of it.
        variant: which of its files.
        path: where that is.

    Raises:
        UnusableModel: it cannot be read, is another file, or does not do what its entry says.
    """

    false_positives = KNOWN

    def __init__(self, model: Model, variant: Variant, path: Path) -> None:
        self.name = model.name
        self._model = model
        self._variant = variant
        try:
            content = path.read_bytes()
        except OSError as problem:
            raise UnusableModel(f"{path}: {problem.strerror}; `touchstone models verify`") from problem
        if hashlib.sha256(content).hexdigest() != variant.sha256:
            raise UnusableModel(f"{path}: is not the file that was installed; `touchstone models verify`")
        self._session = Session(content, output=model.output.name)
        self._file = ModelFile(model.name, model.version, variant.name, variant.sha256)
        shape = self._session(np.zeros(model.input.shape(), np.float32)).shape
        if len(shape) != 2 or shape[1] < model.output.skip + model.output.bits:
            raise UnusableModel(f"{path}: gives {shape}, which is fewer bits than its entry says")

    def take_uses(self) -> dict[str, ModelUse]:
        """See examiners.UsesModels."""
        return taken([(self._file, self._session)])

    def reader(self) -> Reader:
        return _Reader(self._model, self._variant, self._session)


class _Reader:
    def __init__(self, model: Model, variant: Variant, session: Session) -> None:
        self._model = model
        self._variant = variant
        self._session = session
        self._seen = 0
        # Start and end of each run, and `(pieces, bits)`: outputs less the threshold.
        self._runs: list[tuple[float, float, NDArray[np.float32]]] = []

    def add(self, run: Run) -> None:
        self._seen += 1
        if not self._seen % 2:
            return
        entry, output = self._model, self._model.output
        rgb = run.frames[0].rgb()
        pieces = pieces_of(rgb, entry.input, two=entry.presence is not None)
        rows = [self._session(prepared(piece, entry.input))[0] for piece in pieces]
        if rows:
            bits = np.stack(rows)[:, output.skip : output.skip + output.bits]
            self._runs.append((run.start_s, run.end_s, bits - np.float32(output.threshold)))

    def readings(self) -> Iterator[Reading]:
        if not self._runs:
            return
        pooled = np.mean([rows.mean(axis=0) for *_, rows in self._runs], axis=0)
        for message in self._model.messages:
            yield self._known(message, pooled)
        presence = self._model.presence
        agreement = agreement_of([rows for *_, rows in self._runs])
        details: dict[str, Any] = {}
        if presence is not None and agreement is not None:
            details = {
                "agreement": round(agreement, 3),
                "agreement_above": presence.above,
                "false_positives": f"{presence.false} of {presence.clips} clips without the mark",
            }
        yield Reading(
            scheme=self._model.name,
            message=_hex(pooled > 0),
            bits=pooled.size,
            p_value=1.0,
            supports=Supports.NEITHER,
            told=presence is not None and agreement is not None and agreement > presence.above,
            finding="watermarks.free_message",
            details=self._details() | details,
        )

    def _known(self, message: Message, pooled: NDArray[np.float32]) -> Reading:
        bits = np.array([bit == "1" for bit in message.bits])
        matched = int(((pooled > 0) == bits).sum()) if np.isfinite(pooled).all() else 0
        calibration = self._model.calibration
        finding = "message_of_someone"
        if message.ai:
            finding = "known_message" if calibration else "known_message_unmeasured"
        return Reading(
            scheme=self._model.name,
            message=_hex(bits),
            bits=bits.size,
            p_value=min(1.0, chance(bits.size, matched) * len(self._model.messages)),
            name=message.name,
            generator=message.generator if message.ai else None,
            stretches=tuple(self._stretches(bits)),
            supports=Supports.AI if message.ai else Supports.NEITHER,
            finding=f"watermarks.{finding}",
            read_rate=calibration.read_rate_lower if calibration else None,
            details=self._details() | {"matched_bits": matched, "message_source": message.source},
        )

    def _stretches(self, bits: NDArray[np.bool_]) -> Iterator[Stretch]:
        for start_s, end_s, rows in self._runs:
            share = float(((rows.mean(axis=0) > 0) == bits).mean())
            if share >= STRETCH_BITS:
                yield Stretch(start_s, end_s, round(share, 3))

    def _details(self) -> dict[str, Any]:
        return {
            "title": self._model.title,
            "model": {
                "version": self._model.version,
                "variant": self._variant.name,
                "provider": self._session.provider,
            },
            "frames": len(self._runs),
        }


def pieces_of(rgb: NDArray[np.uint8], wanted: Input, *, two: bool) -> list[NDArray[np.uint8]]:
    """What of a frame is shown to the model: all of it where it is resized, else pieces of its input's size.

    Args:
        rgb: `(H, W, 3) uint8`, RGB.
        two: two pieces that do not overlap, a quarter of the longer side from either end, where they fit;
            else one from the middle.

    Returns:
        None at all where the frame is smaller than a piece.
    """
    if wanted.fit == "resize":
        return [rgb]
    height, width = rgb.shape[:2]
    if height < wanted.height or width < wanted.width:
        return []
    across, down = width // wanted.width, height // wanted.height
    if not two or max(across, down) < 2:
        centres = [(0.5, 0.5)]
    else:
        centres = [(0.5, 0.25), (0.5, 0.75)] if across >= down else [(0.25, 0.5), (0.75, 0.5)]
    pieces = []
    for y, x in centres:
        top, left = (
            min(max(round(at * side) - piece // 2, 0), side - piece)
            for at, side, piece in ((y, height, wanted.height), (x, width, wanted.width))
        )
        pieces.append(rgb[top : top + wanted.height, left : left + wanted.width])
    return pieces


def prepared(piece: NDArray[np.uint8], wanted: Input) -> NDArray[np.float32]:
    """A frame or a piece of one as the model takes it, a batch of one.

    Args:
        piece: `(H, W, 3) uint8`, RGB.
    """
    if piece.shape[:2] != (wanted.height, wanted.width):
        size = (wanted.width, wanted.height)
        # Pillow's filter widens with the factor, as the antialiased resizing of training code does.
        piece = np.asarray(Image.fromarray(piece).resize(size, Image.Resampling.BILINEAR))
    low, high = wanted.range
    values = piece.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)
    if wanted.colour == "BGR":
        values = values[..., ::-1]
    if wanted.layout != "BHWC":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values).reshape(wanted.shape())


def agreement_of(runs: Sequence[NDArray[np.float32]]) -> float | None:
    """How much the message that one piece gives is that of the other, -1 to 1; None where there is but one.

    Outputs are squashed by tanh, so that no bit counts for more than a sure one, pooled over frames for each
    piece apart, multiplied bit by bit and averaged.

    Args:
        runs: `(pieces, bits)` each: outputs less the threshold.
    """
    pairs = [np.tanh(rows) for rows in runs if len(rows) == 2]
    if not pairs or not np.isfinite(pairs).all():
        return None
    one, other = np.mean(pairs, axis=0)
    return float((one * other).mean())


def chance(bits: int, matched: int) -> float:
    """The chance that a random message of `bits` bits agrees with given ones in `matched` or more."""
    ways: int = sum(math.comb(bits, k) for k in range(matched, bits + 1))
    share: float = ways / 2**bits
    return max(share, _SMALLEST)


def _hex(bits: NDArray[np.bool_]) -> str:
    return np.packbits(bits).tobytes().hex()
