"""Use cases over fakes."""

import numpy as np
import pytest

from services.fusion.adapters.fake import FakeEnhancer, FakeInspector, FakeMarks, FakeSwapper
from services.fusion.domain.face import Face
from services.fusion.domain.fusing import FuseOptions
from services.fusion.domain.ranking import RankOptions
from services.fusion.engine.engine import FusionEngine, Ports
from services.fusion.engine.fuse import fuse
from services.fusion.engine.ranking import RankInput, gate_for, rank_candidates
from services.fusion.engine.requests import FacedPicture
from services.fusion.engine.restore import restore_marks
from services.fusion.errors import NoFaceFound, SeveralFaces
from shared.cancellation import CancellationToken, Cancelled
from shared.errors.common import CapabilityUnavailable, FieldInvalid
from shared.workers import Workers
from tests.support.drawn_face import box_of, draw_face


def picture(name="candidate", faces=1, yaw=0.0, quality=1.0, **how):
    image, landmarks = draw_face(**how)
    face = Face(box_of(landmarks), landmarks, quality=quality, yaw_deg=yaw)
    return FacedPicture(name, image, (face,) * faces)


def do_fuse(candidate, *templates):
    return fuse(FakeSwapper(), candidate, templates, FuseOptions(), min_face_px=48)


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
    fused = do_fuse(picture(yaw=20), picture(yaw=-20), picture(yaw=18), picture(yaw=0))

    assert fused.template_index == 1
    assert 0.9 < fused.pose_similarity < 1
    assert 0 < fused.mask_share < 1
    assert fused.transform.shape == (2, 3)


def test_mark_must_recur_unless_one_reference_is_all_there_is():
    marks = FakeMarks()
    plain, marked = picture("plain"), picture("marked")
    marked.image[150, 110] = (255, 0, 0)

    def restored(*references):
        return restore_marks(marks, marks, plain, references, min_face_px=48)

    assert restored(marked, picture()).marks == []
    assert (plain.image == restored(marked, picture()).image).all()
    (alone,) = restored(marked).marks
    assert (pytest.approx(alone.x_px, abs=0.1), pytest.approx(alone.y_px, abs=0.1)) == (110, 150)
    (twice,) = restored(marked, marked, picture()).marks
    assert twice.seen_in == 2


def test_reference_that_is_turned_away_cannot_confirm_a_mark():
    marks = FakeMarks()
    marked, turned = picture(), picture(yaw=50)
    for one in (marked, turned):
        one.image[150, 110] = (255, 0, 0)

    restored = restore_marks(marks, marks, picture(), [marked, turned], min_face_px=48)

    assert restored.marks == []


def test_gate_is_the_requested_or_the_calibrated_and_never_a_guess():
    calibrated = {"dlib-resnet-v1": 0.94}

    assert gate_for("other", calibrated, 0.2) == 0.2
    assert gate_for("dlib-resnet-v1", calibrated, None) == 0.94
    with pytest.raises(FieldInvalid, match="other"):
        gate_for("other", calibrated, None)


def embedded(*values):
    return Face((0, 0, 99, 99), np.zeros((5, 2), np.float32), np.array(values, np.float32))


def do_rank(candidates, references):
    return rank_candidates(FakeInspector(), candidates, references, RankOptions(identity_gate=0.5))


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
    ports = Ports(FakeSwapper(), marks, marks, FakeEnhancer(), FakeInspector())
    defaults = {"min_face_px": 48.0, "duplicate_similarity": 0.98}
    engine = FusionEngine(ports, Workers(1), gates={}, rank_defaults=defaults)
    yield engine
    engine.close()


async def test_scale_that_the_enhancer_lacks_is_a_typed_error(engine):
    with pytest.raises(CapabilityUnavailable, match="scale 4"):
        await engine.enhance(picture().image, scale=4, strength=0.5, token=CancellationToken())


async def test_cancelled_work_is_not_begun(engine):
    token = CancellationToken()
    token.cancel()

    with pytest.raises(Cancelled):
        await engine.fuse(picture(), [picture()], FuseOptions(), token)
