"""The light of a fusion, and its masks."""

import numpy as np
import pytest

from services.fusion.adapters.face_masks import build_mask, outline_mask
from services.fusion.adapters.face_warp import Meeting, affine_map
from services.fusion.adapters.light import relit
from services.fusion.adapters.opencv_blend import to_lab
from services.fusion.adapters.plate_field import spline_field, upsampled
from services.fusion.adapters.seen_parts import SeenParts, ramp, without_islands
from services.fusion.domain.fusing import Template
from services.fusion.domain.structure import PartMap, mean_face
from tests.support.drawn_head import PARTS, draw_head

SHAPE = (120, 100)
EYE = np.eye(2, 3)


def flat(colour):
    return np.full((*SHAPE, 3), colour, np.uint8)


def skin_mask():
    mask = np.zeros(SHAPE, np.float32)
    mask[20:100, 20:80] = 1
    return mask


def test_skin_takes_the_candidates_colour_and_black_stays_black():
    template = flat((120, 90, 70))
    template[50:54, 40:60] = 4
    candidate = flat((225, 185, 160))

    made = relit(template, candidate, skin_mask(), None, 40.0).image

    assert np.abs(to_lab(made) - to_lab(candidate))[70:80, 30:70].max() < 5
    assert made[51:53, 45:55].max() < 30


def test_eyes_keep_their_colour_where_the_part_map_tells_them():
    template = flat((190, 150, 130))
    template[50:60, 40:60] = (60, 90, 160)
    tinted = np.ones(SHAPE, np.float32)
    tinted[50:60, 40:60] = 0
    skin = skin_mask() * tinted

    made = relit(template, flat((230, 160, 90)), skin, tinted, 40.0).image.astype(int)

    assert made[55, 50, 2] - made[55, 50, 0] > 60  # still blue
    assert made[80, 50, 0] - made[80, 50, 2] > 100  # skin is as orange as the candidate's


def test_hard_shadow_that_light_cannot_explain_is_not_trusted():
    template, candidate = flat((200, 160, 140)), flat((200, 160, 140))
    template[20:60, 20:50] = (60, 45, 40)

    trust = relit(template, candidate, skin_mask(), None, 40.0).trust

    assert trust[20:60, 20:50].min() < 0.35 < 0.9 < trust[85, 65]


def test_without_skin_nothing_is_relit():
    template = flat((120, 90, 70))

    made = relit(template, flat((225, 185, 160)), np.zeros(SHAPE, np.float32), None, 40.0)

    assert (made.image == template).all() and (made.trust == 1).all()


def test_ramp_rises_from_the_edge_inwards():
    filled = np.zeros((41, 41), np.uint8)
    filled[10:31, 10:31] = 1

    rise = ramp(filled, 0.1, 0.2, 20.0)

    assert rise[20, 20] == 1 and rise[10, 20] == 0 and 0 < rise[13, 20] < 1
    assert (np.diff(rise[20, 10:21]) >= 0).all()


def test_islands_of_hair_are_doubts_but_glasses_and_the_hair_line_are_not():
    labels = np.full((100, 100), PARTS.index("skin"), np.uint8)
    labels[:20] = PARTS.index("hair")
    labels[50:54, 50:54] = PARTS.index("hair")
    labels[60, 20:40] = PARTS.index("glasses")

    cleaned = without_islands(PartMap(labels, (0, 0, 100, 100), PARTS)).labels

    assert (cleaned[:20] == PARTS.index("hair")).all()
    assert (cleaned[50:54, 50:54] == PARTS.index("skin")).all()
    assert (cleaned[60, 20:40] == PARTS.index("glasses")).all()


def test_part_map_is_sampled_where_its_box_lies():
    labels = np.zeros((50, 50), np.uint8)
    labels[:, 25:] = 1
    _, face = draw_head()
    face = type(face)(
        face.box_px, face.landmarks5, parts=PartMap(labels, (20.0, 0.0, 120.0, 100.0), ("a", "b"))
    )

    seen = SeenParts.of(face, affine_map(EYE, (100, 140)), 50.0)
    mask = seen.sampled(face.parts.share_of(("b",)))

    assert mask[50, 60] == 0 and mask[50, 80] == 1
    assert mask[50, 130] == 0  # outside of the map
    assert SeenParts.of(draw_head(with_parts=False)[1], affine_map(EYE, SHAPE), 50.0) is None


def masks_of(candidate, template):
    image, face = template
    meeting = Meeting(affine_map(EYE, image.shape[:2]))
    return build_mask(candidate[1], Template("t", image, face), EYE, meeting, image.shape[:2])


@pytest.mark.parametrize("worn_by", ["candidate", "template"])
def test_mask_is_zero_on_what_either_face_wears(worn_by):
    worn, bare = draw_head(fringe=True, glasses=True), draw_head()
    pair = (worn, bare) if worn_by == "candidate" else (bare, worn)

    mask = masks_of(*pair)

    over = np.isin(worn[1].parts.labels, [PARTS.index("hair"), PARTS.index("glasses")])
    assert mask.inside[over].max() == 0
    assert mask.inside[worn[1].parts.labels == PARTS.index("lips")].min() > 0.5


def test_outline_is_zero_at_the_jaw_and_one_at_the_nose():
    _, face = draw_head()
    mask = outline_mask(face, (256, 256))
    places = np.round(face.dense.points).astype(int)

    jaw = places[mean_face().indices("left_jaw", "right_jaw", "chin")]
    nose = places[mean_face().names.index("nose_tip")]
    assert mask[jaw[:-1, 1], jaw[:-1, 0]].max() < 0.05
    assert mask[nose[1], nose[0]] == 1


def test_spline_field_meets_its_values_between_its_knots():
    rng = np.random.default_rng(0)
    control = rng.uniform(10, 110, (40, 2))
    values = np.column_stack([np.sin(control[:, 0] / 40), np.cos(control[:, 1] / 50)]) * 5

    field = spline_field(control, values, SHAPE[::-1], unit_px=40.0, softness=1e-6)

    at = np.round(control).astype(int)
    inside = (at[:, 0] < SHAPE[0]) & (at[:, 1] < SHAPE[1])
    found = field[at[inside, 1], at[inside, 0]]
    truth = np.column_stack([np.sin(at[inside, 0] / 40), np.cos(at[inside, 1] / 50)]) * 5
    assert np.abs(found - truth).max() < 0.25


def test_upsampled_grid_is_exact_at_its_knots_for_a_plane():
    y, x = np.mgrid[0:6, 0:7].astype(np.float32)
    coarse = np.dstack([2 * x + y, x - y]).astype(np.float32)

    dense = upsampled(coarse, 8, (33, 41))

    np.testing.assert_allclose(dense[8:25:8, 8:33:8], coarse[1:4, 1:5], atol=1e-3)
