"""Finds and reads lines of text in grey pictures, with the PP-OCRv6 models that rapidocr's wheel carries.

The wheel is used for its models alone. Its own code stands on OpenCV, takes seconds to load and searches
whole pictures for turned text in colour. Marks are upright, and the search for them is a mosaic of small
crops; so what surrounds the two networks is written here, for exactly that.

Source of the constants: PaddleOCR's inference configuration of PP-OCRv6_small_det and PP-OCRv6_small_rec,
as rapidocr 3.10 carries it in config.yaml.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...inference.sessions import Session
from ...inference.uses import ModelFile
from ...zoo.registry import sha256_of
from .components import boxes_of

Grey = NDArray[np.uint8]
"""A picture, (H, W)."""

_DETECTOR = "PP-OCRv6_det_small.onnx"
_READER = "PP-OCRv6_rec_small.onnx"
_VERSION = "PP-OCRv6_small"

STRIDE = 32  # the detector halves its input five times
_TEXT_ABOVE = 0.3  # probability of a pixel to belong to text
_LINE_ABOVE = 0.5  # mean probability over a line
_GROW = 1.6  # the detector is trained on shrunken lines: by how much they grow back, of area over perimeter
_SMALLEST = 3  # pixels

_LINE_HEIGHT = 48  # pixels; what the reader takes
_NARROWEST = 48
_WIDEST = 960
_BATCH = 8


@dataclass(frozen=True)
class Line:
    """Where text may be: a box in pixels of the picture it was found in, and how sure the detector is."""

    left: float
    top: float
    right: float
    bottom: float
    score: float


@dataclass(frozen=True)
class Reading:
    """What a line says, and how sure the reader is: the mean probability of its letters, 0 to 1."""

    text: str
    score: float


def models_folder() -> Path:
    """Where rapidocr's wheel put its models, without importing any of it.

    Raises:
        FileNotFoundError: rapidocr is not installed.
    """
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package rapidocr, which carries the OCR models, is not installed")
    return Path(spec.origin).parent / "models"


def _load(path: Path, name: str) -> tuple[ModelFile, Session]:
    """A network, and what to call it in a scan."""
    session = Session(path)
    return ModelFile(name, _VERSION, "fp32", sha256_of(path)), session


class TextDetector:
    """Finds lines of text. See the module."""

    def __init__(self, folder: Path) -> None:
        self.loaded = _load(folder / _DETECTOR, "ocr_detector")
        _, self._session = self.loaded

    def find(self, picture: Grey) -> list[Line]:
        """Lines of upright text in `picture`, from the top down."""
        height, width = picture.shape
        tall, wide = (-(-side // STRIDE) * STRIDE for side in (height, width))
        padded = np.full((tall, wide), 128, np.uint8)
        padded[:height, :width] = picture
        probability = self._session(_as_input(padded)[None])[0, 0, :height, :width]
        lines = []
        for left, top, right, bottom in boxes_of(probability > _TEXT_ABOVE):
            across, down = right - left, bottom - top
            if min(across, down) < _SMALLEST:
                continue
            score = float(probability[top:bottom, left:right].mean())
            if score < _LINE_ABOVE:
                continue
            grow = across * down * _GROW / (2 * (across + down))
            lines.append(
                Line(
                    max(left - grow, 0),
                    max(top - grow, 0),
                    min(right + grow, width),
                    min(bottom + grow, height),
                    score,
                )
            )
        return lines


class TextReader:
    """Reads lines of Latin, Chinese and Japanese text. See the module."""

    def __init__(self, folder: Path) -> None:
        self.loaded = _load(folder / _READER, "ocr_reader")
        _, self._session = self.loaded
        # Class 0 is "nothing here" (CTC), then come the letters, then the space.
        self._letters = ["", *self._session.metadata["character"].splitlines(), " "]

    def read(self, lines: Sequence[Grey]) -> list[Reading]:
        """What each of `lines`, pictures of one line of text, says."""
        scaled = [_to_line_height(line) for line in lines]
        order = sorted(range(len(scaled)), key=lambda index: scaled[index].shape[1])
        readings: dict[int, Reading] = {}
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            width = scaled[chosen[-1]].shape[1]
            batch = np.zeros((len(chosen), 3, _LINE_HEIGHT, width), np.float32)
            for place, index in enumerate(chosen):
                batch[place, :, :, : scaled[index].shape[1]] = _as_input(scaled[index])
            for index, steps in zip(chosen, self._session(batch), strict=True):
                readings[index] = self._decode(steps)
        return [readings[index] for index in range(len(scaled))]

    def _decode(self, steps: NDArray[np.float32]) -> Reading:
        """The likeliest text for (T, classes) probabilities: repeats are one letter, class 0 is none."""
        classes = steps.argmax(axis=1)
        fresh = np.append(True, classes[1:] != classes[:-1]) & (classes != 0)
        if not fresh.any():
            return Reading("", 0.0)
        text = "".join(self._letters[index] for index in classes[fresh])
        return Reading(text.strip(), float(steps.max(axis=1)[fresh].mean()))


def _as_input(picture: Grey) -> NDArray[np.float32]:
    """(3, H, W) in -1..1: the networks want colour, and grey is the same in all three."""
    values = picture.astype(np.float32) / 127.5 - 1
    return np.broadcast_to(values, (3, *values.shape))


def _to_line_height(line: Grey) -> Grey:
    height, width = line.shape
    wide = min(max(round(width * _LINE_HEIGHT / max(height, 1)), _NARROWEST), _WIDEST)
    scaled = Image.fromarray(np.ascontiguousarray(line)).resize(
        (wide, _LINE_HEIGHT), Image.Resampling.BILINEAR
    )
    return np.asarray(scaled)
