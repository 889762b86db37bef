"""The generator's autoencoders, for aligned pairs: the same content as filmed, and as a decoder makes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...generator.networks import GROUP, Networks
from ...zoo.bundled import bundled
from ...zoo.entry import Task
from .treatments import Picture

_PREFIX = "generator-"
_DECODER = "decoder"
_LOADER = f"{__name__}:load"


class FramesThroughLatents:
    """An autoencoder of the generator; see treatments.Autoencoder.

    It takes the first frame and whole groups of four; what is left over at the end is dropped.
    """

    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    def encode(self, frames: Iterable[Picture]) -> Iterator[NDArray[np.float32]]:
        """The latents of frames."""
        pictures = list(frames)
        if pictures:
            whole = 1 + (len(pictures) - 1) // GROUP * GROUP
            yield from self._networks.encode(np.stack(pictures[:whole]))

    def decode(self, latents: Iterable[NDArray[np.float32]]) -> Iterator[Picture]:
        """The frames that a decoder makes of latents."""
        found = list(latents)
        if found:
            for frames in self._networks.decode(np.stack(found)):
                yield from frames


def load(decoder: Path) -> FramesThroughLatents:
    """The autoencoder with a decoder's file, which lies in the zoo's folder beside its encoder."""
    return FramesThroughLatents(
        Networks(decoder.parent, threads=1, decoder=decoder.stem.removeprefix(_PREFIX))
    )


def autoencoders(models: Path | None = None) -> dict[str, dict[str, Any]]:
    """Every decoder that is here, by name, as treatments.treatment_of takes it.

    Args:
        models: folder with zoo.toml; that of this installation by default.
    """
    files = {file.model.name.removeprefix(_PREFIX): file for file in bundled(Task.GENERATOR, models)}
    if "encoder" not in files:
        return {}
    encoder = files["encoder"].variant.sha256
    return {
        name: {
            "path": str(file.path),
            "loader": _LOADER,
            "sha256": [encoder, file.variant.sha256],  # another file, another answer: see Examined.key
        }
        for name, file in files.items()
        if name.startswith(_DECODER) and file.path.is_file()
    }
