"""ComfyUI graphs: which ones generate; and metadata made to be slow, to break or not to be sent."""

# ruff: noqa: E501 - one file a line reads better

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

import containers as c
import streams as s
from labelled import labels, loud
from touchstone.examiners.labels import claims_in
from touchstone.media.probe import read_container

AI_GRAPH = {
    "1": {"class_type": "UNETLoader", "inputs": {"unet_name": "wan2.1.safetensors"}},
    "3": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "steps": 20, "cfg": 6.0, "seed": 1}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0]}},
    "9": {"class_type": "VHS_VideoCombine", "inputs": {"images": ["8", 0]}},
}
EDIT_GRAPH = {
    "1": {"class_type": "VHS_LoadVideo", "inputs": {"video": "mine.mp4"}},
    "2": {"class_type": "VideoFrameSampler", "inputs": {"images": ["1", 0], "steps": 3}},
    "3": {"class_type": "ImageUpscaleWithModel", "inputs": {"image": ["2", 0]}},
    "9": {"class_type": "VHS_VideoCombine", "inputs": {"images": ["3", 0]}},
}
SEPARATE_GRAPH = EDIT_GRAPH | {
    "11": {"class_type": "KSampler", "inputs": {"model": ["12", 0], "steps": 20}},
    "12": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd15.safetensors"}},
    "13": {"class_type": "SaveImage", "inputs": {"images": ["11", 0]}},
}
SERVICE_GRAPH = {
    "1": {"class_type": "KlingTextToVideoNode", "inputs": {"prompt": "a cat"}},
    "2": {"class_type": "SaveVideo", "inputs": {"video": ["1", 0]}},
}
PACK_GRAPH = {
    "1": {"class_type": "SomeNewSampler", "inputs": {"model": ["2", 0], "positive": ["2", 1], "steps": 4}},
    "2": {"class_type": "SomeNewLoader", "inputs": {}},
    "3": {"class_type": "SaveVideo", "inputs": {"video": ["1", 0]}},
}
LOADERS_GRAPH = {
    "1": {"class_type": "WanVideoModelLoader", "inputs": {"model": "wan.safetensors", "scheduler": "unipc"}},
    "2": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    "3": {"class_type": "VHS_LoadVideo", "inputs": {}},
    "4": {"class_type": "VHS_VideoCombine", "inputs": {"images": ["3", 0], "a": ["1", 0], "b": ["2", 0]}},
}


def workflow(*nodes: dict[str, Any], links: list[Any] | None = None, **more: object) -> dict[str, Any]:
    return {"nodes": list(nodes), "links": links or [], "version": 0.4, **more}


SAMPLER = {"id": 3, "type": "KSampler", "inputs": [{"name": "model", "link": 1}]}
COMBINE = {"id": 9, "type": "VHS_VideoCombine", "inputs": [{"name": "images", "link": 2}]}
LOAD = {"id": 4, "type": "VHS_LoadVideo"}
TO_COMBINE = [2, 3, 0, 9, 0, "IMAGE"]
SUBGRAPH = {"subgraphs": [{"id": "aaaa-bbbb", "nodes": [SAMPLER], "links": []}]}


def comfy(prompt: object = None, workflow: object = None) -> bytes:
    given = {"prompt": prompt, "workflow": workflow}
    return c.mp4(udta=c.mdta({key: json.dumps(value) for key, value in given.items() if value is not None}))


@pytest.mark.parametrize(
    ("data", "supports"),
    [
        pytest.param(comfy(AI_GRAPH), "ai", id="a sampler that feeds the video"),
        pytest.param(comfy(EDIT_GRAPH), "neither", id="load, pick frames, enlarge, save"),
        pytest.param(comfy(SEPARATE_GRAPH), "neither", id="a sampler that feeds another picture"),
        pytest.param(comfy(SERVICE_GRAPH), "ai", id="a service's node"),
        pytest.param(comfy(PACK_GRAPH), "ai", id="a sampler of an unknown pack, by its inputs"),
        pytest.param(comfy(LOADERS_GRAPH), "neither", id="loaders and selectors only"),
        pytest.param(comfy({"1": {"class_type": "WanVideoSampler", "inputs": {}}}), "ai", id="a graph without links"),
        pytest.param(comfy(None, workflow(SAMPLER, COMBINE, links=[TO_COMBINE])), "ai", id="workflow"),
        pytest.param(comfy(None, workflow(SAMPLER, COMBINE, links=[{"id": 2, "origin_id": 3, "target_id": 9}])), "ai", id="links as objects"),
        pytest.param(comfy(None, workflow(SAMPLER | {"mode": 4}, COMBINE, links=[TO_COMBINE])), "neither", id="bypassed"),
        pytest.param(comfy(None, workflow(SAMPLER | {"mode": 2}, LOAD, COMBINE, links=[[2, 4, 0, 9, 0, "IMAGE"]])), "neither", id="muted"),
        pytest.param(comfy(None, workflow(SAMPLER, LOAD, COMBINE, links=[[2, 4, 0, 9, 0, "IMAGE"]])), "neither", id="not connected"),
        pytest.param(comfy(None, workflow({"id": 3, "type": "aaaa-bbbb"}, COMBINE, links=[TO_COMBINE], definitions=SUBGRAPH)), "ai", id="in a subgraph"),
        pytest.param(comfy(None, workflow({"id": 3, "type": "workflow>mine"}, COMBINE, links=[TO_COMBINE], extra={"groupNodes": {"mine": {"nodes": [SAMPLER]}}})), "ai", id="in a group"),
        pytest.param(comfy(None, workflow(SAMPLER, COMBINE, {"id": 5, "type": "GetNode"}, links=[[2, 5, 0, 9, 0, "IMAGE"]])), "ai", id="wireless"),
        pytest.param(comfy(EDIT_GRAPH, workflow(SAMPLER, COMBINE, links=[TO_COMBINE])), "neither", id="what ran decides"),
        pytest.param(s.mkv(tags={"PROMPT": json.dumps(AI_GRAPH)}), "ai", id="mkv"),
        pytest.param(s.mkv(tags={"WORKFLOW": json.dumps(workflow(SAMPLER, COMBINE, links=[TO_COMBINE]))}, doc_type="webm"), "ai", id="webm"),
        pytest.param(c.mp4(udta=c.mdir({b"\xa9cmt": json.dumps({"prompt": json.dumps(AI_GRAPH)})})), "ai", id="older VideoHelperSuite"),
        pytest.param(c.png(c.png_text("prompt", json.dumps(SEPARATE_GRAPH))), "ai", id="a picture of the second output"),
        pytest.param(c.png(c.png_chunk(b"comf", b"prompt\0" + json.dumps(AI_GRAPH).encode()), frames=2), "ai", id="animated png"),
        pytest.param(c.webp(c.chunk(b"EXIF", c.exif({0x0110: "prompt:" + json.dumps(AI_GRAPH)})), frames=2), "ai", id="animated webp"),
        pytest.param(c.webp(c.chunk(b"EXIF", c.exif({0x010F: "Workflow: " + json.dumps(workflow(SAMPLER))}))), "ai", id="webp, workflow"),
        pytest.param(c.mp4(udta=c.mdta({"prompt": json.dumps(AI_GRAPH).replace("6.0", "NaN")})), "ai", id="NaN, as Python writes it"),
    ],
)  # fmt: skip
def test_comfyui_graphs_count_only_where_they_generate(data: bytes, supports: str) -> None:
    (found,) = labels(data)
    assert found.supports.value == supports
    assert found.details.get("generator") == ("ComfyUI" if supports == "ai" else None)


def test_graphs_of_wrong_types_are_no_graphs() -> None:
    """Every value of both shapes once replaced by each kind of JSON value."""
    shapes = [
        AI_GRAPH,
        workflow(
            SAMPLER,
            COMBINE,
            links=[TO_COMBINE],
            definitions=SUBGRAPH,
            extra={"groupNodes": {"g": {"nodes": [SAMPLER]}}},
        ),
    ]
    for shape in shapes:
        for wrong in (None, True, 5, "x", [], [[]], [5], {}, {"a": {}}, [{"name": []}]):
            for broken in _each_replaced(shape, wrong):
                loud(comfy(broken))
                loud(comfy(None, broken))


def _each_replaced(value: Any, wrong: object) -> Iterator[Any]:
    yield wrong
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from (value | {key: broken} for broken in _each_replaced(inner, wrong))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from ([*value[:at], broken, *value[at + 1 :]] for broken in _each_replaced(inner, wrong))


def test_a_graph_names_its_models() -> None:
    assert labels(comfy(AI_GRAPH))[0].details["models"] == ["wan2.1.safetensors"]


@pytest.mark.parametrize(
    "tags",
    [
        {"AIGC": '{"Label":"1","ContentProducer":"\\ud800"}'},
        {"prompt": json.dumps(AI_GRAPH).replace("wan2.1", "\\udfff")},
        {"aigc_info": '{"aigc_label_type":' + "[" * 950 + "]" * 950 + "}"},
        {"invokeai_metadata": '{"seed":1,"generation_mode":' + "[" * 950 + "]" * 950 + "}"},
        {"workflow": '{"nodes":[{"type":"KSampler","id":' + "[" * 940 + "]" * 940 + "}]}"},
    ],
)
def test_values_that_cannot_be_sent_or_shown_do_no_harm(tags: dict[str, str]) -> None:
    labels(c.mp4(udta=c.mdta(tags)))


KIND = "KlingTextTextText" * 8000
SLOW: dict[str, bytes] = {
    "thousands of AI systems": c.jpeg(c.jpeg_xmp(c.xmp((c.IPTC_EXT, "AISystemUsed", f"model {n}") for n in range(700)))),
    "thousands of workflows": c.mp4(udta=c.full(b"meta", c.handler(b"mdta"), c.full(b"keys", b"\0\0\0\1", c.box(b"mdta", b"workflow")), c.box(b"ilst", c.box(b"\0\0\0\1", c.data_atom(json.dumps(workflow(LOAD)).encode())) * 5000))),
    "long class names": comfy({str(n): {"class_type": KIND[n:], "inputs": {"a": [str(n - 1), 0]}} for n in range(25)}),
    "a long chain of nodes": comfy({str(n): {"class_type": "A" * 100, "inputs": {"a": [str(n - 1), 0]}} for n in range(25_000)}),
    "a long command line": c.png(c.png_text("Dream", " -s 1 " * 600_000)),
    "a long description": c.png(c.png_text("Description", "Job ID: " * 400_000)),
    "many parameter lines": c.png(c.png_text("parameters", "Steps: 1, Sampler: x\n" * 150_000)),
    "a long signature": c.png(c.png_chunk(b"eXIf", c.exif({0x010E: "Signature: " + "A" * 3_000_000 + "!", 0x013B: "4800156b-8880-4786-9056-7ca3da449d8c"}))),
}  # fmt: skip


@pytest.mark.parametrize("name", SLOW)
def test_what_is_made_to_be_slow_is_not(name: str) -> None:
    container = read_container(io.BytesIO(SLOW[name]), len(SLOW[name]))
    assert container.tags
    started = time.perf_counter()
    list(claims_in(container))
    assert time.perf_counter() - started < 2
