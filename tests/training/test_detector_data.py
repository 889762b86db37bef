"""The detector's data: what stays together, what both classes get alike, and what must not be readable."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from detector import clips, conditions, corpus, leaks
from detector.cache import facts, read
from detector.conditions import Encoding, Treatment
from detector.corpus import Clip
from detector.degrade import degraded
from detector.matching import BITS_CALIPER, matched
from detector.table import Row

needs_x264 = pytest.mark.skipif("libx264" not in av.codecs_available, reason="this FFmpeg has no libx264")


def clip(number: int, label: str = "real", group: str = "a", families: tuple[str, ...] = ()) -> Clip:
    names = frozenset(families or (group,))
    sha256 = hashlib.sha256(f"{label}/{group}/{number}".encode()).hexdigest()
    return Clip(f"{label}/{group}/{number}.mp4", label, group, names, sha256)


def row(number: int, label: str, bits: float, pixels: int = 360 * 360, fold: int = 0) -> Row:
    return Row(clip(number, label), "360p_crf28", np.zeros((1, 1), np.float32), fold, bits, pixels)


# What stays together


def test_generators_that_share_a_family_are_never_parted() -> None:
    found = [
        *(clip(n, "generated", "one", ("wan",)) for n in range(9)),
        *(clip(n, "generated", "two", ("wan", "hunyuan")) for n in range(5)),
        *(clip(n, "generated", "three", ("hunyuan",)) for n in range(7)),
        *(clip(n, "generated", f"other{n}", (f"lone{n}",)) for n in range(20)),
        *(clip(n, "real", f"source{n % 11}") for n in range(60)),
        *(clip(n, "cgi", f"source{n % 3}") for n in range(6)),
    ]
    split = corpus.folds(found)
    assert split["one"] == split["two"] == split["three"]
    assert corpus.folds(list(reversed(found))) == split
    loads = Counter(split[c.group] for c in found if c.label == "real")
    assert max(loads.values()) - min(loads.values()) <= 6  # no more than the largest source


def test_a_cache_of_another_split_is_refused(tmp_path: Path) -> None:
    found = [clip(n, "real", f"source{n}") for n in range(7)]
    corpus.write_folds(found, tmp_path / "folds.json")
    assert corpus.write_folds(found, tmp_path / "folds.json") == corpus.folds(found)
    with pytest.raises(ValueError, match=r"folds\.json holds another split"):
        corpus.write_folds(found[:3], tmp_path / "folds.json")


def test_a_folder_without_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no manifest\.csv in"):
        corpus.read_manifest(tmp_path)


# What both classes get alike


def test_every_label_is_dealt_the_same_draws() -> None:
    found = [clip(n, label) for label in ("real", "generated") for n in range(conditions.DRAWS * 2)]
    dealt = conditions.deal(found)
    for label in ("real", "generated"):
        counts = Counter(dealt[c.name] for c in found if c.label == label)
        assert set(counts.values()) == {2}
        assert len(counts) == conditions.DRAWS


def test_a_draw_is_the_same_treatment_whoever_gets_it() -> None:
    for name in conditions.RANDOM:
        drawn = [conditions.treatment(name, draw) for draw in range(conditions.DRAWS)]
        assert drawn == [conditions.treatment(name, draw) for draw in range(conditions.DRAWS)]
        assert {t.last.codec for t in drawn} == {"libx264", "libx265", "libvpx-vp9", "libsvtav1"}
        assert all(t.shrink <= conditions.SHRINK for t in drawn)
    with pytest.raises(KeyError, match="no condition 'nonesuch'"):
        conditions.treatment("nonesuch", 0)


@pytest.mark.parametrize(
    ("size", "treatment", "expected"),
    [
        ((1920, 1080), Treatment(360, Encoding()), (640, 360)),
        ((640, 360), Treatment(360, Encoding()), (512, 288)),  # never at its own scale
        ((1080, 1920), Treatment(720, Encoding()), (720, 1280)),
        ((150, 150), Treatment(360, Encoding()), (128, 128)),  # never below a patch
        ((1920, 1080), Treatment(720, Encoding(), canvas=True), (1280, 720)),
        ((640, 448), Treatment(720, Encoding(), canvas=True), (412, 288)),  # of 358 lines: the next canvas
    ],
)
def test_sizes(size: tuple[int, int], treatment: Treatment, expected: tuple[int, int]) -> None:
    assert clips.scaled_size(*size, treatment) == expected


def test_what_is_smaller_than_a_patch_is_left_out() -> None:
    with pytest.raises(clips.TooShort, match="128 by 96"):
        clips.scaled_size(128, 96, Treatment(360, Encoding()))


@pytest.mark.parametrize("kind", ["blur", "denoise", "sharpen", "noise"])
def test_degradations_change_detail_and_keep_the_picture(kind: str) -> None:
    planes = np.random.default_rng(0).integers(90, 140, (3, 40, 50)).astype(np.uint8)
    after = degraded(planes, kind, "seed")
    assert after.shape == planes.shape
    assert abs(float(after.mean()) - float(planes.mean())) < 2
    detail, before = (np.abs(np.diff(p.astype(int), axis=2)).mean() for p in (after, planes))
    assert (detail < before) == (kind in ("blur", "denoise"))
    np.testing.assert_array_equal(after, degraded(planes, kind, "seed"))


# From a file to patches


def video(path: Path, frames: int, width: int = 480, height: int = 360) -> Path:
    random = np.random.default_rng(1)
    texture = random.integers(40, 200, (height * 3 // 2, width + 64)).astype(np.uint8)
    pictures = [
        VideoFrame.from_ndarray(np.ascontiguousarray(texture[:, n : n + width]), format="yuv420p")
        for n in range(frames)
    ]
    path.write_bytes(clips.encoded(pictures, Encoding(crf=20, preset="ultrafast")))
    return path


@needs_x264
def test_a_clip_is_treated_once_and_goes_on_where_it_was(tmp_path: Path) -> None:
    file = video(tmp_path / "clip.mp4", 12)
    canvas = Treatment(360, Encoding(crf=28, preset="ultrafast"), canvas=True)
    doubled = Treatment(288, Encoding(crf=30), first=Encoding(crf=25), degrade="blur")
    target = tmp_path / "cache" / clip(0).name
    clips.make(file, target, {"360p_crf28": (canvas, "a")})
    first = (target / "360p_crf28.npy").stat().st_mtime_ns
    clips.make(file, target, {"360p_crf28": (canvas, "a"), "random_0": (doubled, "b")})
    assert (target / "360p_crf28.npy").stat().st_mtime_ns == first
    for name, size in (("360p_crf28", (288, 288)), ("random_0", (384, 288))):
        known = facts(tmp_path / "cache", clip(0), name)
        assert known is not None
        assert (known["width"], known["height"], known["frames"]) == (*size, clips.FRAMES)
        patches = read(tmp_path / "cache", clip(0), name)
        assert patches is not None
        assert patches.shape == (known["patches"], 3, 192, 128)
        assert known["patches"] == len(clips.RUNS) * clips.PATCHES
    assert not list(target.glob("*.part*"))


@needs_x264
def test_a_clip_that_is_too_short_says_so_and_is_not_tried_again(tmp_path: Path) -> None:
    target = tmp_path / "cache" / clip(0).name
    clips.make(video(tmp_path / "short.mp4", 5), target, {"360p_crf28": (Treatment(360, Encoding()), "a")})
    assert "5 frames, 8 are needed" in json.loads((target / "none.json").read_text())["reason"]
    assert facts(tmp_path / "cache", clip(0), "360p_crf28") is None
    clips.make(tmp_path / "gone.mp4", target, {"360p_crf28": (Treatment(360, Encoding()), "a")})


@needs_x264
def test_the_middle_square_is_cut_out_of_all_planes() -> None:
    rows, columns = np.mgrid[0:64, 0:96]
    planes = [
        (columns + rows).astype(np.uint8),
        np.full((32, 48), 90, np.uint8),
        np.full((32, 48), 160, np.uint8),
    ]
    picture = np.concatenate([plane.reshape(-1) for plane in planes]).reshape(96, 96)
    frame = VideoFrame.from_ndarray(picture, format="yuv420p")
    square = clips._middle(frame)
    luma, blue, red = (
        np.asarray(memoryview(p)).reshape(p.height, p.line_size)[:, : p.width] for p in square.planes
    )
    np.testing.assert_array_equal(luma, planes[0][:, 16:80])
    assert (blue == 90).all()
    assert (red == 160).all()


# What must not be readable


def test_partners_have_the_same_size_and_like_bits() -> None:
    random = np.random.default_rng(0)
    chosen = [row(n, "generated", float(b)) for n, b in enumerate(random.lognormal(-1.6, 0.5, 150))]
    chosen += [row(n, "real", float(b)) for n, b in enumerate(random.lognormal(-1.0, 0.5, 150))]
    chosen += [row(900, "generated", 0.3, pixels=160 * 160), row(901, "cgi", 0.3)]
    pairs = matched(chosen)
    assert len(pairs) > 100
    for one, other in zip(pairs[::2], pairs[1::2], strict=True):
        assert (one.clip.label, other.clip.label) == ("generated", "real")
        assert one.pixels == other.pixels
        assert abs(np.log(one.bits_per_pixel / other.bits_per_pixel)) <= BITS_CALIPER
    assert len({id(r) for r in pairs}) == len(pairs)

    def read_bits(rows: list[Row], together: int) -> float:
        values = np.log([[r.bits_per_pixel] for r in rows])
        return leaks.readable(values, np.array([r.target for r in rows]), np.arange(len(rows)) // together)

    assert read_bits([r for r in chosen if r.pixels == 360 * 360 and r.clip.label != "cgi"], 1) > 0.6
    assert 0.45 < read_bits(pairs, 2) < 0.55


@pytest.mark.parametrize(
    ("planted", "low", "high"),
    [
        ("nothing varies", 0.5, 0.5),
        ("chance", 0.4, 0.6),
        ("a step", 0.9, 1.0),
        ("both ends against the middle", 0.9, 1.0),
    ],
)
def test_planted_leaks_are_found(planted: str, low: float, high: float) -> None:
    random = np.random.default_rng(3)
    targets = np.arange(300) % 2
    values = {
        "nothing varies": np.full(300, 24.0),
        "chance": random.normal(size=300),
        "a step": targets * 2 + random.normal(0, 0.3, 300),
        "both ends against the middle": np.where(targets, random.choice([-2, 2], 300), 0)
        + random.normal(0, 0.3, 300),
    }[planted]
    assert low <= leaks.readable(values[:, None], targets, np.arange(300)) <= high


def test_scores_that_tell_sources_apart_are_noticed() -> None:
    random = np.random.default_rng(0)
    alike = {f"s{n}": list(random.normal(size=10)) for n in range(20)}
    apart = {f"s{n}": list(random.normal(3 * (n % 2), 0.1, size=40 if n < 2 else 2)) for n in range(20)}
    assert leaks.real_against_real(alike) < 0.6 < leaks.real_against_real(apart)
