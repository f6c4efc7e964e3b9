"""Wrinkles: carried to where they belong, and nothing else with them."""

import numpy as np
import pytest

from services.fusion.adapters.opencv_texture import OpenCvTexture
from services.fusion.domain.fusing import Template
from services.fusion.domain.head_map import HeadMap
from services.fusion.domain.people import FacesOfPicture
from services.fusion.domain.structure import DenseLandmarks
from services.fusion.domain.texture import choose_texture, strength_by_age
from services.fusion.engine.lazy_picture import LazyPicture
from services.fusion.engine.texture import restore_texture
from shared.errors.common import FieldInvalid
from tests.support.posed_head import draw_head, posed

FOREHEAD = [(-0.4, -0.75), (-0.2, -0.78), (0.0, -0.79), (0.2, -0.78), (0.4, -0.75)]
CHEEK = [(0.5, 0.45), (0.56, 0.6), (0.6, 0.75)]


def templates(*heads):
    return [Template(f"reference {k}", *head) for k, head in enumerate(heads)]


def change(candidate, made):
    return made.image.astype(int).sum(-1) - candidate[0].astype(int).sum(-1)


@pytest.mark.parametrize(("yaw", "roll", "scale"), [(0, 0, 52), (14, 8, 52), (-10, 0, 40), (5, 0, 70)])
def test_wrinkle_arrives_at_its_place_on_the_candidate(yaw, roll, scale):
    candidate = draw_head(yaw=yaw, roll=roll, scale=scale)

    made = OpenCvTexture().add(*candidate, templates(draw_head(yaw=-4, line=FOREHEAD)), strength=1.0)

    rows, columns = np.nonzero(change(candidate, made) < -12)
    line = HeadMap.of(candidate[1].dense).project(np.array(FOREHEAD))
    gaps = np.hypot(columns[:, None] + 0.5 - line[:, 0], rows[:, None] + 0.5 - line[:, 1])
    assert gaps.min(0).max() < 0.05 * scale
    assert np.median(gaps.min(1)) < 0.12 * scale


def test_wrinkle_is_relit_by_the_candidates_skin():
    dark = draw_head(skin=(90, 65, 55))

    made = OpenCvTexture().add(*dark, templates(draw_head(line=FOREHEAD)), strength=1.0)

    darkest = made.image[dark[1].parts.labels == 1].astype(float).sum(-1).min()
    assert 0.6 * 210 < darkest < 0.97 * 210


def test_grain_of_a_photo_is_left_out():
    candidate = draw_head()

    made = OpenCvTexture().add(
        *candidate, templates(*(draw_head(noise_seed=s) for s in (1, 2, 3))), strength=1.0
    )

    assert np.abs(change(candidate, made)).mean() < 0.6


def test_what_one_of_three_photos_shows_is_no_wrinkle():
    candidate = draw_head()
    plain, lined = draw_head(yaw=3), draw_head(yaw=-3, line=CHEEK)

    once = OpenCvTexture().add(*candidate, templates(lined, plain, plain), strength=1.0)
    twice = OpenCvTexture().add(*candidate, templates(plain, lined, lined), strength=1.0)

    assert np.abs(change(candidate, once)).max() <= 3
    assert change(candidate, twice).min() < -12


def test_what_the_candidate_shows_already_is_not_added_again():
    candidate = draw_head(line=FOREHEAD)

    made = OpenCvTexture().add(*candidate, templates(draw_head(line=FOREHEAD)), strength=1.0)

    assert change(candidate, made).min() > -12


def test_marks_hair_and_the_rest_of_the_picture_stay_out_of_it():
    mole = (0.5, 0.6, 0.045, 0.5)
    candidate = draw_head(hidden=(90, 40, 170, 82))
    made = OpenCvTexture().add(*candidate, templates(draw_head(marks=[mole], line=FOREHEAD)), strength=1.0)

    changed = np.abs(change(candidate, made)) > 0
    assert not changed[candidate[1].parts.labels != 1].any()
    (x, y), *_ = HeadMap.of(candidate[1].dense).project(np.array([mole[:2]]))
    assert not changed[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3].any()


def test_without_part_maps_eyes_brows_and_lips_are_spared_by_the_landmarks():
    candidate, lined = draw_head(), draw_head(line=[(-0.5, 0.0), (0.5, 0.0)])
    bare = tuple(type(face)(face.box_px, face.landmarks5, dense=face.dense) for _, face in (candidate, lined))

    made = OpenCvTexture().add(
        candidate[0], bare[0], [Template("reference", lined[0], bare[1])], strength=1.0
    )

    eyes = HeadMap.of(bare[0].dense).project(np.array([(-0.5, 0.0), (0.5, 0.0)]))
    for x, y in eyes.astype(int):
        assert (made.image[y - 1 : y + 2, x - 1 : x + 2] == candidate[0][y - 1 : y + 2, x - 1 : x + 2]).all()


@pytest.mark.parametrize(
    ("ages", "strength"),
    [((), 0.5), (("young",), 0.2), (("elderly", "elderly"), 1.0), (("middle-aged", "elderly", ""), 0.85)],
)
def test_strength_goes_by_the_age_that_is_told(ages, strength):
    faces = [draw_head(attributes={"age": age})[1] for age in ages] or [draw_head()[1]]

    assert strength_by_age(faces) == pytest.approx(strength)


def test_the_sharpest_photo_that_looks_the_candidates_way_is_taken():
    heads = {
        "away": {"yaw": 28},
        "blurred": {"yaw": 10, "sharpness": 0.1},
        "fit": {"yaw": 8, "sharpness": 0.9},
    }
    faces = [draw_head(**how)[1] for how in heads.values()]

    assert choose_texture(posed(yaw=9), faces)[0] == 2
    assert choose_texture(posed(yaw=-25), [faces[0], draw_head(yaw=-20)[1]]) == [1]


def lazy(name, head, loads=None):
    def load():
        if loads is not None:
            loads.append(name)
        return head[0]

    return LazyPicture(FacesOfPicture(name, (head[1],)), None, (256, 256), load)


def test_only_what_is_needed_is_decoded():
    loads: list[str] = []
    candidate = lazy("candidate", draw_head())
    photos = [lazy(f"reference {k}", draw_head(yaw=y), loads) for k, y in enumerate((0, 29, 4, 3, 2))]

    none = restore_texture(OpenCvTexture(), candidate, photos, 0.0, min_face_px=48)
    assert (none.image == candidate.load()).all() and loads == []
    restore_texture(OpenCvTexture(), candidate, photos, 1.0, min_face_px=48)
    assert len(loads) == 3 and "reference 1" not in loads


@pytest.mark.parametrize("role", ["candidate", "references"])
def test_lacking_landmarks_are_a_typed_error(role):
    image, face = draw_head()
    bare = image, type(face)(face.box_px, face.landmarks5)
    roles = {"candidate": (image, face), "references": (image, face)} | {role: bare}

    with pytest.raises(FieldInvalid, match=f"dense_landmarks of {role}"):
        restore_texture(
            OpenCvTexture(),
            lazy("candidate", roles["candidate"]),
            [lazy("reference 1", roles["references"])],
            None,
            min_face_px=48,
        )


def test_landmarks_outside_of_the_picture_do_no_harm():
    image, face = draw_head()
    far = DenseLandmarks(face.dense.points + 400, face.dense.visibility)
    template = Template("reference", image, type(face)(face.box_px, face.landmarks5, dense=far))

    made = OpenCvTexture().add(image, face, [template], strength=1.0)

    assert made.image.shape == image.shape
