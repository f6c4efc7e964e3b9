"""Enhanced pictures as they were approved by eye; updated and compared like those of fusion.

The starter's nets are compared on a drawn face too: to mean 1 and maximum 16 of 255 levels, as processors
round their convolutions differently. They are skipped where the pack has none.
"""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.fusion.adapters.opencv_enhancer import OpenCvEnhancer
from services.fusion.bootstrap import build_enhancer, build_upscaler
from services.fusion.settings import FusionSettings
from shared.cancellation import CancellationToken
from tests.support.drawn_face import draw_face

FOLDER = Path(__file__).parent / "fusion"


@pytest.fixture
def soft():
    image = draw_face((128, 128), centre=(64, 66), scale=0.9, noise_seed=2)[0]
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0), np.uint8)


def agree(name, image, *, mean_levels=0.5, max_levels=10):
    path = FOLDER / f"{name}.png"
    if os.environ.get("LIKENESS_UPDATE_GOLDEN"):
        cv2.imwrite(str(path), image[..., ::-1])
    expected = cv2.imread(str(path))[..., ::-1].astype(int)
    assert expected.shape == image.shape
    difference = np.abs(expected - image)
    assert difference.mean() <= mean_levels
    assert difference.max() <= max_levels


@pytest.mark.parametrize(("name", "scale"), [("cleaned", 1), ("enhanced", 2)])
def test_classical_picture_is_the_approved_one(soft, name, scale):
    agree(name, OpenCvEnhancer(scale).enhance(soft, strength=0.7, token=CancellationToken()))


@pytest.mark.parametrize(
    ("name", "build"), [("starter_cleaned", build_enhancer), ("starter_doubled", build_upscaler)]
)
def test_picture_of_the_starters_net_is_the_approved_one(soft, name, build):
    net = build(FusionSettings())
    if net.name != "starter":
        pytest.skip("the starter pack has no such net")

    made = net.enhance(soft, strength=1.0, token=CancellationToken())

    agree(name, made, mean_levels=1, max_levels=16)
