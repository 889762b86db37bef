"""Node graphs of ComfyUI: does one really generate, or does it only load, cut and save a clip?

Two shapes: `prompt` is what ran (node id -> class and inputs), `workflow` is what the editor showed (nodes
and links, with nodes that were muted or bypassed). Sources: comfyanonymous/ComfyUI (execution and workflow
formats), Kosinkadink/ComfyUI-VideoHelperSuite (video output).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .claims import scalar

MAX_NODES = 20_000
MAX_KIND = 120  # characters of a node's class
MUTED, BYPASSED = 2, 4

# Node classes that make pictures by their name alone: one pattern, or several that must all be found. Single
# searches rather than one long pattern, whose backtracking a hostile class name could drag out.
GENERATES: tuple[tuple[re.Pattern[str], ...], ...] = (
    (re.compile(r"[kK]Sampler|SamplerCustom"),),  # ComfyUI, and the packs that wrap its samplers
    (
        re.compile(r"^(Wan|Hunyuan|Hy|LTX|Cog|Mochi|Pyramid|SkyReels|Frame[pP]ack|StepVideo|Allegro|Cosmos)"),
        re.compile(r"Sampler"),
    ),
    # Nodes that call a service (comfy_api_nodes).
    (
        re.compile(
            r"^(Kling|Minimax|Pika|Pixverse|Recraft|Runway|Moonvalley|Vidu|ByteDance|Wan|Ltxv?Api|Luma|Grok)"
        ),
        re.compile(r"(To|2)(Image|Video)"),
        re.compile(r"Node|Api"),
    ),
    (
        re.compile(
            r"^(OpenAI(Dalle|GPTImage|VideoSora)|FluxPro|FluxKontext|Flux2Pro|IdeogramV\d|StabilityStableImage"
            r"|Veo\d?VideoGeneration|GeminiImage|ByteDance(Image|Seedream)|Luma(Image|Video)Node"
            r"|MinimaxHailuoVideo|KlingImageGeneration|KlingStartEndFrame)"
        ),
    ),
)
# Classes of many more packs whose names other nodes share ("VideoFrameSampler" picks frames of a clip): these
# need two of the inputs that a diffusion sampler has.
MAY_GENERATE = re.compile(r"Sampler|^(WanVideo|Hunyuan|HyVideo|LTXV|CogVideo|Mochi)")
SAMPLING_INPUTS = frozenset({
    "model", "steps", "cfg", "seed", "noise_seed", "denoise", "sigmas", "scheduler", "positive", "guider",
    "latent_image", "samples", "sampler_name", "sampler",
})  # fmt: skip
# Parts of such packs that load, choose, encode or decode, but do not sample.
ASSISTS = re.compile(
    r"(Load|Loader|Decode|Decoder|Encode|Encoder|Select|Settings|Args|Options|Config|Scheduler|Preview|Provider)\W*$"
)
WRITES_VIDEO = re.compile(r"VideoCombine|^Save\w*(Video|WEBM|Animated)")
WRITES = re.compile(r"Save|VideoCombine|Export|Output")
# The editor's wireless links: what they join is not in the links of the workflow.
WIRELESS = re.compile(r"^(easy )?(set|get)Node$|^Anything Everywhere", re.IGNORECASE)
MODEL_INPUTS = ("unet_name", "ckpt_name", "model_name", "model")


@dataclass
class Node:
    """One node: its class, the nodes it takes input from, the names of its inputs."""

    kind: str
    sources: set[str] = field(default_factory=set)
    inputs: set[str] = field(default_factory=set)
    active: bool = True


@dataclass
class Graph:
    """A graph, whichever of the two shapes it came in."""

    nodes: dict[str, Node]
    models: list[str] = field(default_factory=list)

    def generates(self, video: bool) -> bool:
        """Whether a node that makes pictures feeds what was saved.

        Args:
            video: the graph stands in a video: what only feeds a still picture does not count.
        """
        makers = {name for name, node in self.nodes.items() if node.active and _makes(node)}
        if not makers:
            return False
        joined = any(node.sources for node in self.nodes.values())
        if not joined or any(WIRELESS.search(node.kind) for node in self.nodes.values()):
            return True  # what feeds what is not written down
        return bool(makers & self._feeding(self._outputs(video)))

    def _outputs(self, video: bool) -> set[str]:
        active = {name: node for name, node in self.nodes.items() if node.active}
        for pattern in (WRITES_VIDEO, WRITES) if video else (WRITES,):
            found = {name for name, node in active.items() if node.sources and pattern.search(node.kind)}
            if found:
                return found
        used = {source for node in active.values() for source in node.sources}
        return {name for name, node in active.items() if name not in used and node.sources}

    def _feeding(self, names: Iterable[str]) -> set[str]:
        reached, waiting = set[str](), list(names)
        while waiting:
            name = waiting.pop()
            if name in reached or name not in self.nodes:
                continue
            reached.add(name)
            waiting.extend(self.nodes[name].sources)
        return reached


def _makes(node: Node) -> bool:
    if ASSISTS.search(node.kind):
        return False
    if any(all(pattern.search(node.kind) for pattern in patterns) for patterns in GENERATES):
        return True
    return bool(MAY_GENERATE.search(node.kind)) and len(node.inputs & SAMPLING_INPUTS) >= 2


def graph_of(value: object) -> Graph | None:
    """A graph of either shape from its JSON; None for anything else."""
    if not isinstance(value, dict):
        return None
    return _from_workflow(value) if isinstance(value.get("nodes"), list) else _from_prompt(value)


def _from_prompt(value: Mapping[str, Any]) -> Graph | None:
    graph = Graph({})
    for name, entry in list(value.items())[:MAX_NODES]:
        if not isinstance(entry, dict) or not isinstance(entry.get("class_type"), str):
            continue
        inputs = entry.get("inputs")
        node = Node(entry["class_type"][:MAX_KIND])
        for key, given in inputs.items() if isinstance(inputs, dict) else ():
            node.inputs.add(str(key))
            if isinstance(given, list) and len(given) == 2 and isinstance(given[0], str | int):
                node.sources.add(str(given[0]))
            elif key in MODEL_INPUTS and isinstance(given, str) and given:
                graph.models.append(given)
        graph.nodes[str(name)] = node
    return graph if graph.nodes else None


def _from_workflow(value: Mapping[str, Any]) -> Graph | None:
    graph = Graph({})
    inner = _inner_kinds(value)
    for entry in _objects(value["nodes"])[:MAX_NODES]:
        if isinstance(kind := entry.get("type"), str):
            # A subgraph or group makes pictures if a node in it does.
            node = Node(inner.get(kind, kind)[:MAX_KIND], inputs=_input_names(entry), active=_active(entry))
            graph.nodes[scalar(entry.get("id"))] = node
    for link in _list(value.get("links")):
        origin, target = _ends(link)
        if target in graph.nodes and origin in graph.nodes:
            graph.nodes[target].sources.add(origin)
    return graph if graph.nodes else None


def _ends(link: object) -> tuple[str, str]:
    """From which node to which a link goes: `[id, from, slot, to, slot, type]`, in newer files an object."""
    if isinstance(link, list) and len(link) >= 4:
        return scalar(link[1]), scalar(link[3])
    if isinstance(link, dict):
        return scalar(link.get("origin_id")), scalar(link.get("target_id"))
    return "", ""


def _inner_kinds(value: Mapping[str, Any]) -> dict[str, str]:
    """For each subgraph and node group the class of a node in it that makes pictures."""
    groups: list[tuple[str, object]] = []
    definitions, extra = _object(value.get("definitions")), _object(value.get("extra"))
    for subgraph in _objects(definitions.get("subgraphs")):
        groups.append((scalar(subgraph.get("id")), subgraph.get("nodes")))
    for name, group in _object(extra.get("groupNodes")).items():
        nodes = _object(group).get("nodes")
        groups += [(f"workflow>{name}", nodes), (f"workflow/{name}", nodes)]
    makers: dict[str, str] = {}
    for name, nodes in groups:
        for entry in _objects(nodes):
            kind = entry.get("type")
            if (
                isinstance(kind, str)
                and _active(entry)
                and _makes(Node(kind[:MAX_KIND], inputs=_input_names(entry)))
            ):
                makers[name] = kind
    return makers


def _active(entry: Mapping[str, Any]) -> bool:
    return entry.get("mode") not in (MUTED, BYPASSED)


def _input_names(entry: Mapping[str, Any]) -> set[str]:
    return {given["name"] for given in _objects(entry.get("inputs")) if isinstance(given.get("name"), str)}


# What a file gives where an object or a list belongs may be anything.


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: object) -> list[dict[str, Any]]:
    return [entry for entry in _list(value) if isinstance(entry, dict)]
