"""Pictures of fusion, marks and enhancement as they were approved by eye.

LIKENESS_UPDATE_GOLDEN=1 rewrites them; look at the difference before committing it. Tolerance: mean 0.5 and
maximum 10 of 255 levels, for OpenCV builds whose SIMD paths round differently.
"""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.fusion.adapters.opencv_enhancer import OpenCvEnhancer
from services.fusion.adapters.opencv_marks import OpenCvMarks
from services.fusion.adapters.opencv_swapper import OpenCvSwapper
from services.fusion.domain.face import Face
from services.fusion.domain.fusing import BlendMode, FuseOptions, RegionWeights, Template, WarpMode
from services.fusion.domain.marks import recurring_marks
from tests.support.drawn_face import box_of, draw_face

FOLDER = Path(__file__).parent / "fusion"
MEAN_LEVELS, MAX_LEVELS = 0.5, 10


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
        ("pyramid", FuseOptions()),
        ("poisson", FuseOptions(blend=BlendMode.POISSON)),
        ("landmarks", FuseOptions(warp=WarpMode.LANDMARKS)),
        ("half", FuseOptions(strength=0.5)),
        ("eyes_alone", FuseOptions(weights=RegionWeights(eyes=1.0, skin=0.0, lips=0.0))),
    ],
)
def test_fused_picture_is_the_approved_one(name, options):
    candidate = faced(scale=0.75, angle_deg=-5, skin=(190, 150, 130), eyes=(60, 60, 60), noise_seed=0)
    image, face = faced(scale=0.9, angle_deg=8, skin=(235, 200, 175), eyes=(30, 150, 60), moles=[(28, 10, 3)])

    fused = OpenCvSwapper().swap(*candidate, Template("reference", image, face), options).image

    agree(name, fused)


def test_restored_moles_are_the_approved_ones():
    finder = OpenCvMarks()
    moles = [(28, 10, 2.6), (-30, 20, 2.2)]
    seen = [finder.find(*faced(scale=0.95, angle_deg=a, noise_seed=a, moles=moles)) for a in (0, 5, 9)]
    image, face = faced(scale=0.9, angle_deg=-7, skin=(140, 105, 88), noise_seed=4)

    painted, placed = finder.paint(image, face, recurring_marks(seen))

    assert len(placed) == 2
    agree("moles", painted)


def test_enhanced_picture_is_the_approved_one():
    image = cv2.GaussianBlur(faced(scale=0.9, noise_seed=2)[0], (0, 0), 1.0)

    agree("enhanced", OpenCvEnhancer().enhance(image, scale=2, strength=0.7))
