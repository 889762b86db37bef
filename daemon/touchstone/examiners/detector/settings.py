"""What the examiner is built from, as JSON values that cross to a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...zoo.bundled import BundledFile


def settings_of(file: BundledFile) -> dict[str, Any] | None:
    """Settings of the examiner for a bundled model; None where its file is not there.

    Raises:
        OSError: the calibration that the entry names cannot be read.
    """
    if not file.path.is_file():
        return None
    text = file.calibration.read_text(encoding="utf-8") if file.calibration else None
    return settings(
        file.path, file.model.name, file.model.version, file.variant.name, file.variant.sha256, text
    )


def settings(
    path: Path, name: str, version: str, variant: str, sha256: str, calibration: str | None = None
) -> dict[str, Any]:
    """Settings of the examiner for any file. `calibration`: the text of its file."""
    model = {"name": name, "version": version, "variant": variant, "sha256": sha256}
    return {"model": model, "path": str(path), "calibration": calibration}
