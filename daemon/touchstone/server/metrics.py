"""What the daemon counts, in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# name: (type, help). Labels are short and of few values; never an address or an id.
FAMILIES: Mapping[str, tuple[str, str]] = {
    "touchstone_info": ("gauge", "Version of the daemon, as a label."),
    "touchstone_uptime_seconds": ("gauge", "Seconds since the daemon started."),
    "touchstone_scans_queued": ("gauge", "Scans that wait."),
    "touchstone_scans_running": ("gauge", "Scans that run."),
    "touchstone_scans_total": ("counter", "Scans that ended, by label."),
    "touchstone_scans_put_off_total": ("counter", "Scans that nobody asked for, put off."),
    "touchstone_scans_joined_total": ("counter", "Requests that joined a scan under way for the same thing."),
    "touchstone_scans_reused_total": ("counter", "Requests that were answered from the store."),
    "touchstone_scan_seconds_sum": ("counter", "Seconds that ended scans ran, in all."),
    "touchstone_scan_seconds_count": ("counter", "Scans in touchstone_scan_seconds_sum."),
    "touchstone_http_requests_total": ("counter", "Requests answered, by method, route and status."),
}


class Metrics:
    """Counters of one daemon."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    def count(self, family: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        key = (family, tuple(sorted(labels.items())))
        self._values[key] = self._values.get(key, 0) + amount

    def scan_ended(self, label: str, seconds: float) -> None:
        """Count a scan."""
        self.count("touchstone_scans_total", label=label)
        self.count("touchstone_scan_seconds_sum", seconds)
        self.count("touchstone_scan_seconds_count")

    def mean_scan_s(self) -> float:
        """Mean seconds of the scans that ended; 1 before the first."""
        scans = self._values.get(("touchstone_scan_seconds_count", ()), 0)
        return self._values.get(("touchstone_scan_seconds_sum", ()), 0) / scans if scans else 1.0

    def text(self, gauges: Mapping[str, float], version: str) -> str:
        """All of it as Prometheus reads it; `gauges` are the values of this moment."""
        values = dict(self._values)
        values[("touchstone_info", (("version", version),))] = 1
        for family, value in gauges.items():
            values[(family, ())] = value
        lines: list[str] = []
        for family, (kind, meaning) in FAMILIES.items():
            lines += [f"# HELP {family} {meaning}", f"# TYPE {family} {kind}"]
            for (name, labels), value in sorted(values.items()):
                if name == family:
                    lines.append(f"{name}{_labels(labels)} {_number(value)}")
        return "\n".join(lines) + "\n"


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6f}"
