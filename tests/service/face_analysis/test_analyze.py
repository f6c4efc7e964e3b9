import asyncio

import grpc
import numpy as np
import pytest
from likeness.common.v1 import image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2 as pb

from shared.images import encode_png
from tests.service.face_analysis.conftest import image, refused
from tests.support import faces


def vector(face) -> np.ndarray:
    return np.array(face.embedding.values, np.float32)


async def analyze(stub, *images, **options):
    response = await stub.Analyze(pb.AnalyzeRequest(images=images), **options)
    return list(response.images)


class TestAnalyze:
    async def test_a_render_gives_one_measured_and_embedded_face(self, dlib_stub):
        [result] = await analyze(dlib_stub, image(faces.sample_png(0)))

        assert (result.width_px, result.height_px, result.applied_rotation_degrees) == (256, 256, 0)
        [face] = result.faces
        assert face.embedding.model == "dlib-resnet-v1" and len(face.embedding.values) == 128
        assert np.linalg.norm(vector(face)) == pytest.approx(1, abs=1e-5)
        assert face.box.x0 < face.landmarks.left_eye.x < face.landmarks.right_eye.x < face.box.x1
        assert face.landmarks.nose.y < face.landmarks.mouth_left.y
        assert 0.5 < face.quality.overall <= 1
        assert face.quality.size_px == pytest.approx(face.box.x1 - face.box.x0)
        assert abs(face.quality.roll_degrees) < 15 and 0 < face.detection_confidence <= 1

    async def test_one_broken_picture_leaves_the_others_alone_and_in_order(self, fake_stub):
        good = encode_png(faces.drawn_face(1))
        results = await analyze(
            fake_stub, image(good), image(b"hello"), image(faces.truncated(good), "cut.png"), image(good)
        )

        assert [len(result.faces) for result in results] == [1, 0, 0, 1]
        assert [result.refusal.reason for result in results] == [
            "",
            "IMAGE_UNREADABLE",
            "IMAGE_TRUNCATED",
            "",
        ]
        assert "image 2" in results[1].refusal.message, "unnamed pictures go by their position"
        assert "cut.png" in results[2].refusal.message

    @pytest.mark.parametrize(
        ("data", "reason", "remedy"),
        [
            (faces.huge_png(), "IMAGE_TOO_LARGE", "smaller"),
            (faces.heic_header(), "IMAGE_FORMAT_UNSUPPORTED", "Most Compatible"),
            (b"GIF89a" + bytes(50), "IMAGE_FORMAT_UNSUPPORTED", "export"),
            (b"not a picture at all", "IMAGE_UNREADABLE", "Send a PNG"),
        ],
        ids=["bomb", "heic", "gif", "text"],
    )
    async def test_bad_files_get_a_reason_and_a_remedy(self, fake_stub, data, reason, remedy):
        [result] = await analyze(fake_stub, image(data))

        assert result.refusal.reason == reason
        assert remedy in result.refusal.message
        assert result.width_px == 0 and not result.faces

    async def test_unusual_pixel_formats_are_read(self, dlib_stub):
        picture = faces.sample(0)
        files = [
            faces.saved_as(picture, "CMYK", "JPEG"),
            faces.saved_as(picture, "RGBA", "PNG"),
            faces.saved_as(picture, "L", "PNG"),
            faces.sixteen_bit_png(picture),
        ]

        results = await analyze(dlib_stub, *(image(data) for data in files))

        assert [len(result.faces) for result in results] == [1, 1, 1, 1]

    async def test_exif_orientation_is_applied_so_that_no_rotation_is_needed(self, dlib_stub):
        picture = faces.sample(0)
        files = [faces.exif_jpeg(picture, orientation) for orientation in (1, 3, 6, 8)]

        results = await analyze(dlib_stub, *(image(data) for data in files))

        assert [result.applied_rotation_degrees for result in results] == [0, 0, 0, 0]
        first = vector(results[0].faces[0])
        assert all(float(vector(result.faces[0]) @ first) > 0.99 for result in results)

    @pytest.mark.parametrize("turns", [1, 2, 3])
    async def test_picture_on_its_side_without_exif_is_turned_and_says_so(self, dlib_stub, turns):
        upright = np.ascontiguousarray(faces.sample(0)[:, 20:230])
        lying = np.ascontiguousarray(np.rot90(upright, turns))

        straight, turned = await analyze(dlib_stub, image(encode_png(upright)), image(encode_png(lying)))

        assert turned.applied_rotation_degrees == 90 * turns
        assert (turned.width_px, turned.height_px) == (210, 256), "sizes are of the turned picture"
        assert turned.faces[0].box.x0 == straight.faces[0].box.x0
        assert vector(turned.faces[0]) == pytest.approx(vector(straight.faces[0]), abs=1e-5)

    async def test_no_face_is_an_empty_result_not_a_refusal(self, dlib_stub):
        [result] = await analyze(dlib_stub, image(encode_png(faces.scenery())))

        assert not result.faces and not result.HasField("refusal") and result.width_px == 256

    async def test_all_faces_come_largest_first(self, dlib_stub):
        both = faces.with_bystander(faces.sample(0), faces.sample(1), 0.8)

        [result] = await analyze(dlib_stub, image(encode_png(both)))

        assert len(result.faces) == 2
        assert result.faces[0].quality.size_px > result.faces[1].quality.size_px


class TestRequests:
    async def test_empty_batch_is_refused_with_the_field(self, fake_stub):
        error = await refused(fake_stub.Analyze(pb.AnalyzeRequest()))

        assert (error.status, error.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
        assert error.metadata["field"] == "images"

    async def test_more_than_64_pictures_are_refused(self, fake_stub):
        request = pb.AnalyzeRequest(images=[image(b"x")] * 65)

        assert (await refused(fake_stub.Analyze(request))).reason == "FIELD_INVALID"

    async def test_picture_without_a_source_is_refused_with_its_place(self, fake_stub):
        error = await refused(fake_stub.Analyze(pb.AnalyzeRequest(images=[image(b"x"), image_pb2.Image()])))

        assert error.reason == "FIELD_INVALID" and error.metadata["field"].startswith("images[1]")

    async def test_picture_over_4_mib_inline_is_refused(self, fake_stub):
        error = await refused(fake_stub.Analyze(pb.AnalyzeRequest(images=[image(bytes(4 * 2**20 + 1))])))

        assert error.reason == "FIELD_INVALID" and "data" in error.metadata["field"]

    async def test_stored_picture_is_read_for_its_own_tenant_only(self, fake_stub, store):
        data = encode_png(faces.drawn_face(1))
        mine, theirs = (store.put(data, tenant=t, media_type="image/png") for t in ("acme", "rival"))
        stored = [image_pb2.Image(artifact=image_pb2.ArtifactRef(uri=ref.uri)) for ref in (mine, theirs)]

        own, foreign = await analyze(fake_stub, *stored)

        assert len(own.faces) == 1
        assert foreign.refusal.reason == "UNKNOWN_ARTIFACT" and not foreign.faces

    async def test_deadline_in_the_past_ends_at_once(self, fake_stub):
        call = fake_stub.Analyze(pb.AnalyzeRequest(images=[image(b"x")]), timeout=-1)

        with pytest.raises(grpc.RpcError) as caught:
            await call
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED

    async def test_deadline_stops_the_batch_between_pictures(self, slow_stub):
        stub, backend = slow_stub
        request = pb.AnalyzeRequest(images=[image(encode_png(faces.drawn_face(1)))] * 40)

        with pytest.raises(grpc.RpcError) as caught:
            await stub.Analyze(request, timeout=0.3)

        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        # The worker is free again: a new call does not wait for what is left of the old one.
        await analyze(stub, image(encode_png(faces.drawn_face(2))), timeout=30)
        assert backend.seen < 40

    async def test_a_client_that_goes_frees_the_worker(self, slow_stub):
        stub, backend = slow_stub
        call = stub.Analyze(pb.AnalyzeRequest(images=[image(encode_png(faces.drawn_face(1)))] * 40))
        while not backend.seen:
            await asyncio.sleep(0.01)
        call.cancel()

        await analyze(stub, image(encode_png(faces.drawn_face(2))), timeout=30)

        assert backend.seen < 40


class TestCompare:
    async def test_same_person_is_more_similar_than_another(self, dlib_stub):
        same = await dlib_stub.Compare(
            pb.CompareRequest(first=image(faces.sample_png(0, 0)), second=image(faces.sample_png(0, 1)))
        )
        other = await dlib_stub.Compare(
            pb.CompareRequest(first=image(faces.sample_png(0, 0)), second=image(faces.sample_png(1, 0)))
        )

        assert same.similarity > other.similarity
        assert same.is_same_person == (same.similarity >= same.same_person_threshold)
        assert not other.is_same_person

    async def test_picture_compared_with_itself(self, fake_stub):
        data = image(encode_png(faces.drawn_face(4)))

        result = await fake_stub.Compare(pb.CompareRequest(first=data, second=data))

        assert result.similarity == pytest.approx(1, abs=1e-5) and result.is_same_person

    async def test_no_face_fails_and_names_the_picture(self, fake_stub):
        request = pb.CompareRequest(
            first=image(encode_png(faces.drawn_face(1))),
            second=image(encode_png(faces.scenery()), "hill.png"),
        )

        error = await refused(fake_stub.Compare(request))

        assert (error.status, error.reason) == ("INVALID_ARGUMENT", "NO_FACE_FOUND")
        assert error.metadata["image"] == "hill.png"

    async def test_two_faces_fail(self, dlib_stub):
        both = encode_png(faces.side_by_side(faces.sample(0), faces.sample(1)))

        error = await refused(
            dlib_stub.Compare(pb.CompareRequest(first=image(both), second=image(faces.sample_png(0))))
        )

        assert error.reason == "SEVERAL_FACES" and error.metadata == {"image": "image 1", "count": "2"}

    async def test_unreadable_picture_fails_with_its_own_reason(self, fake_stub):
        request = pb.CompareRequest(first=image(b"?"), second=image(encode_png(faces.drawn_face(1))))

        assert (await refused(fake_stub.Compare(request))).reason == "IMAGE_UNREADABLE"


class TestGetBackend:
    async def test_says_models_licences_and_what_is_missing(self, dlib_stub):
        backend = await dlib_stub.GetBackend(pb.GetBackendRequest())

        assert (backend.backend, backend.embedding_dimension) == ("dlib", 128)
        assert 0.9 < backend.same_person_threshold < 1
        models = {model.name: model for model in backend.models}
        assert models["dlib-resnet-v1"].licence == "CC0-1.0" and models["dlib-resnet-v1"].is_available
        attributes = models["attributes"]
        assert attributes.is_available != bool(attributes.remedy), "a remedy exactly where it is missing"
