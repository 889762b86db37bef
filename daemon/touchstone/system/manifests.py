"""Tells browsers about the native host: its manifests, and the launcher they name.

A manifest can name only a program, without arguments, so each installation keeps a small launcher in its data
directory. Manifests name the launcher, and only the launcher knows which Python or frozen program it starts.
"""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any

from ..messages import say
from .browsers import BROWSERS, Browser, Family, Machine, Place, places
from .paths import HOME_VARIABLE, Paths, replace_file

HOST_NAME = "org.touchstone.host"
PUBLIC_FILE = 0o644
PROGRAM_FILE = 0o755


class State(StrEnum):
    """How our manifest stands in one place."""

    INSTALLED = "installed"
    OUTDATED = "outdated"  # there, but not what we would write now
    MISSING = "missing"


@dataclass(frozen=True)
class ExtensionIds:
    """Whom browsers let talk to the host."""

    chromium: tuple[str, ...]
    firefox: tuple[str, ...]

    @classmethod
    def load(cls, more_chromium: Sequence[str] = ()) -> ExtensionIds:
        """The ids of extension_ids.toml, and others, such as those of a store or of a build of one's own."""
        text = resources.files(__package__).joinpath("extension_ids.toml").read_text(encoding="utf-8")
        ours = tomllib.loads(text)
        chromium = dict.fromkeys((ours["chromium"]["id"], *more_chromium))
        return cls(tuple(chromium), (ours["firefox"]["id"],))

    def of(self, family: Family) -> tuple[str, ...]:
        """Those of one family of browsers."""
        return self.chromium if family == "chromium" else self.firefox


@dataclass(frozen=True)
class Installed:
    """One place and how our manifest stands there."""

    place: Place
    manifest: Path
    state: State


@dataclass(frozen=True)
class Launcher:
    """The program that browsers start.

    Attributes:
        path: of the launcher.
        content: what it has to hold to start this installation.
    """

    path: Path
    content: str

    @classmethod
    def of(cls, paths: Paths, platform: str, command: Sequence[str]) -> Launcher:
        """The launcher of an installation whose `touchstone` is started by `command`."""
        program = _host_command(command)
        if platform == "win32":
            home = f'set "{HOME_VARIABLE}={paths.home}"\r\n' if paths.home else ""
            quoted = " ".join(f'"{part}"' for part in program)
            # %* hands on what the browser passes; @echo off keeps the stream to the browser clean.
            return cls(paths.data_dir / "native-host.bat", f"@echo off\r\n{home}{quoted} %*\r\n")
        home = (
            f"{HOME_VARIABLE}={shlex.quote(str(paths.home))}\nexport {HOME_VARIABLE}\n" if paths.home else ""
        )
        content = f'#!/bin/sh\n# {say("browsers.launcher_comment")}\n{home}exec {shlex.join(program)} "$@"\n'
        return cls(paths.data_dir / "native-host", content)

    @property
    def is_current(self) -> bool:
        """Whether it is there and starts this installation."""
        try:
            return self.path.read_bytes().decode("utf-8", "replace") == self.content
        except OSError:
            return False

    def write(self) -> None:
        """Write it, unless it is there already."""
        if not self.is_current:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self.path, self.content.encode(), PROGRAM_FILE)


class Manifests:
    """The manifests of one machine.

    Args:
        machine: whose browsers.
        launcher: what the manifests name.
        ids: whom they let in.
    """

    def __init__(self, machine: Machine, launcher: Launcher, ids: ExtensionIds) -> None:
        self._machine = machine
        self._launcher = launcher
        self._ids = ids

    def status(self) -> list[Installed]:
        """Every place where a browser was found or a manifest of ours is."""
        listed = [self._look(place) for place in places(self._machine)]
        found = [entry for entry in listed if entry.place.found]
        used = {entry.manifest for entry in found}
        left_over = [
            entry for entry in listed if entry.state is not State.MISSING and entry.manifest not in used
        ]
        return list({_key(entry): entry for entry in found + left_over}.values())

    def install(self, names: Iterable[str] = ()) -> list[Installed]:
        """Write launcher and manifests for the named browsers, found or not; without names for all found.

        Raises:
            OSError: a file cannot be written; the text names it.
        """
        wanted = list(self._wanted(names))
        if wanted:
            self._launcher.write()
        for place in wanted:
            self._write(place)
        return [self._look(place) for place in wanted]

    def install_into_profile(self, folder: Path) -> Path:
        """Write launcher and manifest for a Chromium that is run with `--user-data-dir=folder`."""
        self._launcher.write()
        chromium = next(browser for browser in BROWSERS if browser.family == "chromium")
        place = Place(chromium, None, found=True, folder=folder.absolute() / "NativeMessagingHosts")
        self._write(place)
        return _manifest_path(place)

    def refresh(self) -> list[Installed]:
        """Write anew what is there already, is ours, and is outdated: the program moved, or ids were added.

        A manifest that names the launcher of another installation is left alone.
        """
        stale = [entry for entry in self.status() if entry.state is State.OUTDATED and self._names_us(entry)]
        if self._launcher.path.exists():
            self._launcher.write()
        for entry in stale:
            self._write(entry.place)
        return [self._look(entry.place) for entry in stale]

    def remove(self, names: Iterable[str] = ()) -> list[Installed]:
        """Take our manifests away, of the named browsers or all; the launcher goes with the last one.

        A manifest that a browser not named reads as well stays.
        """
        before = self.status()
        chosen = set(names) or {entry.place.browser.name for entry in before}
        kept = {entry.manifest for entry in before if entry.place.browser.name not in chosen}
        removed = []
        for entry in before:
            place = entry.place
            if entry.state is State.MISSING or entry.manifest in kept:
                continue
            entry.manifest.unlink(missing_ok=True)
            _bridge_path(place).unlink(missing_ok=True)
            if place.registry_key and self._machine.registry:
                self._machine.registry.delete_key(rf"{place.registry_key}\{HOST_NAME}")
            removed.append(self._look(place))
        if all(entry.state is State.MISSING for entry in self.status()):
            self._launcher.path.unlink(missing_ok=True)
        return removed

    def _wanted(self, names: Iterable[str]) -> Iterator[Place]:
        chosen = set(names)
        for browser in BROWSERS:
            if chosen and browser.name not in chosen:
                continue
            own = [place for place in places(self._machine) if place.browser is browser]
            found = [place for place in own if place.found]
            # Asked for by name, a browser that is not there yet gets its usual place.
            yield from found or (own[:1] if chosen else [])

    def _look(self, place: Place) -> Installed:
        manifest = _manifest_path(place)
        try:
            state = State.INSTALLED if manifest.read_bytes() == self._manifest(place) else State.OUTDATED
        except OSError:
            return Installed(place, manifest, State.MISSING)
        if place.registry_key:
            registry = self._machine.registry
            named = registry.read(rf"{place.registry_key}\{HOST_NAME}") if registry else None
            if named is None:
                return Installed(place, manifest, State.MISSING)
            if named != str(manifest):
                state = State.OUTDATED
        if _needs_bridge(place) and not _bridge_path(place).is_file():
            state = State.OUTDATED
        return Installed(place, manifest, state if self._launcher.is_current else State.OUTDATED)

    def _names_us(self, entry: Installed) -> bool:
        try:
            named = json.loads(entry.manifest.read_bytes())["path"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return named in (str(self._launcher.path), str(_bridge_path(entry.place)))

    def _write(self, place: Place) -> None:
        place.folder.mkdir(parents=True, exist_ok=True)
        if _needs_bridge(place):
            replace_file(_bridge_path(place), self._bridge().encode(), PROGRAM_FILE)
        replace_file(_manifest_path(place), self._manifest(place), PUBLIC_FILE)
        if place.registry_key and self._machine.registry:
            self._machine.registry.write(rf"{place.registry_key}\{HOST_NAME}", str(_manifest_path(place)))

    def _manifest(self, place: Place) -> bytes:
        program = _bridge_path(place) if _needs_bridge(place) else self._launcher.path
        return (json.dumps(manifest(place.browser, program, self._ids), indent=2) + "\n").encode()

    def _bridge(self) -> str:
        return (
            f"#!/bin/sh\n# {say('browsers.bridge_comment')}\n"
            f'exec flatpak-spawn --host {shlex.quote(str(self._launcher.path))} "$@"\n'
        )


def manifest(browser: Browser, program: Path, ids: ExtensionIds) -> dict[str, Any]:
    """The native-messaging manifest for one browser."""
    common = {
        "name": HOST_NAME,
        "description": say("browsers.manifest_description"),
        "path": str(program),
        "type": "stdio",
    }
    if browser.family == "firefox":
        return {**common, "allowed_extensions": list(ids.firefox)}
    return {**common, "allowed_origins": [f"chrome-extension://{name}/" for name in ids.chromium]}


def hint(place: Place) -> str | None:
    """What a person still has to do for a browser in a sandbox, or None."""
    channel = place.channel
    if channel is None or channel.packaging == "native":
        return None
    return say(
        f"browsers.hint.{channel.packaging}_{place.browser.family}", app_id=channel.app_id, host=HOST_NAME
    )


def _host_command(command: Sequence[str]) -> tuple[str, ...]:
    """The native host's own command. Under Python its module is started directly, which saves the import of
    the whole command line each time a browser opens a port."""
    if tuple(command[-2:]) == ("-m", "touchstone"):
        return (*command[:-1], "touchstone.native_host")
    return (*command, "native-host")


def _key(entry: Installed) -> tuple[str, Path, str]:
    """A browser may be found in several ways and read the same manifest; once is enough to tell."""
    channel = entry.place.channel
    return entry.place.browser.name, entry.manifest, channel.packaging if channel else ""


def _manifest_path(place: Place) -> Path:
    return place.folder / f"{HOST_NAME}.json"


def _needs_bridge(place: Place) -> bool:
    """A browser in a Flatpak starts programs inside its sandbox, where ours is not."""
    return place.channel is not None and place.channel.packaging == "flatpak"


def _bridge_path(place: Place) -> Path:
    return place.folder / f"{HOST_NAME}.sh"
