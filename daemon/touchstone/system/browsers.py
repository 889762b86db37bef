"""The browsers that can run the extension, and where each looks for native-messaging hosts.

Sources: Chrome and Firefox document their own locations (developer.chrome.com "Native messaging",
MDN "Native manifests"); those of the browsers built on them, and of Flatpak and Snap builds, are the ones
that KeePassXC, browserpass and Bitwarden write to.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .registry import Registry

Family = Literal["chromium", "firefox"]
Packaging = Literal["native", "flatpak", "snap"]

_CHROMIUM_FOLDER = "NativeMessagingHosts"
_FIREFOX_HOSTS = ".mozilla/native-messaging-hosts"
_CHROME_KEY = r"Software\Google\Chrome"
_MAC_SUPPORT = "Library/Application Support"


@dataclass(frozen=True)
class Channel:
    """One build of a browser with a profile folder of its own.

    Attributes:
        profile: the folder, below the home folder; that it is there tells that the browser was used.
        hosts: the folder of native-messaging manifests, below the home folder.
        packaging: how the browser was installed; Flatpak and Snap builds live in a sandbox.
        app_id: what the sandbox calls it.
    """

    profile: str
    hosts: str
    packaging: Packaging = "native"
    app_id: str = ""


@dataclass(frozen=True)
class Browser:
    """One browser on all systems.

    Attributes:
        name: as given to `--browser`.
        title: as its maker writes it.
        family: whose manifest format and extension id it uses.
        linux, mac: its channels; the first is the usual one.
        programs: names of its programs on Linux.
        apps: names of its application bundles on macOS.
        windows: its key below HKEY_CURRENT_USER; that it is there tells that the browser is.
        windows_hosts: the key below which it looks for hosts; Brave and Vivaldi read Chrome's, and LibreWolf
            reads Firefox's.
    """

    name: str
    title: str
    family: Family
    linux: tuple[Channel, ...]
    mac: tuple[Channel, ...]
    programs: tuple[str, ...]
    apps: tuple[str, ...]
    windows: str
    windows_hosts: str


def _chromium(*profiles: str) -> tuple[Channel, ...]:
    return tuple(Channel(profile, f"{profile}/{_CHROMIUM_FOLDER}") for profile in profiles)


def _mac(*profiles: str, hosts: str | None = None) -> tuple[Channel, ...]:
    folders = [f"{_MAC_SUPPORT}/{profile}" for profile in profiles]
    return tuple(
        Channel(folder, f"{_MAC_SUPPORT}/{hosts}" if hosts else f"{folder}/{_CHROMIUM_FOLDER}")
        for folder in folders
    )


def _flatpak(app_id: str, profile: str, folder: str = _CHROMIUM_FOLDER) -> Channel:
    home = f".var/app/{app_id}"
    return Channel(home, f"{home}/{profile}/{folder}", "flatpak", app_id)


BROWSERS: tuple[Browser, ...] = (
    Browser(
        "chrome",
        "Google Chrome",
        "chromium",
        linux=(
            *_chromium(
                ".config/google-chrome", ".config/google-chrome-beta", ".config/google-chrome-unstable"
            ),
            _flatpak("com.google.Chrome", "config/google-chrome"),
        ),
        mac=_mac("Google/Chrome", "Google/Chrome Beta", "Google/Chrome Dev", "Google/Chrome Canary"),
        programs=("google-chrome", "google-chrome-stable"),
        apps=("Google Chrome",),
        windows=_CHROME_KEY,
        windows_hosts=_CHROME_KEY,
    ),
    Browser(
        "chromium",
        "Chromium",
        "chromium",
        linux=(
            *_chromium(".config/chromium"),
            _flatpak("org.chromium.Chromium", "config/chromium"),
            Channel("snap/chromium", f"snap/chromium/common/chromium/{_CHROMIUM_FOLDER}", "snap", "chromium"),
        ),
        mac=_mac("Chromium"),
        programs=("chromium", "chromium-browser"),
        apps=("Chromium",),
        windows=r"Software\Chromium",
        windows_hosts=r"Software\Chromium",
    ),
    Browser(
        "edge",
        "Microsoft Edge",
        "chromium",
        linux=(
            *_chromium(".config/microsoft-edge", ".config/microsoft-edge-beta", ".config/microsoft-edge-dev"),
            _flatpak("com.microsoft.Edge", "config/microsoft-edge"),
        ),
        mac=_mac("Microsoft Edge", "Microsoft Edge Beta", "Microsoft Edge Dev"),
        programs=("microsoft-edge", "microsoft-edge-stable"),
        apps=("Microsoft Edge",),
        windows=r"Software\Microsoft\Edge",
        windows_hosts=r"Software\Microsoft\Edge",
    ),
    Browser(
        "brave",
        "Brave",
        "chromium",
        linux=(
            *_chromium(
                ".config/BraveSoftware/Brave-Browser",
                ".config/BraveSoftware/Brave-Browser-Beta",
                ".config/BraveSoftware/Brave-Browser-Nightly",
            ),
            _flatpak("com.brave.Browser", "config/BraveSoftware/Brave-Browser"),
        ),
        mac=_mac("BraveSoftware/Brave-Browser"),
        programs=("brave-browser", "brave"),
        apps=("Brave Browser",),
        windows=r"Software\BraveSoftware\Brave-Browser",
        windows_hosts=_CHROME_KEY,
    ),
    Browser(
        "vivaldi",
        "Vivaldi",
        "chromium",
        linux=_chromium(".config/vivaldi", ".config/vivaldi-snapshot"),
        mac=_mac("Vivaldi"),
        programs=("vivaldi", "vivaldi-stable"),
        apps=("Vivaldi",),
        windows=r"Software\Vivaldi",
        windows_hosts=_CHROME_KEY,
    ),
    Browser(
        "firefox",
        "Firefox",
        "firefox",
        linux=(
            Channel(".mozilla", _FIREFOX_HOSTS),
            # Since 147 its profiles may be here, but it still looks for hosts in the old place (Mozilla bugs
            # 259356, 1955255, 2005167); the new one is for the day that changes.
            Channel(".config/mozilla", _FIREFOX_HOSTS),
            Channel(".config/mozilla", ".config/mozilla/native-messaging-hosts"),
            _flatpak("org.mozilla.firefox", ".mozilla", "native-messaging-hosts"),
            # A Firefox in a Snap is served by the desktop portal, which reads the usual place.
            Channel("snap/firefox", _FIREFOX_HOSTS, "snap", "snap.firefox"),
        ),
        mac=_mac("Firefox", hosts=f"Mozilla/{_CHROMIUM_FOLDER}"),
        programs=("firefox", "firefox-esr"),
        apps=("Firefox", "Firefox Developer Edition"),
        windows=r"Software\Mozilla\Mozilla Firefox",
        windows_hosts=r"Software\Mozilla",
    ),
    Browser(
        "librewolf",
        "LibreWolf",
        "firefox",
        linux=(Channel(".librewolf", ".librewolf/native-messaging-hosts"),),
        mac=_mac("LibreWolf", hosts=f"LibreWolf/{_CHROMIUM_FOLDER}"),
        programs=("librewolf",),
        apps=("LibreWolf",),
        windows=r"Software\LibreWolf",
        windows_hosts=r"Software\Mozilla",
    ),
)
BROWSER_NAMES = tuple(browser.name for browser in BROWSERS)


@dataclass(frozen=True)
class Place:
    """Where one build of a browser looks for our manifest.

    Attributes:
        found: whether that build seems to be on this machine.
        folder: of manifests; on Windows, where we keep the file that the registry names.
        registry_key: on Windows, the key that names our manifest; "" elsewhere.
    """

    browser: Browser
    channel: Channel | None
    found: bool
    folder: Path
    registry_key: str = ""


@dataclass(frozen=True)
class Machine:
    """What has to be known of a machine to find its browsers."""

    platform: str
    home: Path
    data_dir: Path
    environ: Mapping[str, str]
    registry: Registry | None = None


def places(machine: Machine) -> Iterator[Place]:
    """Every place of every browser on this kind of system, found or not. Several may share a folder."""
    for browser in BROWSERS:
        if machine.platform == "win32":
            yield _in_registry(machine, browser)
        else:
            channels = browser.mac if machine.platform == "darwin" else browser.linux
            for number, channel in enumerate(channels):
                found = (machine.home / channel.profile).is_dir()
                if number == 0 and not found:
                    # Installed, and never started: it will make its profile later.
                    found = _is_installed(machine, browser)
                yield Place(browser, channel, found, machine.home / channel.hosts)


def _in_registry(machine: Machine, browser: Browser) -> Place:
    found = machine.registry is not None and machine.registry.exists(browser.windows)
    folder = machine.data_dir / "native-messaging" / browser.family
    return Place(browser, None, found, folder, rf"{browser.windows_hosts}\NativeMessagingHosts")


def _is_installed(machine: Machine, browser: Browser) -> bool:
    if machine.platform == "darwin":
        roots = (Path("/Applications"), machine.home / "Applications")
        return any((root / f"{app}.app").is_dir() for root in roots for app in browser.apps)
    path = machine.environ.get("PATH", "")
    # On Debian and Ubuntu these names may be scripts that start a Snap; the Snap's own place is listed too.
    return any(shutil.which(program, path=path) for program in browser.programs)
