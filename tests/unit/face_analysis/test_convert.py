import numpy as np
import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from likeness.common.v1 import image_pb2

from services.face_analysis import convert
from services.face_analysis.domain.curation import curate
from services.face_analysis.domain.photos import AnalyzedPhoto
from services.face_analysis.domain.rules import CurationRules
from shared.images import ImageTooLarge
from tests.unit.face_analysis.builders import INFO, embedding, face, guess, photo

finite = st.floats(-1e4, 1e4, width=32)


class TestFromProto:
    @given(st.binary(min_size=1, max_size=20), st.text(max_size=8), st.integers(0, 63))
    def test_inline_picture_keeps_its_bytes_and_gets_a_name(self, data, name, position):
        result = convert.from_proto_image(image_pb2.Image(data=data, name=name), position)

        assert (result.data, result.artifact_uri) == (data, "")
        assert result.name == (name or f"image {position + 1}")

    def test_stored_picture_keeps_its_address(self):
        ref = image_pb2.ArtifactRef(uri="artifacts/acme/" + "0" * 64)

        result = convert.from_proto_image(image_pb2.Image(artifact=ref), 0)

        assert result.data is None and result.artifact_uri == ref.uri


class TestToProto:
    @given(
        st.tuples(finite, finite, finite, finite), st.lists(st.tuples(finite, finite), min_size=5, max_size=5)
    )
    def test_geometry_survives(self, box, points):
        original = face()
        original = type(original)(
            box, np.array(points, np.float32), original.embedding, 0.5, original.quality, {}
        )

        message = convert.to_proto_face(original, INFO)

        assert (message.box.x0, message.box.y0, message.box.x1, message.box.y1) == pytest.approx(box)
        order = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
        found = [(getattr(message.landmarks, n).x, getattr(message.landmarks, n).y) for n in order]
        assert np.array(found) == pytest.approx(np.array(points))

    @given(st.integers(0, 7), st.integers(0, 99))
    def test_embedding_survives_bit_for_bit(self, person, view):
        message = convert.to_proto_embedding(embedding(person, view), "dlib-resnet-v1")

        assert np.array_equal(np.array(message.values, np.float32), embedding(person, view))
        assert message.model == "dlib-resnet-v1"

    def test_every_measure_arrives_in_its_own_field(self):
        quality = face(
            sharpness=0.1, exposure=0.2, side=30.0, yaw_deg=-4.0, pitch_deg=5.0, roll_deg=-6.0
        ).quality

        fields = json_format.MessageToDict(
            convert.to_proto_quality(quality), preserving_proto_field_name=True
        )

        assert fields == pytest.approx(
            {
                "sharpness": 0.1,
                "exposure": 0.2,
                "size_px": 30.0,
                "yaw_degrees": -4.0,
                "pitch_degrees": 5.0,
                "roll_degrees": -6.0,
                "landmark_confidence": 0.9,
                "overall": 0.9,
            }
        )

    def test_attributes_are_their_most_probable_values(self):
        [message] = convert.to_proto_attributes({"sex": guess(female=0.25, male=0.75)})

        assert (message.name, message.value, message.confidence) == ("sex", "male", 0.75)

    def test_refused_picture_has_a_refusal_and_no_size(self):
        error = ImageTooLarge(image="a", size="60 megapixels", limit="50 megapixels")

        message = convert.to_proto_analyzed_image(AnalyzedPhoto("a", "", error), INFO)

        assert message.refusal.reason == "IMAGE_TOO_LARGE"
        assert message.refusal.metadata == error.metadata and message.refusal.message == error.message
        assert (message.width_px, len(message.faces)) == (0, 0)

    def test_curation_reports_all_photos_and_counts_the_accepted(self):
        report = curate([photo("a", face(0, 0)), photo("b"), photo("c", face(0, 1))], INFO, CurationRules())

        message = convert.to_proto_curation(report, INFO)

        assert [entry.name for entry in message.photos] == ["a", "b", "c"]
        assert [entry.is_accepted for entry in message.photos] == [True, False, True]
        assert [entry.HasField("face") for entry in message.photos] == [True, False, True]
        assert message.accepted_count == 2
        assert message.HasField("mean_embedding")
        assert message.photos[0].similarity_to_set == pytest.approx(report.verdicts[0].similarity_to_set)

    def test_nothing_accepted_leaves_the_mean_unset(self):
        message = convert.to_proto_curation(curate([photo("a")], INFO, CurationRules()), INFO)

        assert not message.HasField("mean_embedding") and message.template_index == -1
