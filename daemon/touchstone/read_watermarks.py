"""Puts the parts together for `touchstone watermark read`, and says what scans read of our own marks.

Reading is a scan by one examiner that looks at far more frames: in a confined process, like any other.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .system.environment import Environment

if TYPE_CHECKING:
    from .verdict import Scan

_log = logging.getLogger(__name__)

RUNS = 2400
"""Runs of three frames that are looked at: all of four minutes at 30 frames a second. Of longer clips as
many, spread over them."""

_PIXELS = 200_000 * 1920 * 1080
_SECONDS = 3600.0


def touchstone_mark_settings(env: Environment, models: Path | None = None) -> dict[str, Any]:
    """Whose marks are read and by which model, as `touchstone_mark.from_settings` takes it.

    Args:
        env: the world; a key that cannot be had costs the marks made with it, with a line in the log.
        models: folder with zoo.toml and the models beside it; that of this installation by default.
    """
    from .engine import chosen_bundled
    from .system.secrets import SecretsError
    from .system.watermark_keys import KeyStore
    from .zoo.entry import Task

    keys: list[tuple[str, str]] = []
    try:
        if (own := KeyStore(env.paths, env.keyring).read()) is not None:
            keys.append((own.name, own.hex))
    except SecretsError as problem:
        _log.warning("marks made with your own key are not read: %s", problem)
    model: dict[str, Any] | None = None
    for found in chosen_bundled(env.paths, models).values():
        if found.file.model.task is Task.WATERMARK_DECODER:
            entry, variant = found.file.model, found.file.variant
            model = {"name": entry.name, "version": entry.version, "variant": variant.name}
            model |= {"path": str(found.file.path), "sha256": variant.sha256}
            break
    return {"keys": keys, "model": model}


async def read_watermarks(env: Environment, path: Path) -> Scan:
    """Look for our own marks in all of a file. `path`: absolute."""
    from .intake.fetch import WebVideos
    from .intake.sources import SourceIntake
    from .media.plan import Sampling
    from .media.pool import WorkerPool
    from .media.sandbox import ProcessLimits
    from .media.spec import Deadlines, WorkerSpec
    from .pipeline import Pipeline
    from .wire import FileSource

    env.paths.create()
    settings = {"only_touchstone": True, "touchstone": touchstone_mark_settings(env)}
    spec = WorkerSpec(
        ["watermarks"],
        settings={"watermarks": settings},
        limits=ProcessLimits(cpu_s=int(_SECONDS)),
        sampling=Sampling(runs=RUNS, budget_pixels=_PIXELS, seconds=_SECONDS, keep_bytes=0),
    )
    pool = WorkerPool(spec, size=1, deadlines=Deadlines(examiner_s=_SECONDS + 60), environment=env.environ)
    try:
        async with SourceIntake(WebVideos(env.paths.cache_dir), fetch_allowed=lambda: False) as intake:
            scan = Pipeline(intake, pool, examiners=["watermarks"]).scan
            return await scan(FileSource(path=str(path)))
    finally:
        await pool.close()
