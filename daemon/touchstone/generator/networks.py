"""The generator's networks, run by onnxruntime: frames to latents and back, noise to latents, small to large.

model_zoo/cards/generator.md says how they were made. Answers are the same for the same input on one execution
provider; another provider rounds in another way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inference import PROCESSOR, NoAnswer, ServedModel
from ..inference.model_files import content_of
from ..messages import say
from ..zoo.bundled import BundledFile, bundled
from ..zoo.entry import Task

GROUP = 4
"""Frames a latent stands for; the first frame of a clip has one to itself."""
SCALE = 8
"""Pixels a latent stands for, each way."""
LATENT = 24
"""Numbers of a latent."""
PATCH = 2
"""Latents of a token, each way."""
WORDS = 32
"""Numbers of words that the denoiser takes."""
STEP = SCALE * PATCH
"""Sides of a picture are whole multiples of this."""

Frames = NDArray[np.uint8]
"""`(T, H, W, 3)`, RGB."""
Latents = NDArray[np.float32]
"""`(T, LATENT, H/8, W/8)`, about unit spread."""


class Networks:
    """Encoder, decoder, denoiser and upsampler that come with the program.

    Args:
        folder: where zoo.toml is; that of this installation by default.
        threads: of the processor; 0 for all.
        provider: onnxruntime's name of what they run on.
        decoder: which of the decoders: `decoder`, or one of the others that calibration has
            (`decoder-nearest`, …).

    Raises:
        NoAnswer: a file is missing or is another one.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        threads: int = 0,
        provider: str = PROCESSOR,
        decoder: str = "decoder",
    ) -> None:
        self._files = {f.model.name.removeprefix("generator-"): f for f in bundled(Task.GENERATOR, folder)}
        self._threads = threads
        self._provider = provider
        self._decoder = decoder
        self._sessions: dict[str, Any] = {}
        spread = json.loads(self._place().with_name("generator-latents.json").read_text(encoding="utf-8"))
        shape = (1, LATENT, 1, 1)
        self._mean = np.array(spread["mean"], np.float32).reshape(shape)
        self._deviation = np.array(spread["deviation"], np.float32).reshape(shape)

    @property
    def version(self) -> str:
        """Tells one set of files from another."""
        names = ("encoder", self._decoder, "denoiser", "upsampler")
        return "-".join(self._file(name).variant.sha256[:8] for name in names)

    def encode(self, frames: Frames) -> Latents:
        """`1 + 4k` frames, sides multiples of 8, to `1 + k` latents; the first frame has one to itself."""
        pixels = frames.astype(np.float32).transpose(0, 3, 1, 2) / 127.5 - 1
        whole = np.concatenate([np.repeat(pixels[:1], GROUP - 1, 0), pixels])
        (latents,) = self._run("encoder", {"frames": whole.reshape(-1, 3 * GROUP, *whole.shape[2:])})
        return np.asarray((latents - self._mean) / self._deviation)

    def decode(self, latents: Latents) -> Iterator[Frames]:
        """The frames of each latent: one of the first, `(1, H, W, 3)`, then four of each."""
        for number, latent in enumerate(latents):
            (made,) = self._run(self._decoder, {"latents": latent[None] * self._deviation + self._mean})
            pixels = made.reshape(GROUP, 3, *made.shape[2:]).transpose(0, 2, 3, 1)
            frames = np.clip(np.rint((pixels + 1) * 127.5), 0, 255).astype(np.uint8)
            yield frames[:1] if number == 0 else frames

    def enlarge(self, picture: Frames) -> Frames:
        """A picture `(H, W, 3)` at twice its size."""
        pixels = picture.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
        (made,) = self._run("upsampler", {"pictures": pixels})
        larger: Frames = np.clip(np.rint((made[0].transpose(1, 2, 0) + 1) * 127.5), 0, 255).astype(np.uint8)
        return larger

    def velocity(
        self,
        noisy: Latents,
        levels: NDArray[np.float32],
        times: NDArray[np.float32],
        words: NDArray[np.int64],
        plans: NDArray[np.float32],
    ) -> Latents:
        """Where latents came from and where they go, under each of several prompts and plans.

        Args:
            noisy: `(T, LATENT, h, w)`, h and w even, T at least 2.
            levels: `(T,)`, 1 is noise and 0 is clean.
            times: `(T,)`, seconds.
            words: `(B, WORDS)`, 0 where there is none.
            plans: `(B, T, h * w / 4, making.staging.PLANES)`, 0 where there is none.

        Returns:
            `(B, T, LATENT, h, w)`.
        """
        frames, _, high, wide = noisy.shape
        rows, columns = high // PATCH, wide // PATCH
        parts = noisy.reshape(frames, LATENT, rows, PATCH, columns, PATCH)
        tokens = parts.transpose(0, 2, 4, 1, 3, 5).reshape(frames, rows * columns, -1)
        row, column = _places(rows, columns)
        batch = len(words)

        def each(values: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.ascontiguousarray(np.broadcast_to(values.astype(np.float32), (batch, *values.shape)))

        asked = {"tokens": each(tokens), "levels": each(levels), "times": each(times)}
        (made,) = self._run(
            "denoiser", {**asked, "rows": row, "columns": column, "words": words, "plan": plans}
        )
        shaped = made.reshape(batch, frames, rows, columns, LATENT, PATCH, PATCH)
        return np.asarray(shaped.transpose(0, 1, 4, 2, 5, 3, 6)).reshape(batch, *noisy.shape)

    def _run(self, name: str, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        session = self._sessions.get(name)
        if session is None:
            session = self._sessions[name] = self._opened(name)
        answers: list[NDArray[np.float32]] = session.run(None, dict(inputs))
        return answers

    def _opened(self, name: str) -> Any:
        import onnxruntime  # only here: it takes a tenth of a second

        from ..inference.provider_options import options_of

        file = self._file(name)
        content = content_of(
            ServedModel(
                file.model.name, file.model.version, file.variant.name, file.variant.sha256, str(file.path)
            )
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        providers: Sequence[Any] = [PROCESSOR]
        if self._provider != PROCESSOR:
            providers = [(self._provider, options_of(self._provider)), PROCESSOR]
        return onnxruntime.InferenceSession(content, options, providers=providers, enable_fallback=0)

    def _file(self, name: str) -> BundledFile:
        try:
            return self._files[name]
        except KeyError:
            raise NoAnswer(say("inference.no_such_model", name=f"generator-{name}")) from None

    def _place(self) -> Path:
        return self._file("denoiser").path


def _places(rows: int, columns: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Row and column of each patch, in eighths of the shorter side from the middle."""
    finer = np.float32(8 / min(rows, columns))
    row = (np.arange(rows, dtype=np.float32) - (rows - 1) / 2) * finer
    column = (np.arange(columns, dtype=np.float32) - (columns - 1) / 2) * finer
    return (
        np.repeat(row, columns).astype(np.float32),
        np.tile(column, rows).astype(np.float32),
    )
