"""What measurements of providers depend on besides the model: the runtime, the drivers, the devices.

It is read without loading onnxruntime or any driver, so that the daemon can tell whether what was measured
still holds.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

FEATURES = ("avx2", "avx512f", "avx512bw", "avx_vnni", "avx512_vnni", "amx_int8")
"""Names in /proc/cpuinfo, which onnxruntime picks its products of matrices by (its MLAS, `platform.cpp`)."""

_DRIVERS = ("nvidia", "amdgpu", "i915", "xe")


@dataclass(frozen=True)
class Machine:
    """What a measurement holds for; any difference makes it stale.

    Attributes:
        runtime: the installed builds of onnxruntime, with their versions.
        system: operating system with its version, which the drivers of macOS and Windows come with, and
            processor.
        drivers: of graphics cards, with their versions (Linux).
        devices: the graphics cards, by the numbers of maker and device (Linux).
        features: instructions of the processor that products of matrices use (Linux, x86-64): with some of
            them 8-bit products overflow, with others not.
    """

    runtime: tuple[str, ...] = ()
    system: str = ""
    drivers: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    features: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A short text that differs for different machines."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def this_machine() -> Machine:
    """The machine that this runs on."""
    return Machine(
        runtime=tuple(installed_runtimes(sys.path)),
        system=f"{platform.system()} {platform.version()} {platform.machine()} {platform.processor()}",
        drivers=tuple(drivers(Path("/"))),
        devices=tuple(devices(Path("/"))),
        features=tuple(features(Path("/"))),
    )


def installed_runtimes(folders: Iterable[str]) -> list[str]:
    """Name and version of every installed build of onnxruntime, by the folders of their metadata.

    Reading the metadata of all packages instead takes a tenth of the daemon's start.

    Args:
        folders: where packages lie, as in `sys.path`; those that are not there are passed over.
    """
    found = set()
    for folder in folders:
        for place in Path(folder).glob("onnxruntime*.dist-info"):
            name, _, version = place.stem.partition("-")  # no "-" is left in either (PyPA, binary formats)
            found.add(f"{name.replace('_', '-')} {version}")
    return sorted(found)


def drivers(root: Path) -> list[str]:
    """Drivers of graphics cards that are loaded, with their versions (Linux's sysfs).

    Args:
        root: the root of the file system.
    """
    found = []
    for name in _DRIVERS:
        folder = root / "sys/module" / name
        if not folder.is_dir():
            continue
        # Drivers that are part of the kernel have no version of their own; the kernel's is in `system`.
        version = _line(folder / "version") or _line(folder / "srcversion") or "of the kernel"
        found.append(f"{name} {version}")
    # In containers the module is not seen, but the driver's own file is handed in.
    if not any(driver.startswith("nvidia") for driver in found):
        nvidia = _line(root / "proc/driver/nvidia/version")
        found += [f"nvidia {nvidia}"] if nvidia else []
    return found


def devices(root: Path) -> list[str]:
    """Graphics cards by the numbers of their maker and model (Linux's sysfs), such as `10de:2330`.

    Args:
        root: the root of the file system.
    """
    cards = set()
    for device in sorted((root / "sys/class/drm").glob("card[0-9]*/device")):
        vendor, model = _line(device / "vendor"), _line(device / "device")
        if vendor and model:
            cards.add(f"{device.parent.name} {vendor.removeprefix('0x')}:{model.removeprefix('0x')}")
    for gpu in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        cards.add(f"nvidia {_line(gpu) or gpu.parent.name}")
    return sorted(cards)


def features(root: Path) -> list[str]:
    """What of `FEATURES` the processor has; nothing where the system does not tell.

    Args:
        root: the root of the file system.
    """
    try:
        lines = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    told = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    return [name for name in FEATURES if name in told]


def products_overflow(root: Path) -> bool:
    """Whether two 8-bit products may be added into 16 bits, which saturate: on x86-64 without VNNI.

    Also true where the system does not tell.

    Args:
        root: the root of the file system.
    """
    return not {"avx_vnni", "avx512_vnni"} & set(features(root))


def _line(file: Path) -> str | None:
    """The first line of a file; None where it cannot be read or is empty."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip().split("\n")[0] or None
    except OSError:
        return None
