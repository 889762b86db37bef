"""Looks at an ONNX file that someone wants to import: `python -m touchstone.model_import.worker DESCRIPTOR`.

The process confines itself before it sees the file. What the file says of itself is held against the card and
the allowlist of operators; only then is it loaded, and run once on a grey picture.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from ..inference.onnx_file import Graph, NotOnnx, Value, read_graph
from ..inference.sessions import Session, smallest_model
from ..media.link import MAX_REQUEST, Link, LinkBroken
from ..media.sandbox import ProcessLimits, confine
from ..messages import FALLBACK, catalogue, say
from ..zoo.entry import MAX_FILE, Model

LIMITS = ProcessLimits(memory_mib=4096, cpu_s=120)
FLOAT = 1  # TensorProto.DataType
_SHOWN = 8


class Refused(Exception):
    """The file may not be imported; the text says why."""


def main(arguments: Sequence[str]) -> int:
    """Check one file for the process at the other end. Returns the exit status."""
    if len(arguments) != 1 or not arguments[0].isdigit():
        print("touchstone.model_import.worker is started by Touchstone itself, not by hand", file=sys.stderr)
        return 2
    link = Link(socket.socket(fileno=int(arguments[0])), largest=MAX_REQUEST)
    rules = tomllib.loads((resources.files(__package__) / "operators.toml").read_text(encoding="utf-8"))
    catalogue(FALLBACK)
    Session(smallest_model())(np.zeros((1, 1), np.float32))  # all that is loaded at first use
    try:
        link.send({"type": "ready", "sandbox": confine(link.fileno(), LIMITS).as_json()})
        request, descriptors = link.receive_with_files()
        try:
            model = Model.from_json(request["model"])
            with os.fdopen(descriptors[0], "rb", closefd=False) as file:
                content = file.read(MAX_FILE + 1)
            link.send({"type": "right", "facts": check(content, model, rules)})
        except Refused as reason:
            link.send({"type": "refused", "reason": str(reason)})
        except MemoryError:
            link.send({"type": "refused", "reason": say("models.check.memory", mib=LIMITS.memory_mib)})
    except LinkBroken:
        return 0
    return 0


def check(content: bytes, model: Model, rules: Mapping[str, Any]) -> dict[str, Any]:
    """Hold a file against its card, load it and run it once. Returns what is worth knowing about it.

    Raises:
        Refused: it must not be used.
    """
    if len(content) > MAX_FILE:
        raise Refused(say("models.check.too_large", mb=MAX_FILE >> 20))
    try:
        graph = read_graph(content)
    except NotOnnx as problem:
        raise Refused(say("models.check.not_onnx", reason=problem)) from problem
    _look_at(graph, model, rules)
    try:
        session = Session(content, output=model.output.name)
    except Exception as problem:
        # onnxruntime raises a dozen kinds of its own for files that it does not like.
        raise Refused(say("models.check.does_not_load", reason=_short(problem))) from problem
    low, high = model.input.range
    grey = np.full(model.input.shape(), (low + high) / 2, np.float32)
    try:
        started = time.perf_counter()
        answer = session(grey)
        took_s = time.perf_counter() - started
    except Exception as problem:
        raise Refused(say("models.check.does_not_run", reason=_short(problem))) from problem
    wanted = model.output.numbers
    if answer.ndim != 2 or answer.shape[0] != 1 or answer.shape[1] < wanted:
        raise Refused(say("models.check.output_shape", shape=list(answer.shape), bits=wanted))
    if not np.isfinite(answer).all():
        raise Refused(say("models.check.not_finite"))
    if model.output.scale == "probability" and not 0 <= answer[0, model.output.skip] <= 1:
        raise Refused(say("models.check.no_probability", value=float(answer[0, model.output.skip])))
    return {
        "operators": sorted(name for _, name in graph.operators),
        "opset": graph.opsets.get("", 0),
        "parameters": graph.parameters,
        "took_ms": round(took_s * 1000, 1),
        "provider": session.provider,
    }


def _look_at(graph: Graph, model: Model, rules: Mapping[str, Any]) -> None:
    if graph.external:
        raise Refused(say("models.check.external", names=_few(graph.external)))
    if graph.oversized:
        raise Refused(say("models.check.oversized", names=_few(graph.oversized)))
    if graph.functions or graph.subgraphs:
        raise Refused(say("models.check.own_code"))
    allowed = frozenset(rules["allowed"])
    strange = sorted(
        f"{domain}.{name}" if domain else name
        for domain, name in graph.operators
        if domain or name not in allowed
    )
    if strange:
        raise Refused(say("models.check.operators", names=_few(strange)))
    opset = graph.opsets.get("", graph.opsets.get("ai.onnx", 0))
    if opset < rules["opset"]["oldest"]:
        raise Refused(say("models.check.opset", found=opset, oldest=rules["opset"]["oldest"]))
    if [value.name for value in graph.inputs] != [model.input.name]:
        names = _few([value.name for value in graph.inputs])
        raise Refused(say("models.check.inputs", found=names, wanted=model.input.name))
    if not _takes(graph.inputs[0], model.input.shape()):
        found = ["any" if n is None else n for n in graph.inputs[0].shape]
        found.insert(0, "float32" if graph.inputs[0].kind == FLOAT else "another type of number")
        raise Refused(say("models.check.input_shape", found=found, wanted=list(model.input.shape())))
    if model.output.name not in [value.name for value in graph.outputs]:
        names = _few([value.name for value in graph.outputs])
        raise Refused(say("models.check.outputs", found=names, wanted=model.output.name))


def _takes(value: Value, shape: Sequence[int]) -> bool:
    """Whether an input is float32 and open to arrays of this shape."""
    fits = all(has in (None, wanted) for has, wanted in zip(value.shape, shape, strict=False))
    return value.kind == FLOAT and len(value.shape) == len(shape) and fits


def _few(names: Sequence[str]) -> str:
    shown = ", ".join("".join(c if c.isprintable() else "?" for c in name) for name in names[:_SHOWN])
    return shown + (", ..." if len(names) > _SHOWN else "")


def _short(problem: Exception) -> str:
    return "".join(c if c.isprintable() else " " for c in str(problem))[:300]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
