"""Pictures of restored marks and wrinkles as they were approved by eye.

LIKENESS_UPDATE_GOLDEN=1 rewrites them; look at the difference before committing it. Tolerance: mean 0.5 and
maximum 10 of 255 levels, for OpenCV builds whose SIMD paths round differently.
"""

from dataclasses import replace

import pytest

from services.fusion.adapters.opencv_marks import OpenCvMarks
from services.fusion.adapters.opencv_texture import OpenCvTexture
from services.fusion.domain.face import Face
from services.fusion.domain.fusing import Template
from services.fusion.domain.people import FacesOfPicture
from services.fusion.engine.lazy_picture import LazyPicture
from services.fusion.engine.restore import restore_marks
from tests.golden.test_fusion_pictures import agree
from tests.support.drawn_face import box_of, draw_face
from tests.support.posed_head import draw_head

MARKS = [
    (0.55, 0.6, 0.045, 0.55),
    (-0.45, 0.5, 0.03, 0.75),
    (-0.36, 0.46, 0.028, 0.75),
    (-0.4, 0.58, 0.03, 0.7),
    (-0.2, -0.75, 0.04, 0.5),
]
FOREHEAD = [(-0.4, -0.75), (-0.2, -0.78), (0.0, -0.79), (0.2, -0.78), (0.4, -0.75)]
FOLD = [(0.42, 0.55), (0.52, 0.75), (0.56, 0.95)]


def lazy(name, image, face):
    size = (image.shape[1], image.shape[0])
    return LazyPicture(FacesOfPicture(name, (face,)), None, size, lambda: image)


def restored(candidate, references):
    marks = OpenCvMarks()
    photos = [lazy(f"reference {k}", *head) for k, head in enumerate(references)]
    return restore_marks(marks, marks, lazy("candidate", *candidate), photos, min_face_px=20)


def test_moles_of_five_landmarks_are_the_approved_ones():
    def faced(**how):
        image, landmarks = draw_face((128, 128), centre=(64, 66), **how)
        return image, Face(box_of(landmarks), landmarks)

    moles = [(28, 10, 2.6), (-30, 20, 2.2)]
    references = [faced(scale=0.95, angle_deg=a, noise_seed=a, moles=moles) for a in (0, 5, 9)]

    done = restored(faced(scale=0.9, angle_deg=-7, skin=(140, 105, 88), noise_seed=4), references)

    assert [m.reason for m in done.marks] == [None, None]
    agree("moles", done.image)


@pytest.mark.parametrize("yaw", [-25, 20])
def test_marks_on_a_turned_head_are_the_approved_ones(yaw):
    how = {"scale": 30.0, "centre": (64.0, 55.0), "size": 128}
    references = [
        draw_head(yaw=y, marks=MARKS, noise_seed=y + 20, skin=(235, 200, 175), **how) for y in (-10, 2, 12)
    ]
    image, face = draw_head(yaw=yaw, roll=6, skin=(150, 110, 92), noise_seed=3, **how)

    done = restored((image, replace(face, marks=())), references)

    agree(f"marks_turned_{yaw}", done.image)


def test_wrinkles_are_the_approved_ones():
    how = {"scale": 30.0, "centre": (64.0, 55.0), "size": 128}
    lines = [draw_head(yaw=y, line=line, noise_seed=5, **how) for y in (0, 4) for line in (FOREHEAD, FOLD)]
    image, face = draw_head(yaw=10, skin=(150, 110, 92), noise_seed=3, **how)

    for image_of_line, other in (lines[0], lines[1]):
        template = Template("reference", image_of_line, other)
        image = OpenCvTexture().add(image, face, [template], strength=1.0).image

    agree("wrinkles", image)
