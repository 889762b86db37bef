"""Watermarks whose decoder is a network in an ONNX file, as an entry of the zoo or a card describes it.

One frame of each run is read, since neighbouring frames tell much the same, and outputs are pooled over them.
A message that is known in advance counts by the exact chance that a message drawn at random would agree with
the pooled bits as well: that chance is the same for any picture, so it needs no clips to be measured on. A
message that is not known says nothing about where a clip comes from; that there is one may still be told.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...inference.sessions import Session
from ...media.frames import Run
from ...verdict import Supports
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
        shape = self._session(np.zeros(model.input.shape(), np.float32)).shape
        if len(shape) != 2 or shape[1] < model.output.skip + model.output.bits:
            raise UnusableModel(f"{path}: gives {shape}, which is fewer bits than its entry says")

    def reader(self) -> Reader:
        return _Reader(self._model, self._variant, self._session)


class _Reader:
    def __init__(self, model: Model, variant: Variant, session: Session) -> None:
        self._model = model
        self._variant = variant
        self._session = session
        self._runs: list[tuple[float, float, NDArray[np.float32]]] = []

    def add(self, run: Run) -> None:
        values = prepared(run.frames[0].rgb(), self._model.input)
        if values is None:
            return
        output = self._model.output
        row = self._session(values)[0, output.skip : output.skip + output.bits]
        self._runs.append((run.start_s, run.end_s, row - np.float32(output.threshold)))

    def readings(self) -> Iterator[Reading]:
        if not self._runs:
            return
        pooled = np.mean([row for *_, row in self._runs], axis=0)
        for message in self._model.messages:
            yield self._known(message, pooled)
        strength = float(np.median(np.abs(pooled)))
        presence = self._model.presence
        found = presence is not None and strength > presence.above and np.isfinite(pooled).all()
        if not found and self._model.messages:
            return
        details: dict[str, Any] = {"strength": round(strength, 3)} if math.isfinite(strength) else {}
        if presence is not None:
            details |= {
                "strength_above": presence.above,
                "false_positives": f"{presence.false} of {presence.clips} clips without the mark",
            }
        yield Reading(
            scheme=self._model.name,
            message=_hex(pooled > 0),
            bits=pooled.size,
            p_value=1.0,
            supports=Supports.NEITHER,
            told=bool(found),
            finding="watermarks.free_message",
            details=self._details() | details,
        )

    def _known(self, message: Message, pooled: NDArray[np.float32]) -> Reading:
        bits = np.array([bit == "1" for bit in message.bits])
        matched = int(((pooled > 0) == bits).sum()) if np.isfinite(pooled).all() else 0
        calibration = self._model.calibration
        return Reading(
            scheme=self._model.name,
            message=_hex(bits),
            bits=bits.size,
            p_value=min(1.0, chance(bits.size, matched) * len(self._model.messages)),
            name=message.name,
            generator=message.generator if message.ai else None,
            stretches=tuple(self._stretches(bits)),
            supports=Supports.AI if message.ai else Supports.NEITHER,
            finding="watermarks.known_message" if message.ai else "watermarks.message_of_someone",
            read_rate=calibration.read_rate_lower if calibration else None,
            details=self._details() | {"matched_bits": matched, "message_source": message.source},
        )

    def _stretches(self, bits: NDArray[np.bool_]) -> Iterator[Stretch]:
        for start_s, end_s, row in self._runs:
            share = float(((row > 0) == bits).mean())
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


def prepared(rgb: NDArray[np.uint8], wanted: Input) -> NDArray[np.float32] | None:
    """A frame as the model takes it; None where the frame is smaller than the piece that is to be cut out.

    Args:
        rgb: `(H, W, 3) uint8`, RGB.
    """
    height, width = rgb.shape[:2]
    if wanted.fit == "crop":
        top, left = (height - wanted.height) // 2, (width - wanted.width) // 2
        if min(top, left) < 0:
            return None
        piece = rgb[top : top + wanted.height, left : left + wanted.width]
    else:
        size = (wanted.width, wanted.height)
        # Pillow's filter widens with the factor, as the antialiased resizing of training code does.
        piece = np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR))
    low, high = wanted.range
    values = piece.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)
    if wanted.colour == "BGR":
        values = values[..., ::-1]
    if wanted.layout != "BHWC":
        values = values.transpose(2, 0, 1)
    return np.ascontiguousarray(values).reshape(wanted.shape())


def chance(bits: int, matched: int) -> float:
    """The chance that a random message of `bits` bits agrees with given ones in `matched` or more."""
    ways: int = sum(math.comb(bits, k) for k in range(matched, bits + 1))
    share: float = ways / 2**bits
    return max(share, _SMALLEST)


def _hex(bits: NDArray[np.bool_]) -> str:
    return np.packbits(bits).tobytes().hex()
