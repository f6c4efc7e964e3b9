import numpy as np
import pytest
from likeness.face_analysis.v1 import face_analysis_pb2 as pb

from shared.images import encode_png
from tests.service.face_analysis.conftest import image, refused
from tests.support import faces


async def curate(stub, *photos, **fields):
    return await stub.CuratePhotos(pb.CuratePhotosRequest(photos=photos, **fields))


def reasons(photo) -> list[str]:
    return [refusal.reason for refusal in photo.refusals]


SPOILED = {
    "landscape": (lambda rgb: faces.scenery(), "NO_FACE_FOUND"),
    "two people": (lambda rgb: faces.side_by_side(rgb, faces.sample(1)), "SEVERAL_FACES"),
    "tiny": (lambda rgb: faces.resized(rgb, 96), "FACE_TOO_SMALL"),
    "out of focus": (lambda rgb: faces.blurred(rgb, 4.0), "FACE_TOO_BLURRED"),
    "dark": (lambda rgb: faces.exposed(rgb, 0.09), "FACE_BADLY_EXPOSED"),
    "burnt out": (lambda rgb: faces.exposed(rgb, 2.2), "FACE_BADLY_EXPOSED"),
}


class TestSpoiledPhotos:
    async def test_each_spoiled_photo_gets_its_reason_and_the_good_one_is_accepted(self, dlib_stub):
        good = faces.sample(0)
        spoiled = [image(encode_png(spoil(good)), name) for name, (spoil, _) in SPOILED.items()]

        report = await curate(dlib_stub, *spoiled, image(encode_png(good), "good"))

        *refused_photos, accepted = report.photos
        for photo, (name, (_, reason)) in zip(refused_photos, SPOILED.items(), strict=True):
            assert photo.name == name
            assert reason in reasons(photo), name
            assert photo.refusals[0].metadata["image"] == name and name in photo.refusals[0].message
        assert accepted.is_accepted and report.accepted_count == 1
        assert report.template_index == len(SPOILED)

    async def test_files_that_are_no_photos_are_refused_one_by_one(self, dlib_stub):
        good = faces.sample_png(0)
        report = await curate(
            dlib_stub,
            image(b"text"),
            image(faces.truncated(good)),
            image(faces.huge_png()),
            image(faces.heic_header()),
            image(good),
        )

        assert [reasons(photo) for photo in report.photos] == [
            ["IMAGE_UNREADABLE"],
            ["IMAGE_TRUNCATED"],
            ["IMAGE_TOO_LARGE"],
            ["IMAGE_FORMAT_UNSUPPORTED"],
            [],
        ]
        assert all(refusal.message for photo in report.photos for refusal in photo.refusals)

    async def test_small_bystander_is_tolerated(self, dlib_stub):
        photo = faces.with_bystander(faces.sample(0), faces.sample(1), 0.4)

        report = await curate(dlib_stub, image(encode_png(photo)))

        assert report.photos[0].is_accepted

    async def test_required_size_can_be_lowered(self, dlib_stub):
        small = image(encode_png(faces.resized(faces.sample(0), 112)))

        report = await curate(dlib_stub, small, min_face_px=32)

        assert "FACE_TOO_SMALL" not in reasons(report.photos[0])

    async def test_photo_on_its_side_is_accepted_and_says_so(self, dlib_stub):
        lying = np.ascontiguousarray(np.rot90(faces.sample(0)))

        report = await curate(dlib_stub, image(encode_png(lying)))

        assert report.photos[0].is_accepted and report.photos[0].applied_rotation_degrees == 90


class TestSets:
    async def test_five_renders_of_one_person_give_a_mean_and_a_template(self, dlib_stub):
        views = [image(faces.sample_png(0, view)) for view in range(5)]

        report = await curate(dlib_stub, *views)

        assert report.accepted_count >= 4
        mean = np.array(report.mean_embedding.values)
        assert np.linalg.norm(mean) == pytest.approx(1, abs=1e-5)
        assert report.mean_embedding.model == "dlib-resnet-v1"
        assert report.photos[report.template_index].is_accepted
        similarities = [photo.similarity_to_set for photo in report.photos if photo.is_accepted]
        assert min(similarities) > 0.9

    async def test_a_stranger_among_photos_of_one_person_is_refused(self, dlib_stub):
        report = await curate(
            dlib_stub,
            image(faces.sample_png(0, 0), "a0"),
            image(faces.sample_png(1, 0), "b0"),
            image(faces.sample_png(0, 1), "a1"),
        )

        assert [photo.is_accepted for photo in report.photos] == [True, False, True]
        [refusal] = report.photos[1].refusals
        assert refusal.reason == "DIFFERENT_PERSON"
        assert refusal.metadata["reference"] == "a0, a1"

    async def test_two_people_with_one_photo_each_are_both_refused(self, dlib_stub):
        report = await curate(dlib_stub, image(faces.sample_png(0), "ann"), image(faces.sample_png(1), "ben"))

        assert [reasons(photo) for photo in report.photos] == [["DIFFERENT_PERSON"]] * 2
        assert report.photos[0].refusals[0].metadata["reference"] == "ben"
        assert report.accepted_count == 0 and report.template_index == -1
        assert not report.HasField("mean_embedding")

    async def test_the_same_photo_twice_is_a_warning(self, dlib_stub):
        picture = faces.sample(0)
        report = await curate(
            dlib_stub, image(encode_png(picture), "a.png"), image(faces.jpeg(picture), "a.jpg")
        )

        assert report.accepted_count == 2
        [warning] = report.photos[1].warnings
        assert warning.reason == "DUPLICATE_PHOTO" and warning.metadata["duplicate_of"] == "a.png"

    async def test_empty_set_is_refused_with_the_field(self, fake_stub):
        error = await refused(curate(fake_stub))

        assert (error.reason, error.metadata["field"]) == ("FIELD_INVALID", "photos")

    @pytest.mark.parametrize("size", [15, 1025])
    async def test_size_out_of_range_is_refused(self, fake_stub, size):
        error = await refused(curate(fake_stub, image(b"x"), min_face_px=size))

        assert error.metadata["field"] == "min_face_px"
