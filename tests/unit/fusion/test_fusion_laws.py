"""What holds for every fusion of two heads, whatever their pose, shape, expression and dress."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fusion.adapters.opencv_swapper import OpenCvSwapper
from services.fusion.domain.fusing import BlendMode, FuseOptions, RegionWeights, Template, WarpMode
from services.fusion.domain.structure import mean_face
from services.fusion.domain.template_choice import choose_template
from tests.support.drawn_head import draw_head, head_pose, shifted

shares = st.floats(0, 1)
heads = st.builds(
    lambda yaw, pitch, scale, identity, expression, fringe, glasses, skin: draw_head(
        pose=head_pose(yaw, pitch, scale),
        identity=identity,
        expression=expression,
        fringe=fringe,
        glasses=glasses,
        skin=skin,
    ),
    yaw=st.floats(-30, 30),
    pitch=st.floats(-15, 15),
    scale=st.floats(24, 60),
    identity=st.lists(st.floats(-1.5, 1.5), max_size=6),
    expression=st.lists(st.floats(-1, 2), max_size=3),
    fringe=st.booleans(),
    glasses=st.booleans(),
    skin=st.sampled_from([(205, 160, 135), (90, 60, 45), (245, 220, 205)]),
)
asked = st.builds(
    FuseOptions,
    strength=st.floats(0.05, 1),
    weights=st.builds(RegionWeights, eyes=shares, skin=shares, lips=shares),
    blend=st.sampled_from(BlendMode),
    warp=st.sampled_from(WarpMode),
)
few = settings(deadline=None, max_examples=12)


def swap(candidate, template, options):
    return OpenCvSwapper().swap(*candidate, Template("t", *template), options)


def spot(face, name):
    return face.dense.points[mean_face().names.index(name)]


def outside(swapped):
    mask = np.ones(swapped.image.shape[:2], bool)
    x0, y0, x1, y1 = swapped.changed_box_px
    mask[y0:y1, x0:x1] = False
    return mask


@given(heads, heads, asked)
@few
def test_outside_of_the_box_and_on_the_candidates_hair_and_glasses_nothing_changes(
    candidate, template, options
):
    swapped = swap(candidate, template, options)
    change = np.abs(swapped.image.astype(int) - candidate[0]).max(-1)
    labels, names = candidate[1].parts.labels, candidate[1].parts.names

    assert not change[outside(swapped)].any()
    assert not change[labels == names.index("background")].any()
    if options.warp is not WarpMode.POSED:  # it bends the candidate's own face, with what lies over it
        worn = np.isin(labels, [names.index("hair"), names.index("glasses")])
        assert np.percentile(change[worn], 99) <= 3


@given(heads, heads, asked)
@few
def test_nothing_of_the_templates_hair_and_glasses_comes_along(candidate, template, options):
    """They are painted in a colour that occurs nowhere else."""
    image, face = template
    worn = np.isin(face.parts.labels, [face.parts.names.index(n) for n in ("hair", "glasses", "background")])
    image = image.copy()
    image[worn] = (0, 255, 0)

    swapped = swap(candidate, (image, face), options).image.astype(int)

    green = (swapped[..., 1] - swapped[..., [0, 2]].max(-1)) > 60
    assert green.mean() < 2e-4


@given(heads, heads, st.sampled_from(WarpMode), st.sampled_from(BlendMode))
@few
def test_strength_zero_gives_the_candidates_pixels(candidate, template, warp, blend):
    swapped = swap(candidate, template, FuseOptions(0.0, RegionWeights(1, 1, 1), blend, warp))

    assert (swapped.image == candidate[0]).all()


@given(heads, st.lists(heads, min_size=2, max_size=4))
@settings(deadline=None, max_examples=10)
def test_order_of_the_templates_changes_nothing(candidate, templates):
    def fused(given_):
        index = choose_template(candidate[1], [face for _, face in given_]).index
        return swap(candidate, given_[index], FuseOptions()).image

    assert (fused(templates) == fused(templates[::-1])).all()


@given(heads, heads)
@settings(deadline=None, max_examples=10)
def test_jaw_line_is_untouched(candidate, template):
    """At the landmarks of the jaw that are part of the outline the candidate's pixels stay, to rounding."""
    image, face = candidate
    fused = swap(candidate, template, FuseOptions(weights=RegionWeights(1, 1, 1))).image.astype(int)
    hull = set(cv2.convexHull(face.dense.points, returnPoints=False).ravel().tolist())

    for number in hull & set(mean_face().indices("left_jaw", "right_jaw").tolist()):
        x, y = np.round(face.dense.points[number]).astype(int)
        if 0 <= x < image.shape[1] and 0 <= y < image.shape[0]:
            assert np.abs(fused[y, x] - image[y, x]).max() <= 4


@pytest.mark.parametrize("warp", WarpMode)
def test_lips_of_weight_zero_keep_the_candidates_colour(warp):
    candidate = draw_head(lips=(150, 90, 170), expression=(1.0,))
    template = draw_head(lips=(220, 30, 30), skin=(120, 90, 70))

    for weight, is_kept in ((0.0, True), (1.0, False)):
        options = FuseOptions(weights=RegionWeights(1, 0.6, weight), warp=warp)
        fused = swap(candidate, template, options).image.astype(int)
        lips = candidate[1].parts.labels == candidate[1].parts.names.index("lips")
        change = np.abs(fused - candidate[0]).max(-1)[lips]
        assert bool(np.median(change) <= 4) is is_kept


def test_eyes_behind_the_templates_glasses_are_not_pasted_on_bare_ones():
    candidate = draw_head(iris=(60, 60, 60))
    worn, bare = draw_head(iris=(30, 160, 60), glasses=True), draw_head(iris=(30, 160, 60))

    def greenness(template):
        image = swap(candidate, template, FuseOptions()).image.astype(int)
        x, y = np.round(candidate[1].landmarks5[0]).astype(int)
        return image[y, x, 1] - image[y, x, 0]

    assert greenness(worn) < 10 < 60 < greenness(bare)


def test_side_that_the_template_hides_keeps_the_candidate():
    """The template has white spots: the one on its far cheekbone does not arrive, the near one does."""
    candidate = draw_head(pose=head_pose(yaw_deg=-12))
    image, face = draw_head(pose=head_pose(yaw_deg=42), skin=(150, 110, 85))
    for name in ("left_cheek", "right_cheekbone"):
        cv2.circle(image, tuple(int(v) for v in spot(face, name)), 5, (255, 255, 255), -1)

    fused = swap(candidate, (image, face), FuseOptions(weights=RegionWeights(1, 1, 1))).image.astype(int)

    def change(name):
        x, y = np.round(spot(candidate[1], name)).astype(int)
        return np.abs(fused[y - 3 : y + 4, x - 3 : x + 4] - candidate[0][y - 3 : y + 4, x - 3 : x + 4]).max()

    assert change("right_cheekbone") < 0.4 * change("left_cheek")


def test_light_that_falls_from_the_side_stays():
    """The candidate is lit from the left, the template from the right."""
    candidate = draw_head(light=(1.2, 0.7))
    template = draw_head(light=(0.7, 1.2), skin=(190, 150, 125))

    fused = swap(candidate, template, FuseOptions(weights=RegionWeights(1, 1, 1))).image.astype(float)

    left, right = spot(candidate[1], "left_cheek"), spot(candidate[1], "right_cheek")

    def tone(image, at):
        x, y = np.round(at).astype(int)
        return image[y - 4 : y + 5, x - 4 : x + 5].mean()

    wanted = tone(candidate[0], left) - tone(candidate[0], right)
    assert tone(fused, left) - tone(fused, right) > 0.5 * wanted > 0


@pytest.mark.parametrize("candidate_parts", [True, False])
@pytest.mark.parametrize("template_parts", [True, False])
@pytest.mark.parametrize("warp", WarpMode)
def test_any_mix_of_known_and_unknown_structure_is_fused(candidate_parts, template_parts, warp):
    candidate = draw_head(iris=(60, 60, 60), with_parts=candidate_parts)
    template = draw_head(iris=(30, 160, 60), pose=head_pose(yaw_deg=6), with_parts=template_parts)

    fused = swap(candidate, template, FuseOptions(warp=warp))

    x, y = np.round(candidate[1].landmarks5[0]).astype(int)
    assert fused.image[y, x].argmax() == 1  # the eye is green now
    assert fused.warp is warp


def test_face_that_crosses_the_border_is_fused_as_far_as_it_goes():
    image, face = draw_head(pose=head_pose(centre=(150, 112)), iris=(60, 60, 60))
    cut = shifted(face, -110, -40)

    fused = swap((image[40:, 110:].copy(), cut), draw_head(iris=(30, 160, 60)), FuseOptions())

    assert fused.mask_share > 0
    assert fused.image.shape == image[40:, 110:].shape
