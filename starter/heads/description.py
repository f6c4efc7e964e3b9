"""The words and numbers that go with a picture: attributes, caption, pose, landmarks."""

from typing import Any

from starter.heads import palette
from starter.heads.head import Head
from starter.heads.identity import Identity
from starter.heads.landmarks import landmarks_px
from starter.heads.renderer import Picture
from starter.heads.view import View

FACING_LIMIT_DEG = 10
VISIBLE_MAKEUP = 0.2
EXPRESSION_WORDS = {
    "neutral": "neutral expression",
    "smile": "smiling",
    "grin": "grinning",
    "surprise": "surprised",
    "frown": "frowning",
    "smirk": "smirking",
    "pucker": "puckered lips",
    "sneer": "sneering",
    "squint": "squinting",
    "sad": "sad",
}


def attributes(identity: Identity, view: View) -> dict[str, Any]:
    """Words of the closed vocabulary for this person in this view; freckles and makeup are booleans."""
    return {
        "sex": identity.body.sex,
        "age": palette.age_name(identity.body.age),
        "skin": palette.skin_name(identity.skin.melanin),
        "hair_style": view.hair.style,
        "hair_color": view.hair.color,
        "eye_color": identity.eye_color,
        "beard": identity.beard,
        "glasses": view.glasses,
        "freckles": identity.skin.freckles > 0,
        "makeup": identity.skin.makeup > VISIBLE_MAKEUP,
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
    if words["beard"] != "none":
        phrases.append("full beard" if words["beard"] == "full" else words["beard"])
    phrases.append("no glasses" if words["glasses"] == "none" else f"{words['glasses']} glasses")
    phrases += [name for name in ("freckles", "makeup") if words[name]]
    phrases += [
        EXPRESSION_WORDS[view.expression],
        facing(view.pose.yaw),
        f"{view.scene.background} background",
        f"{'striped ' if clothes.is_striped else ''}{clothes.color} shirt",
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
        "clothes": {"color": clothes.color, "pattern": clothes.pattern},
        "landmarks_px": {
            name: list(place)
            for name, place in landmarks_px(head, picture.camera, picture.rgb.shape[0]).items()
        },
        "caption": caption(identity, view),
    }
