"""Which clips a calibration looks at: the user's own, a corpus, and those made for it.

Sources are what counts. In a folder of the user's own, each subfolder is a source; what lies in the folder
itself is told apart by the camera that the files name, and counts as one source where they name none: many
clips of one telephone say as little about other cameras as one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ...evaluation.corpus import GENERATED, REAL, BadCorpus, Clip, is_video
from ...evaluation.run import Looked
from ...messages import say

OWN = "own"
"""Group of the user's own clips that lie in no subfolder, until their camera is known."""


def own_clips(folder: Path) -> list[Clip]:
    """The user's own clips: every video below a folder, all of them known to be real.

    Raises:
        BadCorpus: it is no folder, or has none.
    """
    if not folder.is_dir():
        raise BadCorpus(say("evaluate.corpus.no_folder", folder=folder))
    found = []
    for path in sorted(folder.rglob("*")):
        if is_video(path) and path.is_file():
            name = path.relative_to(folder)
            group = f"{OWN}/{name.parts[0]}" if len(name.parts) > 1 else OWN
            found.append(Clip(path, f"{OWN}/{name.as_posix()}", REAL, group, group, group))
    if not found:
        raise BadCorpus(say("calibrate.no_videos", folder=folder))
    return found


def by_camera(looked: Iterable[Looked]) -> list[Looked]:
    """The same with the user's loose clips told apart by the camera that their files name."""
    known = list(looked)
    cameras: dict[str, str] = {}
    for look in known:
        device = look.said.get("device")
        if look.clip.source == OWN and device:
            cameras[look.clip.name] = f"{OWN} ({device})"
    return [
        replace(look, clip=replace(look.clip, source=cameras[look.clip.name], group=cameras[look.clip.name]))
        if look.clip.name in cameras
        else look
        for look in known
    ]


def spread(clips: Sequence[Clip], per_source: int, per_generator: int) -> list[Clip]:
    """At most so many clips of each source and of each generator, the first of each before any second.

    Within one group the choice is even over its clips, so that a folder in order of time gives no stretch.
    """
    groups: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        key = (clip.label, clip.group if clip.label == GENERATED else clip.source)
        groups.setdefault(key, []).append(clip)
    turns: list[tuple[int, int, Clip]] = []
    for place, ((label, _), members) in enumerate(groups.items()):
        most = per_generator if label == GENERATED else per_source
        step = max(len(members) / most, 1.0) if most else 1.0
        chosen = [members[int(number * step)] for number in range(min(most, len(members)))]
        turns += [(number, place, clip) for number, clip in enumerate(chosen)]
    return [clip for _, _, clip in sorted(turns, key=lambda turn: turn[:2])]


def first_of_sources(clips: Iterable[Clip], most: int) -> list[Clip]:
    """Real clips, one of each source before any second, at most so many."""
    return spread([clip for clip in clips if clip.label == REAL], most, 0)[:most]
