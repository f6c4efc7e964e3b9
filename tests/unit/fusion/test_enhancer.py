"""Classical enhancement."""

import numpy as np
import pytest

from services.fusion.adapters.opencv_enhancer import OpenCvEnhancer
from shared.cancellation import CancellationToken
from tests.support.drawn_face import draw_face


def enhanced(image, *, scale=1, strength=1.0):
    return OpenCvEnhancer(scale).enhance(image, strength=strength, token=CancellationToken())


def edge_strength(image):
    return float(np.abs(np.diff(image.astype(float).mean(-1), axis=1)).max(axis=1).mean())


def test_blurred_edges_get_steeper_without_new_extremes():
    import cv2

    image = cv2.GaussianBlur(draw_face()[0], (0, 0), 1.5)

    out = enhanced(image)

    assert edge_strength(out) > 1.15 * edge_strength(image)
    assert out.min() >= image.min() - 12 and out.max() <= image.max() + 12


def test_noise_on_flat_areas_is_reduced():
    image = draw_face(noise_seed=3)[0]
    flat = (slice(0, 40), slice(0, 40))

    out = enhanced(image)

    assert out[flat].std() < image[flat].std()


@pytest.mark.parametrize("size", [(64, 48), (33, 71)])
def test_twice_the_size_is_twice_the_size(size):
    image = draw_face(size, centre=(24, 30), scale=0.4)[0]

    out = enhanced(image, scale=2, strength=0.5)

    assert (2 * size[0], 2 * size[1], 3) == out.shape
    difference = np.abs(out[::2, ::2].astype(int) - image).mean()
    assert difference < 12


def test_strength_zero_at_scale_one_returns_the_same_pixels():
    image = draw_face(noise_seed=1)[0]

    assert (image == enhanced(image, strength=0.0)).all()


def test_other_scales_are_refused():
    with pytest.raises(ValueError, match="scale 3"):
        OpenCvEnhancer(3)
