import json
from dataclasses import replace

import numpy as np

from starter.heads.camera import aim
from starter.heads.description import EXPRESSION_WORDS, attributes, caption, describe, facing
from starter.heads.expressions import EXPRESSIONS
from starter.heads.head import Head
from starter.heads.headwear import Headwear
from starter.heads.identity import Hair, Identity
from starter.heads.numbers import number_names
from starter.heads.renderer import Picture
from starter.heads.truth import LANDMARK_NAMES
from starter.heads.view import View

KEYS = {
    "attributes",
    "expression",
    "yaw",
    "pitch",
    "roll",
    "light",
    "background",
    "clothes",
    "landmarks_px",
    "landmarks",
    "visibility",
    "marks",
    "numbers",
    "backdrop",
    "caption",
}


def test_caption_says_what_is_there(identity: Identity, view: View) -> None:
    hat = Headwear("cap", "green")
    red = Hair("bob", "red", (0.4, 0.1, 0.1), (0.4, 0.1, 0.1))
    plain = replace(view.scene, background="teal", backdrop="plain")
    shown = replace(view, hair=red, glasses="round", expression="smile", scene=plain, hat=hat)
    text = caption(replace(identity, beard="none"), shown)
    assert text.startswith("portrait of a")
    assert ", red bob hair, " in text
    assert ", round glasses, " in text
    assert ", smiling, " in text
    assert ", teal background, " in text
    assert ", green cap, " in text
    framed = replace(shown, scene=replace(plain, backdrop="gradient"), hat=Headwear("headscarf", "green"))
    text = caption(identity, framed)
    assert ", teal gradient background, " in text
    assert "bob hair" not in text


def test_bald_heads_have_no_hair_color_in_the_caption(identity: Identity, view: View) -> None:
    text = caption(identity, replace(view, hair=Hair("bald", "red", (0, 0, 0), (0, 0, 0)), hat=Headwear()))
    assert ", bald, " in text
    assert "red bald" not in text


def test_facing_is_the_viewers() -> None:
    assert [facing(yaw) for yaw in (-20, -5, 0, 5, 20)] == [
        "facing left",
        "facing forward",
        "facing forward",
        "facing forward",
        "facing right",
    ]


def test_every_expression_has_words() -> None:
    assert set(EXPRESSION_WORDS) == set(EXPRESSIONS)


def test_ground_truth_is_json_with_the_documented_keys(identity: Identity, view: View, head: Head) -> None:
    blank = np.zeros((256, 256), np.uint8)
    picture = Picture(
        np.zeros((256, 256, 3), np.uint8), blank, blank.astype(np.float32), aim(head, view.scene.framing)
    )
    truth = json.loads(json.dumps(describe(identity, view, head, picture)))
    assert set(truth) == KEYS
    assert set(truth["landmarks_px"]) == {
        "left_eye",
        "right_eye",
        "nose",
        "mouth_left",
        "mouth_right",
        "chin",
    }
    assert truth["attributes"] == attributes(identity, view)
    assert truth["clothes"].keys() == {"color", "pattern", "cut"}
    assert len(truth["landmarks"]) == len(truth["visibility"]) == len(LANDMARK_NAMES) == 106
    assert len(truth["numbers"]) == len(number_names()) == len(set(number_names()))
