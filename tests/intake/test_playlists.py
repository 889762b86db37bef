"""Playlists as text: what is picked, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from touchstone.intake import IntakeError
from touchstone.intake.dash import read_dash
from touchstone.intake.hls import read_hls
from touchstone.intake.mpd import seconds
from touchstone.intake.playlists import Elsewhere, Piece, Plan, Segments, best_within, spread_over
from touchstone.intake.sniff import Kind, sniff
from touchstone.intake.urls import parse_url

AT = parse_url("https://cdn.example/a/index.m3u8?t=1")
NOW = 1_700_000_000.0


def described(plan: Plan) -> Any:
    """A plan in short: paths under https://cdn.example/a/, with ranges."""

    def short(piece: Piece) -> str:
        text = str(piece.url).removeprefix("https://cdn.example/a/")
        return text if piece.span is None else f"{text}[{piece.span[0]}:{piece.span[1]}]"

    if isinstance(plan, Elsewhere):
        return str(plan.url)
    assert isinstance(plan, Segments)
    return short(plan.init) if plan.init else None, [short(piece) for piece in plan.media], plan.count


def segments(*names: str, before: str = "") -> str:
    return f"#EXTM3U\n{before}" + "".join(f"#EXTINF:4,\n{name}\n" for name in names) + "#EXT-X-ENDLIST\n"


MEDIA = [
    ("one", segments("a.ts"), (None, ["a.ts"], 1)),
    ("start, middle and end", segments(*"abcdefg"), (None, ["a", "d", "g"], 7)),
    ("live", segments(*"abcde").replace("#EXT-X-ENDLIST\n", ""), (None, ["a", "c", "e"], 5)),
    ("windows lines and a mark", "\ufeff" + segments(*"ab").replace("\n", "\r\n"), (None, ["a", "b"], 2)),
    ("init", segments(*"ab", before='#EXT-X-MAP:URI="i.mp4"\n'), ("i.mp4", ["a", "b"], 2)),
    (
        "init in a range",
        segments(*"ab", before='#EXT-X-MAP:URI="i.mp4",BYTERANGE="8@2"\n'),
        ("i.mp4[2:10]", ["a", "b"], 2),
    ),
    (
        "ranges that follow on",
        "#EXTM3U\n#EXTINF:4,\n#EXT-X-BYTERANGE:10@5\nx.ts\n#EXTINF:4,\n#EXT-X-BYTERANGE:20\nx.ts\n"
        "#EXTINF:4,\n#EXT-X-BYTERANGE:3\ny.ts\n",
        (None, ["x.ts[5:15]", "x.ts[15:35]", "y.ts[0:3]"], 3),
    ),
    (
        "elsewhere",
        segments("/b.ts", "//o.example/c.ts"),
        (None, ["https://cdn.example/b.ts", "https://o.example/c.ts"], 2),
    ),
    (
        "the film, not the advertisement before it",
        "#EXTM3U\n#EXTINF:5,\nad1.ts\n#EXTINF:5,\nad2.ts\n#EXT-X-DISCONTINUITY\n"
        + "".join(f"#EXTINF:6,\nfilm{n}.ts\n" for n in range(3)),
        (None, ["film0.ts", "film1.ts", "film2.ts"], 3),
    ),
    (
        "init changes",
        '#EXTM3U\n#EXT-X-MAP:URI="a"\n#EXTINF:1,\na1\n#EXT-X-MAP:URI="b"\n#EXTINF:2,\nb1\n#EXTINF:2,\nb2\n',
        ("b", ["b1", "b2"], 2),
    ),
    ("a gap", "#EXTM3U\n#EXTINF:4,\na\n#EXT-X-GAP\n#EXTINF:4,\nb\n#EXTINF:4,\nc\n", (None, ["a", "c"], 2)),
    ("not encrypted, and says so", segments("a.ts", before="#EXT-X-KEY:METHOD=NONE\n"), (None, ["a.ts"], 1)),
]


def variant(uri: str, **attributes: str) -> str:
    return f"#EXT-X-STREAM-INF:{','.join(f'{name}={value}' for name, value in attributes.items())}\n{uri}\n"


MASTERS = [
    (
        "the highest",
        variant("lo", BANDWIDTH="500000", RESOLUTION="640x360")
        + variant("hi", BANDWIDTH="5000000", RESOLUTION="1920x1080")
        + variant("mid", BANDWIDTH="9000000", RESOLUTION="1280x720"),
        "hi",
    ),
    (
        "the highest within bounds",
        variant("8k", BANDWIDTH="90000000", RESOLUTION="7680x4320")
        + variant("4k", BANDWIDTH="20000000", RESOLUTION="3840x2160"),
        "4k",
    ),
    ("the least of too much", variant("a", BANDWIDTH="99000000") + variant("b", BANDWIDTH="98000000"), "b"),
    (
        "pictures, not sound",
        variant("sound", BANDWIDTH="9000000", CODECS='"mp4a.40.2"') + variant("video", BANDWIDTH="100000"),
        "video",
    ),
    (
        "a range of codecs",
        variant("v", BANDWIDTH="1", CODECS='"avc1.4d401f,mp4a.40.2"')
        + variant("s", BANDWIDTH="2", CODECS='"ec-3"'),
        "v",
    ),
]


@pytest.mark.parametrize(("text", "picked"), [case[1:] for case in MEDIA], ids=[case[0] for case in MEDIA])
def test_segments_are_picked_from_a_media_playlist(text: str, picked: Any) -> None:
    assert sniff(text.encode()) is Kind.HLS
    assert described(read_hls(text.encode(), AT, 3)) == picked


@pytest.mark.parametrize(
    ("text", "picked"), [case[1:] for case in MASTERS], ids=[case[0] for case in MASTERS]
)
def test_a_rendition_is_picked_from_a_master_playlist(text: str, picked: str) -> None:
    assert described(read_hls(f"#EXTM3U\n{text}".encode(), AT, 3)) == f"https://cdn.example/a/{picked}"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (segments("a", before='#EXT-X-KEY:METHOD=AES-128,URI="k"\n'), "protected", "is protected"),
        (segments("a", before='#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://k"\n'), "protected", "is protected"),
        (segments("a", before='#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="k"\n'), "protected", "is protected"),
        (
            '#EXTM3U\n#EXTINF:4,\nclear\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:4,\nhidden\n',
            "protected",
            "is protected",
        ),
        ("#EXTM3U\n", "unsupported", "without any video"),
        ("#EXTM3U\n#EXT-X-ENDLIST\n", "unsupported", "without any video"),
        ("#EXTM3U\n#EXTINF:x,\na\n", "unsupported", "not put together"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=x\na\n", "unsupported", "not put together"),
        ("#EXTM3U\n#EXTINF:4,\n#EXT-X-BYTERANGE:x@y\na\n", "unsupported", "not put together"),
        ("#EXTM3U\n#EXTINF:4,\n#EXT-X-BYTERANGE:0@5\na\n", "unsupported", "not put together"),
        ("#EXTM3U\n#EXTINF:4,\n" + "a" * 70_000 + "\n", "unsupported", "not put together"),
        ("#EXTM3U\n" + variant("s", BANDWIDTH="9", CODECS='"mp4a.40.2"'), "unsupported", "only sound"),
        ("#EXTM3U\n" + "#EXTINF:1,\na\n" * 50_001, "too_large", "longer than"),
        (segments("file:///etc/passwd"), "bad_url", "not file"),
        (segments("concat:a|b"), "bad_url", "not concat"),
        (segments("https://user:pw@cdn.example/a.ts"), "bad_url", "never sent"),
        (segments("C:\\windows\\a.ts"), "bad_url", "backslash"),
        (segments("a", before='#EXT-X-MAP:URI="file:///etc/passwd"\n'), "bad_url", "not file"),
        ("#EXTM3U\n" + variant("file:///etc/passwd", BANDWIDTH="9"), "bad_url", "not file"),
    ],
)
def test_a_playlist_that_cannot_be_used_says_why(text: str, code: str, words: str) -> None:
    with pytest.raises(IntakeError) as problem:
        read_hls(text.encode(), AT, 3)
    assert (problem.value.code, words in str(problem.value)) == (code, True), str(problem.value)


def mpd(
    sets: str, *, period: str = "", attributes: str = 'mediaPresentationDuration="PT20S"', base: str = ""
) -> str:
    return (
        f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" {attributes}>'
        f"{base}<Period {period}>{sets}</Period></MPD>"
    )


def video(
    inside: str, *, attributes: str = 'contentType="video"', rep: str = "", protection: str = ""
) -> str:
    return (
        f"<AdaptationSet {attributes}>{protection}"
        f'<Representation id="v1" bandwidth="1000" {rep}>{inside}</Representation></AdaptationSet>'
    )


NUMBERED = (
    '<SegmentTemplate initialization="i-$RepresentationID$.mp4" media="$Number%03d$.m4s" duration="4"/>'
)


def timeline(*entries: str, media: str = "$Time$.m4s", more: str = "") -> str:
    listed = "".join(f"<S {entry}/>" for entry in entries)
    inside = f"<SegmentTimeline>{listed}</SegmentTimeline>"
    return f'<SegmentTemplate media="{media}" {more}>{inside}</SegmentTemplate>'


DASH = [
    ("numbers", mpd(video(NUMBERED)), ("i-v1.mp4", ["001.m4s", "003.m4s", "005.m4s"], 5)),
    (
        "numbers from the set, the start from the representation",
        mpd(
            video('<SegmentTemplate startNumber="7"/>').replace(
                "<Representation", NUMBERED + "<Representation"
            )
        ),
        ("i-v1.mp4", ["007.m4s", "009.m4s", "011.m4s"], 5),
    ),
    (
        "an end",
        mpd(video(NUMBERED.replace("/>", ' endNumber="2"/>'))),
        ("i-v1.mp4", ["001.m4s", "002.m4s"], 2),
    ),
    (
        "no length known",
        mpd(video(NUMBERED), attributes=""),
        ("i-v1.mp4", ["001.m4s"], 1),
    ),
    ("times", mpd(video(timeline('t="5" d="10" r="2"', 'd="3"'))), (None, ["5.m4s", "25.m4s", "35.m4s"], 4)),
    ("times with a hole", mpd(video(timeline('d="10"', 't="50" d="10"'))), (None, ["0.m4s", "50.m4s"], 2)),
    (
        "repeated to the end",
        mpd(video(timeline('d="4" r="-1"', more='timescale="1"'))),
        (None, ["0.m4s", "8.m4s", "16.m4s"], 5),
    ),
    (
        "repeated to the next",
        mpd(video(timeline('d="4" r="-1"', 't="10" d="2"'))),
        (None, ["0.m4s", "8.m4s", "10.m4s"], 4),
    ),
    (
        "a billion",
        mpd(video(timeline('d="1" r="999999999"'))),
        (None, ["0.m4s", "500000000.m4s", "999999999.m4s"], 10**9),
    ),
    (
        "dollar, bandwidth, number",
        mpd(video(timeline('d="1"', media="$$-$Bandwidth$-$Number$-$Nonsense$", more='startNumber="0"'))),
        (None, ["$-1000-0-$Nonsense$"], 1),
    ),
    (
        "a list",
        mpd(
            video(
                '<SegmentList><Initialization sourceURL="i.mp4" range="0-9"/><SegmentURL media="a.m4s"/>'
                '<SegmentURL media="b.m4s" mediaRange="5-6"/></SegmentList>'
            )
        ),
        ("i.mp4[0:10]", ["a.m4s", "b.m4s[5:7]"], 2),
    ),
    (
        "one file",
        mpd(video('<BaseURL>v.mp4</BaseURL><SegmentBase indexRange="10-20"/>')),
        "https://cdn.example/a/v.mp4",
    ),
    (
        "bases within bases",
        mpd(
            video("<BaseURL>r/</BaseURL>" + NUMBERED),
            base="<BaseURL>https://o.example/m/</BaseURL>",
            period="",
        ),
        ("https://o.example/m/r/i-v1.mp4", [f"https://o.example/m/r/00{n}.m4s" for n in (1, 3, 5)], 5),
    ),
    (
        "pictures, not sound",
        mpd(
            '<AdaptationSet mimeType="audio/mp4"><Representation id="s" bandwidth="9"/></AdaptationSet>'
            + video(NUMBERED, attributes="", rep='mimeType="video/mp4"')
        ),
        ("i-v1.mp4", ["001.m4s", "003.m4s", "005.m4s"], 5),
    ),
    (
        "the highest, not the thumbnails",
        mpd(
            '<AdaptationSet contentType="video">'
            + NUMBERED
            + '<Representation id="lo" bandwidth="9" height="360"/>'
            + '<Representation id="hi" bandwidth="8" height="720"/>'
            + "</AdaptationSet>"
            + video(
                NUMBERED,
                rep='height="4000"',
                protection='<EssentialProperty schemeIdUri="http://dashif.org/guidelines/trickmode"/>',
            )
        ),
        ("i-hi.mp4", ["001.m4s", "003.m4s", "005.m4s"], 5),
    ),
    (
        "what is not protected",
        mpd(
            video(NUMBERED, rep='height="1080"', protection='<ContentProtection schemeIdUri="urn:x"/>')
            + video(NUMBERED.replace("i-", "clear-"))
        ),
        ("clear-v1.mp4", ["001.m4s", "003.m4s", "005.m4s"], 5),
    ),
    (
        "the longest period",
        mpd(video(NUMBERED), period='duration="PT4S"').replace(
            "</MPD>", f'<Period duration="PT1M">{video(NUMBERED.replace("i-", "film-"))}</Period></MPD>'
        ),
        ("film-v1.mp4", ["001.m4s", "008.m4s", "015.m4s"], 15),
    ),
    (
        "live, by the clock",
        mpd(
            video(NUMBERED),
            attributes='availabilityStartTime="2023-11-14T22:12:20Z"',  # a minute before NOW
        ).replace('type="static"', 'type="dynamic"'),
        ("i-v1.mp4", ["011.m4s", "012.m4s", "013.m4s"], 3),
    ),
    (
        "prefixed names",
        '<d:MPD xmlns:d="urn:mpeg:dash:schema:mpd:2011"><d:Period><d:AdaptationSet contentType="video">'
        '<d:Representation id="v1" bandwidth="1"><d:BaseURL>v.mp4</d:BaseURL></d:Representation>'
        "</d:AdaptationSet></d:Period></d:MPD>",
        "https://cdn.example/a/v.mp4",
    ),
]


@pytest.mark.parametrize(("text", "picked"), [case[1:] for case in DASH], ids=[case[0] for case in DASH])
def test_segments_are_picked_from_a_manifest(text: str, picked: Any) -> None:
    assert sniff(text.encode()) is Kind.DASH
    assert described(read_dash(text.encode(), AT, 3, NOW)) == picked


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE MPD [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><MPD><Period id='&i;'/></MPD>"
)
FILE_ENTITY = '<!DOCTYPE MPD [<!ENTITY x SYSTEM "file:///etc/passwd">]><MPD><BaseURL>&x;</BaseURL></MPD>'


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (
            mpd(video(NUMBERED, protection='<ContentProtection schemeIdUri="urn:x"/>')),
            "protected",
            "is protected",
        ),
        (
            mpd(video('<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011"/>' + NUMBERED)),
            "protected",
            "is protected",
        ),
        (BOMB, "unsupported", "document type"),
        (FILE_ENTITY, "unsupported", "document type"),
        ("<MPD>" + "<a>" * 100 + "</a>" * 100 + "</MPD>", "unsupported", "not put together"),
        ("<MPD>" + "<a/>" * 60_000 + "</MPD>", "too_large", "longer than"),
        ("<MPD/>", "unsupported", "without any video"),
        ("<MPD", "unsupported", "not put together"),
        ("<MPD>&nope;</MPD>", "unsupported", "not put together"),
        (mpd("<AdaptationSet mimeType='audio/mp4'/>"), "unsupported", "only sound"),
        (mpd('<AdaptationSet contentType="video"/>'), "unsupported", "without any video"),
        (mpd(video("<SegmentTemplate/>")), "unsupported", "not put together"),
        (mpd(video('<SegmentTemplate media="x"/>')), "unsupported", "without any video"),
        (mpd(video('<SegmentTemplate media="x" duration="0"/>')), "unsupported", "without any video"),
        (
            mpd(video('<SegmentTemplate media="x" duration="1" endNumber="-5"/>')),
            "unsupported",
            "without any video",
        ),
        (mpd(video("<SegmentList/>")), "unsupported", "without any video"),
        (mpd(video(timeline('d="0"'))), "unsupported", "not put together"),
        (mpd(video(timeline('d="x"'))), "unsupported", "not put together"),
        (mpd(video(timeline(f'd="{"9" * 5000}"'))), "unsupported", "not put together"),
        (mpd(video(timeline(f'd="1" r="{"9" * 400}"'))), "unsupported", "not put together"),
        (
            mpd(video('<SegmentList><SegmentURL media="a" mediaRange="9-5"/></SegmentList>')),
            "unsupported",
            "not put together",
        ),
        (mpd(video(NUMBERED)).replace("static", "dynamic"), "unsupported", "not put together"),
        (mpd(video("<BaseURL>file:///etc/passwd</BaseURL>")), "bad_url", "not file"),
        (mpd(video('<SegmentTemplate media="file:///x" duration="1"/>')), "bad_url", "not file"),
        (mpd(video(NUMBERED), base="<BaseURL>http://u:p@o.example/</BaseURL>"), "bad_url", "never sent"),
    ],
)
def test_a_manifest_that_cannot_be_used_says_why(text: str, code: str, words: str) -> None:
    with pytest.raises(IntakeError) as problem:
        read_dash(text.encode(), AT, 3, NOW)
    assert (problem.value.code, words in str(problem.value)) == (code, True), str(problem.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT4S", 4),
        ("PT0H1M52.43S", 112.43),
        ("P1DT1H", 90_000),
        ("PT", 0),
        ("4S", None),
        ("", None),
        (None, None),
        ("PT-4S", None),
    ],
)
def test_durations(text: str | None, expected: float | None) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("total", "count", "places"),
    [(0, 3, ()), (1, 3, (0,)), (3, 3, (0, 1, 2)), (4, 3, (0, 2, 3)), (100, 3, (0, 50, 99)), (9, 1, (0,))],
)
def test_what_is_picked_is_spread_over_the_whole(total: int, count: int, places: tuple[int, ...]) -> None:
    assert spread_over(range(total), count) == places


def test_of_equal_heights_the_better_rate_is_taken() -> None:
    assert best_within([(720, 1), (720, 3), (720, 2)]) == 1
