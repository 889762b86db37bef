"""Which clips a folder has: a manifest, or two folders; and what is wrong with one, by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from touchstone.evaluation.corpus import BadCorpus, read_corpus

HEAD = "file,label,group,family\n"


def folder_with(tmp_path: Path, manifest: str, *files: str) -> Path:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "manifest.csv").write_text(manifest, encoding="utf-8")
    return tmp_path


def test_a_manifest_says_what_clips_are(tmp_path: Path) -> None:
    rows = "real/a.mp4,real,phone,\ngenerated/b.mp4,generated,sora,dit\n"
    real, ai = read_corpus(folder_with(tmp_path, HEAD + rows, "real/a.mp4", "generated/b.mp4"))
    assert (real.label, real.source, real.family) == ("real", "phone", "phone")
    assert (ai.label, ai.group, ai.family) == ("generated", "sora", "dit")


def test_groups_of_independent_clips_are_many_sources(tmp_path: Path) -> None:
    rows = "a.mp4,real,web,\nb.mp4,real,web,\n"
    clips = read_corpus(folder_with(tmp_path, HEAD + rows, "a.mp4", "b.mp4"), independent=["web"])
    assert len({clip.source for clip in clips}) == 2
    assert {clip.group for clip in clips} == {"web"}


def test_a_source_column_does_the_same(tmp_path: Path) -> None:
    text = "file,label,group,source\na.mp4,real,web,x\nb.mp4,real,web,y\n"
    clips = read_corpus(folder_with(tmp_path, text, "a.mp4", "b.mp4"))
    assert [clip.source for clip in clips] == ["web/x", "web/y"]


def test_two_folders_do_without_a_manifest(tmp_path: Path) -> None:
    for name in ("real/phone/a.mp4", "real/b.mov", "generated/wan/c.mp4", "generated/wan/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = {clip.name: (clip.label, clip.group) for clip in read_corpus(tmp_path)}
    assert found == {
        "real/phone/a.mp4": ("real", "phone"),
        "real/b.mov": ("real", "b"),
        "generated/wan/c.mp4": ("generated", "wan"),
    }


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("file,label\n", "no column group"),
        (HEAD + "a.mp4,fake,x,\n", "line 2: label is 'fake'"),
        (HEAD + "a.mp4,real,x,\ngone.mp4,real,x,\n", "line 3: gone.mp4"),
        (HEAD + "../../etc/passwd,real,x,\n", "outside"),
        (HEAD + "a.mp4,real,,\n", "line 2: file or group is empty"),
        (HEAD, "no clips"),
    ],
)
def test_what_is_wrong_with_a_manifest_is_named_by_line(tmp_path: Path, manifest: str, says: str) -> None:
    with pytest.raises(BadCorpus, match=says):
        read_corpus(folder_with(tmp_path, manifest, "a.mp4"))


def test_a_folder_without_clips_says_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(BadCorpus, match=r"manifest\.csv nor folders real"):
        read_corpus(tmp_path)
    with pytest.raises(BadCorpus, match="is no folder"):
        read_corpus(tmp_path / "gone")


def test_an_unknown_independent_group_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCorpus, match="phones"):
        read_corpus(folder_with(tmp_path, HEAD + "a.mp4,real,phone,\n", "a.mp4"), independent=["phones"])
