"""`touchstone doctor`: look at all that can keep a badge from appearing, and say the remedy for each."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

from .. import __version__
from ..messages import say
from ..system.environment import Environment
from ..system.paths import NoFolder
from .exits import Exit

HOST_ANSWERS_S = 20.0


class Health(StrEnum):
    """How one thing is."""

    OK = "ok"
    NOTE = "note"  # works, with something to know
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` says what to do where something is to be done."""

    subject: str
    health: Health
    text: str
    remedy: str | None = None


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("doctor", help=say("doctor.help"), description=say("doctor.description"))
    parser.add_argument("--json", action="store_true", help=say("setup.json"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, env: Environment) -> int:
    """Look at everything. The exit code is 1 when something has to be done."""
    findings = [finding for look in LOOKS for finding in look(env)]
    if args.json:
        env.print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            env.print(say(f"doctor.{finding.health.value}", subject=finding.subject, text=finding.text))
            if finding.remedy:
                env.print(say("doctor.remedy", remedy=finding.remedy))
    sick = any(finding.health is Health.PROBLEM for finding in findings)
    return Exit.FAILED if sick else Exit.DONE


def _program(env: Environment) -> Iterator[Finding]:
    text = say(
        "doctor.program.text",
        version=__version__,
        python=platform.python_version(),
        system=platform.platform(terse=True),
    )
    yield Finding(say("doctor.program.subject"), Health.OK, text)


def _folders(env: Environment) -> Iterator[Finding]:
    subject = say("doctor.folders.subject")
    try:
        env.paths.create()
    except NoFolder as problem:
        yield Finding(
            subject,
            Health.PROBLEM,
            say("doctor.folders.not_made", reason=problem.cause),
            say("doctor.folders.not_made_remedy"),
        )
        return
    for folder in env.paths.all:
        if not os.access(folder, os.W_OK | os.X_OK):
            yield Finding(
                subject,
                Health.PROBLEM,
                say("doctor.folders.not_writable", folder=folder),
                say("doctor.folders.not_writable_remedy", folder=folder),
            )
            return
    yield Finding(subject, Health.OK, say("doctor.folders.text", folder=env.paths.data_dir))


def _settings(env: Environment) -> Iterator[Finding]:
    import sqlite3

    from ..engine import load_settings
    from ..settings import SettingError
    from ..store import NewerStore

    subject = say("doctor.settings.subject")
    try:
        settings = load_settings(env)
    except SettingError as problem:
        yield Finding(subject, Health.PROBLEM, str(problem), say("doctor.settings.remedy"))
    except NewerStore as problem:
        text = say("daemon.store.newer", folder=env.paths.data_dir, found=problem.found)
        yield Finding(subject, Health.PROBLEM, text, say("doctor.settings.newer_remedy"))
    except (OSError, sqlite3.Error) as problem:
        text = say("daemon.store.broken", folder=env.paths.data_dir, reason=problem)
        yield Finding(subject, Health.PROBLEM, text, say("doctor.settings.broken_remedy"))
    else:
        key = "fetching" if settings.fetch_urls else "not_fetching"
        yield Finding(subject, Health.OK, say(f"doctor.settings.{key}"))


def _token(env: Environment) -> Iterator[Finding]:
    from ..system.secrets import SecretsError, TokenStore

    subject = say("doctor.token.subject")
    try:
        token = TokenStore(env.paths, env.keyring).read()
    except SecretsError as problem:
        yield Finding(subject, Health.PROBLEM, str(problem))
        return
    if token is None:
        yield Finding(subject, Health.NOTE, say("doctor.token.none"))
    else:
        yield Finding(subject, Health.OK, say(f"doctor.token.{token.kept_in}"))


def _daemon(env: Environment) -> Iterator[Finding]:
    from ..system.daemon_process import find

    subject = say("doctor.daemon.subject")
    daemon = find(env.paths)
    if daemon is None:
        yield Finding(subject, Health.NOTE, say("doctor.daemon.down"))
        return
    if daemon.version != __version__:
        text = say("doctor.daemon.other_version", theirs=daemon.version, ours=__version__)
        yield Finding(subject, Health.PROBLEM, text, say("doctor.daemon.restart"))
        return
    if not _takes_token(env):
        yield Finding(subject, Health.PROBLEM, say("doctor.daemon.token"), say("doctor.daemon.restart"))
        return
    yield Finding(subject, Health.OK, say("doctor.daemon.up", version=daemon.version, port=daemon.port))


def _takes_token(env: Environment) -> bool:
    import asyncio

    from ..server.client import DaemonClient, DaemonError, DaemonLost
    from ..system.daemon_process import find
    from ..system.secrets import SecretsError, TokenStore

    async def ask() -> bool:
        token = TokenStore(env.paths, env.keyring).load().value
        async with DaemonClient(lambda: find(env.paths), token) as client:
            return (await client.health()).version is not None

    try:
        return asyncio.run(ask())
    except (DaemonError, DaemonLost, SecretsError):
        return False


def _browsers(env: Environment) -> Iterator[Finding]:
    import sqlite3

    from ..settings import SettingError
    from ..store import NewerStore
    from ..system.manifests import State, hint
    from .machine import manifests

    try:
        listed = manifests(env).status()
    except (SettingError, NewerStore, sqlite3.Error):
        return  # the settings have a finding of their own
    if not listed:
        yield Finding(say("doctor.browsers.subject"), Health.NOTE, say("browsers.status.nothing"))
    for entry in listed:
        title = entry.place.browser.title
        if entry.state is not State.INSTALLED:
            text = say(f"doctor.browsers.{entry.state.value}")
            yield Finding(title, Health.PROBLEM, text, say("doctor.browsers.remedy"))
        elif remark := hint(entry.place):
            yield Finding(title, Health.NOTE, say("doctor.browsers.sandboxed"), remark)
        else:
            yield Finding(title, Health.OK, say("doctor.browsers.installed", manifest=entry.manifest))


def _host(env: Environment) -> Iterator[Finding]:
    """Start the native host as a browser would and wait for its first message."""
    from .machine import launcher

    program = launcher(env)
    if not program.path.exists():
        return  # nothing is registered; the browsers have findings of their own
    subject = say("doctor.host.subject")
    remedy = say("doctor.browsers.remedy")
    try:
        host = subprocess.run(
            [str(program.path), "--probe"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=HOST_ANSWERS_S,
            env=dict(env.environ),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        text = say("doctor.host.does_not_start", program=program.path, reason=problem)
        yield Finding(subject, Health.PROBLEM, text, remedy)
        return
    if b'"type":"state"' in host.stdout:
        yield Finding(subject, Health.OK, say("doctor.host.answers"))
        return
    last = host.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"exit {host.returncode}"]
    text = say("doctor.host.does_not_start", program=program.path, reason=last[0])
    yield Finding(subject, Health.PROBLEM, text, remedy)


def _trust(env: Environment) -> Iterator[Finding]:
    import sqlite3

    from ..engine import load_settings, trust_settings
    from ..settings import SettingError
    from ..store import NewerStore
    from ..trust import Trust

    try:
        trust = Trust.from_dict(trust_settings(env, load_settings(env)))
    except (SettingError, NewerStore, sqlite3.Error):
        return  # the settings have a finding of their own
    subject = say("doctor.trust.subject")
    for problem in trust.problems:
        yield Finding(subject, Health.PROBLEM, problem, say("doctor.trust.remedy"))
    if not trust.problems:
        yield Finding(subject, Health.OK, say("doctor.trust.text"))


def _models(env: Environment) -> Iterator[Finding]:
    from ..engine import models_folder
    from ..zoo.entry import BadEntry
    from ..zoo.registry import State, Zoo

    subject = say("doctor.models.subject")
    try:
        zoo = Zoo(models_folder(env.paths))
    except BadEntry as problem:
        yield Finding(subject, Health.PROBLEM, str(problem))
        return
    installed = zoo.installed()
    for unusable in zoo.problems:
        yield Finding(subject, Health.PROBLEM, unusable, say("doctor.models.remedy_import"))
    for found in installed:
        if zoo.state(found.model, found.variant) is not State.INSTALLED:
            text = say("doctor.models.damaged", name=found.model.name, path=found.path)
            key = "remedy_import" if found.imported else "remedy_pull"
            yield Finding(subject, Health.PROBLEM, text, say(f"doctor.models.{key}", name=found.model.name))
            return
    if not zoo.problems:
        names = ", ".join(sorted({found.model.name for found in installed}))
        yield Finding(subject, Health.OK, say(f"doctor.models.{'text' if names else 'none'}", names=names))


def _inference(env: Environment) -> Iterator[Finding]:
    import sqlite3

    from ..engine import chosen_bundled, load_settings, measurements_file, placed_models
    from ..inference.choice import Measurements
    from ..inference.machine import this_machine
    from ..inference.placement import key_of
    from ..inference.provider_options import SHORT_NAMES
    from ..settings import SettingError
    from ..store import NewerStore
    from ..zoo.entry import Task
    from .doctor_inference import fallbacks, of_bundled, sentences

    try:
        settings = load_settings(env)
    except (SettingError, NewerStore, sqlite3.Error):
        return  # the settings have a finding of their own
    subject = say("doctor.inference.subject")
    placed = [found for task in Task for found in placed_models(env, settings, task).values()]
    ours = [found for found in chosen_bundled(env.paths).values() if found.choice is not None]
    if not placed and not ours:
        yield Finding(subject, Health.OK, say("doctor.inference.none"))
        return
    text = "; ".join([*sentences(placed), *of_bundled(ours)])
    # What comes with the program gives the same answers before; the daemon measures it, and nobody has to.
    measured = all(found.measured for found in placed)
    remedy = None if measured else say("doctor.inference.remedy_measure")
    yield Finding(subject, Health.OK if measured else Health.NOTE, text, remedy)
    machine = this_machine()
    kept = Measurements(measurements_file(env.paths))
    results = {found.model.name: kept.results(key_of(found.variants, machine)) for found in placed}
    for problem in fallbacks(results, machine.devices):
        yield Finding(subject, Health.NOTE, problem, say("doctor.inference.remedy_fallback"))
    wanted = SHORT_NAMES.get(settings.provider)
    for found in placed:
        if wanted and found.choice.reason and not found.here_only:
            text = say(
                "doctor.inference.not_wanted",
                name=found.model.name,
                wanted=settings.provider,
                reason=found.choice.reason,
            )
            yield Finding(subject, Health.NOTE, text, say("doctor.inference.remedy_wanted"))


def _calibration(env: Environment) -> Iterator[Finding]:
    from ..calibration_in_force import calibration_in_force

    subject = say("doctor.calibration.subject")
    now = calibration_in_force(env.paths)
    if now.refused:
        text = say("doctor.calibration.refused", id=now.chosen, reason=now.refused)
        yield Finding(subject, Health.NOTE, text, say("doctor.calibration.remedy"))
    elif now.local is not None:
        changes = "; ".join(now.local.changes) or say("calibrate.nothing_changes")
        yield Finding(subject, Health.OK, say("doctor.calibration.own", id=now.id, changes=changes))
    else:
        yield Finding(subject, Health.OK, say("doctor.calibration.shipped"))


def _workers(env: Environment) -> Iterator[Finding]:
    from ..media.pool import confinement
    from ..media.process import WorkerLost
    from ..media.sandbox.report import ATTEMPTS

    subject = say("doctor.workers.subject")
    try:
        report = asyncio.run(confinement(env.environ))
    except WorkerLost as lost:
        yield Finding(subject, Health.PROBLEM, say("doctor.workers.lost", why=lost))
        return
    states = ", ".join(f"{name} {state}" for name, state in report.mechanisms.items())
    if report.complete:
        yield Finding(subject, Health.OK, say("doctor.workers.confined", states=states))
    else:
        open_to = ", ".join(what for what in ATTEMPTS.values() if what not in report.confined)
        text = say("doctor.workers.not_confined", open_to=open_to, states=states)
        yield Finding(subject, Health.NOTE, text, say("doctor.workers.remedy"))


LOOKS: tuple[Callable[[Environment], Iterator[Finding]], ...] = (
    _program,
    _folders,
    _settings,
    _token,
    _daemon,
    _browsers,
    _host,
    _trust,
    _workers,
    _models,
    _inference,
    _calibration,
)
"""Everything that is looked at, in the order in which one thing needs the other."""
