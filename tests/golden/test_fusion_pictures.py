"""Pictures of fusion as they were approved by eye.

LIKENESS_UPDATE_GOLDEN=1 rewrites them; look at the difference before committing it. Tolerance: mean 0.5 and
maximum 10 of 255 levels, for OpenCV builds whose SIMD paths round differently.
"""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.fusion.adapters.opencv_swapper import OpenCvSwapper
from services.fusion.domain.face import Face
from services.fusion.domain.fusing import BlendMode, FuseOptions, RegionWeights, Template, WarpMode
from tests.support.drawn_face import box_of, draw_face
from tests.support.drawn_head import draw_head, head_pose

FOLDER = Path(__file__).parent / "fusion"
MEAN_LEVELS, MAX_LEVELS = 0.5, 10
WHOLE = RegionWeights(1.0, 1.0, 1.0)


def faced(**how):
    image, landmarks = draw_face((128, 128), centre=how.pop("centre", (64, 66)), **how)
    return image, Face(box_of(landmarks), landmarks)


def agree(name, image):
    path = FOLDER / f"{name}.png"
    if os.environ.get("LIKENESS_UPDATE_GOLDEN"):
        FOLDER.mkdir(exist_ok=True)
        cv2.imwrite(str(path), image[..., ::-1])
    expected = cv2.imread(str(path))[..., ::-1].astype(int)
    assert expected.shape == image.shape
    difference = np.abs(expected - image)
    assert difference.mean() <= MEAN_LEVELS
    assert difference.max() <= MAX_LEVELS


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("pyramid", FuseOptions(warp=WarpMode.SIMILARITY, weights=WHOLE)),
        ("poisson", FuseOptions(blend=BlendMode.POISSON, warp=WarpMode.SIMILARITY, weights=WHOLE)),
        ("landmarks", FuseOptions(warp=WarpMode.LANDMARKS, weights=WHOLE)),
        ("half", FuseOptions(strength=0.5)),
        ("eyes_alone", FuseOptions(weights=RegionWeights(eyes=1.0, skin=0.0, lips=0.0))),
    ],
)
def test_fused_picture_is_the_approved_one(name, options):
    candidate = faced(scale=0.75, angle_deg=-5, skin=(190, 150, 130), eyes=(60, 60, 60), noise_seed=0)
    image, face = faced(scale=0.9, angle_deg=8, skin=(235, 200, 175), eyes=(30, 150, 60), moles=[(28, 10, 3)])

    fused = OpenCvSwapper().swap(*candidate, Template("reference", image, face), options).image

    agree(name, fused)


@pytest.mark.parametrize("warp", WarpMode)
@pytest.mark.parametrize("dress", ["bare", "worn"])
def test_fused_head_is_the_approved_one(warp, dress):
    """Two people in two poses, lights and expressions; "worn": the candidate has a fringe and glasses."""
    candidate = draw_head(
        size=128,
        pose=head_pose(yaw_deg=12, scale_px=30, centre=(60, 54)),
        expression=(1.5,),
        skin=(190, 150, 130),
        iris=(60, 60, 60),
        light=(1.1, 0.8),
        fringe=dress == "worn",
        glasses=dress == "worn",
    )
    image, face = draw_head(
        pose=head_pose(yaw_deg=-8, pitch_deg=5),
        identity=(1.5, -1, 1),
        skin=(235, 200, 175),
        iris=(30, 150, 60),
    )

    options = FuseOptions(warp=warp, weights=RegionWeights(1.0, 0.6, 0.5))
    fused = OpenCvSwapper().swap(*candidate, Template("reference", image, face), options).image

    agree(f"head_{warp.value}_{dress}", fused)
