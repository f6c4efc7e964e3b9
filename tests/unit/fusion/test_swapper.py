"""Fusion of drawn faces: geometry, colour, seams, and what stays untouched."""

import numpy as np
import pytest

from services.fusion.adapters.opencv_blend import to_lab
from services.fusion.adapters.opencv_swapper import OpenCvSwapper
from services.fusion.adapters.region_masks import face_mask, region_weight_map
from services.fusion.domain.face import Face
from services.fusion.domain.fusing import BlendMode, FuseOptions, RegionWeights, Template, WarpMode
from tests.support.drawn_face import box_of, draw_face

EYES = (30, 160, 60)


def faced(**how):
    image, landmarks = draw_face(**how)
    return image, Face(box_of(landmarks), landmarks)


@pytest.fixture
def candidate():
    return faced(skin=(190, 150, 130), eyes=(60, 60, 60))


@pytest.fixture
def template():
    image, face = faced(
        scale=1.1, angle_deg=12, centre=(120, 118), skin=(240, 200, 170), eyes=EYES, wall=(255, 255, 255)
    )
    return Template("reference 1", image, face)


def swap(candidate, template, **options):
    return OpenCvSwapper().swap(*candidate, template, FuseOptions(**options))


@pytest.mark.parametrize("blend", BlendMode)
@pytest.mark.parametrize("warp", WarpMode)
def test_template_eyes_arrive_at_the_candidates_eyes(candidate, template, blend, warp):
    fused = swap(candidate, template, blend=blend, warp=warp).image

    for eye in candidate[1].landmarks5[:2]:
        x, y = np.round(eye).astype(int)
        red, green, blue = fused[y, x].astype(int)
        assert green > red + 40 and green > blue + 40


@pytest.mark.parametrize("blend", BlendMode)
def test_pixels_outside_of_the_changed_box_are_the_candidates(candidate, template, blend):
    swapped = swap(candidate, template, blend=blend)
    x0, y0, x1, y1 = swapped.changed_box_px
    outside = np.ones(swapped.image.shape[:2], bool)
    outside[y0:y1, x0:x1] = False

    assert (swapped.image[outside] == candidate[0][outside]).all()
    assert 0 < (x1 - x0) * (y1 - y0) < candidate[0].shape[0] * candidate[0].shape[1]


def test_wall_and_jaw_keep_their_pixels(candidate, template):
    fused = swap(candidate, template).image
    distance = np.abs(fused.astype(int) - candidate[0]).max(-1)

    assert distance[:, :50].max() == 0
    chin_y = round(130 + 1.4 * 60)
    assert distance[chin_y, 128] <= 2


def test_colour_of_the_skin_is_the_candidates(candidate, template):
    fused = swap(candidate, template).image
    face = candidate[1]
    shape = fused.shape[:2]
    skin = face_mask(face.landmarks5, None, shape) * region_weight_map(
        face.landmarks5, shape, RegionWeights(0.0, 1.0, 0.0)
    )
    before, after = (np.median(to_lab(im)[skin > 0.9], axis=0) for im in (candidate[0], fused))

    assert float(np.linalg.norm(before - after)) < 4.0  # units of CIE LAB; the templates differ by 20


def test_rim_of_the_mask_shows_no_seam(candidate, template):
    """Along a line through the cheek no step is larger than the steepest one of the two pictures."""
    fused = swap(candidate, template).image
    row = round(130 + 1.4 * 14)
    line = fused[row, 75:181].astype(float).mean(-1)

    steps = np.abs(np.diff(line))
    assert steps.max() < 14


def test_more_strength_moves_further_from_the_candidate(candidate, template):
    change = [
        float(np.abs(swap(candidate, template, strength=s).image.astype(int) - candidate[0]).mean())
        for s in (0.0, 0.3, 0.6, 1.0)
    ]

    assert change == sorted(change)
    assert 0 == change[0] < change[1] < change[3]


def test_region_weight_zero_keeps_the_candidates_eyes(candidate, template):
    fused = swap(candidate, template, weights=RegionWeights(eyes=0.0, skin=1.0, lips=1.0)).image

    x, y = np.round(candidate[1].landmarks5[0]).astype(int)
    assert np.abs(fused[y, x].astype(int) - candidate[0][y, x]).max() <= 6


def test_inputs_are_not_written_to_and_results_repeat(candidate, template):
    before = candidate[0].copy(), template.image.copy()
    first, second = (swap(candidate, template).image for _ in range(2))

    assert (first == second).all()
    assert (candidate[0] == before[0]).all() and (template.image == before[1]).all()


def test_face_at_the_border_is_fused_without_error(template):
    candidate = faced(centre=(25, 40))

    swapped = swap(candidate, template)

    assert candidate[0].shape == swapped.image.shape
    assert (swapped.image != candidate[0]).any()
