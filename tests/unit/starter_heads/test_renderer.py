"""Needs OpenGL; conftest.py skips with the names of the packages where there is none."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from starter.heads.gl import SHADERS
from starter.heads.head import Head, build_head
from starter.heads.headwear import Headwear
from starter.heads.identity import Identity
from starter.heads.landmarks import landmarks_px
from starter.heads.looks import LOOKS, RECIPES, Look
from starter.heads.painting import paint
from starter.heads.parts import Part
from starter.heads.renderer import Picture, Renderer
from starter.heads.view import Pose, View

SKIN = (Part.SKIN, Part.LIPS, Part.BROWS, Part.EARS, Part.NECK)


@pytest.fixture(scope="module")
def pictures(renderer: Renderer, identity: Identity, view: View, head: Head) -> dict[str, Picture]:
    return dict(renderer.draw_looks(identity, view, head, paint(identity), ("render", "toon", "clay", "ink")))


@pytest.mark.slow  # compiles twenty programs
def test_no_look_is_like_another(renderer: Renderer, identity: Identity, view: View, head: Head) -> None:
    drawn = renderer.draw_looks(identity, view, head, paint(identity), LOOKS)
    for one, other in combinations(LOOKS, 2):
        difference = np.abs(drawn[one].rgb.astype(float) - drawn[other].rgb)
        assert difference.mean() > 4, (one, other)


@pytest.mark.parametrize("look", ["render", "oil"])
def test_same_input_gives_same_bytes(
    renderer: Renderer, identity: Identity, view: View, head: Head, look: Look
) -> None:
    first, second = (renderer.draw(identity, view, head, paint(identity), look) for _ in range(2))
    assert first.rgb.tobytes() == second.rgb.tobytes()
    assert first.parts.tobytes() == second.parts.tobytes()
    assert first.depth.tobytes() == second.depth.tobytes()


def test_looks_of_a_scene_cover_the_same_pixels(pictures: dict[str, Picture]) -> None:
    truth = pictures["render"]
    for picture in pictures.values():
        assert np.array_equal(picture.parts, truth.parts)
        assert np.array_equal(picture.depth, truth.depth)
        assert picture.rgb.shape == truth.rgb.shape


def test_every_look_has_a_recipe_whose_files_exist() -> None:
    assert set(RECIPES) == set(LOOKS)
    for recipe in RECIPES.values():
        assert all((SHADERS / part).is_file() for part in recipe.parts)


def test_toon_is_flat_where_the_render_is_shaded(pictures: dict[str, Picture]) -> None:
    shirt = pictures["render"].parts == Part.CLOTHES

    def tones(picture: Picture) -> int:
        return len(np.unique(picture.rgb[shirt] // 4, axis=0))

    assert tones(pictures["toon"]) < tones(pictures["render"])


def test_clay_has_no_colors_on_the_face(pictures: dict[str, Picture]) -> None:
    parts = pictures["clay"].parts
    lips, skin = (pictures["clay"].rgb[parts == part].astype(float) for part in (Part.LIPS, Part.SKIN))
    ratio = [np.mean(pixels[:, 0]) / np.mean(pixels[:, 2]) for pixels in (lips, skin)]
    assert ratio[0] == pytest.approx(ratio[1], rel=0.15)


def test_part_map_knows_all_that_a_face_has(pictures: dict[str, Picture]) -> None:
    present = set(np.unique(pictures["render"].parts))
    assert {
        Part.BACKGROUND,
        Part.SKIN,
        Part.LIPS,
        Part.BROWS,
        Part.SCLERA,
        Part.IRIS,
        Part.CLOTHES,
    } <= present
    assert present <= set(Part)


def test_landmarks_lie_on_their_parts(renderer: Renderer, identity: Identity, view: View) -> None:
    plain = replace(
        view, pose=Pose(), glasses="none", hat=Headwear(), hair=replace(view.hair, style="buzzcut")
    )
    head = build_head(identity, plain)
    picture = renderer.draw(identity, plain, head, paint(identity))
    places = landmarks_px(head, picture.camera, renderer.size_px)

    def around(name: str) -> set[int]:
        x, y = (round(value) for value in places[name])
        return set(np.unique(picture.parts[y - 2 : y + 3, x - 2 : x + 3]))

    for eye in ("left_eye", "right_eye"):
        assert around(eye) & {Part.IRIS, Part.SCLERA}
    assert Part.SKIN in around("nose")
    for corner in ("mouth_left", "mouth_right"):
        assert Part.LIPS in around(corner)


def test_depth_is_smallest_between_eyes_and_mouth_and_zero_outside(
    renderer: Renderer, identity: Identity, view: View
) -> None:
    plain = replace(view, pose=Pose(), glasses="none", hat=Headwear(), hair=replace(view.hair, style="bald"))
    head = build_head(identity, plain)
    picture = renderer.draw(identity, plain, head, paint(identity))
    outside = picture.parts == Part.BACKGROUND
    assert (picture.depth[outside] == 0).all()
    y, x = np.unravel_index(np.argmin(np.where(outside, np.inf, picture.depth)), picture.depth.shape)
    places = landmarks_px(head, picture.camera, renderer.size_px)
    assert places["left_eye"][0] < x < places["right_eye"][0]
    assert places["left_eye"][1] < y < places["mouth_left"][1]


def test_melanin_darkens_the_skin(renderer: Renderer, identity: Identity, view: View, head: Head) -> None:
    def brightness(melanin: float) -> float:
        person = replace(identity, skin=replace(identity.skin, melanin=melanin))
        picture = renderer.draw(person, view, head, paint(person))
        return float(picture.rgb[np.isin(picture.parts, SKIN)].mean())

    assert brightness(0.05) > brightness(0.5) > brightness(0.9)


def test_background_has_the_colour_of_the_scene(pictures: dict[str, Picture], view: View) -> None:
    picture = pictures["render"]
    seen = picture.rgb[0][picture.parts[0] == Part.BACKGROUND].mean(axis=0)
    wanted = np.array(view.scene.background_top)
    assert np.argmax(seen) == np.argmax(wanted) or np.ptp(wanted) < 0.05


def test_two_renderers_take_turns(renderer: Renderer, identity: Identity, view: View, head: Head) -> None:
    before = renderer.draw(identity, view, head, paint(identity))
    other = Renderer(64, supersample=1)
    assert other.draw(identity, view, head, paint(identity)).rgb.shape == (64, 64, 3)
    between = renderer.draw(identity, view, head, paint(identity))
    other.close()
    after = renderer.draw(identity, view, head, paint(identity))
    assert before.rgb.tobytes() == between.rgb.tobytes() == after.rgb.tobytes()
