"""The sampler: its frames are those that decoding the whole clip gives, in order, at little cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from synthetic import X264, Recipe, make, number_picture, start_later, turn

from touchstone.media.container import CannotDecode
from touchstone.media.frames import Frame, Run
from touchstone.media.pictures import picture
from touchstone.media.plan import Sampling
from touchstone.media.probe import read_container
from touchstone.media.rehearsal import smallest_mp4
from touchstone.media.sampler import SampledFrames

QUIET_X265 = {"x265-params": "log-level=none", "preset": "ultrafast"}
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}

RECIPES = {
    "mp4 h264": Recipe("mp4", "libx264"),
    "mp4 h264 one keyframe": Recipe("mp4", "libx264", gop=1000),
    "mp4 h264 open groups": Recipe("mp4", "libx264", options={"x264-params": "open-gop=1"}),
    "mp4 h264 10 bit": Recipe("mp4", "libx264", pixels="yuv420p10le"),
    "mp4 h264 4:4:4": Recipe("mp4", "libx264", pixels="yuv444p"),
    "mp4 h264 4:2:2": Recipe("mp4", "libx264", pixels="yuv422p"),
    "mp4 h264 rgb": Recipe("mp4", "libx264rgb", pixels="rgb24", options=X264),
    "mp4 h264 interlaced": Recipe("mp4", "libx264", options={"x264-params": "tff=1"}),
    "mp4 h264 odd size": Recipe("mp4", "libx264", pixels="yuv444p", width=67, height=45),
    "mp4 h264 fragmented": Recipe("mp4", "libx264", mux_options=FRAGMENTED),
    "mp4 h264 uneven": Recipe(
        "mp4", "libx264", ticks=[i * 3000 + (i % 3) * 900 + 40_000 * (i > 30) for i in range(60)]
    ),
    "mp4 h265": Recipe("mp4", "libx265", options=QUIET_X265),
    "mp4 av1": Recipe("mp4", "libsvtav1", options={"preset": "13"}),
    "mov h264": Recipe("mov", "libx264"),
    "mov prores with alpha": Recipe("mov", "prores_ks", pixels="yuva444p10le", options={"profile": "4"}),
    "webm vp8": Recipe("webm", "libvpx", options={"deadline": "realtime"}),
    "webm vp9": Recipe("webm", "libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8"}),
    "mkv h264": Recipe("mkv", "libx264"),
    "avi mpeg4": Recipe("avi", "mpeg4", options={"bf": "2"}),
    "avi mjpeg": Recipe("avi", "mjpeg", pixels="yuvj420p"),
    "flv h264": Recipe("flv", "libx264"),
    "mpegts h264": Recipe("ts", "libx264", muxer="mpegts"),
    "mpeg program stream": Recipe("mpg", "mpeg2video"),
    "gif": Recipe("gif", "gif", pixels="rgb8", rate=10),
    "apng": Recipe("apng", "apng", pixels="rgb24"),
    "avif sequence": Recipe("avif", "libsvtav1", options={"preset": "13"}, frames=30),
    "png": Recipe("png", "png", pixels="rgb24", frames=1, muxer="image2"),
    "jpeg": Recipe("jpg", "mjpeg", pixels="yuvj420p", frames=1, muxer="image2"),
    "avif": Recipe("avif", "libsvtav1", options={"preset": "13"}, frames=1),
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every recipe's clip, made once; None where this FFmpeg lacks the encoder is left out."""
    folder = tmp_path_factory.mktemp("clips")
    made = {}
    for number, (name, recipe) in enumerate(RECIPES.items()):
        try:
            made[name] = make(recipe, folder / f"{number}.{recipe.suffix}")
        except (av.codec.codec.UnknownCodecError, av.error.FFmpegError):
            continue
    return made


def sampled(path: Path, sampling: Sampling | None = None) -> SampledFrames:
    data = BytesIO(path.read_bytes())
    size = len(data.getvalue())
    return SampledFrames(read_container(data, size), [(data, size)], sampling or Sampling())


def fingerprint(frame: Frame) -> bytes:
    return b"".join(np.ascontiguousarray(plane).tobytes() for plane in frame.planes)


def whole(path: Path) -> dict[bytes, int]:
    """Every frame of a clip by plain decoding: its planes, and its place."""
    with av.open(str(path)) as container:
        stream = max(container.streams.video, key=lambda s: s.frames)
        frames = [picture(f, stream.time_base, stream.start_time or 0) for f in container.decode(stream)]
    return {fingerprint(frame): number for number, frame in enumerate(frames)}


SIDE_BY_SIDE = Sampling(threads=3, side_by_side_pixels=(0, 1 << 30))
"""As large clips are read, which those of the tests are not."""


@pytest.mark.parametrize("sampling", [Sampling(), SIDE_BY_SIDE], ids=["one decoder", "side by side"])
@pytest.mark.parametrize("name", RECIPES)
def test_frames_are_those_of_the_whole_clip(clips: dict[str, Path], name: str, sampling: Sampling) -> None:
    if name not in clips:
        pytest.skip(f"this FFmpeg has no encoder for {RECIPES[name].codec}")
    recipe = RECIPES[name]
    numbers = whole(clips[name])
    assert len(numbers) == recipe.frames, "every frame is different"
    frames = sampled(clips[name], sampling)
    runs = list(frames)
    expected_runs = min(8, max(1, recipe.frames // 3))
    assert len(runs) >= expected_runs - 1
    assert frames.seen.runs == len(runs)
    reached = -1
    for run in runs:
        places = [numbers[fingerprint(frame)] for frame in run.frames]
        assert places == list(range(places[0], places[0] + len(places))), "frames are consecutive"
        assert places[0] > reached, "runs do not overlap"
        reached = places[-1]
    assert len(runs[0].frames) == min(3, recipe.frames)
    if recipe.frames > 1:
        assert reached >= recipe.frames * 0.75, "the end of the clip is looked at too"
        assert frames.seen.decoded <= recipe.frames, "never more than decoding it whole"


def test_times_are_those_of_display(clips: dict[str, Path]) -> None:
    recipe = RECIPES["mp4 h264 uneven"]
    assert recipe.ticks is not None
    shown = [tick / 90_000 for tick in recipe.ticks]
    numbers = whole(clips["mp4 h264 uneven"])
    for run in sampled(clips["mp4 h264 uneven"]):
        for frame in run.frames:
            assert frame.time_s == pytest.approx(shown[numbers[fingerprint(frame)]], abs=1e-4)


# What a frame of each clip says about itself.
FACTS = {
    "mp4 h264": {"model": "ycbcr", "depth": 8, "subsampling": (2, 2), "interlaced": False},
    "mp4 h264 10 bit": {"depth": 10, "subsampling": (2, 2)},
    "mp4 h264 4:4:4": {"depth": 8, "subsampling": (1, 1)},
    "mp4 h264 4:2:2": {"subsampling": (2, 1)},
    "mp4 h264 rgb": {"model": "rgb", "depth": 8},
    "mp4 h264 interlaced": {"interlaced": True},
    "mp4 h264 odd size": {"width": 67, "height": 45},
    "mov prores with alpha": {"depth": 12, "subsampling": (1, 1)},
    "avi mjpeg": {"model": "ycbcr"},
    "gif": {"model": "rgb"},
}


@pytest.mark.parametrize(("name", "facts"), FACTS.items())
def test_a_frame_says_what_it_is(clips: dict[str, Path], name: str, facts: dict[str, object]) -> None:
    frame = next(iter(sampled(clips[name]))).frames[0]
    assert {key: getattr(frame, key) for key in facts} == facts
    assert frame.planes[0].dtype == (np.uint8 if frame.depth == 8 else np.uint16)
    assert not frame.planes[0].flags.writeable


def test_alpha_and_range_and_kind(clips: dict[str, Path]) -> None:
    alpha = next(iter(sampled(clips["mov prores with alpha"]))).frames[0].alpha
    assert alpha is not None
    assert alpha.shape == (48, 64)
    assert next(iter(sampled(clips["avi mjpeg"]))).frames[0].colour.full_range
    kinds = [frame.kind for run in sampled(clips["mp4 h264"]) for frame in run.frames]
    assert kinds[0] == "I"
    assert set(kinds) == {"I", "P", "B"}


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_clip_says_so_and_can_be_put_upright(clips: dict[str, Path], degrees: int) -> None:
    data = BytesIO(turn(clips["mp4 h264"].read_bytes(), degrees))
    size = len(data.getvalue())
    frame = next(iter(SampledFrames(read_container(data, size), [(data, size)], Sampling()))).frames[0]
    assert frame.rotation == degrees
    assert (frame.width, frame.height) == (64, 48), "planes stay as coded"
    upright = frame.upright(frame.rgb())
    assert upright.shape == ((48, 64, 3) if degrees == 180 else (64, 48, 3))
    corner = {90: (0, -1), 180: (-1, -1), 270: (-1, 0)}[degrees]
    assert (upright[corner] == frame.rgb()[0, 0]).all(), "the first pixel goes where turning takes it"


def test_frames_before_an_edit_are_not_shown(clips: dict[str, Path]) -> None:
    """An edit list that starts at frame 15: that is time 0, and what comes before is only decoded."""
    path = clips["mp4 h264 one keyframe"]
    numbers = whole(path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        one_frame = int(1 / (stream.average_rate * stream.time_base))
    data = BytesIO(start_later(path.read_bytes(), 15 * one_frame))
    size = len(data.getvalue())
    for run in SampledFrames(read_container(data, size), [(data, size)], Sampling()):
        for frame in run.frames:
            assert frame.time_s == pytest.approx((numbers[fingerprint(frame)] - 15) / 30, abs=1e-3)


@pytest.mark.parametrize("name", ["mp4 h264", "mp4 h264 4:4:4", "mp4 h264 10 bit", "mp4 h264 rgb", "gif"])
def test_rgb_is_close_to_what_ffmpeg_makes_of_it(clips: dict[str, Path], name: str) -> None:
    ours = next(iter(sampled(clips[name]))).frames[0].rgb()
    with av.open(str(clips[name])) as container:
        theirs = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert ours.shape == theirs.shape
    assert ours.dtype == np.uint8
    # FFmpeg interpolates chroma and rounds otherwise; the pictures are of smooth colour.
    assert np.abs(ours - theirs).mean() < 3


def webp(folder: Path, frames: int) -> Path:
    """A lossless WebP, animated if it has more than one frame."""
    options = {"lossless": "1"}
    recipe = Recipe("webp", "libwebp_anim", pixels="bgra", options=options, frames=frames, rate=10)
    return make(recipe, folder / f"{frames}.webp")


def test_animated_webp_is_put_together_frame_by_frame(tmp_path: Path) -> None:
    """The encoder stores what changed only, so this goes through offsets, blending and disposal."""
    frames = sampled(webp(tmp_path, 30))
    runs = list(frames)
    assert [len(run.frames) for run in runs] == [3] * 8
    for frame in (frame for run in runs for frame in run.frames):
        number = round(frame.time_s * 10)
        assert np.array_equal(frame.rgb(), number_picture(number, 64, 48))
        assert frame.alpha is not None
        assert (frame.alpha == 255).all()
    assert frames.seen.duration_s == pytest.approx(3.0)


def test_still_webp_is_one_frame(tmp_path: Path) -> None:
    frames = sampled(webp(tmp_path, 1))
    (run,) = frames
    assert np.array_equal(run.frames[0].rgb(), number_picture(0, 64, 48))


def places(path: Path, sampling: Sampling) -> list[int]:
    numbers = whole(path)
    return [numbers[fingerprint(frame)] for run in sampled(path, sampling) for frame in run.frames]


def test_the_same_seed_gives_the_same_frames(clips: dict[str, Path]) -> None:
    path = clips["mp4 h264 one keyframe"]
    assert places(path, Sampling(seed=5)) == places(path, Sampling(seed=5))
    assert places(path, Sampling(seed=5)) != places(path, Sampling(seed=6))


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("sampling", [Sampling(threads=1), SIDE_BY_SIDE], ids=["one thread", "side by side"])
def test_threads_do_not_change_what_is_seen(clips: dict[str, Path], name: str, sampling: Sampling) -> None:
    if name not in clips:
        pytest.skip(f"this FFmpeg has no encoder for {RECIPES[name].codec}")
    assert places(clips[name], sampling) == places(clips[name], Sampling(threads=2))


def test_a_second_reading_decodes_nothing_again(clips: dict[str, Path]) -> None:
    frames = sampled(clips["mp4 h264"])
    first: Sequence[Run] = list(frames)
    decoded = frames.seen.decoded
    assert [run.start_s for run in frames] == [run.start_s for run in first]
    assert frames.seen.decoded == decoded


@pytest.mark.parametrize("sampling", [Sampling(), SIDE_BY_SIDE], ids=["one decoder", "side by side"])
@pytest.mark.parametrize("name", ["mp4 h264", "mp4 h264 one keyframe"])
def test_frames_that_are_not_kept_are_decoded_again(
    clips: dict[str, Path], name: str, sampling: Sampling
) -> None:
    one_run = 3 * 64 * 48 * 3 // 2
    frames = sampled(clips[name], replace(sampling, keep_bytes=2 * one_run))
    first = [fingerprint(frame) for run in frames for frame in run.frames]
    assert [fingerprint(frame) for run in frames for frame in run.frames] == first
    assert frames.seen.runs == 8, "what is read twice counts once"


def test_an_examiner_may_stop_early_and_another_read_on(clips: dict[str, Path]) -> None:
    frames = sampled(clips["mp4 h264"])
    next(iter(frames))
    assert len(list(frames)) == 8


def test_the_budget_is_kept_and_its_end_is_told(clips: dict[str, Path]) -> None:
    budget = Sampling(runs=4, budget_pixels=24 * 64 * 48)
    frames = sampled(clips["mp4 h264 one keyframe"], budget)
    runs = list(frames)
    assert runs
    assert frames.seen.decoded <= 24 + 4, "the decoder may hold a few frames more"
    assert frames.seen.last_s is not None
    assert frames.seen.last_s < 1.5, "with one keyframe the budget ends before the clip"


def test_no_time_left_means_no_further_run(clips: dict[str, Path]) -> None:
    frames = sampled(clips["mp4 h264"], Sampling(seconds=0))
    with pytest.raises(CannotDecode, match="longer than one scan"):
        list(frames)


def test_a_clip_in_parts_is_read_as_one(clips: dict[str, Path]) -> None:
    """An init segment and its fragments, as they come from a playlist."""
    data = clips["mp4 h264 fragmented"].read_bytes()
    ends = [at - 4 for at in range(len(data)) if data[at : at + 4] == b"moof"]
    parts = [BytesIO(data[a:b]) for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
    sizes = [len(part.getvalue()) for part in parts]
    frames = SampledFrames(
        read_container(parts[0], sizes[0]), list(zip(parts, sizes, strict=True)), Sampling()
    )
    numbers = whole(clips["mp4 h264 fragmented"])
    assert len({numbers[fingerprint(frame)] for run in frames for frame in run.frames}) == 24


def test_only_what_was_fetched_is_decoded(clips: dict[str, Path]) -> None:
    """A long remote file of which the index and some of the media are at hand; the holes are zeros."""
    data = clips["mp4 h264"].read_bytes()
    media = data.index(b"mdat") + 4
    index = data.index(b"moov") - 4
    assert index > media
    cut = media + (index - media) // 2
    holed = BytesIO(data[:cut] + bytes(index - cut) + data[index:])
    container = read_container(holed, len(data))
    present = [(0, cut), (index, len(data))]
    frames = SampledFrames(container, [(holed, len(data))], Sampling(), present)
    numbers = whole(clips["mp4 h264"])
    seen = [numbers[fingerprint(frame)] for run in frames for frame in run.frames]
    assert seen
    assert max(seen) < 40, "nothing was made up from zeros"


@pytest.mark.parametrize("behind", [b"", bytes(range(256)) * 12], ids=["nothing", "junk"])
def test_a_track_without_pictures_is_told_in_words(behind: bytes) -> None:
    """FFmpeg's seeking says "Operation not permitted" of it."""
    data = smallest_mp4() + behind
    frames = SampledFrames(read_container(BytesIO(data), len(data)), [(BytesIO(data), len(data))], Sampling())
    with pytest.raises(CannotDecode, match=r"no pictures in it.*export it again"):
        list(frames)
