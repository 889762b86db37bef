"""Keeps what was made of a clip beside it, so that an interrupted run goes on where it was."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any

import numpy as np

from ..networks import Latents


class Parts:
    """A folder of latents for one clip.

    Args:
        target: the clip's file; the folder is beside it.
        order: all that the clip depends on, JSON values. Parts of another order are not read.
    """

    def __init__(self, target: Path, order: Mapping[str, Any]) -> None:
        known = sha256(dumps(order, sort_keys=True).encode()).hexdigest()[:16]
        self.folder = target.with_name(f".{target.name}.parts-{known}")

    def get(self, name: str) -> Latents | None:
        """What was kept, or None."""
        try:
            return np.asarray(np.load(self.folder / f"{name}.npy", allow_pickle=False), np.float32)
        except (OSError, ValueError):
            return None

    def put(self, name: str, latents: Latents) -> None:
        """Keep latents, in one step.

        Raises:
            OSError: they cannot be written.
        """
        self.folder.mkdir(exist_ok=True)
        arriving = self.folder / f".{name}.{os.getpid()}.npy"
        try:
            np.save(arriving, latents, allow_pickle=False)
            arriving.replace(self.folder / f"{name}.npy")
        finally:
            arriving.unlink(missing_ok=True)

    def forget(self) -> None:
        """Delete the folder."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.folder)
