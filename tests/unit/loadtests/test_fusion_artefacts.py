"""Counting what Rank refuses of good and of spoiled pictures."""

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from likeness.common.v1 import face_pb2
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb
from likeness.fusion.v1 import fusion_pb2 as pb

from loadtests.common.services import Services
from loadtests.fusion.artefacts import markdown, measure
from loadtests.fusion.spoiling import SPOILS
from shared.images import decode_image
from starter.data.manifest import Sample
from tests.support.drawn_face import box_of, draw_face


@pytest.fixture
def samples(tmp_path):
    made = []
    for number in range(4):
        image, landmarks = draw_face(angle_deg=5 * number, noise_seed=number)
        file = tmp_path / f"{number}.png"
        cv2.imwrite(str(file), image[..., ::-1])
        box = tuple(round(edge) for edge in box_of(landmarks))
        made.append(
            Sample(
                number,
                0,
                file,
                file,
                {},
                "neutral",
                0.0,
                "plain",
                {},
                None,
                {},
                box,
                np.zeros(128, np.float32),
            )
        )
    return made


class DarkRefused:
    """Finds a face in what is not black, and refuses dark pictures as flat."""

    def GetBackend(self, request, timeout):
        return analysis_pb.GetBackendResponse()

    def Analyze(self, request, timeout):
        faces = [
            [face_pb2.Face()] if decode_image(image.data, name="p").any() else [] for image in request.images
        ]
        return analysis_pb.AnalyzeResponse(images=[analysis_pb.AnalyzedImage(faces=found) for found in faces])

    def Rank(self, request, timeout):
        assert request.identity_gate == -1
        verdict = pb.RankedCandidate(checks=[pb.ArtefactCheck(name="flat")])
        if decode_image(request.candidates[0].image.data, name="p").mean() < 60:
            verdict.rejection.reason = "PICTURE_DEFECT"
        return pb.RankResponse(candidates=[verdict])


def test_refusals_are_counted_by_check(samples):
    fake = DarkRefused()
    services = replace(Services(fake, SimpleNamespace(), fake))

    def darker(factor):
        return lambda sample, other, rng: (draw_face()[0] * factor).astype(np.uint8)

    found = measure(services, samples, {"clean": darker(1), "dark": darker(0.2), "black": darker(0)})

    assert found["clean"] == {"pictures": 4, "refused": 0, "by": {}}
    assert found["dark"] == {"pictures": 4, "refused": 4, "by": {"flat": 4}}
    assert found["black"]["by"] == {"no face": 4}
    assert "| dark | 4 | 100.0% (51.0% to 100.0%) | flat 4 |" in markdown(found)


@pytest.mark.parametrize("kind", SPOILS)
def test_spoiled_pictures_keep_their_size_and_what_lies_outside_of_the_face(samples, kind):
    clean = SPOILS["clean"](samples[0], samples[1], np.random.default_rng(0))
    spoiled = SPOILS[kind](samples[0], samples[1], np.random.default_rng(0))

    assert (spoiled.shape, spoiled.dtype) == (clean.shape, np.uint8)
    assert (kind == "clean") == bool((spoiled == clean).all())
    if kind.startswith("melted"):
        assert (spoiled[:8, :8] == clean[:8, :8]).all()
