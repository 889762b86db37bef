"""Vision transformers as ONNX graphs with random weights: as large and as slow as real ones, and as ignorant.

They stand for published detectors whose weights may not be handed on or are not to be had, where only time
and memory are asked for; and for an export that somebody wants to import. Built as exporters write them:
pictures cut into patches by a convolution, pre-norm blocks, the class token's output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


@dataclass(frozen=True)
class Shape:
    """How large a transformer is.

    Attributes:
        side: of the picture, pixels; patch: of a piece of it.
        width, depth, heads: of the blocks; each has an MLP of four times the width.
        outputs: numbers that the head gives.
        messages: frames of a clip tell each other of themselves in each block: one more attention, over
            frames (X-CLIP's cross-frame communication). The batch is then the frames of one clip.
    """

    side: int
    patch: int
    width: int
    depth: int
    heads: int
    outputs: int
    messages: bool = False

    @property
    def tokens(self) -> int:
        """Patches and the class token."""
        return (self.side // self.patch) ** 2 + 1


# X-CLIP-B/16 (arXiv:2208.02816): CLIP's ViT-B/16 at 224 pixels with messages between frames; what D3
# (arXiv:2508.00701) measures features with. DINOv2-B/14 at 504 pixels: WaveRep (arXiv:2506.16802).
XCLIP_B16 = Shape(side=224, patch=16, width=768, depth=12, heads=12, outputs=512, messages=True)
DINOV2_B14 = Shape(side=504, patch=14, width=768, depth=12, heads=12, outputs=1)


class _Graph:
    """Collects operators and tensors; each method returns the name of what it computes."""

    def __init__(self, seed: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []
        self._chance = np.random.default_rng(seed)

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def hold(self, values: NDArray[np.generic]) -> str:
        name = f"tensor_{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.array(values, order="C"), name))
        return name

    def shape(self, *axes: int) -> str:
        return self.hold(np.array(axes, np.int64))

    def number(self, value: float) -> str:
        return self.hold(np.array(value, np.float32))

    def random(self, *shape: int) -> str:
        return self.hold(self._chance.standard_normal(shape, np.float32) * np.float32(0.02))

    def linear(self, source: str, inputs: int, outputs: int) -> str:
        product = self.op("MatMul", source, self.random(inputs, outputs))
        return self.op("Add", product, self.hold(np.zeros(outputs, np.float32)))

    def norm(self, source: str, width: int) -> str:
        ones, zeros = self.hold(np.ones(width, np.float32)), self.hold(np.zeros(width, np.float32))
        return self.op("LayerNormalization", source, ones, zeros, axis=-1, epsilon=1e-6)

    def gelu(self, source: str) -> str:
        inner = self.op("Erf", self.op("Div", source, self.number(2**0.5)))
        whole = self.op("Mul", source, self.op("Add", inner, self.number(1.0)))
        return self.op("Mul", whole, self.number(0.5))

    def attention(self, source: str, width: int, heads: int) -> str:
        """Self-attention over the second axis of `(B, tokens, width)`."""
        wide = self.linear(source, width, 3 * width)
        three = self.op("Reshape", wide, self.shape(0, 0, 3, heads, width // heads))  # 0 keeps an axis
        by_head = self.op("Transpose", three, perm=[2, 0, 3, 1, 4])
        parts = [self.op("Gather", by_head, self.hold(np.array(n, np.int64)), axis=0) for n in range(3)]
        scores = self.op("MatMul", parts[0], self.op("Transpose", parts[1], perm=[0, 1, 3, 2]))
        shares = self.op("Softmax", self.op("Mul", scores, self.number((width // heads) ** -0.5)), axis=-1)
        mixed = self.op("Transpose", self.op("MatMul", shares, parts[2]), perm=[0, 2, 1, 3])
        return self.linear(self.op("Reshape", mixed, self.shape(0, 0, width)), width, width)


def vit(shape: Shape, seed: int = 0, *, names: Sequence[str] = ("pixels", "scores")) -> onnx.ModelProto:
    """A vision transformer that takes `(batch, 3, side, side)` and gives `(batch, outputs)`, all float32.

    Args:
        shape: how large.
        seed: of its weights.
        names: of input and output.
    """
    graph = _Graph(seed)
    width = shape.width
    kernel = graph.random(width, 3, shape.patch, shape.patch)
    cut = graph.op("Conv", names[0], kernel, kernel_shape=[shape.patch] * 2, strides=[shape.patch] * 2)
    patches = graph.op("Transpose", graph.op("Reshape", cut, graph.shape(0, width, -1)), perm=[0, 2, 1])
    count = graph.op("Slice", graph.op("Shape", names[0]), graph.shape(0), graph.shape(1))
    wanted = graph.op("Concat", count, graph.shape(1, width), axis=0)
    token = graph.op("Expand", graph.random(1, 1, width), wanted)
    at = graph.op("Concat", token, patches, axis=1)
    at = graph.op("Add", at, graph.random(1, shape.tokens, width))
    for _ in range(shape.depth):
        if shape.messages:
            at = _with_messages(graph, at, shape)
        at = graph.op("Add", at, graph.attention(graph.norm(at, width), width, shape.heads))
        wide = graph.gelu(graph.linear(graph.norm(at, width), width, 4 * width))
        at = graph.op("Add", at, graph.linear(wide, 4 * width, width))
    first = graph.op("Gather", graph.norm(at, width), graph.hold(np.array(0, np.int64)), axis=1)
    head = [first, graph.random(width, shape.outputs), graph.hold(np.zeros(shape.outputs, np.float32))]
    graph.nodes.append(helper.make_node("Gemm", head, [names[1]], name="head"))
    sides: list[str | int | None] = ["batch", 3, shape.side, shape.side]
    built = helper.make_graph(
        graph.nodes,
        "vit",
        [helper.make_tensor_value_info(names[0], TensorProto.FLOAT, sides)],
        [helper.make_tensor_value_info(names[1], TensorProto.FLOAT, ["batch", shape.outputs])],
        graph.tensors,
    )
    return helper.make_model(built, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _with_messages(graph: _Graph, at: str, shape: Shape) -> str:
    """Let class tokens of the frames of a clip attend to each other, before each frame goes on by itself."""
    tokens = graph.op("Slice", at, graph.shape(0), graph.shape(1), graph.shape(1))
    clip = graph.op("Transpose", graph.norm(tokens, shape.width), perm=[1, 0, 2])  # (1, frames, width)
    told = graph.attention(clip, shape.width, shape.heads)
    back = graph.op("Transpose", told, perm=[1, 0, 2])
    rest = graph.op("Slice", at, graph.shape(1), graph.shape(shape.tokens), graph.shape(1))
    return graph.op("Concat", graph.op("Add", tokens, back), rest, axis=1)
