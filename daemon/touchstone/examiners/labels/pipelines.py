"""Open pipelines that write how a picture or clip was made: ComfyUI, A1111 and its kin, InvokeAI, SwarmUI,
Fooocus, NovelAI.

A pipeline's metadata alone is no claim: ComfyUI also cuts and saves real clips. What counts is that the graph
or the parameters say that a model sampled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any

from ...media.container import Container, Tag
from ...verdict import Supports
from .claims import (
    EXIF,
    NAMED_TEXT,
    PNG_TEXT,
    Claim,
    any_of,
    at,
    first,
    is_comment,
    parsed,
    parsed_object,
    scalar,
    text,
)
from .graphs import Graph, graph_of

STILLS = frozenset({"png", "jpeg", "heic", "tiff"})  # formats of one picture; the rest may move
MAX_MODELS = 4
MAX_CANDIDATES = 32  # tags in which a graph is looked for
MAX_COMMAND = 16 * 1024  # characters of a command line

# --- ComfyUI ------------------------------------------------------------------------------------

_is_prompt = at(NAMED_TEXT, "prompt")
_is_workflow = at(NAMED_TEXT, "workflow")
EXIF_GRAPH = re.compile(r"(prompt|workflow):(?=\s*\{)", re.IGNORECASE)


def is_comfy(tag: Tag) -> bool:
    """Keys of their own, a comment that is all JSON, or Exif text beginning with `prompt:` or `workflow:`."""
    return _is_prompt(tag) or _is_workflow(tag) or is_comment(tag) or tag.place in EXIF


def read_comfy(tag: Tag, container: Container) -> Claim | None:
    """What ran (`prompt`) decides; what the editor showed (`workflow`) only where that is missing."""
    graphs = _graphs(tag)
    if not graphs:
        return None
    if "prompt" not in graphs and any("prompt" in _graphs(other) for other in _candidates(container)):
        return None
    graph = graphs.get("prompt") or graphs["workflow"]
    details: dict[str, Any] = {"nodes": len(graph.nodes)}
    if graph.models:
        details["models"] = list(dict.fromkeys(graph.models))[:MAX_MODELS]
    if not graph.generates(video=container.format not in STILLS):
        return Claim("comfy_edits", "comfy", Supports.NEITHER, details=details)
    return Claim("comfy", "comfy", generator="ComfyUI", details=details)


def _candidates(container: Container) -> Iterable[Tag]:
    return islice((tag for tag in container.tags if is_comfy(tag)), MAX_CANDIDATES)


def _graphs(tag: Tag) -> dict[str, Graph]:
    """The graphs in one tag, by what they are: `prompt` or `workflow`."""
    if _is_prompt(tag) or _is_workflow(tag):
        candidates = {"prompt" if _is_prompt(tag) else "workflow": parsed(tag.value)}
    elif tag.place in EXIF and (found := EXIF_GRAPH.match(text(tag))):
        candidates = {found.group(1).lower(): parsed(text(tag)[found.end() :])}
    elif is_comment(tag) and text(tag).startswith("{"):
        # VideoHelperSuite before 2024 wrote one JSON object as comment; its graphs may be text again.
        whole = parsed_object(tag.value) or {}
        candidates = {
            name: parsed(whole[name]) if isinstance(whole[name], str) else whole[name]
            for name in ("prompt", "workflow")
            if name in whole
        }
    else:
        return {}
    graphs = {name: graph_of(value) for name, value in candidates.items()}
    return {name: graph for name, graph in graphs.items() if graph is not None}


# --- A1111, Forge, SD.Next, Fooocus, SwarmUI ------------------------------------------------------

is_parameters = any_of(
    at(NAMED_TEXT, "parameters"),
    is_comment,
    at(EXIF, "0x010e"),
)
# The line that A1111 writes last (modules/infotext.py): comma-separated `Name: value`, Steps first.
A1111_LINE = re.compile(
    r"^Steps: \d+, (?=[^\n]*\bSampler: [^,\n]+)(?=[^\n]*\b(CFG scale|Seed|Distilled CFG Scale): -?\d)", re.M
)
A1111_VERSION = re.compile(r"\bVersion: ([^,\n]{1,60})")
A1111_APP = re.compile(r"\bApp: ([^,\n]{1,60})")
FOOOCUS_KEYS = frozenset(
    {"base_model", "performance", "sampler", "seed", "steps", "guidance_scale", "full_prompt"}
)


def read_parameters(tag: Tag, _: Container) -> Claim | None:
    """Generation parameters in any of the shapes that these programs write."""
    value = text(tag)
    if value.startswith("{"):
        return _read_json_parameters(parsed_object(value) or {})
    if not A1111_LINE.search(value):
        return None
    return _parameters(_a1111_program(value))


def _read_json_parameters(fields: dict[str, Any]) -> Claim | None:
    if isinstance(fields.get("sui_image_params"), dict):
        return _parameters("SwarmUI")
    if len(FOOOCUS_KEYS & fields.keys()) >= 4:
        return _parameters("Fooocus")
    return None


def _parameters(program: str) -> Claim:
    return Claim("parameters", "parameters", generator=program, names={"program": program})


def _a1111_program(value: str) -> str:
    """Which program wrote the line: they name themselves in `App` or `Version`."""
    app = A1111_APP.search(value)
    if app:
        return app.group(1).strip()
    version = A1111_VERSION.search(value)
    if version is None:
        return "Stable Diffusion WebUI"
    name = version.group(1).strip()
    if name.startswith("f"):
        return "Stable Diffusion WebUI Forge"
    if name.startswith("Fooocus") or name.startswith("ComfyUI"):
        return name.split()[0]
    return "Stable Diffusion WebUI"


# --- InvokeAI -------------------------------------------------------------------------------------

is_invoke = at(NAMED_TEXT, "invokeai_metadata", "invokeai_graph", "invokeai_workflow", "sd-metadata", "Dream")
INVOKE_FIELDS = frozenset(
    {"generation_mode", "positive_prompt", "model", "seed", "steps", "scheduler", "image"}
)
INVOKE_MAKES = re.compile(r"denoise|t2l|l2l|txt2img|img2img|text_to_latents|text_to_image|image_generation")
INVOKE_PARTS = re.compile(r"inpaint|outpaint")
DREAM = re.compile(r"\s-s ?\d+\s.{0,400}-S ?\d+", re.DOTALL)  # InvokeAI before 2: the command line as text


def read_invoke(tag: Tag, container: Container) -> Claim | None:
    """InvokeAI's metadata; a graph or workflow speaks only where that is missing."""
    key = tag.key.casefold()
    if key == "dream":
        return _invoke() if DREAM.search(text(tag)[:MAX_COMMAND]) else None
    fields = parsed_object(tag.value)
    if fields is None:
        return None
    if key in ("invokeai_metadata", "sd-metadata"):
        if not INVOKE_FIELDS & fields.keys():
            return None
        mode = scalar(fields.get("generation_mode"))
        return _invoke(Supports.EDITED if INVOKE_PARTS.search(mode) else Supports.AI, mode)
    if first(container, at(NAMED_TEXT, "invokeai_metadata")):
        return None
    kinds = list(_invoke_kinds(fields.get("nodes")))
    if key == "invokeai_workflow" and first(container, at(NAMED_TEXT, "invokeai_graph")):
        return None
    if any(INVOKE_MAKES.search(kind) for kind in kinds):
        return _invoke()
    return Claim("invoke_edits", "invoke", Supports.NEITHER) if kinds else None


def _invoke_kinds(nodes: object) -> list[str]:
    """Node types of a graph (a mapping) or a workflow (a list of nodes with `data`)."""
    entries = nodes.values() if isinstance(nodes, dict) else nodes if isinstance(nodes, list) else ()
    kinds = []
    for entry in entries:
        if isinstance(entry, dict):
            data = entry.get("data")
            kind = data.get("type") if isinstance(data, dict) else entry.get("type")
            kinds.append(kind if isinstance(kind, str) else "")
    return kinds


def _invoke(supports: Supports = Supports.AI, mode: str = "") -> Claim:
    finding = "invoke_part" if supports is Supports.EDITED else "invoke"
    details = {"generation_mode": mode[:80]} if mode else {}
    return Claim(finding, "invoke", supports, generator="InvokeAI", details=details)


# --- NovelAI --------------------------------------------------------------------------------------

is_title = at(PNG_TEXT, "Title")


def read_novelai(tag: Tag, container: Container) -> Claim | None:
    """NovelAI's title; its software field is recognised as any other generator's."""
    if text(tag) not in ("NovelAI generated image", "AI generated image"):
        return None
    if not first(container, at(PNG_TEXT, "Software")).startswith("NovelAI"):
        return None
    return Claim("software", "software", generator="NovelAI", names={"name": "NovelAI"})
