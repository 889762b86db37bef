"""Whether this machine runs on its battery, and whether it is hot.

Each platform says it in its own way; where it does not say, the answer is None, and nothing is held back.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Ask = Callable[[Sequence[str]], str]
"""Runs a program and returns what it prints; raises OSError where it cannot."""

_SECONDS = 5.0

# Zones whose heat says something of the processor; others are of batteries, radios and the case.
_HOT_TRIPS = ("passive", "hot", "critical")


@dataclass(frozen=True)
class PowerState:
    """What is known of the machine; None where it does not say.

    Attributes:
        on_battery: whether it runs on its battery.
        hot: whether it slows itself down because of heat, or is about to.
    """

    on_battery: bool | None = None
    hot: bool | None = None


@dataclass(frozen=True)
class Power:
    """Asks this machine.

    Attributes:
        platform: as `sys.platform` names it.
        root: of the file system.
        ask: runs a program.
        status: `SYSTEM_POWER_STATUS.ACLineStatus` of Windows: 0 for battery, 1 for mains; None if unknown.
    """

    platform: str
    root: Path
    ask: Ask
    status: Callable[[], int | None]

    def state(self) -> PowerState:
        """How things are now. Never fails."""
        match self.platform:
            case "linux":
                return PowerState(_linux_battery(self.root), _linux_hot(self.root))
            case "darwin":
                return PowerState(_darwin_battery(self.ask), _darwin_hot(self.ask))
            case "win32":
                line = self.status()
                return PowerState(None if line not in (0, 1) else line == 0)
        return PowerState()


def this_power() -> Power:
    """Of the machine that this runs on."""
    return Power(sys.platform, Path("/"), _run, _windows_status)


def _linux_battery(root: Path) -> bool | None:
    """From /sys/class/power_supply (Documentation/ABI/testing/sysfs-class-power)."""
    mains, batteries = [], []
    for supply in sorted((root / "sys/class/power_supply").glob("*")):
        kind = _read(supply / "type")
        if kind in ("Mains", "USB", "Wireless"):
            mains.append(_read(supply / "online") not in ("0", None))
        elif kind == "Battery" and _read(supply / "scope") != "Device":  # not that of a mouse or a phone
            batteries.append(_read(supply / "status"))
    if not batteries:
        return False if mains else None
    if any(mains):
        return False
    return "Discharging" in batteries


def _linux_hot(root: Path) -> bool | None:
    """From /sys/class/thermal (Documentation/driver-api/thermal/sysfs-api.rst): millidegrees, trip points."""
    known = False
    for zone in (root / "sys/class/thermal").glob("thermal_zone*"):
        now = _degrees(zone / "temp")
        for kind in zone.glob("trip_point_*_type"):
            trip = _degrees(zone / kind.name.replace("_type", "_temp"))
            if _read(kind) in _HOT_TRIPS and now is not None and trip is not None and trip > 0:
                known = True
                if now >= trip:
                    return True
    return False if known else None


def _darwin_battery(ask: Ask) -> bool | None:
    """`pmset -g batt`: Now drawing from 'Battery Power' (or 'AC Power', 'UPS Power')."""
    found = re.search(r"drawing from '(\w+) Power'", _said(ask, ("pmset", "-g", "batt")))
    return None if found is None else found[1] != "AC"


def _darwin_hot(ask: Ask) -> bool | None:
    """`pmset -g therm`: CPU_Speed_Limit is in percent; without a line of it nothing was ever held back."""
    said = _said(ask, ("pmset", "-g", "therm"))
    found = re.search(r"CPU_Speed_Limit\s*=\s*(\d+)", said)
    if found is None:
        return False if "thermal warning level" in said else None
    return int(found[1]) < 100


def _said(ask: Ask, command: Sequence[str]) -> str:
    try:
        return ask(command)
    except (OSError, subprocess.SubprocessError):
        return ""


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(
        list(command), capture_output=True, text=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
    )
    return done.stdout


def _windows_status() -> int | None:
    """GetSystemPowerStatus; the first byte of SYSTEM_POWER_STATUS (winbase.h)."""
    if sys.platform != "win32":
        return None
    status = (ctypes.c_ubyte * 12)()
    if not ctypes.windll.kernel32.GetSystemPowerStatus(ctypes.byref(status)):
        return None
    return int(status[0])


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _degrees(file: Path) -> int | None:
    text = _read(file)
    try:
        return int(text) if text else None
    except ValueError:
        return None
