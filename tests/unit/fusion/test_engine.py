"""Use cases over fakes."""

from typing import NamedTuple

import numpy as np
import pytest

from services.fusion.adapters.fake import (
    FakeEnhancer,
    FakeInspector,
    FakeMarks,
    FakeSwapper,
    FakeTexture,
)
from services.fusion.domain.face import Face
from services.fusion.domain.fusing import FuseOptions
from services.fusion.domain.people import FacesOfPicture
from services.fusion.domain.ranking import RankOptions
from services.fusion.engine.engine import FusionEngine, Ports
from services.fusion.engine.fuse import fuse
from services.fusion.engine.gating import Gates
from services.fusion.engine.people import Person, TemplatePhoto, claims_of
from services.fusion.engine.ranking import RankInput, rank_candidates
from services.fusion.errors import NoFaceFound, SeveralFaces
from shared.cancellation import CancellationToken, Cancelled
from shared.errors.common import CapabilityUnavailable, FieldInvalid
from shared.workers import Workers
from tests.support.drawn_face import box_of, draw_face


class FacedPicture(NamedTuple):
    name: str
    image: np.ndarray
    faces: tuple[Face, ...]


def picture(name="candidate", faces=1, yaw=0.0, quality=1.0, **how):
    image, landmarks = draw_face(**how)
    face = Face(box_of(landmarks), landmarks, quality=quality, yaw_deg=yaw)
    return FacedPicture(name, image, (face,) * faces)


def do_fuse(candidate, *templates):
    pictures = {t.name: t.image for t in templates}
    photos = tuple(TemplatePhoto(FacesOfPicture(t.name, t.faces), None, None) for t in templates)
    found = FacesOfPicture(candidate.name, candidate.faces)
    claims = claims_of(found, [Person("", None, photos)], min_face_px=48)
    chosen = [pictures[claim.photo.found.name] for claim in claims]
    return fuse(FakeSwapper(), candidate.image, found, claims, chosen, FuseOptions())


@pytest.mark.parametrize("role", ["candidate", "reference 2"])
@pytest.mark.parametrize(("faces", "error"), [(0, NoFaceFound), (2, SeveralFaces)])
def test_picture_without_exactly_one_face_is_an_error_that_names_it(role, faces, error):
    pictures = {name: picture(name) for name in ("candidate", "reference 1", "reference 2")}
    pictures[role] = picture(role, faces)

    with pytest.raises(error) as caught:
        do_fuse(*pictures.values())

    assert role == caught.value.metadata["image"]


@pytest.mark.parametrize(
    "points",
    [np.full((5, 2), 9.0), np.full((5, 2), np.nan), np.full((5, 2), -4.0) + np.arange(10).reshape(5, 2)],
)
def test_landmarks_that_nothing_can_be_aligned_by_are_refused(points):
    good = picture()
    bad = FacedPicture("candidate", good.image, (Face((0, 0, 9, 9), points.astype(np.float32)),))

    with pytest.raises(FieldInvalid, match="landmarks of candidate"):
        do_fuse(bad, good)


def test_result_tells_which_template_was_used_and_how_alike_the_poses_are():
    photos = [picture(f"reference {k}", yaw=yaw) for k, yaw in enumerate((-20, 18, 0))]

    fused = do_fuse(picture(yaw=20), *photos)

    (face,) = fused.faces
    assert (face.choice.index, face.face_position, face.name) == (1, 0, "")
    assert 0.9 < face.choice.pose_similarity < 1
    assert 0 < face.mask_share < 1
    assert face.transform.shape == (2, 3)
    assert fused.backend == "fake"


async def test_engine_reads_the_chosen_template_alone(engine):
    seen = []

    def photo(name, yaw):
        one = picture(name, yaw=yaw)

        async def read():
            seen.append(name)
            return one.image

        return TemplatePhoto(FacesOfPicture(name, one.faces), None, read)

    candidate = picture(yaw=20)
    person = Person("", None, (photo("away", -30), photo("fitting", 18)))
    found = FacesOfPicture("candidate", candidate.faces)

    fused = await engine.fuse(candidate.image, found, [person], FuseOptions(), CancellationToken())

    assert seen == ["fitting"]
    assert fused.faces[0].choice.index == 1


def embedded(*values):
    return Face((0, 0, 99, 99), np.zeros((5, 2), np.float32), np.array(values, np.float32))


def do_rank(candidates, references):
    options = RankOptions(identity_gate=0.5)
    return rank_candidates(FakeInspector(), candidates, references, options, CancellationToken())


def test_ranking_refuses_double_names_and_mixed_dimensions():
    one = RankInput("a", (embedded(1, 0),))

    with pytest.raises(FieldInvalid, match="a is given twice"):
        do_rank([one, one], [np.array([1, 0], np.float32)])
    with pytest.raises(FieldInvalid, match=r"\[2, 3\]"):
        do_rank([one], [np.array([1, 0, 0], np.float32)])


def test_blank_picture_is_refused_whoever_it_is_said_to_show():
    blank = np.zeros((64, 64, 3), np.uint8)

    (verdict,) = do_rank([RankInput("a", (embedded(1, 0),), blank)], [np.array([1, 0], np.float32)])

    assert verdict.refusal.reason == "PICTURE_DEFECT"


@pytest.fixture
def engine():
    marks = FakeMarks()
    ports = Ports(
        FakeSwapper(), marks, marks, FakeTexture(), FakeEnhancer(), FakeEnhancer(2), FakeInspector()
    )
    defaults = {"min_face_px": 48.0, "duplicate_similarity": 0.98}
    engine = FusionEngine(ports, Workers(1), gates=Gates(), rank_defaults=defaults)
    yield engine
    engine.close()


async def test_scale_that_the_enhancer_lacks_is_a_typed_error(engine):
    with pytest.raises(CapabilityUnavailable, match="scale 4"):
        await engine.enhance(picture().image, scale=4, strength=0.5, token=CancellationToken())


@pytest.mark.parametrize(
    ("scale", "strength", "names"),
    [(1, 0.5, ("fake", "")), (2, 0.5, ("fake", "fake")), (2, 0.0, ("", "fake")), (1, 0.0, ("", ""))],
)
async def test_result_names_what_was_done_to_it(engine, scale, strength, names):
    image = picture().image

    made = await engine.enhance(image, scale=scale, strength=strength, token=CancellationToken())

    assert names == (made.enhancer, made.upscaler)
    assert made.image.shape == (image.shape[0] * scale, image.shape[1] * scale, 3)


async def test_cancelled_work_is_not_begun(engine):
    token = CancellationToken()
    token.cancel()

    with pytest.raises(Cancelled):
        await engine.fuse(picture().image, FacesOfPicture("c", ()), [], FuseOptions(), token)
