"""Declared labels: real files, every place a label belongs, and what only looks like one."""

# ruff: noqa: E501 - one file a line reads better

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import containers as c
import streams as s
from labelled import aigc, labels, loud, summary
from touchstone.examiners.labels.rules import RULES
from touchstone.media.container import NotMedia
from touchstone.media.probe import read_container
from touchstone.verdict import Label, Supports, weigh

KLING = ("ai", "stated", "Kling")
DOUBAO_CODE = "001191110102MACQD9K64010000"
TC260 = c.xmp([(c.TC260, "AIGC", aigc())])
WRAPPED = json.dumps({"AIGC": json.loads(aigc())})

# --- the AIGC label, in every container ------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(c.mp4(udta=c.mdta({"AIGC": aigc()})), id="mp4"),
        pytest.param(c.mp4(udta=c.mdta({"AIGC": aigc()}), media_first=True), id="mp4, index last"),
        pytest.param(c.mp4(udta=c.mdta({"AIGC": aigc()}), brand=b"qt  "), id="mov"),
        pytest.param(c.mp4(udta=c.mdta({"AIGC": aigc()}), brand=b"M4V "), id="m4v"),
        pytest.param(c.mp4(udta=c.mdta({"encoder": "x", "AIGC": aigc()}, quicktime=True), brand=b"qt  "), id="QuickTime's meta"),
        pytest.param(c.mp4(moov=c.mdta({"AIGC": aigc()})), id="meta under moov"),
        pytest.param(c.mp4(moov=c.mdir({b"\0\0\0\1": aigc()}, quicktime=True), brand=b"qt  "), id="keyless list (Doubao on iOS)"),
        pytest.param(c.mp4(moov=c.mdir({b"desc": WRAPPED}, quicktime=True), brand=b"qt  "), id="keyless list, wrapped"),
        pytest.param(c.mp4(udta=c.freeform("AIGC", aigc())), id="freeform item"),
        pytest.param(c.mp4(top=c.box(b"uuid", c.XMP_UUID, TC260)), id="XMP in mp4"),
        pytest.param(c.fragmented(udta=c.mdta({"AIGC": aigc()})), id="fragmented"),
        pytest.param(s.mkv(tags={"AIGC": aigc()}), id="mkv"),
        pytest.param(s.mkv(tags={"AIGC": aigc()}, doc_type="webm", codec="V_VP9"), id="webm"),
        pytest.param(s.avi(info={b"AIGC": aigc()}), id="avi"),
        pytest.param(s.avi(xmp=TC260), id="XMP in avi"),
        pytest.param(s.flv(meta={"AIGC": aigc()}), id="flv"),
        pytest.param(s.flv(xmp=TC260), id="XMP in flv"),
        pytest.param(s.ogg({"AIGC": aigc()}), id="ogg"),
        pytest.param(c.png(c.png_text("AIGC", aigc())), id="png text"),
        pytest.param(c.png(c.png_text("AIGC", WRAPPED, "iTXt")), id="png text, wrapped"),
        pytest.param(c.png(c.png_text("XML:com.adobe.xmp", TC260.decode(), "iTXt")), id="XMP in png"),
        pytest.param(c.jpeg(c.jpeg_xmp(TC260)), id="XMP in jpeg"),
        pytest.param(c.jpeg(c.jpeg_xmp(c.xmp([(c.TC260, "AIGC", aigc())], attributes=True, prefix="TC260"))), id="XMP attribute"),
        pytest.param(c.jpeg(c.jpeg_xmp(c.xmp([(c.TC260, "AIGC", aigc().replace('"', "&quot;"))]))), id="XMP, escaped twice"),
        pytest.param(c.jpeg(c.jpeg_exif({0x9286: WRAPPED})), id="UserComment in jpeg"),
        pytest.param(c.jpeg(c.jpeg_segment(0xEB, b"AIGC" + aigc().encode())), id="bare APP segment"),
        pytest.param(c.webp(c.chunk(b"XMP ", TC260)), id="XMP in webp"),
        pytest.param(c.webp(c.chunk(b"EXIF", c.exif({0x9286: WRAPPED}))), id="UserComment in webp"),
        pytest.param(c.gif(packet=TC260), id="XMP in gif"),
        pytest.param(c.heif(items={(b"mime", b"application/rdf+xml"): TC260}), id="XMP in avif"),
        pytest.param(c.exif({0x02BC: TC260}), id="XMP in tiff"),
        pytest.param(c.mp4(udta=c.mdta({"AIGC": "\ufeff" + aigc() + "\0"})), id="byte-order mark and NUL"),
        pytest.param(c.mp4(udta=c.mdta({"AIGC": aigc(1)})), id="Label as a number"),
    ],
)  # fmt: skip
def test_the_aigc_label_in_every_place_it_belongs(data: bytes) -> None:
    assert summary(data) == [KLING]


@pytest.mark.parametrize(
    ("value", "certainty", "generator"),
    [
        (aigc("1"), "stated", "Kling"),
        (aigc("2"), "possible", "Kling"),
        (aigc("3"), "suspected", "Kling"),
        (aigc(producer=DOUBAO_CODE), "stated", "Doubao"),
        (aigc(producer="00119144030008867405X210001"), "stated", "Jimeng"),
        (aigc(producer="001191110108MACC4D63XF00000"), "stated", "Vidu"),
        (aigc(producer="001191330106MA2CFLDG4R00001"), "stated", "Wan (Tongyi)"),
        (aigc(producer="MiniMax"), "stated", "Hailuo (MiniMax)"),
        (aigc(producer="kling"), "stated", "Kling"),
        (aigc(producer="不认识的公司"), "stated", None),
        (aigc(producer="001191110102MACQD9K64"), "stated", None),  # cut off: no whole code
        (aigc(producer="x" + DOUBAO_CODE), "stated", None),
        (aigc(producer="not doubao at all"), "stated", None),
        (aigc(producer=None, ProduceID=None), "stated", None),
        (aigc(producer="", ProduceID="KLingMuse_00000000-0000-0000-0000-000000000000"), "stated", "Kling"),
        (aigc(producer="", ProduceID="SGP_PROD_ai_web_257731200123456"), "stated", "Kling"),
        (aigc(producer="", ContentPropagator=DOUBAO_CODE), "stated", None),  # who spreads it did not make it
        ('{"Label":"1"}', "stated", None),
    ],
)
def test_what_an_aigc_label_says(value: str, certainty: str, generator: str | None) -> None:
    assert summary(c.mp4(udta=c.mdta({"AIGC": value}))) == [("ai", certainty, generator)]


def test_the_weaker_labels_are_worded_more_softly() -> None:
    said = [labels(c.mp4(udta=c.mdta({"AIGC": aigc(n)})))[0].finding for n in "123"]
    assert "was made by AI" in said[0]
    assert "possibly" in said[1]
    assert "suspects" in said[2]
    assert all("AIGC label" in text and "says" in text for text in said)


@pytest.mark.parametrize(
    "value",
    [
        aigc()[:60],
        "yes",
        "[]",
        "{}",
        '"1"',
        aigc(None),
        aigc(""),
        aigc("4"),
        aigc(True),
        aigc(["1"]),
        '{"Label":' * 5000,
        '{"Label":' + "[" * 100_000,
        '{"Label":' + "1" * 10_000 + "}",
    ],
)
def test_a_label_that_cannot_be_read_says_so_and_nothing_else(value: str) -> None:
    found = labels(c.mp4(udta=c.mdta({"AIGC": value})))
    assert [(e.supports, e.details["unreadable"]) for e in found] == [(Supports.NEITHER, True)]
    assert "can't be read" in found[0].finding
    assert weigh(found, ["labels"], {}).label is Label.NO_SIGNS


# --- the other labels ------------------------------------------------------------------------------

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def with_source(value: str, *more: tuple[str, str, str]) -> bytes:
    return c.mp4(top=c.box(b"uuid", c.XMP_UUID, c.xmp([(c.IPTC_EXT, "DigitalSourceType", value), *more])))


def with_xmp(*properties: tuple[str, str, str]) -> bytes:
    return c.jpeg(c.jpeg_xmp(c.xmp(properties)))


@pytest.mark.parametrize(
    ("value", "supports", "camera"),
    [
        (SOURCE + "trainedAlgorithmicMedia", "ai", False),
        ("https" + SOURCE[4:] + "trainedAlgorithmicMedia", "ai", False),
        (SOURCE + "trainedAlgorithmicMedia/", "ai", False),
        ("trainedAlgorithmicMedia", "ai", False),
        ("digsrctype:trainedAlgorithmicMedia", "ai", False),
        ("http://c2pa.org/digitalsourcetype/trainedAlgorithmicData", "ai", False),
        (SOURCE + "compositeWithTrainedAlgorithmicMedia", "edited", False),
        ("compositeSynthetic", "edited", False),
        (SOURCE + "digitalCapture", "neither", True),
        ("digsrctype:computationalCapture", "neither", True),
        (SOURCE + "negativeFilm", "neither", True),
        (SOURCE + "algorithmicMedia", "neither", False),
        (SOURCE + "screenCapture", "neither", False),
        (SOURCE + "digitalCreation", "neither", False),
        ("http://example.org/trainedAlgorithmicMedia", "neither", False),
        ("not trainedAlgorithmicMedia", "neither", False),
    ],
)
def test_iptc_digital_source_type(value: str, supports: str, camera: bool) -> None:
    (found,) = labels(with_source(value))
    assert (found.supports.value, found.details.get("claims_camera", False)) == (supports, camera)


A1111 = "a cat\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Model hash: abcdef1234, Version: v1.10.1"
GROK = {0x010E: "Signature: " + "QUJD" * 40 + "==", 0x013B: "4800156b-8880-4786-9056-7ca3da449d8c"}
JOB = "a cat --ar 4:3 --v 5.2 Job ID: 2b6e053b-9a65-4ca9-9e13-b6f4465164d4"
SWARM = json.dumps({"sui_image_params": {"prompt": "a cat", "model": "x", "seed": 1}})
FOOOCUS = json.dumps({"base_model": "x", "sampler": "y", "seed": 1, "steps": 30, "prompt": "a cat"})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(c.mp4(udta=c.mdta({"aigc_info": '{"aigc_label_type":1}'})), ("ai", None), id="TikTok, creator"),
        pytest.param(c.mp4(udta=c.mdta({"aigc_info": '{"aigc_label_type":2}'})), ("ai", None), id="TikTok, platform"),
        pytest.param(c.mp4(udta=c.mdta({"aigc_info": '{"aigc_label_type":"2"}'})), ("ai", None), id="TikTok, text"),
        pytest.param(s.mkv(tags={"AIGC_INFO": '{"aigc_label_type":2}'}), ("ai", None), id="TikTok, copied to mkv"),
        pytest.param(c.mp4(frame=c.KLING_FRAME), ("ai", "Kling"), id="Kling's SEI"),
        pytest.param(s.mkv(frame=c.KLING_FRAME), ("ai", "Kling"), id="Kling's SEI, copied to mkv"),
        pytest.param(c.fragmented(frame=c.KLING_FRAME), ("ai", "Kling"), id="Kling's SEI, fragmented"),
        pytest.param(with_xmp((c.IPTC_EXT, "AISystemUsed", "Imagen 4")), ("ai", "Imagen 4"), id="IPTC AI system"),
        pytest.param(with_xmp((c.IPTC_EXT, "AIPromptInformation", "a cat")), ("ai", None), id="IPTC prompt"),
        pytest.param(with_xmp((c.PHOTOSHOP, "Credit", "Made with Google AI")), ("ai", "Google AI"), id="credit in XMP"),
        pytest.param(c.jpeg(c.jpeg_segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x18\x1c\x02\x6e\0\x13Made with Google AI")), ("ai", "Google AI"), id="credit in IIM"),
        pytest.param(c.jpeg(c.jpeg_exif(GROK)), ("ai", "Grok (xAI)"), id="Grok"),
        pytest.param(c.jpeg(c.jpeg_exif({0x0131: "AI generated;txt2img;flux", 0x010F: "A camera"})), ("ai", "FLUX (Black Forest Labs)"), id="FLUX"),
        pytest.param(c.jpeg(c.jpeg_exif({0x010F: "Ideogram AI"})), ("ai", "Ideogram"), id="Ideogram"),
        pytest.param(c.png(c.png_text("Source", "Luma AI")), ("ai", "Luma"), id="Luma"),
        pytest.param(c.png(c.png_text("Software", "NovelAI")), ("ai", "NovelAI"), id="NovelAI"),
        pytest.param(c.png(c.png_text("Description", JOB)), ("ai", "Midjourney"), id="Midjourney"),
        pytest.param(with_xmp((c.XAP, "CreatorTool", "Kling AI 3.0 (Kuaishou)")), ("ai", "Kling"), id="creator tool"),
        pytest.param(c.png(c.png_text("parameters", A1111)), ("ai", "Stable Diffusion WebUI"), id="A1111, png"),
        pytest.param(c.mp4(udta=c.mdir({b"\xa9cmt": A1111})), ("ai", "Stable Diffusion WebUI"), id="A1111, mp4"),
        pytest.param(c.jpeg(c.jpeg_exif({0x9286: b"UNICODE\0" + A1111.encode("utf-16-be")})), ("ai", "Stable Diffusion WebUI"), id="A1111, jpeg"),
        pytest.param(c.png(c.png_text("parameters", A1111.replace("v1.10.1", "f2.0.1v1.10"))), ("ai", "Stable Diffusion WebUI Forge"), id="Forge"),
        pytest.param(c.png(c.png_text("parameters", SWARM)), ("ai", "SwarmUI"), id="SwarmUI"),
        pytest.param(c.png(c.png_text("parameters", FOOOCUS)), ("ai", "Fooocus"), id="Fooocus"),
        pytest.param(c.png(c.png_text("invokeai_metadata", '{"generation_mode":"txt2img","seed":1}')), ("ai", "InvokeAI"), id="InvokeAI, png"),
        pytest.param(c.mp4(udta=c.mdta({"invokeai_metadata": '{"positive_prompt":"a cat"}'})), ("ai", "InvokeAI"), id="InvokeAI, mp4"),
        pytest.param(c.png(c.png_text("invokeai_metadata", '{"generation_mode":"inpaint"}')), ("edited", "InvokeAI"), id="InvokeAI, part of it"),
        pytest.param(c.png(c.png_text("invokeai_graph", '{"nodes":{"a":{"type":"flux_denoise"}}}')), ("ai", "InvokeAI"), id="InvokeAI, graph"),
        pytest.param(c.png(c.png_text("Dream", '"a cat" -s 50 -S 123 -W 512 -H 512 -C 7.5 -A k_lms')), ("ai", "InvokeAI"), id="InvokeAI 1"),
    ],
)  # fmt: skip
def test_the_other_labels(data: bytes, expected: tuple[str, str | None]) -> None:
    assert [(e.supports.value, e.details.get("generator")) for e in labels(data)] == [expected]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(c.mp4(), id="nothing"),
        pytest.param(c.mp4(udta=c.mdir({b"\xa9too": "Lavf60.16.100"})), id="an encoder, as most research code leaves"),
        pytest.param(c.mp4(udta=c.mdir({b"\xa9too": "Google"})), id="Google's encoder"),
        pytest.param(c.mp4(udta=c.mdta({"comment": "A talk about AIGC and the Label law"})), id="a comment about AIGC"),
        pytest.param(c.mp4(udta=c.mdir({b"\xa9cmt": "AIGC=" + aigc()})), id="a label within a comment"),
        pytest.param(c.mp4(udta=c.mdta({"comment": aigc()})), id="a label as comment"),
        pytest.param(c.mp4(udta=c.mdta({"AIGC_note": aigc()})), id="a key that only begins so"),
        pytest.param(c.mp4(udta=c.mdir({b"\xa9cmt": '{"Label":"1"}'})), id="keyless, with nothing but Label"),
        pytest.param(c.mp4(udta=c.mdir({b"\xa9nam": "Made with AI"})), id="a title"),
        pytest.param(s.mkv(tags={"COMMENT": "AIGC " + aigc()}), id="a comment in mkv"),
        pytest.param(s.avi(info={b"ICMT": aigc()}), id="a comment in avi"),
        pytest.param(c.jpeg(c.jpeg_exif({0x9286: "see AIGC " + aigc()})), id="UserComment that mentions one"),
        pytest.param(c.jpeg(c.jpeg_xmp(c.xmp([("http://example.org/AIGC/", "AIGC", aigc())]))), id="another namespace"),
        pytest.param(c.jpeg(c.jpeg_xmp(c.xmp([("http://example.org/", "DigitalSourceType", SOURCE + "trainedAlgorithmicMedia")]))), id="another namespace's source type"),
        pytest.param(with_xmp(("http://purl.org/dc/elements/1.1/", "description", SOURCE + "trainedAlgorithmicMedia")), id="a description with the term"),
        pytest.param(with_xmp((c.PHOTOSHOP, "Credit", "Not Made with Google AI, promised")), id="a credit that denies it"),
        pytest.param(with_xmp((c.IPTC_EXT, "AISystemUsed", " ")), id="an empty AI system"),
        pytest.param(with_xmp((c.XAP, "CreatorTool", "Adobe Photoshop 26.0")), id="an editor"),
        pytest.param(with_xmp((c.XAP, "CreatorTool", "A review of Midjourney")), id="a tool that mentions a generator"),
        pytest.param(c.mp4(udta=c.mdta({"aigc_info": '{"aigc_label_type":0}'})), id="TikTok, no label"),
        pytest.param(c.mp4(udta=c.mdta({"aigc_info": '{"aigc_label_type":9}'})), id="TikTok, unknown label"),
        pytest.param(c.mp4(udta=c.mdta({"aigc_info": "{"})), id="TikTok, broken"),
        pytest.param(c.mp4(udta=c.mdir({b"\xa9inf": "About this video"})), id="information that is none of TikTok's"),
        pytest.param(c.mp4(frame=c.prefixed(c.sei(c.KLING_UUID, b"something else\0"), c.SLICE)), id="Kling's UUID, other text"),
        pytest.param(c.mp4(frame=c.prefixed(c.sei(bytes(16), b"kling-ai\0"), c.SLICE)), id="another UUID"),
        pytest.param(c.mp4(frame=c.prefixed(b"\x06\x04\x19" + c.KLING_UUID + b"kling-ai\0\x80", c.SLICE)), id="another SEI type"),
        pytest.param(c.mp4(udta=c.mdta({"comment": c.KLING_UUID.hex() + " kling-ai"})), id="Kling's mark as text"),
        pytest.param(c.mp4(udta=c.mdta({"prompt": '{"a":1}'})), id="a prompt that is no graph"),
        pytest.param(c.mp4(udta=c.mdta({"prompt": "a cat on a roof"})), id="a prompt that is a sentence"),
        pytest.param(c.mp4(udta=c.mdta({"prompt": "[" * 100_000})), id="a prompt of brackets"),
        pytest.param(c.mp4(udta=c.mdta({"workflow": '{"nodes": [{"id": [], "type": "x", "inputs": 5}]}'}))[:-1], id="a workflow of wrong types"),
        pytest.param(c.png(c.png_text("parameters", "Postprocess upscale by: 4, Postprocess upscaler: R-ESRGAN")), id="only enlarged"),
        pytest.param(c.png(c.png_text("Comment", "Steps: first, Sampler: a tool. Seed: plants.")), id="words of a recipe"),
        pytest.param(c.png(c.png_text("Description", "Job ID: 17")), id="another job"),
        pytest.param(c.png(c.png_text("hf-job-id", "2b6e053b")), id="a job on Hugging Face"),
        pytest.param(c.png(c.png_text("invokeai_graph", '{"nodes":{"a":{"type":"img_resize"}}}')), id="InvokeAI that only resizes"),
        pytest.param(c.png(c.png_text("invokeai_metadata", "null")), id="InvokeAI, nothing"),
        pytest.param(c.jpeg(c.jpeg_exif({0x010E: GROK[0x010E]})), id="a signature without an artist"),
        pytest.param(c.jpeg(c.jpeg_exif({0x010E: GROK[0x010E], 0x013B: "Ada Lovelace"})), id="a signature by a person"),
        pytest.param(c.jpeg(c.jpeg_exif({0x013B: GROK[0x013B]})), id="an artist without a signature"),
        pytest.param(c.jpeg(c.jpeg_exif({0x0131: "Removes AI generated backgrounds"})), id="software about AI"),
        pytest.param(c.jpeg(c.jpeg_exif({0x010F: "Canon", 0x0110: "EOS R5", 0x0131: "Lightroom"})), id="a camera"),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_label_is_quiet(data: bytes) -> None:
    assert loud(data) == []


def test_contradicting_labels_are_both_reported() -> None:
    both = c.xmp([(c.IPTC_EXT, "DigitalSourceType", "digitalCapture")])
    data = c.mp4(
        udta=c.mdta({"AIGC": aigc("1")}),
        moov=c.mdta({"AIGC": aigc("3", "doubao")}),
        top=c.box(b"uuid", c.XMP_UUID, both),
    )
    assert summary(data) == [KLING, ("ai", "suspected", "Doubao"), ("neither", None, None)]


def test_the_same_label_twice_is_reported_once() -> None:
    assert summary(c.mp4(udta=c.mdta({"AIGC": aigc()}), moov=c.mdta({"AIGC": aigc()}))) == [KLING]


def test_a_partly_synthetic_source_type_governs_what_stands_beside_it() -> None:
    data = with_source("compositeWithTrainedAlgorithmicMedia", (c.PHOTOSHOP, "Credit", "Made with Google AI"))
    assert summary(data) == [("edited", "stated", "Google AI")] * 2


@pytest.mark.parametrize(
    ("more", "generator"),
    [
        ((c.IPTC_EXT, "AISystemUsed", "Veo 3"), "Veo 3"),
        ((c.PHOTOSHOP, "Credit", "Made with Google AI"), "Google AI"),
        ((c.XAP, "CreatorTool", "Midjourney v7"), "Midjourney"),
        ((c.XAP, "CreatorTool", "Adobe Premiere Pro"), None),
    ],
)
def test_a_source_type_takes_its_generator_from_what_stands_beside_it(
    more: tuple[str, str, str], generator: str | None
) -> None:
    assert summary(with_source("trainedAlgorithmicMedia", more))[0] == ("ai", "stated", generator)


def test_kling_is_found_in_a_stream_whose_segments_are_files_of_their_own() -> None:
    init = c.fragmented()
    init = init[: init.index(b"moof") - 4]
    assert summary(init, c.fragmented(frame=c.KLING_FRAME, init=False)) == [("ai", "stated", "Kling")]


def test_a_declared_label_makes_a_declared_verdict() -> None:
    verdict = weigh(labels(c.mp4(udta=c.mdta({"AIGC": aigc("2")}))), ["labels"], {})
    assert (verdict.label, verdict.basis.value, verdict.strength.value, verdict.generator) == (
        Label.AI_GENERATED,
        "declared",
        "limited",
        "Kling",
    )
    assert verdict.headline == "Possibly AI-generated, according to its AIGC label"


def test_a_very_long_value_is_trimmed() -> None:
    assert len(labels(c.png(c.png_text("parameters", A1111 + "x" * 5000)))[0].details["value"]) == 500


def test_every_rule_is_documented(repository: Path) -> None:
    page = (repository / "docs" / "labels.md").read_text(encoding="utf-8")
    assert [rule.name for rule in RULES if f"| `{rule.name}` |" not in page] == []


# --- real files ------------------------------------------------------------------------------------

# Rows of expected.csv that the bytes contradict, and how.
NOTHING_IN_IT = {
    "comfy/comfyex_pose_worship.png": "its chunks are IHDR, IDAT, IDAT, IEND: it carries no metadata at all"
}


@pytest.mark.corpus
def test_the_marked_files_of_the_corpus(corpus_marks: Path) -> None:
    rows = {
        row["file"]: row
        for row in csv.DictReader((corpus_marks / "expected.csv").open(encoding="utf-8"))
        if row["examiner"] == "labels"
    }
    listed = {row["file"] for row in csv.DictReader((corpus_marks / "manifest.csv").open(encoding="utf-8"))}
    wrong = []
    for name in sorted(listed | rows.keys()):
        if name.startswith("trust/"):
            continue
        try:
            found = labels((corpus_marks / name).read_bytes())
        except NotMedia:
            found = []
        row = rows.get(name)
        spoken = [e for e in found if e.supports is not Supports.NEITHER]
        if row is None or row["supports"] == "neither":
            agrees = not spoken and (row is None or bool(found))
        else:
            hits = [e for e in spoken if e.supports.value == row["supports"]]
            agrees = any(
                row["names"].casefold() in (e.finding + json.dumps(e.details)).casefold() for e in hits
            )
        if not agrees:
            wrong.append(name)
    assert wrong == list(NOTHING_IN_IT)


@pytest.mark.corpus
@pytest.mark.parametrize("name", NOTHING_IN_IT)
def test_a_file_without_metadata_cannot_carry_a_label(corpus_marks: Path, name: str) -> None:
    with (corpus_marks / name).open("rb") as file:
        found = read_container(file, (corpus_marks / name).stat().st_size)
    assert (found.tags, found.problems) == ([], [])


@pytest.mark.corpus
def test_no_real_or_rendered_clip_of_the_corpus_is_called_ai(corpus: Path) -> None:
    spoken = []
    for row in csv.DictReader((corpus / "manifest.csv").open(encoding="utf-8")):
        if row["label"] != "generated":
            spoken += [(row["file"], finding) for finding in loud((corpus / row["file"]).read_bytes())]
    assert not spoken
