"""A small convolutional net on what is left of a patch when its picture has been taken out of it.

It sees no picture: a high-pass of luma and of both chroma planes, first and second differences in time. What
the statistics (statistics.py) sum up over a patch, it may learn where to look for.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

UNIT = 4.0
"""Code values that are 1 to the net; residuals beyond three times as much are edges, and cut off."""
CUT = 3.0
CHANNELS = 22
"""4 of luma (high-pass, two steps, bend) at each of 2 by 2 pixels, 3 of each chroma plane."""
NEAR, FAR, BLOCKS = 24, 40, 2
"""Channels at half the size of luma and at a quarter, and blocks there."""


class Front(nn.Module):
    """`(N, 3, S * 3 / 2, S)`, laid out as in CONTRACT.md, to `(N, 22, S / 2, S / 2)`."""

    def __init__(self) -> None:
        super().__init__()
        rough = torch.tensor([[-1.0, 2, -1], [2, -4, 2], [-1, 2, -1]]) / 4
        self.register_buffer("rough", rough[None, None])

    def forward(self, frames: Tensor) -> Tensor:
        """Take out the picture; see the class."""
        side = frames.shape[3]
        luma = frames[:, :, :side]
        blue, red = frames[:, :, side:, : side // 2], frames[:, :, side:, side // 2 :]
        steps = luma[:, 1:] - luma[:, :-1]
        fine = self._fine(luma)
        maps = nn.functional.pixel_unshuffle(torch.cat([fine, steps, steps[:, 1:] - steps[:, :1]], 1), 2)
        found = [maps]
        for plane in (blue, red):
            found += [self._fine(plane), plane[:, 1:] - plane[:, :-1]]
        return torch.clamp(torch.cat(found, 1) / UNIT, -CUT, CUT)

    def _fine(self, plane: Tensor) -> Tensor:
        """What the middle frame's neighbouring pixels do not explain; at the edge they are repeated."""
        middle = nn.functional.pad(plane[:, 1:2], (1, 1, 1, 1), mode="replicate")
        return nn.functional.conv2d(middle, self.rough)


class Convolution(nn.Module):
    """A convolution of 3 by 3 and its normalisation, which `folded` takes into the weights."""

    def __init__(self, given: int, made: int, stride: int = 1) -> None:
        super().__init__()
        self.weights = nn.Conv2d(given, made, 3, stride, 1, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(made)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, given, H, W)` to `(N, made, H / stride, W / stride)`."""
        y: Tensor = self.norm(self.weights(x))
        return y

    def fold(self) -> None:
        """Take the normalisation into the weights, once."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.weights, self.norm = fuse_conv_bn_eval(self.weights.eval(), self.norm.eval()), nn.Identity()


class Block(nn.Module):
    """Two convolutions beside a straight way."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = Convolution(width, width), Convolution(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, width, H, W)` to the same."""
        return torch.relu(x + self.second(torch.relu(self.first(x))))


class Residuals(nn.Module):
    """`(N, 3, S * 3 / 2, S)` to logits `(N)`, for any side S that 4 divides: trained on parts of patches."""

    def __init__(self) -> None:
        super().__init__()
        self.front = Front()
        self.near = Convolution(CHANNELS, NEAR)
        self.far = Convolution(NEAR, FAR, 2)
        self.blocks = nn.Sequential(*(Block(FAR) for _ in range(BLOCKS)))
        self.head = nn.Linear(FAR, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """The logit of each patch."""
        x = torch.relu(self.far(torch.relu(self.near(self.front(frames)))))
        logits: Tensor = self.head(nn.functional.dropout(self.blocks(x).mean((2, 3)), 0.3, self.training))
        return logits[:, 0]

    def folded(self) -> Residuals:
        """Itself, without normalisation, to be exported; it can be trained no further."""
        for part in self.modules():
            if isinstance(part, Convolution):
                part.fold()
        return self.eval()
