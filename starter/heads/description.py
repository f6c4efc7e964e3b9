"""The words and numbers that go with a picture: attributes, caption, pose, landmarks."""

from typing import Any

from starter.data.labels import (
    BACKDROP_WORDS,
    CLOTHES_WORDS,
    EARRING_WORDS,
    FACING_LIMIT_DEG,
    GLASSES_WORDS,
    HAT_WORDS,
)
from starter.data.labels import EXPRESSIONS as EXPRESSION_WORDS
from starter.heads import palette
from starter.heads.head import Head
from starter.heads.identity import Identity
from starter.heads.landmarks import landmarks_px
from starter.heads.numbers import numbers_of
from starter.heads.renderer import Picture
from starter.heads.truth import dense_landmarks, marks_of
from starter.heads.view import View

VISIBLE_MAKEUP = 0.2


def attributes(identity: Identity, view: View) -> dict[str, Any]:
    """Words of the closed vocabulary for this person in this view; freckles and makeup are booleans."""
    return {
        "sex": identity.body.sex,
        "age": palette.age_name(identity.body.age),
        "skin": palette.skin_name(identity.skin.melanin),
        "hair_style": "hidden" if view.hat.kind == "headscarf" else view.hair.style,
        "hair_color": view.hair.color,
        "eye_color": identity.eye_color,
        "beard": identity.beard,
        "glasses": view.glasses,
        "freckles": identity.skin.has_freckles,
        "makeup": identity.skin.makeup > VISIBLE_MAKEUP,
        "hat": view.hat.kind,
        "hat_color": view.hat.color if view.hat.kind != "none" else "none",
        "earrings": view.earrings.kind if view.hat.kind != "headscarf" else "none",
        "scar": identity.skin.has_scar,
    }


def facing(yaw_deg: float) -> str:
    """The caption's words for the turn of the head, from the viewer's side."""
    if abs(yaw_deg) <= FACING_LIMIT_DEG:
        return "facing forward"
    return "facing right" if yaw_deg > 0 else "facing left"


def caption(identity: Identity, view: View) -> str:
    """One line with everything that a prompt can ask for."""
    words = attributes(identity, view)
    who = "woman" if words["sex"] == "female" else "man"
    article = "an" if words["age"] == "elderly" else "a"
    clothes = view.scene.clothes
    phrases = [
        f"portrait of {article} {words['age']} {who}",
        f"{words['skin']} skin",
        "bald" if words["hair_style"] == "bald" else f"{words['hair_color']} {words['hair_style']} hair",
        f"{words['eye_color']} eyes",
    ]
    if words["hair_style"] == "hidden":
        del phrases[2]
    if words["beard"] != "none":
        phrases.append("full beard" if words["beard"] == "full" else words["beard"])
    phrases.append(GLASSES_WORDS[words["glasses"]])
    phrases += [name for name in ("freckles", "makeup", "scar") if words[name]]
    if words["hat"] != "none":
        phrases.append(f"{words['hat_color']} {HAT_WORDS[words['hat']]}")
    if words["earrings"] != "none":
        phrases.append(EARRING_WORDS[words["earrings"]])
    phrases += [
        EXPRESSION_WORDS[view.expression],
        facing(view.pose.yaw),
        f"{BACKDROP_WORDS.get(view.scene.backdrop, '{}').format(view.scene.background)} background",
        f"{'striped ' if clothes.is_striped else ''}{clothes.color} {CLOTHES_WORDS[clothes.cut]}",
        view.scene.lighting.name,
    ]
    return ", ".join(phrases)


def describe(identity: Identity, view: View, head: Head, picture: Picture) -> dict[str, Any]:
    """Ground truth of a picture, ready for JSON; angles in degrees, landmarks in pixels of the picture."""
    pose, clothes = view.pose, view.scene.clothes
    return {
        "attributes": attributes(identity, view),
        "expression": view.expression,
        "yaw": round(pose.yaw, 2),
        "pitch": round(pose.pitch, 2),
        "roll": round(pose.roll, 2),
        "light": view.scene.lighting.name,
        "background": view.scene.background,
        "backdrop": view.scene.backdrop,
        "clothes": {"color": clothes.color, "pattern": clothes.pattern, "cut": clothes.cut},
        "landmarks_px": {
            name: list(place)
            for name, place in landmarks_px(head, picture.camera, picture.rgb.shape[0]).items()
        },
        **_dense(identity, head, picture),
        "marks": marks_of(identity, head, picture),
        "numbers": numbers_of(identity),
        "caption": caption(identity, view),
    }


def _dense(identity: Identity, head: Head, picture: Picture) -> dict[str, Any]:
    pixels, seen = dense_landmarks(identity, head, picture)
    return {
        "landmarks": [[round(float(x), 2), round(float(y), 2)] for x, y in pixels],
        "visibility": [int(value) for value in seen],
    }
