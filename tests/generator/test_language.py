"""Words to requests, to numbers, to captions and back."""

import pytest

from touchstone.generator.language import (
    MOST_IDS,
    Across,
    Request,
    Wanted,
    captions,
    expand,
    fill,
    from_scene,
    notes,
    parse,
    sentence,
    stage,
    tokens,
    vocabulary,
)
from touchstone.generator.world import (
    Background,
    Camera,
    Colour,
    Light,
    Motion,
    Pace,
    Shape,
    Size,
    sample_scene,
)
from touchstone.generator.world.sampling import lost

SCENES = range(200)


def test_the_vocabulary_that_models_were_trained_on_has_not_changed():
    """A model takes these numbers for words: a change here makes every trained model wrong."""
    known = vocabulary()
    assert known.fingerprint == "fa26ef85f9db4c9431861dae96de9fadf38ce501d196ffe881726c0e8c7c6e71"
    assert sorted(known.ids.values()) == list(range(1, len(known.ids) + 1))
    assert len(known.ids) < 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a red kite over a harbour at dusk", "one red kite harbour dusk"),
        ("Three TINY crimson spheres, moving upwards!", "three small red ball up"),
        ("two balls and a big star fall", "two ball and one large star down"),
        ("a ball moves from left to right slowly", "one ball right slow"),
        ("a blue boat on the left, the camera pans to the right", "one blue boat at the left pan right"),
        ("the camera does not move", "camera still"),
        ("a starry night", "starry sky"),
        ("two red stars under a starry sky", "two red star starry sky"),
        ("boxes", "cube"),
        ("a gréen bírd", "one green bird"),
        ("red-and-white ball", "one white ball"),
        ("a ball goes diagonally up left", "one ball up left"),
        ("a bouncing yellow heart", "one yellow heart bounce"),
        ("a ball without a kite before mountains", "one ball mountains"),
        ("a ball, no small red kite, at night", "one ball night"),
        ("a pink ring before a small meadow circles", "one pink ring circle meadow"),
        ("a kite that is red over a harbour", "one red kite harbour"),
        ("a red kite and a ball that is blue and large", "one red kite and one large blue ball"),
        ("a boat, blue, moves left", "one blue boat left"),
        ("a red kite that is blue", "one red kite"),
        ("a kite before a large blue sky", "one kite sky"),
    ],
)
def test_prompts_are_read(text: str, expected: str):
    assert " ".join(parse(text)[0].tokens) == expected


def test_ids_are_those_of_the_tokens_in_the_models_order():
    understood = tokens("at dusk, a kite that is red")
    known = vocabulary()
    assert [known.token(i) for i in understood.ids] == ["one", "red", "kite", "dusk"]
    assert tokens("a red kite at dusk").ids == [known.ids[t] for t in ("one", "red", "kite", "dusk")]


@pytest.mark.parametrize(
    ("text", "ids", "told"),
    [
        ("", False, "empty"),
        (" \n", False, "empty"),
        ("красный шар", False, "Cyrillic"),
        ("赤い凧 with a ball", True, "Cjk"),
        ("a unicorn", False, "unicorn"),
        ("!!! ???", False, "nothing of the prompt"),
        ("a red ball and a gryphon", True, "not shown: gryphon"),
        ("a triangle", True, "triangle → pyramid"),
        ("a red circle", True, "circle → ball"),
        ("a ball over a blue background", True, "not shown: blue background"),
        ("three balls and two kites and a boat", True, "3 things at most"),
        ("red ball " * 5000, True, "9500 were left out"),
        ("qwertz " * 10000, False, "not shown: qwertz"),
        (" ".join(f"w{n}" for n in range(300)), False, "and 288 more"),
        ("no kites", False, "no, kites"),
    ],
)
def test_what_was_not_understood_is_told(text: str, ids: bool, told: str):
    understood = tokens(text)
    assert bool(understood.ids) is ids
    assert len(understood.ids) <= MOST_IDS
    assert told in " ".join(notes(text, understood))


def test_a_prompt_that_was_understood_needs_no_notes():
    text = "two small red balls move left over the sea"
    assert notes("a small red ball moves left by day", tokens("a small red ball moves left by day")) == []
    assert notes(text, tokens(text)) == ["read as other words: sea → harbour"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a red circle moves left", ["one", "red", "ball", "left"]),
        ("a circle in a circle", ["one", "ball", "circle"]),
        ("a bird circles over a meadow", ["one", "bird", "circle", "meadow"]),
        ("two balls in circles", ["two", "ball", "circle"]),
    ],
)
def test_a_circle_is_a_thing_after_what_describes_one_and_a_way_to_move_elsewhere(
    text: str, meant: list[str]
):
    assert parse(text)[0].tokens == meant


def test_captions_read_back_to_what_the_scene_shows():
    for seed in SCENES:
        scene = sample_scene(seed)
        said = captions(scene)
        assert parse(said.dense)[0] == from_scene(scene)
        assert not parse(said.dense)[1].unknown
        short, middling, whole = (
            set(tokens(text).request.tokens) for text in (said.terse, said.normal, said.dense)
        )
        assert short < whole
        assert middling <= whole
        assert len(tokens(said.dense).ids) <= MOST_IDS


def test_a_caption_says_where_things_are_when_the_clip_begins():
    scene = next(
        s for s in map(sample_scene, range(500)) if len(s.things) == 1 and s.things[0].motion is Motion.RIGHT
    )
    places = {from_scene(scene, start_s=0.25 * n).things[0].across for n in range(30)}
    assert {Across.LEFT, Across.MIDDLE, Across.RIGHT} <= places


def test_the_expander_only_adds():
    for seed in SCENES:
        asked = parse(captions(sample_scene(seed)).terse)[0]
        filled = fill(asked, seed)
        for before, after in zip(asked.things, filled.things, strict=True):
            for name in ("shape", "colour", "size", "motion", "count"):
                assert getattr(before, name) in (None, getattr(after, name))
        assert filled.background
        assert filled.light
        assert filled.camera
        assert parse(sentence(filled))[0] == filled


def test_the_expander_repeats_itself_for_a_seed():
    text = "a kite"
    assert expand(text, 5) == expand(text, 5)
    assert len({expand(text, seed) for seed in range(20)}) > 15


def test_the_expander_says_nothing_about_nothing():
    assert expand("gryphon", 1) == ""


@pytest.mark.parametrize(
    "text",
    [
        "a white ball",
        "a black kite at night",
        "a blue star",
        "a green bird over a meadow",
        "orange ring at dusk",
    ],
)
def test_what_the_expander_adds_leaves_things_visible(text: str):
    asked = parse(text)[0]
    for seed in range(60):
        filled = fill(asked, seed)
        assert filled.background
        assert filled.light
        both_asked = asked.background or asked.light
        assert both_asked or not lost(filled.things[0].colour, filled.background, filled.light)
        assert filled.background is not Background.STARS or filled.light is Light.NIGHT


def test_several_without_a_number_are_two_or_three():
    assert {fill(parse("red balls")[0], seed).things[0].count for seed in range(30)} == {2, 3}


def test_a_staged_scene_shows_the_request():
    for seed in SCENES:
        whole = fill(parse(captions(sample_scene(seed)).normal)[0], seed)
        assert from_scene(stage(whole, seed)) == whole


def test_a_full_request_becomes_numbers_in_one_order():
    whole = Request(
        (Wanted(Shape.STAR, Colour.BLUE, Size.LARGE, Motion.UP_LEFT, 1, Pace.SLOW, Across.RIGHT, None),),
        Background.CITY,
        Light.NIGHT,
        Camera.STILL,
    )
    assert " ".join(whole.tokens) == "one large blue star up left slow at the right city night camera still"
    assert parse(sentence(whole))[0] == whole
