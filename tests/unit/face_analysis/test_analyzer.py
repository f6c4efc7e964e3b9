from typing import ClassVar

import numpy as np
import pytest

from services.face_analysis.domain.findings import FaceFeature
from services.face_analysis.engine.analyzer import FaceAnalyzer, FaceNets, turn_clockwise
from shared.cancellation import CancellationToken, Cancelled
from tests.support import faces
from tests.unit.face_analysis.builders import guess
from tests.unit.face_analysis.scripted import ScriptedBackend, detected

WIDE = np.zeros((120, 200, 3), np.uint8)


def marked() -> np.ndarray:
    """A wide picture whose top left corner is white."""
    picture = WIDE.copy()
    picture[:10, :10] = 255
    return picture


def upright_when_top_right_is_white(rgb: np.ndarray) -> list:
    return [detected()] if rgb[2, -3].max() == 255 else []


class TestRotation:
    def test_upright_face_is_looked_for_once(self):
        backend = ScriptedBackend(lambda rgb: [detected()])

        analysis = FaceAnalyzer(backend).analyze_image(WIDE, CancellationToken())

        assert analysis.rotation_deg == 0 and len(backend.detect_calls) == 1
        assert (analysis.width_px, analysis.height_px) == (200, 120)

    def test_lying_face_is_found_and_geometry_is_of_the_turned_picture(self):
        backend = ScriptedBackend(upright_when_top_right_is_white)

        analysis = FaceAnalyzer(backend).analyze_image(marked(), CancellationToken())

        assert analysis.rotation_deg == 90
        assert (analysis.width_px, analysis.height_px) == (120, 200)
        assert len(analysis.faces) == 1

    def test_surest_rotation_wins(self):
        confidences = iter([None, 0.5, 0.9, 0.7])
        backend = ScriptedBackend(lambda rgb: [detected(c)] if (c := next(confidences)) else [])

        assert FaceAnalyzer(backend).analyze_image(WIDE, CancellationToken()).rotation_deg == 180

    def test_doubtful_face_in_a_turned_picture_is_not_taken(self):
        first = iter([[], [detected(0.2)], [detected(0.1)], []])

        analysis = FaceAnalyzer(ScriptedBackend(lambda rgb: next(first))).analyze_image(
            WIDE, CancellationToken()
        )

        assert analysis.faces == () and analysis.rotation_deg == 0

    def test_turning_can_be_switched_off(self):
        backend = ScriptedBackend(lambda rgb: [])

        assert FaceAnalyzer(backend, tries_rotations=False).analyze(WIDE) == []
        assert len(backend.detect_calls) == 1

    @pytest.mark.parametrize(
        ("degrees", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))]
    )
    def test_turns_are_clockwise(self, degrees, corner):
        assert turn_clockwise(marked(), degrees)[corner].tolist() == [255, 255, 255]


class TestAnalyze:
    def test_faces_come_largest_first_with_their_own_embeddings(self):
        backend = ScriptedBackend(lambda rgb: [detected(side=60), detected(side=110, x=70)])

        small_last = FaceAnalyzer(backend).analyze(WIDE)

        assert [round(face.quality.size_px) for face in small_last] == [110, 60]
        assert small_last[0].embedding.argmax() == 1, "the embedding moves with its face"

    def test_picture_without_a_face_is_not_embedded(self):
        backend = ScriptedBackend(lambda rgb: [])

        assert FaceAnalyzer(backend).analyze(faces.scenery()) == []
        assert backend.embed_calls == 0

    def test_attributes_come_from_the_model_and_the_turned_picture(self):
        shapes = []

        class Model:
            labels: ClassVar = {"sex": ("female", "male")}

            def guess(self, rgb, face):
                shapes.append(rgb.shape)
                return {"sex": guess(female=0.7, male=0.3)}

        backend = ScriptedBackend(upright_when_top_right_is_white)

        [face] = FaceAnalyzer(backend, FaceNets(attributes=Model())).analyze(marked())

        assert face.attributes["sex"].value == "female"
        assert shapes == [(200, 120, 3)]


class TestNets:
    class Nets:
        """All three models; says what it was shown."""

        def __init__(self) -> None:
            self.shapes: list[tuple[str, tuple[int, ...]]] = []

        def read(self, rgb, face):
            self.shapes.append(("structure", rgb.shape))
            return "structure"

        def find(self, rgb, face):
            self.shapes.append(("marks", rgb.shape))
            return ("mark",)

        def judge(self, rgb, face):
            self.shapes.append(("quality", rgb.shape))
            return "judged"

    def test_what_was_asked_for_is_read_from_the_turned_picture(self):
        nets = self.Nets()
        backend = ScriptedBackend(upright_when_top_right_is_white)
        analyzer = FaceAnalyzer(backend, FaceNets(structure=nets, marks=nets, quality=nets))

        [face] = analyzer.analyze(marked(), FaceFeature)

        assert (face.structure, face.marks, face.judged) == ("structure", ("mark",), "judged")
        assert {shape for _, shape in nets.shapes} == {(200, 120, 3)}
        assert analyzer.features == set(FaceFeature)

    def test_quality_is_judged_unasked_and_nothing_else(self):
        nets = self.Nets()
        analyzer = FaceAnalyzer(
            ScriptedBackend(lambda rgb: [detected()]), FaceNets(structure=nets, marks=nets, quality=nets)
        )

        [face] = analyzer.analyze(WIDE)

        assert [name for name, _ in nets.shapes] == ["quality"]
        assert face.structure is None and face.marks is None, "not looked for is not the same as none"

    def test_only_installed_nets_can_be_asked_for(self):
        analyzer = FaceAnalyzer(ScriptedBackend(lambda rgb: [detected()]), FaceNets(marks=self.Nets()))

        assert analyzer.features == {FaceFeature.MARKS}
        assert FaceAnalyzer(ScriptedBackend(lambda rgb: [])).features == set()


class TestCancellation:
    def test_stops_between_rotations(self):
        token = CancellationToken()

        def detect(rgb):
            token.cancel()
            return []

        backend = ScriptedBackend(detect)
        with pytest.raises(Cancelled):
            FaceAnalyzer(backend).analyze_image(WIDE, token)
        assert len(backend.detect_calls) == 1

    def test_stops_before_embedding(self):
        token = CancellationToken()

        def detect(rgb):
            token.cancel()
            return [detected()]

        backend = ScriptedBackend(detect)
        with pytest.raises(Cancelled):
            FaceAnalyzer(backend).analyze_image(WIDE, token)
        assert backend.embed_calls == 0
