"""Battery and heat as each platform tells them, from files and answers of the test's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from touchstone.system.power import Power, PowerState, this_power

BATTERY, MAINS, ZONE = (
    "sys/class/power_supply/BAT0/",
    "sys/class/power_supply/AC/",
    "sys/class/thermal/thermal_zone0/",
)
PACK = {f"{BATTERY}type": "Battery", f"{BATTERY}status": "Discharging"}
PLUG = {f"{MAINS}type": "Mains", f"{MAINS}online": "1"}
UNPLUGGED = {**PLUG, f"{MAINS}online": "0"}
TRIP = {f"{ZONE}trip_point_0_type": "passive", f"{ZONE}trip_point_0_temp": "95000"}

LINUX: dict[str, tuple[dict[str, str], PowerState]] = {
    "a server": ({}, PowerState()),
    "a desktop": (PLUG, PowerState(on_battery=False)),
    "a laptop on battery": ({**PACK, **UNPLUGGED}, PowerState(on_battery=True)),
    "a laptop that charges": ({**PACK, **PLUG, f"{BATTERY}status": "Charging"}, PowerState(on_battery=False)),
    "a laptop that is plugged in and full": ({**PACK, **PLUG}, PowerState(on_battery=False)),
    "a laptop on a USB charger": (
        {**PACK, "sys/class/power_supply/ucsi/type": "USB", "sys/class/power_supply/ucsi/online": "1"},
        PowerState(on_battery=False),
    ),
    "a desktop with a mouse that has a battery": (
        {**PACK, f"{BATTERY}scope": "Device"}, PowerState(),
    ),
    "a battery that says nothing": ({f"{BATTERY}type": "Battery"}, PowerState(on_battery=False)),
    "cool": ({**TRIP, f"{ZONE}temp": "60000"}, PowerState(hot=False)),
    "hot": ({**TRIP, f"{ZONE}temp": "95000"}, PowerState(hot=True)),
    "a trip point for the fan is no heat": (
        {**TRIP, f"{ZONE}trip_point_0_type": "active", f"{ZONE}temp": "96000"}, PowerState(),
    ),
    "a sensor that gives nonsense": ({**TRIP, f"{ZONE}temp": "n/a"}, PowerState()),
    "a trip point that is not set": (
        {**TRIP, f"{ZONE}trip_point_0_temp": "0", f"{ZONE}temp": "60000"}, PowerState(),
    ),
}  # fmt: skip


def nothing(_: Sequence[str]) -> str:
    raise FileNotFoundError("no such program")


@pytest.mark.parametrize("name", LINUX)
def test_linux(tmp_path: Path, name: str) -> None:
    files, wanted = LINUX[name]
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text + "\n")
    assert Power("linux", tmp_path, nothing, lambda: None).state() == wanted


@pytest.mark.parametrize(
    ("batt", "therm", "wanted"),
    [
        ("Now drawing from 'AC Power'\n -InternalBattery-0 100%", "", PowerState(on_battery=False)),
        ("Now drawing from 'Battery Power'\n", "CPU_Speed_Limit \t= 100\n", PowerState(True, False)),
        ("Now drawing from 'UPS Power'\n", "CPU_Speed_Limit \t= 62\n", PowerState(True, True)),
        ("", "Note: No thermal warning level has been recorded\n", PowerState(hot=False)),
        ("nonsense", "nonsense", PowerState()),
    ],
)
def test_darwin(batt: str, therm: str, wanted: PowerState) -> None:
    said = {("pmset", "-g", "batt"): batt, ("pmset", "-g", "therm"): therm}
    assert Power("darwin", Path("/"), lambda command: said[tuple(command)], lambda: None).state() == wanted


@pytest.mark.parametrize(("line", "wanted"), [(0, True), (1, False), (255, None), (None, None)])
def test_windows(line: int | None, wanted: bool | None) -> None:
    assert Power("win32", Path("/"), nothing, lambda: line).state() == PowerState(on_battery=wanted)


def test_a_machine_that_does_not_say_holds_nothing_back(tmp_path: Path) -> None:
    for platform in ("darwin", "freebsd14"):
        assert Power(platform, tmp_path, nothing, lambda: None).state() == PowerState()
    assert isinstance(this_power().state(), PowerState)
