"""What the set-up commands work on, put together from the environment they are given."""

from __future__ import annotations

from contextlib import suppress

from ..system.autostart import Autostart
from ..system.browsers import Machine
from ..system.environment import Environment
from ..system.manifests import ExtensionIds, Launcher, Manifests
from ..system.registry import user_registry


def launcher(env: Environment) -> Launcher:
    """The program that browsers start for this installation."""
    return Launcher.of(env.paths, env.platform, env.command)


def manifests(env: Environment) -> Manifests:
    """The native-messaging manifests of this machine.

    Raises:
        SettingError: the setting `extension_ids` is not valid.
        NewerStore, sqlite3.Error: the settings cannot be read.
    """
    from ..engine import load_settings

    machine = Machine(
        platform=env.platform,
        home=env.home,
        data_dir=env.paths.data_dir,
        environ=env.environ,
        registry=user_registry(),
    )
    return Manifests(machine, launcher(env), ExtensionIds.load(load_settings(env).extension_ids))


def autostart(env: Environment) -> Autostart:
    """How the daemon is started at login here."""
    return Autostart(
        platform=env.platform,
        home=env.home,
        paths=env.paths,
        command=env.command,
        environ=env.environ,
        registry=user_registry(),
    )


def refresh_manifests(env: Environment) -> None:
    """After the program moved: have browsers start it where it is now. The rest is for `doctor`."""
    from sqlite3 import Error

    from ..settings import SettingError
    from ..store import NewerStore

    with suppress(OSError, Error, SettingError, NewerStore):
        manifests(env).refresh()
