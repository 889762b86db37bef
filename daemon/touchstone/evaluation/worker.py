"""What an evaluation's workers run: under each condition, a clip is encoded again and examined.

All of it happens inside the confined process: the clip that comes out of an encoder never leaves it, only
what the examiners say. To the pool each condition is an examiner of its own, with its own time limit.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from av.video.frame import VideoFrame

from ..examiners import Clip, Examiner, Needs, Skip
from ..examiners import registry as examiners
from ..media.workers import (
    Checked,
    ContainerRead,
    Found,
    OpenMaterial,
    Skipped,
    Unreadable,
    examine_opened,
)
from ..verdict import Evidence, Supports
from .conditions import Condition, Encode, conditions_of
from .device import device_of
from .encoding import Treat, encoded, write


class UnderCondition:
    """Runs examiners over a clip as a condition leaves it; see examiners.Examiner.

    Its one piece of evidence carries what they found, as JSON, in `details`. `treat` is done to the pictures
    before they are encoded; a condition without any stage does not encode.
    """

    needs = Needs.BYTES

    def __init__(
        self, condition: Condition, inner: Sequence[Examiner], frames: int, treat: Treat | None = None
    ) -> None:
        self.name = condition.name
        self._condition = condition
        self._inner = inner
        self._frames = frames
        self._treat = treat
        self._rehearse()

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        """Yield what the examiners found.

        Raises:
            Skip: the clip that came out cannot be read.
            CannotDecode: nothing came out.
        """
        material = OpenMaterial(clip.file, clip.size)
        if self._condition.stages:
            content = encoded(
                clip.container, clip.file, clip.size, self._condition.stages, self._frames, self._treat
            )
            material = OpenMaterial(io.BytesIO(content), len(content))
        yield Evidence(
            examiner=self.name,
            finding=self.name,
            supports=Supports.NEITHER,
            details=_found(material, self._inner),
        )

    def _rehearse(self) -> None:
        """Encode and examine noise, so that nothing is loaded for the first time in a confined process."""
        noise = np.random.default_rng(0).integers(16, 235, (4, 384, 256), np.uint8)
        pictures = (VideoFrame.from_ndarray(picture, "yuv420p") for picture in noise)
        content = write(pictures, Encode(23), Fraction(25))
        material = OpenMaterial(io.BytesIO(content), len(content))
        (container,) = (m.container for m in examine_opened(material, []) if isinstance(m, ContainerRead))
        encoded(container, io.BytesIO(content), len(content), self._condition.stages, 2, self._treat)
        _found(material, self._inner)


def _found(material: OpenMaterial, inner: Sequence[Examiner]) -> dict[str, Any]:
    started = time.perf_counter()
    said: dict[str, Any] = {"evidence": [], "checked": [], "skipped": {}}
    for message in examine_opened(material, inner):
        match message:
            case ContainerRead(container):
                said["codec"], said["bytes"] = container.codec, material.size
                said["width"], said["height"] = container.width, container.height
                said["fps"], said["duration_s"] = container.fps, container.duration_s
                said["device"] = device_of(container.tags)
            case Found(evidence):
                said["evidence"].append(evidence.model_dump(mode="json"))
            case Checked(name):
                said["checked"].append(name)
            case Skipped(name, reason):
                said["skipped"][name] = reason
            case Unreadable(reason):
                raise Skip(reason)
    said["took_ms"] = round((time.perf_counter() - started) * 1000, 2)
    return said


def build(names: Sequence[str], settings: Mapping[str, Any]) -> list[UnderCondition]:
    """Build what a worker runs; see media.spec.WorkerSpec.registry.

    Args:
        names: of conditions.
        settings: `{"examiners": names, "settings": of each, "frames": how many are encoded}`.
    """
    inner = examiners.build(settings["examiners"], settings["settings"])
    return [UnderCondition(condition, inner, settings["frames"]) for condition in conditions_of(names)]
