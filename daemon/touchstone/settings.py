"""Settings: each declared once, with its default, its bounds and what it means.

A value comes from the first of these that has one: the command line, an environment variable
(`TOUCHSTONE_` and the name in capitals), the store (`touchstone settings`), the default. docs/settings.md
holds the table that `markdown_table` makes; a test fails when they differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from .messages import say
from .verdict import DEFAULT_PRIOR

PREFIX = "TOUCHSTONE_"

ExtensionId = Annotated[str, Field(pattern=r"^[a-p]{32}$")]
"""The id that Chromium gives an extension: 32 letters from a to p."""


class Settings(BaseModel):
    """All settings of one daemon or one command."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: int = Field(
        default=8917,
        ge=1024,
        le=65535,
        description="Port on the loopback interface. If another program has it, the daemon takes a free one; "
        "its runtime file says which.",
    )
    fetch_urls: bool = Field(
        default=True,
        description="Whether the daemon may fetch a video that the browser is showing. When off, the "
        "extension hands over the bytes it can get itself.",
    )
    max_bytes: int = Field(
        default=1 << 30,
        ge=1 << 16,
        le=1 << 36,
        description="Largest video in bytes that is fetched or taken as an upload.",
    )
    max_seconds: float = Field(
        default=120,
        gt=0,
        le=3600,
        description="Longest time in seconds that one scan may take, fetch included.",
    )
    prior: float = Field(
        default=DEFAULT_PRIOR,
        gt=0,
        lt=1,
        description="How likely a video is AI-made before anything is looked at.",
    )
    history_days: float = Field(
        default=90, gt=0, le=36500, description="Finished scans older than this many days are deleted."
    )
    history_limit: int = Field(
        default=10_000, ge=1, le=10_000_000, description="At most this many finished scans are kept."
    )
    reuse_hours: float = Field(
        default=24,
        ge=0,
        le=8760,
        description="How many hours the answer for an address stands before it is fetched and scanned again. "
        "0 scans every time.",
    )
    trust_lists: Path | None = Field(
        default=None,
        description="A folder or file of further certificate trust lists for Content Credentials (PEM).",
    )
    extension_ids: tuple[ExtensionId, ...] = Field(
        default=(),
        description="Ids of further Chromium extensions that may call the API, such as a build of your own; "
        "in text, separated by commas.",
    )
    sample_runs: int = Field(
        default=8,
        ge=1,
        le=32,
        description="At how many places, spread over it, the pictures of a video are looked at.",
    )
    sample_frames: int = Field(
        default=3, ge=1, le=16, description="How many consecutive pictures are looked at in each place."
    )
    sample_seed: int = Field(
        default=0,
        ge=0,
        le=2**31 - 1,
        description="Decides where exactly these places are; the same seed, the same pictures.",
    )
    provider: Literal[
        "auto", "cpu", "cuda", "tensorrt", "migraphx", "rocm", "directml", "coreml", "openvino"
    ] = Field(
        default="auto",
        description="What runs models that may use a graphics card. `auto`: the fastest that was measured; "
        "TensorRT only where it is named.",
    )
    inference_process: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Whether such models run in a process of their own, which may reach a graphics card, "
        "instead of in the confined one that reads the video. `auto`: where that was measured to be faster.",
    )
    inference_idle_s: float = Field(
        default=60,
        gt=0,
        le=86400,
        description="After how many seconds without work that process leaves, and its memory with it.",
    )
    inference_threads: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Threads of the processor for one run in that process. 0: half of the processor's, at "
        "most 4.",
    )
    on_demand_only: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Whether only videos that somebody asks about are scanned. `auto`: while the computer "
        "runs on its battery or is hot; `on`: always; `off`: never.",
    )
    concurrency: int = Field(default=2, ge=1, le=64, description="How many scans run at once.")
    queue_limit: int = Field(
        default=64, ge=1, le=10_000, description="How many scans may wait; beyond that the API answers 429."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="How much is logged. Only `debug` writes down addresses of videos.",
    )


class SettingError(ValueError):
    """A setting is unknown or has a value it cannot have; the text names it, and where it came from."""


def load(
    environ: Mapping[str, str], stored: Mapping[str, str], given: Mapping[str, Any] | None = None
) -> Settings:
    """Put the settings together.

    Args:
        environ: environment variables; those without the prefix and those that name no setting are ignored.
        stored: name to text, as kept in the store.
        given: from the command line; None means not given.

    Raises:
        SettingError: a value is not allowed.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name in Settings.model_fields:
        variable = PREFIX + name.upper()
        if given and given.get(name) is not None:
            values[name], origins[name] = given[name], "--" + name.replace("_", "-")
        elif variable in environ:
            values[name], origins[name] = from_text(name, environ[variable]), variable
        elif name in stored:
            values[name], origins[name] = from_text(name, stored[name]), say("settings.from_store", name=name)
    try:
        return Settings(**values)
    except ValidationError as problem:
        raise _first(problem, origins) from problem


def check_name(name: str) -> None:
    """Whether there is such a setting.

    Raises:
        SettingError: there is none; the text lists those there are.
    """
    if name not in Settings.model_fields:
        raise SettingError(say("settings.unknown", name=name, names=", ".join(Settings.model_fields)))


def check(name: str, text: str) -> None:
    """Whether a person may set `name` to `text`.

    Raises:
        SettingError: there is no such setting, or it cannot have this value.
    """
    check_name(name)
    try:
        Settings(**{name: from_text(name, text)})
    except ValidationError as problem:
        raise _first(problem, {name: name}) from problem


def from_text(name: str, text: str) -> Any:
    """What pydantic has to see for a value that a person typed."""
    if get_origin(Settings.model_fields[name].annotation) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    # An empty text is how a shell says "none" of something that may be missing.
    return None if text == "" and Settings.model_fields[name].default is None else text


def to_text(value: object) -> str:
    """A value as a person would type it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _first(problem: ValidationError, origins: Mapping[str, str]) -> SettingError:
    error = problem.errors(include_url=False)[0]
    name = str(error["loc"][0])
    return SettingError(
        say("settings.invalid", origin=origins[name], value=to_text(error["input"]), reason=error["msg"])
    )


def markdown_table() -> str:
    """The table of docs/settings.md."""
    rows = ["| Setting | Default | Allowed | Meaning |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = f"`{text}`" if (text := to_text(field.default)) else "none"
        rows.append(f"| `{name}` | {default} | {_allowed(field)} | {field.description} |")
    return "\n".join(rows) + "\n"


def _allowed(field: FieldInfo) -> str:
    if field.annotation is bool:
        return "`true`, `false`"
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    bounds = [
        f"{words[sign]} {getattr(rule, sign)}"
        for rule in field.metadata
        for sign in words
        if getattr(rule, sign, None) is not None
    ]
    return ", ".join(bounds) or "text"
