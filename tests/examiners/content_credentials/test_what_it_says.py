"""What manifests say of where a video came from: files that the tests sign, by a trusted signer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import c2pa
import pytest

from signing import Part, action, make_authority, make_signer, manifest
from touchstone.verdict import Supports
from workshop import Workshop, look, only

EDIT = c2pa.C2paBuilderIntent.EDIT
UPDATE = c2pa.C2paBuilderIntent.UPDATE
AI = manifest(action("c2pa.created", "trainedAlgorithmicMedia", softwareAgent={"name": "Sora"}))
CAMERA = manifest(action("c2pa.created", "digitalCapture"))

# One manifest on a new file: what it says -> what the evidence supports, and details.says.
CREATED: dict[str, tuple[dict[str, Any], Supports, str | None]] = {
    "generated": (AI, Supports.AI, "ai"),
    "generated, version 1": (
        manifest(action("c2pa.created", "trainedAlgorithmicMedia"), version=1),
        Supports.AI,
        "ai",
    ),
    "generated data": (
        manifest(action("c2pa.created", "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData")),
        Supports.AI,
        "ai",
    ),
    "bare name instead of a URI": (
        manifest(
            action("c2pa.created", "x", parameters={"com.adobe.digitalSourceType": "trainedAlgorithmicMedia"})
        ),
        Supports.NEITHER,
        None,
    ),
    "parameter of Adobe": (
        manifest(
            action(
                "c2pa.created",
                parameters={
                    "com.adobe.digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/"
                    "trainedAlgorithmicMedia"
                },
            ),
            version=1,
        ),
        Supports.AI,
        "ai",
    ),
    "opened from another company's model": (
        manifest(
            action(
                "c2pa.opened",
                parameters={
                    "com.adobe.type": "remoteProvider.3rdParty",
                    "com.adobe.details": "Gemini 2.5",
                    "com.adobe.digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/"
                    "trainedAlgorithmicMedia",
                },
            ),
            version=1,
        ),
        Supports.AI,
        "ai",
    ),
    "metadata in a graph": (
        manifest(
            action("c2pa.created", "http://c2pa.org/digitalsourcetype/empty"),
            assertions=[
                {
                    "label": "cawg.metadata",
                    "kind": "Json",
                    "data": {
                        "@context": {"Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"},
                        "@graph": [
                            {"Iptc4xmpExt:DigitalSourceType": {"@id": "digsrctype:trainedAlgorithmicMedia"}}
                        ],
                    },
                }
            ],
        ),
        Supports.AI,
        "ai",
    ),
    "composite with generated parts": (
        manifest(action("c2pa.created", "compositeWithTrainedAlgorithmicMedia")),
        Supports.EDITED,
        "edited",
    ),
    "composite with synthetic parts": (
        manifest(action("c2pa.created", "compositeSynthetic")),
        Supports.EDITED,
        "edited",
    ),
    "camera": (CAMERA, Supports.CAMERA, "camera"),
    "computational camera": (
        manifest(action("c2pa.created", "computationalCapture")),
        Supports.CAMERA,
        "camera",
    ),
    "screen": (manifest(action("c2pa.created", "screenCapture")), Supports.NEITHER, "screen"),
    "procedural": (manifest(action("c2pa.created", "algorithmicMedia")), Supports.NEITHER, "other"),
    "blank": (
        manifest(action("c2pa.created", "http://c2pa.org/digitalsourcetype/empty")),
        Supports.NEITHER,
        "empty",
    ),
    "blank, then filled by AI": (
        manifest(
            action("c2pa.created", "http://c2pa.org/digitalsourcetype/empty"),
            action("c2pa.edited", "trainedAlgorithmicMedia"),
        ),
        Supports.AI,
        "ai",
    ),
    "camera, then in part repainted by AI": (
        manifest(action("c2pa.created", "digitalCapture"), action("c2pa.edited", "trainedAlgorithmicMedia")),
        Supports.EDITED,
        "edited",
    ),
    "camera, then a file converted by a generator's maker": (
        manifest(
            action("c2pa.created", "digitalCapture"),
            action("c2pa.converted", "trainedAlgorithmicMedia"),
        ),
        Supports.CAMERA,
        "camera",
    ),
    "camera, then drawn over": (
        manifest(action("c2pa.created", "digitalCapture"), action("c2pa.drawing", "digitalArt")),
        Supports.NEITHER,
        "other",
    ),
    "camera, then corrected by hand": (
        manifest(action("c2pa.created", "digitalCapture"), action("c2pa.adjustedColor", "humanEdits")),
        Supports.CAMERA,
        "camera",
    ),
    "Microsoft's words, no source type": (
        manifest(
            action(
                "c2pa.created", description="AI Generated Image", softwareAgent="Image Creator from Designer"
            ),
            version=1,
        ),
        Supports.AI,
        "ai",
    ),
    "Google's words, no source type": (
        manifest(action("c2pa.created", description="Created by Google Generative AI."), version=1),
        Supports.AI,
        "ai",
    ),
    "words that only mention AI": (
        manifest(action("c2pa.created", description="No AI generated image was used"), version=1),
        Supports.NEITHER,
        None,
    ),
    "a program that only generates, no source type": (
        manifest(action("c2pa.created"), generator="Dreamina/1.2.0", version=1),
        Supports.AI,
        "ai",
    ),
    "an editor of the same company, no source type": (
        manifest(action("c2pa.created"), generator="CapCut/9.0", version=1),
        Supports.NEITHER,
        None,
    ),
    "Black Forest Labs' assertion": (
        manifest(
            action("c2pa.created", "http://c2pa.org/digitalsourcetype/empty"),
            assertions=[
                {"label": "c2pa.ai_generated_content", "data": {"ai_generated": True, "model": "Flux.2"}}
            ],
        ),
        Supports.AI,
        "ai",
    ),
    "that assertion denying it": (
        manifest(
            action("c2pa.created", "digitalCreation"),
            assertions=[{"label": "c2pa.ai_generated_content", "data": {"ai_generated": False}}],
        ),
        Supports.NEITHER,
        "other",
    ),
    "IPTC metadata": (
        manifest(
            assertions=[
                {
                    "label": "stds.iptc",
                    "kind": "Json",
                    "data": {
                        "@context": {"Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"},
                        "Iptc4xmpExt:DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/"
                        "trainedAlgorithmicMedia",
                    },
                }
            ],
            version=1,
        ),
        Supports.AI,
        "ai",
    ),
    "camera of before source types": (
        manifest(
            assertions=[
                {
                    "label": "stds.exif",
                    "kind": "Json",
                    "data": {
                        "tiff:Make": "NIKON CORPORATION",
                        "exif:ExposureTime": "1/80",
                        "exif:FNumber": "4",
                    },
                }
            ],
            version=1,
        ),
        Supports.CAMERA,
        "camera",
    ),
}


@pytest.mark.parametrize("name", CREATED)
def test_a_new_file(workshop: Workshop, name: str) -> None:
    definition, supports, says = CREATED[name]
    evidence = only(look(workshop.signed(definition), workshop.trust))
    assert (evidence.supports, evidence.details.get("says")) == (supports, says)
    if evidence.details["integrity"] == "intact":
        assert evidence.verified is (supports is not Supports.NEITHER)


def placed(part: str) -> dict[str, Any]:
    return action("c2pa.placed", parameters={"ingredientIds": [part]})


# A file made from another: first manifest, second, that of a part that is put in, intent -> supports.
Chain = tuple[dict[str, Any] | None, dict[str, Any], dict[str, Any] | None, c2pa.C2paBuilderIntent, Supports]
CHAINS: dict[str, Chain] = {
    "AI, opened": (AI, manifest(), None, EDIT, Supports.AI),
    "AI, transcoded": (
        AI,
        manifest(action("c2pa.transcoded", "algorithmicallyEnhanced")),
        None,
        EDIT,
        Supports.AI,
    ),
    "AI, edited by hand": (AI, manifest(action("c2pa.adjustedColor", "humanEdits")), None, EDIT, Supports.AI),
    "AI, opened as if it were a recording": (
        AI,
        manifest(action("c2pa.adjustedColor", "digitalCapture")),
        None,
        EDIT,
        Supports.AI,
    ),
    "AI, update manifest": (AI, manifest(), None, UPDATE, Supports.AI),
    "camera, opened": (CAMERA, manifest(), None, EDIT, Supports.CAMERA),
    "camera, update manifest": (CAMERA, manifest(), None, UPDATE, Supports.CAMERA),
    "camera, repainted by AI": (
        CAMERA,
        manifest(action("c2pa.edited", "compositeWithTrainedAlgorithmicMedia")),
        None,
        EDIT,
        Supports.EDITED,
    ),
    "camera, an AI part put in": (CAMERA, manifest(placed("part")), AI, EDIT, Supports.EDITED),
    "camera, a camera's part put in": (CAMERA, manifest(placed("part")), CAMERA, EDIT, Supports.CAMERA),
    "unsigned, an AI part put in": (None, manifest(placed("part")), AI, EDIT, Supports.EDITED),
    "unsigned, opened": (None, manifest(), None, EDIT, Supports.NEITHER),
    "unsigned, repainted by AI": (
        None,
        manifest(action("c2pa.edited", "trainedAlgorithmicMedia")),
        None,
        EDIT,
        Supports.EDITED,
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_file_made_from_another(workshop: Workshop, name: str) -> None:
    first, second, part, intent, supports = CHAINS[name]
    source = workshop.signed(first) if first else workshop.plain
    parts = [Part(workshop.signed(part), "componentOf", data={"instance_id": "part"})] if part else []
    evidence = only(look(workshop.signed(second, source=source, parts=parts, intent=intent), workshop.trust))
    assert evidence.details["integrity"] == "intact", evidence.details
    assert (evidence.supports, evidence.verified) == (supports, supports is not Supports.NEITHER)


def only_parts(workshop: Workshop, *parts: dict[str, Any]) -> Supports:
    """What a new file says that is put together from parts alone."""
    blank = action("c2pa.created", "http://c2pa.org/digitalsourcetype/empty")
    put_in = [placed(f"part{number}") for number in range(len(parts))]
    taken = [
        Part(workshop.signed(part), "componentOf", data={"instance_id": f"part{number}"})
        for number, part in enumerate(parts)
    ]
    return only(look(workshop.signed(manifest(blank, *put_in), parts=taken), workshop.trust)).supports


@pytest.mark.parametrize(
    ("parts", "supports"),
    [
        ((AI,), Supports.AI),
        ((AI, AI), Supports.AI),
        ((AI, CAMERA), Supports.EDITED),
        ((CAMERA,), Supports.NEITHER),
    ],
)
def test_a_file_put_together_from_parts(
    workshop: Workshop, parts: tuple[dict[str, Any], ...], supports: Supports
) -> None:
    assert only_parts(workshop, *parts) is supports


def test_what_was_only_an_input_does_not_speak(workshop: Workshop) -> None:
    """A prompt picture that AI made is not in the video that it was shown to."""
    drawn = manifest(action("c2pa.created", "digitalCreation"))
    reference = Part(workshop.signed(AI), "inputTo")
    evidence = only(look(workshop.signed(drawn, parts=[reference]), workshop.trust))
    assert evidence.supports is Supports.NEITHER


def test_a_long_chain_of_transcodings_still_speaks(workshop: Workshop) -> None:
    """Google's chains were seen with thirty manifests."""
    path = workshop.signed(AI)
    for _ in range(6):
        path = workshop.signed(
            manifest(action("c2pa.transcoded", "algorithmicallyEnhanced")), source=path, intent=EDIT
        )
    evidence = only(look(path, workshop.trust))
    assert (evidence.supports, evidence.verified) == (Supports.AI, True)
    assert len(evidence.details["chain"]) == 7
    assert evidence.details["generator"] == "Sora"


Break = Callable[[bytes], bytes]


def flip_words(data: bytes) -> bytes:
    return data.replace(b"trainedAlgorithmicMedia", b"TRAINEDAlgorithmicMedia", 1)


def flip_media(data: bytes) -> bytes:
    return data[:-40] + bytes([data[-40] ^ 1]) + data[-39:]


@pytest.mark.parametrize("harm", [flip_words, flip_media], ids=["words", "media"])
def test_a_broken_ingredient_supplies_nothing(workshop: Workshop, harm: Break) -> None:
    broken = workshop.folder / f"broken-{harm.__name__}.mp4"
    broken.write_bytes(harm(workshop.signed(AI).read_bytes()))
    evidence = only(look(workshop.signed(manifest(), source=broken, intent=EDIT), workshop.trust))
    assert evidence.supports is Supports.NEITHER
    assert evidence.details["ignored_ingredients"]
    assert not evidence.details.get("tampered"), "the file itself is as it was signed"


def test_an_ingredient_that_is_altered_later_supplies_nothing(workshop: Workshop) -> None:
    path = workshop.signed(manifest(), source=workshop.signed(AI), intent=EDIT)
    altered = workshop.folder / "altered-inside.mp4"
    altered.write_bytes(flip_words(path.read_bytes()))
    assert only(look(altered, workshop.trust)).supports is Supports.NEITHER


def test_the_words_of_a_chain_count_no_more_than_its_weakest_signature(workshop: Workshop) -> None:
    stranger = make_signer(make_authority("Nobody", "Nobody Root"), "OpenAI", "Truepic Lens CLI in Sora")
    by_stranger = workshop.signed(manifest(), source=workshop.signed(AI), intent=EDIT, by=stranger)
    of_stranger = workshop.signed(manifest(), source=workshop.signed(AI, by=stranger), intent=EDIT)
    for path in (by_stranger, of_stranger):
        evidence = only(look(path, workshop.trust))
        assert (evidence.supports, evidence.verified) == (Supports.AI, False)
        assert evidence.details["certainty"] == "stated"


def test_soft_bindings_are_named_and_say_nothing_about_ai(workshop: Workshop) -> None:
    binding = {
        "label": "c2pa.soft-binding",
        "data": {"alg": "com.adobe.trustmark.P", "blocks": [{"scope": {}, "value": "AAAA"}]},
    }
    drawn = manifest(action("c2pa.created", "digitalCreation"), assertions=[binding])
    evidence = only(look(workshop.signed(drawn), workshop.trust))
    assert evidence.supports is Supports.NEITHER
    assert evidence.details["soft_bindings"] == ["com.adobe.trustmark.P"]
    (named,) = evidence.details["watermarks_named"]
    assert (named["title"], named["decoder"]) == ("TrustMark by Adobe", "open")
    assert "once imported as com.adobe.trustmark.P" in named["note"]


GENERATORS = [
    ("Sora", "Sora"),
    ("GPT-4o", "ChatGPT"),
    ("DALL·E", "DALL·E"),
    ("Adobe Firefly", "Adobe Firefly"),
    ("Titan Image Generator G1", "Amazon Titan Image Generator"),
    ("Flux.2", "FLUX"),
    ("Veo 3", "Google Veo"),
    ("Revolver", "Revolver"),  # no "veo" in it
    ("Some New Model 7", "Some New Model 7"),
]


@pytest.mark.parametrize(("agent", "name"), GENERATORS)
def test_the_generator_has_the_name_that_people_know(workshop: Workshop, agent: str, name: str) -> None:
    made = manifest(action("c2pa.created", "trainedAlgorithmicMedia", softwareAgent={"name": agent}))
    assert only(look(workshop.signed(made), workshop.trust)).details["generator"] == name
