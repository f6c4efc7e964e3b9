"""Which face of a picture is meant, and who claims it."""

import numpy as np
import pytest

from services.fusion.domain.face import Face
from services.fusion.domain.people import FacesOfPicture
from services.fusion.engine.people import Person, TemplatePhoto, claims_of, unclaimed
from services.fusion.errors import FaceNotInPicture, NoFaceFound, SeveralFaces
from shared.errors.common import FieldInvalid

POINTS = np.array([(40, 50), (84, 50), (62, 71), (45, 93), (79, 93)], np.float32)


def face(x=0.0, **more):
    return Face((x, 10, x + 90, 100), POINTS + np.array([x, 0], np.float32), **more)


def found(*faces, names=()):
    return FacesOfPicture("group", faces, names)


async def unread():
    raise AssertionError("a template was read while faces were chosen")


def photo(*faces, name="photo", position=None, names=()):
    return TemplatePhoto(FacesOfPicture(name, faces or (face(),), names), position, unread)


def choose(picture, position=None, person=""):
    return picture.choose(position=position, person=person, min_face_px=48)


def claims(candidate, *people):
    return claims_of(candidate, people, min_face_px=48)


def test_position_counts_from_left_to_right_whatever_the_order_of_the_faces():
    picture = found(face(200), face(0), face(100))

    assert [choose(picture, position=p) for p in range(3)] == [1, 2, 0]


@pytest.mark.parametrize("position", [2, 63])
def test_position_beyond_the_faces_is_an_error_with_a_remedy(position):
    with pytest.raises(FaceNotInPicture) as caught:
        choose(found(face(0), face(100)), position=position)

    assert caught.value.metadata == {"face": f"face {position}", "image": "group", "count": "2"}
    assert "from left to right" in caught.value.remedy


def test_name_finds_its_face():
    picture = found(face(0), face(100), names=("", "ada"))

    assert choose(picture, person="ada") == 1
    with pytest.raises(FaceNotInPicture, match="face named bruno"):
        choose(picture, person="bruno")


def test_position_goes_before_the_name():
    assert choose(found(face(0), face(100), names=("ada", "")), position=1, person="ada") == 1


def test_face_that_nothing_tells_apart_is_never_guessed():
    with pytest.raises(SeveralFaces):
        choose(found(face(0), face(100)))
    with pytest.raises(SeveralFaces):
        choose(found(face(0), face(100)), person="ada")
    with pytest.raises(NoFaceFound):
        choose(found(), position=0)
    assert choose(found(face()), person="ada") == 0


@pytest.mark.parametrize("names", [("ada",), ("ada", "", "")])
def test_names_must_be_as_many_as_the_faces(names):
    with pytest.raises(FieldInvalid, match=f"{len(names)} names for 2 faces"):
        choose(found(face(0), face(100), names=names), position=0)


def test_two_faces_of_one_name_are_ambiguous():
    with pytest.raises(FieldInvalid, match="two faces are named ada"):
        choose(found(face(0), face(100), names=("ada", "ada")), person="ada")


def test_each_person_gets_their_own_face_and_template():
    left, right = face(0, yaw_deg=20), face(200, yaw_deg=-20)
    candidate = found(right, left, names=("bruno", ""))
    ada = Person("ada", 0, (photo(face(yaw_deg=-20)), photo(face(yaw_deg=20))))
    bruno = Person("bruno", None, (photo(face(yaw_deg=-18)),))

    first, second = claims(candidate, ada, bruno)

    assert (first.face_index, first.choice.index) == (1, 1)
    assert (second.face_index, second.choice.index) == (0, 0)
    assert unclaimed(candidate, [first]) == [right]


def test_face_that_two_claim_and_name_that_two_have_are_refused():
    candidate = found(face(0), face(200))
    with pytest.raises(FieldInvalid, match="ada and bruno claim the same face"):
        claims(candidate, Person("ada", 0, (photo(),)), Person("bruno", 0, (photo(),)))
    with pytest.raises(FieldInvalid, match="ada is given twice"):
        claims(candidate, Person("ada", 0, (photo(),)), Person("ada", 1, (photo(),)))


def test_template_without_its_face_is_an_error_even_where_another_would_do():
    with pytest.raises(NoFaceFound, match="second"):
        empty = TemplatePhoto(FacesOfPicture("second", ()), None, unread)
        claims(found(face()), Person("", None, (photo(), empty)))
    with pytest.raises(SeveralFaces, match="second"):
        claims(found(face()), Person("", None, (photo(), photo(face(0), face(99), name="second"))))


def test_group_photo_serves_as_a_template_by_position_or_name():
    group = (face(0, yaw_deg=5), face(200, yaw_deg=-5))
    by_position = Person("ada", None, (photo(*group, position=1),))
    by_name = Person("ada", None, (photo(*group, names=("ada", "bruno")),))

    assert claims(found(face()), by_position)[0].template_face is group[1]
    assert claims(found(face()), by_name)[0].template_face is group[0]
