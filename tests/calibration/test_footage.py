"""Which clips are looked at, and what counts as a source of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from calibration.calibrations import clip, looked
from touchstone.calibration.making.footage import by_camera, first_of_sources, own_clips, spread
from touchstone.calibration.making.made import NoRoom, check_room, generated, rendered
from touchstone.calibration.making.plan import Deadlines
from touchstone.evaluation.corpus import BadCorpus


def test_a_folder_of_ones_own_is_real_and_told_apart_by_its_subfolders(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.MOV", "phone/c.mp4", "phone/trip/d.mp4", "drone/e.mkv", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"-")
    found = {found.name: found.source for found in own_clips(tmp_path)}
    assert found == {
        "own/a.mp4": "own",
        "own/b.MOV": "own",
        "own/phone/c.mp4": "own/phone",
        "own/phone/trip/d.mp4": "own/phone",
        "own/drone/e.mkv": "own/drone",
    }
    assert {found.label for found in own_clips(tmp_path)} == {"real"}


@pytest.mark.parametrize(("name", "says"), [("gone", "is no folder"), (".", "has no videos")])
def test_a_folder_without_videos_is_told(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(BadCorpus, match=says):
        own_clips(tmp_path / name)


def test_loose_clips_are_told_apart_by_the_camera_that_they_name() -> None:
    told = by_camera(
        [
            looked(clip("own/a.mp4", source="own"), "as_is", device="Apple iPhone 15"),
            looked(clip("own/a.mp4", source="own"), "crf28"),  # its metadata is gone with the encoding
            looked(clip("own/b.mp4", source="own"), "as_is"),
            looked(clip("own/x/c.mp4", source="own/x"), "as_is", device="Apple iPhone 15"),
        ]
    )
    sources = [look.clip.source for look in told]
    assert sources == ["own (Apple iPhone 15)", "own (Apple iPhone 15)", "own", "own/x"]


def test_each_source_comes_before_any_second_clip_of_one() -> None:
    clips = [clip(f"{source}{n}", source=source) for source in "ab" for n in range(4)]
    clips += [clip(f"g{n}", "generated", "wan") for n in range(3)]
    assert [c.name for c in spread(clips, 2, 1)] == ["a0", "b0", "g0", "a2", "b2"]
    assert [c.name for c in first_of_sources(clips, 3)] == ["a0", "b0", "a1"]


def test_made_clips_are_drawn_once_and_end_with_the_time(tmp_path: Path) -> None:
    made: list[tuple[int, int, int]] = []

    def make(seed: int, width: int, height: int, target: Path) -> None:
        made.append((seed, width, height))
        target.write_bytes(b"-")

    first = list(generated(tmp_path, 2, make))
    again = list(generated(tmp_path, 3, make, enough=lambda: len(made) >= 3))
    assert [size for _, *size in made] == [[512, 288], [288, 512], [384, 384]]
    assert [c.path for c in again[:2]] == [c.path for c in first]
    assert {c.label for c in again} == {"generated"}
    assert all(c.path.name.endswith(".unmarked-calibration.mp4") for c in again)
    assert list(rendered(tmp_path, 1, enough=lambda: True)) == []


def test_a_disk_that_is_nearly_full_is_told_before_it_is(tmp_path: Path) -> None:
    check_room(tmp_path, 0)
    with pytest.raises(NoRoom, match="make room"):
        check_room(tmp_path, 1 << 62)


def test_what_one_part_leaves_of_the_time_the_next_one_has() -> None:
    now = [0.0]
    deadlines = Deadlines(10, clock=lambda: now[0])
    half, all_of_it = deadlines.until(0.5), deadlines.until(1.0)
    now[0] = 299
    assert not half() and not deadlines.cut_short
    now[0] = 301
    assert half() and not all_of_it()
    assert deadlines.cut_short, "something was left out"
    assert not Deadlines(None, clock=lambda: 1e9).until(0.1)()
