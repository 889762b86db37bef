"""Known messages in clips: found at the clip's size and after scaling, not found where they are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from examiners.watermarks.carriers import carrier, embed_dwt_dct
from touchstone.examiners import Clip, Skip
from touchstone.examiners.watermarks import MAX_P, Watermarks, dwt_dct, log10_lr
from touchstone.examiners.watermarks.dwt_dct_scheme import (
    SHARES,
    DwtDct,
    low_plane,
    scaled,
    sizes_to_try,
    votes_of,
)
from touchstone.examiners.watermarks.known import agreement, known_messages
from touchstone.examiners.watermarks.scheme import Reading
from touchstone.media.container import Container
from touchstone.media.frames import Colour, Frame, Run, Seen
from touchstone.verdict import Evidence, Supports

MESSAGES = {message.name: message for message in known_messages()}


class Pictures:
    """Runs of RGB pictures, as a sampler would hand them over."""

    def __init__(self, *pictures: NDArray[np.uint8], frame=None) -> None:  # type: ignore[no-untyped-def]
        make = frame or rgb_frame
        self.seen = Seen(runs_wanted=len(pictures))
        self._runs = [Run((make(picture, float(i)),)) for i, picture in enumerate(pictures)]

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(self._runs)


def rgb_frame(picture: NDArray[np.uint8], time_s: float) -> Frame:
    planes = tuple(np.ascontiguousarray(picture[..., c]) for c in range(3))
    return Frame(planes=planes, model="rgb", depth=8, time_s=time_s, duration_s=0.04)


def yuv_frame(picture: NDArray[np.uint8], time_s: float, depth: int = 8, full: bool = False) -> Frame:
    """BT.601 4:2:0 in float, rounded once: what a codec of endless rate would store."""
    rgb = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2].astype(np.float64)
    luma = rgb @ [0.299, 0.587, 0.114]
    span, zero = (255.0, 0.0) if full else (219.0, 16.0)
    chroma = 255.0 if full else 224.0
    blue = (rgb[..., 2] - luma) / 1.772
    red = (rgb[..., 0] - luma) / 1.402
    unit = 1 << (depth - 8)
    kind = np.uint8 if depth == 8 else np.uint16

    def small(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        return (plane[0::2, 0::2] + plane[0::2, 1::2] + plane[1::2, 0::2] + plane[1::2, 1::2]) / 4

    y = np.rint((luma / 255 * span + zero) * unit).astype(kind)
    cb, cr = (np.rint((small(c) / 255 * chroma + 128) * unit).astype(kind) for c in (blue, red))
    return Frame((y, cb, cr), "ycbcr", depth, time_s, (2, 2), colour=Colour("smpte170m", full))


def examine(pictures: Pictures) -> list[Evidence]:
    import io

    clip = Clip(io.BytesIO(), 0, Container("mp4", "video/mp4"), sample=lambda _: pictures)
    return list(Watermarks().examine(clip))


@pytest.mark.parametrize("name", MESSAGES)
def test_every_known_message_is_found_and_names_its_generator(name: str) -> None:
    message = MESSAGES[name]
    marked = embed_dwt_dct(carrier("noise 512x512"), message.bits)
    found = examine(Pictures(marked, marked))
    (evidence,) = found
    assert evidence.supports is Supports.AI
    assert evidence.details["generator"] == message.generator
    assert evidence.details["message_name"] == name
    assert evidence.log10_lr is not None
    # The four letters of SDV2 leave few free bits, so that message can never count for much.
    assert (0 if name == "sd2" else 3.9) <= evidence.log10_lr <= 4
    assert [(span.start_s, span.end_s) for span in evidence.spans] == [(0.0, 0.04), (1.0, 1.04)]


@pytest.mark.parametrize("name", ["noise 512x512", "natural 577x1023", "flat 300x300", "black 256x256"])
def test_nothing_is_found_where_nothing_is(name: str) -> None:
    assert examine(Pictures(carrier(name))) == []


def test_a_message_no_generator_uses_is_not_reported() -> None:
    stranger = np.random.default_rng(3).integers(0, 2, 48).astype(bool)
    assert examine(Pictures(embed_dwt_dct(carrier("noise 512x512"), stranger))) == []


@pytest.mark.parametrize("name", ["noise 512x512", "natural 577x1023"])
def test_a_mirrored_copy_is_read(name: str) -> None:
    """Its blocks begin at the other edge, and the coefficient that is left out of each is another one."""
    marked = embed_dwt_dct(carrier(name), MESSAGES["sdxl"].bits)[:, ::-1]
    width = marked.shape[1] // 2 * 2
    (evidence,) = examine(Pictures(marked[:, -width:], marked[:, -width:]))
    assert evidence.details["mirrored"] is True
    (plain,) = examine(Pictures(marked[:, ::-1]))
    assert plain.details["mirrored"] is False


def test_every_way_that_is_tried_has_its_share_in_the_bound() -> None:
    """The sum over all ways of the chances that each is taken for a mark is what is stated."""
    assert sum(SHARES.values()) == pytest.approx(1)
    marked = embed_dwt_dct(carrier("noise 512x512"), MESSAGES["sdxl"].bits)
    sizes = sizes_to_try((512, 512), known_messages())
    tests = sum(map(len, sizes.values()))
    low = low_plane(rgb_frame(marked, 0.0))
    for plane, mirrored in ((marked, False), (marked[:, ::-1], True)):
        reader = DwtDct().reader()
        reader.add(next(iter(Pictures(plane))))
        (reading,) = [r for r in reader.readings() if r.name == "sdxl"]
        bound = agreement(MESSAGES["sdxl"], *votes_of(low).ones(48)).p_bound
        assert reading.details["tests"] == tests
        assert reading.p_value == pytest.approx(bound * tests / SHARES[mirrored], rel=1e-3)


def test_only_the_marked_part_of_a_clip_is_named() -> None:
    plain = carrier("noise 512x512")
    marked = embed_dwt_dct(plain, MESSAGES["sdxl"].bits)
    (evidence,) = examine(Pictures(plain, marked, marked, plain))
    assert [span.start_s for span in evidence.spans] == [1.0, 2.0]


def test_small_frames_are_skipped_with_the_reason() -> None:
    with pytest.raises(Skip, match="smaller"):
        examine(Pictures(np.zeros((64, 64, 3), np.uint8)))


@pytest.mark.parametrize(("depth", "full"), [(8, False), (8, True), (10, False)])
def test_the_chroma_plane_votes_like_the_pixels(depth: int, full: bool) -> None:
    picture = embed_dwt_dct(carrier("natural 320x576"), MESSAGES["sdxl"].bits)
    by_pixels = dwt_dct.read_blocks(picture).votes
    by_plane = votes_of(low_plane(yuv_frame(picture, 0.0, depth, full))).votes
    assert (by_pixels == by_plane).mean() > 0.93


def test_a_message_survives_scaling_by_looking_at_the_embedders_size() -> None:
    marked = embed_dwt_dct(carrier("natural 576x1024"), MESSAGES["sdxl"].bits)
    low = low_plane(rgb_frame(marked, 0.0))
    smaller = scaled(low, (768, 432))  # as chroma is stored after scaling to three quarters
    assert smaller.shape == (216, 384)
    back = scaled(smaller, (1024, 576))
    own = agreement(MESSAGES["sdxl"], *votes_of(smaller).ones(48))
    again = agreement(MESSAGES["sdxl"], *votes_of(back).ones(48))
    assert own.correlation < 0.5 < again.correlation


def test_scaling_keeps_constants_and_slopes() -> None:
    ramp = np.add.outer(np.arange(40.0), np.arange(60.0)).astype(np.float32)
    wide = scaled(ramp, (180, 120))
    assert wide.shape == (60, 90)
    inner = wide[10:-10, 10:-10]
    assert np.allclose(np.diff(inner, axis=1), 60 / 90, atol=0.05)
    assert np.allclose(scaled(np.full((9, 9), 7, np.float32), (30, 30)), 7)


@pytest.mark.parametrize(
    ("own", "sizes"),
    [
        ((1024, 576), {(1024, 576), (1360, 768)}),
        ((1280, 720), {(1280, 720), (1024, 576), (1360, 768)}),
        ((640, 360), {(640, 360), (1024, 576), (1360, 768)}),
        ((320, 180), set()),
        ((400, 300), {(400, 300)}),
        ((100, 80), set()),
    ],
)
def test_which_sizes_are_tried(own: tuple[int, int], sizes: set[tuple[int, int]]) -> None:
    assert set(sizes_to_try(own, known_messages())) == sizes


def test_the_false_positive_bound_holds_for_random_messages_on_any_votes() -> None:
    """Whatever the votes, random messages agree as rarely as the bound says."""
    rng = np.random.default_rng(11)
    blocks = np.full(48, 1000)
    shares = [
        rng.random(48),
        np.linspace(0, 1, 48),
        (np.arange(48) == 5) * 1.0,
        np.sin(np.arange(48)) / 2 + 0.5,
    ]
    for share in shares:
        ones = np.rint(share * 1000).astype(np.int64)
        bounds = []
        for bits in rng.integers(0, 2, (4000, 48)).astype(bool):
            message = MESSAGES["sdxl"].__class__("x", "x", bits, 1, ())
            bounds.append(agreement(message, ones, blocks).p_bound)
        for p in (0.1, 0.01):
            assert np.mean(np.array(bounds) <= p) <= p * 1.3


def test_a_readings_weight_is_bounded_by_its_false_positive_rate() -> None:
    def weight(p: float) -> float:
        return log10_lr(Reading("dwt_dct", "00", 8, p))

    assert weight(1e-3) < 3
    assert weight(1e-12) == 4.0
    assert math.isclose(weight(1e-3) - weight(1e-2), 1.0)
    assert MAX_P <= 1e-3
