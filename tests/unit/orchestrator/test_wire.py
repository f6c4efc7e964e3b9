"""A face goes to fusion as face analysis sent it, and is kept without its structure."""

from likeness.common.v1 import face_pb2, image_pb2

from services.orchestrator.adapters.clients import wire
from services.orchestrator.domain.faces import Face

POINT = image_pb2.Point(x=3, y=4)


def sent() -> face_pb2.Face:
    """A face with everything that face analysis can say; all numbers fit into 32 bits."""
    return face_pb2.Face(
        box=image_pb2.Box(x0=1, y0=2, x1=9, y1=9),
        landmarks=face_pb2.FaceLandmarks(
            left_eye=POINT, right_eye=POINT, nose=POINT, mouth_left=POINT, mouth_right=POINT
        ),
        embedding=image_pb2.Embedding(values=[0.5, 0.5], model="raw"),
        comparison_embedding=image_pb2.Embedding(values=[0.25, 0.75], model="fitted"),
        detection_confidence=0.5,
        quality=face_pb2.FaceQuality(
            sharpness=0.5, judged=0.25, defects=[face_pb2.FaceDefect(name="blur", strength=0.5)]
        ),
        attributes=[face_pb2.FaceAttribute(name="glasses", value="none", confidence=0.5)],
        dense_landmarks=face_pb2.DenseLandmarks(scheme="s", points=[POINT] * 5, visibility=[1] * 5),
        part_map=face_pb2.PartMap(
            image=image_pb2.Image(data=b"png"), box=image_pb2.Box(x1=4, y1=4), parts=["skin"]
        ),
        marks=[face_pb2.SkinMark(kind="mole", center=POINT, radius_px=1, confidence=0.5)],
        has_marks_searched=True,
    )


def test_a_face_comes_back_as_it_was_sent():
    assert wire.to_face(wire.from_face(sent())) == sent()


def test_what_was_not_sent_is_not_made_up():
    bare = face_pb2.Face(box=sent().box, landmarks=sent().landmarks, quality=face_pb2.FaceQuality())
    face = wire.from_face(bare)
    assert face.structure is None and face.compared is None and face.quality.judged is None
    assert wire.to_face(face) == bare


def test_no_marks_found_is_not_the_same_as_not_looked_for():
    searched = sent()
    searched.ClearField("marks")
    assert wire.to_face(wire.from_face(searched)).has_marks_searched


def test_structure_is_not_kept_and_does_not_move():
    face = wire.from_face(sent())
    kept = Face.model_validate(face.to_json())
    assert kept.structure is None
    assert kept.comparison_embedding == face.comparison_embedding
    assert face.moved(left_px=1, top_px=1, scale=0.5).structure is None


def test_overlap_is_one_for_the_same_box_and_zero_apart():
    face = wire.from_face(sent())
    assert face.overlap(face) == 1
    far = face.moved(left_px=-100, top_px=0, scale=1)
    assert face.overlap(far) == far.overlap(face) == 0
    assert 0 < face.overlap(face.moved(left_px=2, top_px=0, scale=1)) < 1
