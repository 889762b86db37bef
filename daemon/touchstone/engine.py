"""Puts the parts together: a pipeline for this process, or the daemon's where one is up.

The only place that knows every part; nothing below it does.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from . import __version__
from .system.environment import Environment

if TYPE_CHECKING:
    from .calibration.in_force import InForce
    from .inference.bundled_choice import Chosen
    from .inference.measurable import Measurable
    from .inference.placement import Placed
    from .inference.service import InferenceService
    from .media.spec import WorkerSpec
    from .pipeline import Pipeline
    from .settings import Settings
    from .system.paths import Paths
    from .verdict import Scan
    from .wire import AnySource
    from .zoo.bundled import BundledFile
    from .zoo.entry import Task
    from .zoo.registry import Installed

_log = logging.getLogger(__name__)

FETCH_FOLDER = "fetched"

VIEWER_MEMORY_MIB = 700
"""Real memory beyond which a worker that looks at pictures is replaced; its models alone take 300 MiB."""


class Scanner(Protocol):
    """Something that scans a source to its end: the pipeline, or a client of the daemon."""

    async def scan(self, source: AnySource) -> Scan: ...


def trust_folder(paths: Paths) -> Path:
    """Where `touchstone trust update` keeps the official lists."""
    return paths.data_dir / "trust"


def models_folder(paths: Paths) -> Path:
    """Where `touchstone models` keeps what it fetches and imports."""
    return paths.data_dir / "models"


def measurements_file(paths: Paths) -> Path:
    """Where is kept how fast models ran on each execution provider."""
    return paths.cache_dir / "providers.json"


def trust_settings(env: Environment, settings: Settings) -> dict[str, Any]:
    """Whom to believe, as plain JSON values: `Trust.from_dict` reads them, here or in a worker."""
    lists = [str(settings.trust_lists.expanduser().absolute())] if settings.trust_lists else []
    return {"pins": True, "official": str(trust_folder(env.paths)), "lists": lists}


def installed_models(env: Environment, task: Task | None = None) -> list[Installed]:
    """Files of models that are there; none where the zoo is damaged, which `touchstone doctor` says too."""
    from .zoo.entry import BadEntry
    from .zoo.registry import Zoo

    try:
        return Zoo(models_folder(env.paths)).installed(task)
    except BadEntry as problem:
        _log.warning("no models are used: %s", problem)
        return []


def placed_models(env: Environment, settings: Settings, task: Task) -> dict[str, Placed]:
    """Where the installed models for a task run, by name."""
    from .inference.choice import Measurements
    from .inference.machine import this_machine
    from .inference.placement import Wishes, place
    from .inference.provider_options import SHORT_NAMES
    from .zoo.entry import Task

    installed = installed_models(env, task)
    if not installed:
        return {}
    wishes = Wishes(SHORT_NAMES.get(settings.provider), settings.inference_process)
    kept = Measurements(measurements_file(env.paths))
    # Decoders are asked for a frame at a time; and on Windows memory is not shared with another process yet.
    here_only = task is Task.WATERMARK_DECODER or env.platform == "win32"
    return place(installed, kept, this_machine(), wishes, here_only=here_only)


def bundled_files(models: Path | None = None) -> list[BundledFile]:
    """Files of the models that come with the program; none where zoo.toml is damaged.

    Args:
        models: folder with zoo.toml and the models beside it; that of this installation by default.
    """
    from .zoo.bundled import bundled
    from .zoo.entry import BadEntry, Task

    try:
        return [file for task in Task for file in bundled(task, models)]
    except BadEntry as problem:  # scans do without; `touchstone doctor` says the same
        _log.warning("models that come with the program are not used: %s", problem)
        return []


def chosen_bundled(paths: Paths, models: Path | None = None) -> dict[str, Chosen]:
    """Which file of each model that comes with the program is used here, by the model's name.

    Args:
        models: as of `bundled_files`.
    """
    from .inference.bundled_choice import choose
    from .inference.choice import Measurements
    from .inference.machine import this_machine

    return choose(bundled_files(models), Measurements(measurements_file(paths)), this_machine())


def models_to_measure(env: Environment) -> list[Measurable]:
    """All that there is to measure here: installed models, and bundled ones to choose from."""
    from .inference.measurable import measurable, measurable_bundled

    return [*measurable(installed_models(env)), *measurable_bundled(bundled_files())]


def watermark_settings(env: Environment, settings: Settings) -> dict[str, Any]:
    """The installed watermark decoders and the keys of our own, as `watermarks.from_settings` takes them."""
    from .read_watermarks import touchstone_mark_settings
    from .zoo.entry import Task

    chosen = placed_models(env, settings, Task.WATERMARK_DECODER)
    return {
        "touchstone": touchstone_mark_settings(env),
        "models": [
            {"model": placed.model.as_json(), "variant": placed.variant.name, "path": str(placed.path)}
            for _, placed in sorted(chosen.items())
        ],
    }


def detector_settings(models: Path | None = None) -> dict[str, Any] | None:
    """The learned detector that comes with the program, as its examiner takes it; None where there is none.

    Args:
        models: folder with zoo.toml and the models beside it; that of this installation by default.
    """
    from .examiners.detector.settings import settings_of
    from .zoo.bundled import bundled
    from .zoo.entry import BadEntry, Task

    try:
        return next((found for file in bundled(Task.DETECTOR, models) if (found := settings_of(file))), None)
    except (BadEntry, OSError) as problem:  # scans do without; `touchstone doctor` says the same
        _log.warning("the detector is not used: %s", problem)
        return None


def imported_detector_settings(env: Environment, placed: Mapping[str, Placed]) -> dict[str, Any] | None:
    """Detectors that the user imported, as `imported_detectors.from_settings` takes them; None without any.

    Each comes with its evaluation, which says whether it may vote.
    """
    from .zoo.evaluation import BadEvaluation
    from .zoo.registry import Zoo

    entries: list[dict[str, Any]] = []
    for found in placed.values():
        entry: dict[str, Any] = {"model": found.model.as_json(), "variant": found.variant.name}
        entry |= {"path": str(found.path), "apart": found.apart}
        try:
            counts = Zoo(models_folder(env.paths)).evaluation(found.model, found.variant)
            entry["evaluation"] = counts.model_dump(mode="json", by_alias=True) if counts else None
        except BadEvaluation as problem:
            entry["reason"] = str(problem)
        entries.append(entry)
    return {"models": entries} if entries else None


def edition(env: Environment, settings: Settings) -> str:
    """Changes whenever the same bytes could get another answer: program, trust, models, prior, sampling.

    Of the bundled detector its checksum and its calibration count. Files count by name, size and time of
    change, so that `trust update` and `models pull` make old answers stale.
    """
    trust = trust_settings(env, settings)
    parts: list[Any] = [__version__, settings.prior, trust, detector_settings()]
    parts += [settings.sample_runs, settings.sample_frames, settings.sample_seed]
    for place in (trust["official"], *trust["lists"], str(models_folder(env.paths))):
        path = Path(place)
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        parts += [(str(f), s.st_size, s.st_mtime_ns) for f in files if f.is_file() and (s := f.stat())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def load_settings(env: Environment, given: Mapping[str, Any] | None = None) -> Settings:
    """The settings in force for a command: as given, environment, the store if there is one, defaults.

    Raises:
        settings.SettingError: a value is not allowed.
    """
    from .settings import load
    from .store import Store, store_path

    stored: dict[str, str] = {}
    if store_path(env.paths).exists():
        with Store(store_path(env.paths), env.clock) as store:
            stored = dict(store.settings())
    return load(env.environ, stored, given)


def viewer_spec(env: Environment, settings: Settings, calibration: InForce | None = None) -> WorkerSpec:
    """What workers that look at pictures are told: examiners, their settings, and the models they ask for.

    Args:
        calibration: what their scores are weighed by; what came with the program by default.
    """
    from .media.plan import Sampling
    from .media.spec import WorkerSpec
    from .pipeline import DETECTOR, IMPORTED_DETECTORS, LOOK_AT_PICTURES
    from .zoo.entry import Task

    viewer_settings: dict[str, Any] = {"watermarks": watermark_settings(env, settings)}
    looking: tuple[str, ...] = LOOK_AT_PICTURES
    if (detector := detector_settings()) is not None:
        viewer_settings[DETECTOR] = calibration.detector(detector) if calibration else detector
        looking = (*looking, DETECTOR)
    placed = placed_models(env, settings, Task.DETECTOR)
    if (imported := imported_detector_settings(env, placed)) is not None:
        viewer_settings[IMPORTED_DETECTORS] = imported
        looking = (*looking, IMPORTED_DETECTORS)
    apart = [found.served().as_json() for found in placed.values() if found.apart]
    sampling = Sampling(settings.sample_runs, settings.sample_frames, settings.sample_seed)
    return WorkerSpec(looking, settings=viewer_settings, models=apart, sampling=sampling)


def inference_service(env: Environment, settings: Settings) -> InferenceService:
    """What runs models in a process of their own. It starts none before a model is asked for."""
    from .inference.service import InferenceService, Times

    half = min(4, max(1, (os.cpu_count() or 1) // 2))
    return InferenceService(
        times=Times(idle_s=settings.inference_idle_s),
        threads=settings.inference_threads or half,
        cache=env.paths.cache_dir / "compiled",
        environment=env.environ,
    )


@asynccontextmanager
async def open_pipeline(
    env: Environment,
    settings: Settings,
    *,
    measure: bool = False,
    calibration: Callable[[], InForce] | None = None,
) -> AsyncIterator[Pipeline]:
    """A pipeline of this process, with workers and connections that end with the context.

    Args:
        measure: whether to find out, after the first scan, which execution provider runs installed models
            best; for a process that stays.
        calibration: gives what evidence is weighed by, asked at each scan; that of this installation by
            default.
    """
    from .calibration_in_force import Current
    from .first_use import AfterFirstUse
    from .inference import ServedModel
    from .intake.fetch import WebVideos
    from .intake.limits import FetchLimits
    from .intake.sources import SourceIntake
    from .media.lanes import Lane, Lanes
    from .media.pool import WorkerPool
    from .media.spec import Recycling, WorkerSpec
    from .pipeline import READ_HEADERS, Pipeline

    env.paths.create()
    defaults = FetchLimits()
    limits = FetchLimits(
        max_bytes=settings.max_bytes,
        whole_bytes=min(defaults.whole_bytes, settings.max_bytes),
        total_s=min(defaults.total_s, settings.max_seconds),
    )
    web = WebVideos(env.paths.cache_dir / FETCH_FOLDER, limits=limits)
    header_readers = WorkerPool(
        WorkerSpec(READ_HEADERS, settings={"content_credentials": {"trust": trust_settings(env, settings)}}),
        size=settings.concurrency,
        environment=env.environ,
    )
    in_force = calibration or Current(env.paths)
    weights = in_force()
    spec = viewer_spec(env, settings, weights)
    inference = inference_service(env, settings)
    inference.serve([ServedModel.from_json(model) for model in spec.models])
    viewers = WorkerPool(
        spec,
        # They keep a processor busy and their models in memory: no more of them than processors.
        size=min(settings.concurrency, os.cpu_count() or 1),
        recycling=Recycling(memory_mib=VIEWER_MEMORY_MIB),
        environment=env.environ,
        inference=inference,
    )
    looking = tuple(spec.examiners)

    def renew() -> None:
        nonlocal spec
        renewed = viewer_spec(env, settings, weights)
        if renewed != spec:
            spec = renewed
            inference.serve([ServedModel.from_json(model) for model in spec.models])
            viewers.renew(spec)

    async def find_out() -> None:
        if await measure_installed(env, settings):
            renew()

    def weights_now() -> InForce:
        nonlocal weights
        if (found := in_force()) is not weights:
            weights = found
            renew()
        return weights

    lanes = Lanes([Lane(header_readers, READ_HEADERS), Lane(viewers, looking)])
    workers = AfterFirstUse(lanes, find_out) if measure else lanes
    try:
        async with SourceIntake(web, fetch_allowed=lambda: settings.fetch_urls) as intake:
            yield Pipeline(
                intake,
                workers,
                prior=settings.prior,
                examiners=(*READ_HEADERS, *looking),
                weights=weights_now,
            )
    finally:
        await workers.close()
        await inference.close()


async def measure_installed(env: Environment, settings: Settings) -> bool:
    """Measure the models that have not been yet; false where there was nothing to do."""
    from .inference.measuring import MeasuringFailed, Order, measure_models
    from .zoo.entry import Task

    placed = [found for task in Task for found in placed_models(env, settings, task).values()]
    opt_in = settings.provider == "tensorrt" and bool(placed)
    used = chosen_bundled(env.paths)
    measured = [found.measured for found in placed] + [found.measured for found in used.values()]
    if all(measured) and not opt_in:
        return False
    order = Order(models_to_measure(env), measurements_file(env.paths), opt_in=opt_in)
    try:
        answer = await measure_models(order, environ=env.environ)
    except MeasuringFailed as problem:
        _log.warning("models were not measured (%s); they run on the processor", problem)
        return False
    for row in answer["models"]:
        _log.info("%s: fastest is %s", row["name"], row["chosen"])
    return True


@asynccontextmanager
async def open_scanner(
    env: Environment, *, use_daemon: bool = True, fresh: bool = False, jobs: int | None = None
) -> AsyncIterator[Scanner]:
    """The daemon when one is up, else a pipeline of this process: the same code, the same answer.

    Args:
        env: the world.
        use_daemon: whether to look for one.
        fresh: whether a daemon is asked to scan again what it knows.
        jobs: how many scans will be asked for at once, for a pipeline of this process.
    """
    from .system import daemon_process

    running = await asyncio.to_thread(daemon_process.find, env.paths) if use_daemon else None
    if running is not None:
        from .server.client import DaemonClient
        from .system.secrets import TokenStore

        tokens = TokenStore(env.paths, env.keyring)

        def read_token() -> str | None:
            found = tokens.read()
            return found.value if found else None

        token = tokens.read()
        if token is not None:
            client = DaemonClient(
                lambda: daemon_process.find(env.paths), token.value, fresh=fresh, read_token=read_token
            )
            async with client:
                yield client
            return
    settings = load_settings(env)
    if jobs is not None:
        settings = settings.model_copy(update={"concurrency": jobs})
    async with open_pipeline(env, settings) as pipeline:
        yield pipeline
