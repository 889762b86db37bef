"""Which browsers are found, where their manifests go, and what is in them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest

from touchstone.system.browsers import BROWSERS, Machine, places
from touchstone.system.manifests import HOST_NAME, ExtensionIds, Launcher, Manifests, State, hint
from touchstone.system.paths import Paths

from .fake_registry import FakeRegistry

IDS = ExtensionIds(("a" * 32,), ("touchstone@org.touchstone",))
COMMAND = (sys.executable, "-P", "-m", "touchstone")
MAC = "Library/Application Support"
SHARED = r"\NativeMessagingHosts\org.touchstone.host"


def machine(home: Path, platform: str = "linux", registry: FakeRegistry | None = None) -> Machine:
    return Machine(platform, home, home / "data", {"PATH": str(home / "bin")}, registry)


def manifests(machine: Machine, command: tuple[str, ...] = COMMAND, ids: ExtensionIds = IDS) -> Manifests:
    paths = Paths.under(machine.home / "touchstone")
    return Manifests(machine, Launcher.of(paths, machine.platform, command), ids)


# What a browser leaves in a home (or a program on PATH), and where its manifest has to be: in the places they
# document, or that were seen to work; sources in system/browsers.py.
PLACES: list[tuple[str, str, str, list[str]]] = [
    ("linux", "chrome", ".config/google-chrome", [".config/google-chrome/NativeMessagingHosts"]),
    ("linux", "chrome", ".config/google-chrome-beta", [".config/google-chrome-beta/NativeMessagingHosts"]),
    ("linux", "chrome", "bin/google-chrome-stable", [".config/google-chrome/NativeMessagingHosts"]),
    ("linux", "chromium", ".config/chromium", [".config/chromium/NativeMessagingHosts"]),
    ("linux", "chromium", "bin/chromium", [".config/chromium/NativeMessagingHosts"]),
    ("linux", "edge", ".config/microsoft-edge", [".config/microsoft-edge/NativeMessagingHosts"]),
    (
        "linux",
        "brave",
        ".config/BraveSoftware/Brave-Browser",
        [".config/BraveSoftware/Brave-Browser/NativeMessagingHosts"],
    ),
    ("linux", "vivaldi", ".config/vivaldi", [".config/vivaldi/NativeMessagingHosts"]),
    ("linux", "firefox", ".mozilla", [".mozilla/native-messaging-hosts"]),
    ("linux", "firefox", "bin/firefox-esr", [".mozilla/native-messaging-hosts"]),
    (
        "linux",
        "firefox",
        ".config/mozilla",
        [".mozilla/native-messaging-hosts", ".config/mozilla/native-messaging-hosts"],
    ),
    ("linux", "firefox", "snap/firefox", [".mozilla/native-messaging-hosts"]),
    (
        "linux",
        "firefox",
        ".var/app/org.mozilla.firefox",
        [".var/app/org.mozilla.firefox/.mozilla/native-messaging-hosts"],
    ),
    ("linux", "librewolf", ".librewolf", [".librewolf/native-messaging-hosts"]),
    (
        "linux",
        "chrome",
        ".var/app/com.google.Chrome",
        [".var/app/com.google.Chrome/config/google-chrome/NativeMessagingHosts"],
    ),
    ("linux", "chromium", "snap/chromium", ["snap/chromium/common/chromium/NativeMessagingHosts"]),
    ("darwin", "chrome", f"{MAC}/Google/Chrome", [f"{MAC}/Google/Chrome/NativeMessagingHosts"]),
    ("darwin", "chromium", f"{MAC}/Chromium", [f"{MAC}/Chromium/NativeMessagingHosts"]),
    ("darwin", "edge", f"{MAC}/Microsoft Edge", [f"{MAC}/Microsoft Edge/NativeMessagingHosts"]),
    (
        "darwin",
        "brave",
        f"{MAC}/BraveSoftware/Brave-Browser",
        [f"{MAC}/BraveSoftware/Brave-Browser/NativeMessagingHosts"],
    ),
    ("darwin", "vivaldi", f"{MAC}/Vivaldi", [f"{MAC}/Vivaldi/NativeMessagingHosts"]),
    ("darwin", "firefox", f"{MAC}/Firefox", [f"{MAC}/Mozilla/NativeMessagingHosts"]),
    ("darwin", "firefox", "Applications/Firefox.app", [f"{MAC}/Mozilla/NativeMessagingHosts"]),
]


def leave_trace(home: Path, trace: str) -> None:
    path = home / trace
    if trace.startswith("bin/"):
        path.parent.mkdir()
        path.touch(0o755)
    else:
        path.mkdir(parents=True)


@pytest.mark.parametrize(
    ("platform", "name", "trace", "folders"), PLACES, ids=[f"{r[0]}-{r[2]}" for r in PLACES]
)
def test_a_browser_that_is_there_is_found_and_told(
    platform: str, name: str, trace: str, folders: list[str], tmp_path: Path
) -> None:
    known = manifests(machine(tmp_path, platform))
    if platform == "linux" or not Path("/Applications").exists():
        assert known.status() == []
    leave_trace(tmp_path, trace)
    assert {entry.place.browser.name for entry in known.status()} >= {name}
    assert {entry.state for entry in known.status()} == {State.MISSING}
    known.install([name])
    assert {entry.state for entry in known.status()} == {State.INSTALLED}
    written = [file.parent.relative_to(tmp_path).as_posix() for file in tmp_path.rglob(f"{HOST_NAME}.json")]
    assert sorted(written) == sorted(folders)


def test_no_browser_no_file(tmp_path: Path) -> None:
    assert manifests(machine(tmp_path)).install() == []
    assert list(tmp_path.rglob("*")) == []


def test_a_browser_named_and_not_there_gets_its_usual_place(tmp_path: Path) -> None:
    (installed,) = manifests(machine(tmp_path)).install(["chromium"])
    assert installed.manifest == tmp_path / ".config/chromium/NativeMessagingHosts" / f"{HOST_NAME}.json"
    assert not installed.place.found
    assert len(list(tmp_path.rglob("*.json"))) == 1


@pytest.mark.parametrize(
    ("name", "callers"),
    [
        ("chromium", {"allowed_origins": [f"chrome-extension://{'a' * 32}/"]}),
        ("firefox", {"allowed_extensions": ["touchstone@org.touchstone"]}),
    ],
)
def test_a_manifest_names_launcher_and_callers(
    name: str, callers: dict[str, list[str]], tmp_path: Path
) -> None:
    (installed,) = manifests(machine(tmp_path)).install([name])
    content = json.loads(installed.manifest.read_text())
    launcher = tmp_path / "touchstone" / "data" / "native-host"
    assert content.pop("description")
    assert content == {"name": HOST_NAME, "path": str(launcher), "type": "stdio", **callers}
    assert os.access(launcher, os.X_OK)
    assert installed.manifest.stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(os.name != "posix", reason="runs a shell script")
def test_the_launcher_starts_what_it_was_told_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s a $HOME `here` "now"'
    folder.mkdir()
    program = folder / "touchstone"
    program.write_text('#!/bin/sh\nprintf "%s|" "$TOUCHSTONE_HOME" "$@"\n')
    program.chmod(0o755)
    paths = Paths.under(folder / "home")
    launcher = Launcher.of(paths, "linux", (str(program),))
    launcher.write()
    caller = "chrome-extension://abc/"
    output = subprocess.run([launcher.path, caller], capture_output=True, text=True, check=True).stdout
    assert output.split("|") == [str(folder / "home"), "native-host", caller, ""]


def test_under_python_the_launcher_starts_the_host_s_own_module(tmp_path: Path) -> None:
    launcher = Launcher.of(Paths.under(tmp_path), "linux", COMMAND)
    assert f"exec {shlex.quote(sys.executable)} -P -m touchstone.native_host" in launcher.content


def test_on_windows_the_registry_names_a_file_that_names_a_batch_file(tmp_path: Path) -> None:
    registry = FakeRegistry(r"Software\Google\Chrome\Beacon", r"Software\Mozilla\Mozilla Firefox\1.0")
    windows = machine(tmp_path, "win32", registry)
    known = manifests(windows, (r"C:\Program Files\Touchstone\touchstone.exe",))
    assert [entry.place.browser.name for entry in known.install()] == ["chrome", "firefox"]
    named = {key: Path(value) for (key, _), value in registry.values.items()}
    assert set(named) == {rf"Software\Google\Chrome{SHARED}", rf"Software\Mozilla{SHARED}"}
    for file in named.values():
        launcher = Path(json.loads(file.read_text())["path"])
        assert launcher.suffix == ".bat"
        text = launcher.read_bytes().decode()
        assert r'"C:\Program Files\Touchstone\touchstone.exe" "native-host" %*' in text
        assert text.startswith("@echo off\r\n"), "anything it printed would break the stream to the browser"
    assert {entry.state for entry in known.status()} == {State.INSTALLED}
    known.remove()
    assert registry.values == {}
    assert not list(tmp_path.rglob("*.json"))


def test_on_windows_browsers_that_share_a_key_are_not_cut_off(tmp_path: Path) -> None:
    registry = FakeRegistry(r"Software\Google\Chrome", r"Software\Vivaldi")
    known = manifests(machine(tmp_path, "win32", registry))
    known.install()
    assert known.remove(["vivaldi"]) == []
    assert registry.read(rf"Software\Google\Chrome{SHARED}")
    known.remove(["vivaldi", "chrome"])
    assert registry.values == {}


def test_what_moved_is_seen_and_mended_and_a_neighbour_is_left_alone(tmp_path: Path) -> None:
    here = machine(tmp_path)
    manifests(here).install(["chromium", "firefox"])
    foreign = tmp_path / ".mozilla/native-messaging-hosts" / f"{HOST_NAME}.json"
    theirs = json.dumps({"name": HOST_NAME, "path": "/opt/other/native-host"})
    foreign.write_text(theirs)
    moved = manifests(
        here, ("/new/python", "-P", "-m", "touchstone"), ExtensionIds((*IDS.chromium, "b" * 32), IDS.firefox)
    )
    assert {entry.state for entry in moved.status()} == {State.OUTDATED}
    moved.refresh()
    states = {entry.place.browser.name: entry.state for entry in moved.status()}
    assert states == {"chromium": State.INSTALLED, "firefox": State.OUTDATED}
    assert foreign.read_text() == theirs
    launcher = tmp_path / "touchstone" / "data" / "native-host"
    assert "/new/python" in launcher.read_text()


def test_refreshing_registers_nothing_new(tmp_path: Path) -> None:
    (tmp_path / ".config/chromium").mkdir(parents=True)
    assert manifests(machine(tmp_path)).refresh() == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_removing_leaves_other_hosts_and_takes_the_launcher_with_the_last(tmp_path: Path) -> None:
    known = manifests(machine(tmp_path))
    known.install(["chromium", "firefox"])
    other = tmp_path / ".mozilla/native-messaging-hosts/org.example.json"
    other.write_text("{}")
    launcher = tmp_path / "touchstone" / "data" / "native-host"
    assert [entry.place.browser.name for entry in known.remove(["firefox"])] == ["firefox"]
    assert launcher.exists()
    known.remove()
    assert not launcher.exists()
    assert [path.name for path in tmp_path.rglob("*.json")] == ["org.example.json"]
    assert known.remove() == []


def test_a_profile_of_its_own_gets_a_manifest_of_its_own(tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    file = manifests(machine(tmp_path)).install_into_profile(profile)
    assert file == profile / "NativeMessagingHosts" / f"{HOST_NAME}.json"
    assert json.loads(file.read_text())["allowed_origins"] == [f"chrome-extension://{'a' * 32}/"]


SANDBOXES = [
    (".var/app/org.mozilla.firefox", "flatpak override --user .* org.mozilla.firefox"),
    (".var/app/com.brave.Browser", "flatpak override --user .* com.brave.Browser"),
    ("snap/firefox", "flatpak permission-set webextensions org.touchstone.host snap.firefox yes"),
    ("snap/chromium", "not a Snap"),
]


@pytest.mark.parametrize(("trace", "says"), SANDBOXES)
def test_a_browser_in_a_sandbox_comes_with_what_is_left_to_do(trace: str, says: str, tmp_path: Path) -> None:
    (tmp_path / trace).mkdir(parents=True)
    (installed,) = manifests(machine(tmp_path)).install()
    remark = hint(installed.place)
    assert remark is not None

    assert re.search(says, remark)


def test_a_flatpak_s_manifest_names_a_bridge_that_its_sandbox_can_see(tmp_path: Path) -> None:
    (tmp_path / ".var/app/org.mozilla.firefox").mkdir(parents=True)
    known = manifests(machine(tmp_path))
    (installed,) = known.install()
    bridge = Path(json.loads(installed.manifest.read_text())["path"])
    assert bridge.parent == installed.manifest.parent
    assert os.access(bridge, os.X_OK)
    launcher = tmp_path / "touchstone" / "data" / "native-host"
    assert f"flatpak-spawn --host {shlex.quote(str(launcher))}" in bridge.read_text()
    known.remove()
    assert not bridge.exists()


def test_every_browser_has_a_place_on_every_system(tmp_path: Path) -> None:
    for platform in ("linux", "darwin", "win32"):
        found = {place.browser.name for place in places(machine(tmp_path, platform, FakeRegistry()))}
        assert found == {browser.name for browser in BROWSERS}
    keys = {place.registry_key for place in places(machine(tmp_path, "win32", FakeRegistry()))}
    assert all(PureWindowsPath(key).parts[0] == "Software" for key in keys)
