"""Ranking where the face is optional: drawings in which none may be found."""

import dataclasses

from services.fusion.domain.ranking import Candidate, rank
from services.fusion.domain.scoring import RankWeights
from services.fusion.errors import PictureDefect
from shared.errors import ErrorReason
from tests.unit.fusion.test_ranking import OPTIONS, REFERENCES, at, face, unit


def test_where_the_face_is_optional_a_drawing_without_one_comes_last_and_checks_refuse_nothing():
    odd = Candidate("odd", (face(at(0.95), defects={"distortion": 0.99}),))
    faceless = Candidate("faceless", ())
    blank = Candidate("blank", (), defect=PictureDefect(image="blank", defect="it is blank"))
    crowd = Candidate("crowd", (face(at(1)), face(at(1))))
    options = dataclasses.replace(OPTIONS, is_face_optional=True)

    verdicts = rank([faceless, blank, crowd, odd], REFERENCES, options)

    assert [v.name for v in verdicts if v.rank] == ["odd", "faceless"]
    reasons = {v.name: v.refusal.reason for v in verdicts if v.refusal}
    assert reasons == {"blank": ErrorReason.PICTURE_DEFECT, "crowd": ErrorReason.SEVERAL_FACES}


def test_a_drawing_without_a_face_comes_last_even_where_faces_score_nothing():
    options = dataclasses.replace(OPTIONS, is_face_optional=True, weights=RankWeights(0, 0, 0, 1, 0))

    verdicts = rank([Candidate("a", ()), Candidate("b", (face(at(0.95)),))], REFERENCES, options)

    assert [(v.name, v.score) for v in verdicts] == [("b", 0), ("a", 0)]


def test_drawings_that_look_the_same_are_thinned_out_without_a_face_too():
    look = unit([1, 2, 3])
    options = dataclasses.replace(OPTIONS, is_face_optional=True)

    verdicts = rank([Candidate("a", (), look), Candidate("b", (), look)], REFERENCES, options)

    assert [(v.name, v.rank) for v in verdicts] == [("a", 1), ("b", 0)]
    assert verdicts[1].refusal.reason == ErrorReason.NEAR_DUPLICATE
