"""Structural similarity: alike, contrary, and moved by a constant, where the formula has one factor left."""

from __future__ import annotations

import numpy as np
import pytest

from ssim import ssim

NOISE = np.random.default_rng(0).integers(0, 256, (40, 60)).astype(np.uint8)


def test_alike_is_one_and_contrary_is_nearly_minus_one() -> None:
    assert ssim(NOISE, NOISE) == pytest.approx(1)
    assert ssim(NOISE, 255 - NOISE) < -0.9


def test_flat_pictures_differ_by_their_means_alone() -> None:
    dark, light = (np.full((20, 30), value, np.uint8) for value in (100, 110))
    constant = (0.01 * 255) ** 2
    assert ssim(dark, light) == pytest.approx((2 * 100 * 110 + constant) / (100**2 + 110**2 + constant))
