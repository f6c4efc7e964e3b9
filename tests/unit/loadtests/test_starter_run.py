"""A whole run over fake services: what is drawn once, what a broken run leaves, what the report holds."""

import io
import json
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
from likeness.common.v1 import face_pb2, image_pb2, job_pb2
from likeness.diffusion.v1 import diffusion_pb2
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb
from likeness.lora_training.v1 import lora_training_pb2 as training_pb
from PIL import Image

from loadtests.common.services import Services
from loadtests.starter import run
from loadtests.starter.measures.reconstruction import Reconstructions
from loadtests.starter.prompts import EDITS
from loadtests.starter.run import Run
from loadtests.starter.scale import Scale
from loadtests.starter.training import Steps

PROMPT = next(prompt for prompt in EDITS if prompt.name == "blonde")


def png(colour) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(out, "PNG")
    return out.getvalue()


def face(data: bytes) -> face_pb2.Face:
    """A face whose embedding is the picture's colour."""
    colour = np.asarray(Image.open(io.BytesIO(data)))[0, 0].tolist()
    hair = face_pb2.FaceAttribute(name="hair_color", value="blonde", confidence=0.9)
    sex = face_pb2.FaceAttribute(name="sex", value="female", confidence=0.9)
    embedding = image_pb2.Embedding(values=colour)
    return face_pb2.Face(embedding=embedding, comparison_embedding=embedding, attributes=[hair, sex])


class Faces:
    def GetBackend(self, request, timeout):
        return analysis_pb.GetBackendResponse()

    def Analyze(self, request, timeout):
        return analysis_pb.AnalyzeResponse(
            images=[analysis_pb.AnalyzedImage(faces=[face(image.data)]) for image in request.images]
        )

    def CuratePhotos(self, request, timeout):
        faces = [face(photo.data) for photo in request.photos]
        photos = [analysis_pb.CuratedPhoto(is_accepted=True, face=one) for one in faces]
        return analysis_pb.CuratePhotosResponse(photos=photos, attributes=faces[0].attributes)


class Diffusion:
    """Draws a colour for each seed; `stop_after` pictures the user presses Ctrl-C."""

    def __init__(self, stop_after=1000):
        self.prompts, self._left = [], stop_after

    def ListModels(self, request, timeout):
        model = diffusion_pb2.Model(name="starter", digest="d", is_default=True, supports_identity=True)
        return diffusion_pb2.ListModelsResponse(models=[model])

    def Generate(self, request, timeout):
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        self.prompts.append(request.prompt)
        colour = tuple(request.seed.to_bytes(8, "big")[:3])
        yield diffusion_pb2.GenerateResponse(
            image=diffusion_pb2.GeneratedImage(image=image_pb2.Image(data=png(colour)))
        )


class Refused(grpc.RpcError):
    def code(self):
        return grpc.StatusCode.RESOURCE_EXHAUSTED

    def details(self):
        return "no room"


class Training:
    def __init__(self, error=None):
        self.orders, self._error = [], error

    def CreateTrainingJob(self, request, timeout):
        if self._error:
            raise self._error
        self.orders.append(request)
        return training_pb.TrainingJob(name="trainingJobs/1")

    def WatchTrainingJob(self, request, timeout):
        options = training_pb.TrainingOptions(step_count=2)
        for done, state in ((1, job_pb2.JOB_STATE_RUNNING), (2, job_pb2.JOB_STATE_SUCCEEDED)):
            adapter = training_pb.TrainedAdapter(artifact=image_pb2.ArtifactRef(uri="adapter"))
            job = training_pb.TrainingJob(state=state, steps_done=done, options=options, adapter=adapter)
            yield training_pb.TrainingJobEvent(training_job=job)


class Judge:
    name, takes_part = "the judge", False

    def embed(self, seen):
        colour = np.asarray(Image.open(io.BytesIO(seen.data)))[0, 0].astype(float) + 1
        return colour / np.linalg.norm(colour)


class Net:
    name, digest = "scene", "n"

    def read(self, rgb):
        return {"background": "white"}, rgb[0, 0].astype(float) + np.arange(3)


@pytest.fixture
def go(tmp_path, monkeypatch):
    """Runs two people of six, the fixed prompt and one edit, two pictures each; gives page and details."""
    monkeypatch.setattr(run, "open_judge", lambda folder: Judge())
    monkeypatch.setattr(run, "open_scene", lambda weights: Net())
    monkeypatch.setattr(run, "open_features", lambda weights: Net())
    monkeypatch.setattr(run, "reconstruct", lambda folder, samples: Reconstructions())
    monkeypatch.setattr(run, "photographs_of", lambda folder: [])
    monkeypatch.chdir(tmp_path)
    photos = {}
    for number in range(6):
        samples = []
        for view in range(4):
            file = tmp_path / f"{number}-{view}.png"
            file.write_bytes(png((40 * number, 255 - 40 * number, 60 * view)))
            samples.append(
                SimpleNamespace(
                    image=file,
                    identity=number,
                    attributes={"sex": "female", "age": "young", "hair_color": "blonde"},
                    expression="smile",
                    background="white",
                    clothes={"color": "red", "cut": "suit"},
                    yaw_deg=0.0,
                    landmarks=np.zeros((0, 2)),
                )
            )
        photos[number] = samples
    (tmp_path / "weights").mkdir()
    scale = Scale(
        people=2,
        trained=1,
        image_count=2,
        reference_count=2,
        edits=(PROMPT,),
        work=tmp_path / "work",
        weights=tmp_path / "weights",
    )

    def start(diffusion, training):
        services = Services(Faces(), diffusion, None, "", training)
        page = Run(scale, services, None, "the command").go(photos)
        return page, json.loads(page.with_suffix(".json").read_text())["details"]

    return start


def test_a_run_measures_everybody_by_every_method(go):
    diffusion, training = Diffusion(), Training()

    page, details = go(diffusion, training)

    methods = details["methods"]
    assert {key: (one["people"], one["portraits"]) for key, one in methods.items()} == {
        "text": (2, 8),
        "ip_adapter": (2, 8),
        "late": (2, 8),
        "lora": (1, 4),
    }
    assert methods["late"]["adherence"]["hair_color"]["value"] == 1
    assert methods["late"]["adherence"]["background"]["value"] == 1
    # Both are of the same sex and age, so text to image is drawn once for both.
    assert len(diffusion.prompts) == 4 + 8 + 8 + 4
    assert set(diffusion.prompts) >= {f"portrait of a young woman, {PROMPT.words}"}
    assert details["characters"] == 6
    assert [order.subject for order in training.orders] == ["evaluation/0"]
    assert "a young woman: rows are methods" in page.read_text()


def test_the_same_run_again_draws_nothing(go):
    go(Diffusion(), Training())
    again = Diffusion()

    _, details = go(again, Training())

    assert again.prompts == []
    assert details["methods"]["late"]["portraits"] == 8


def test_a_broken_run_reports_what_is_done_and_goes_on(go):
    first = Diffusion(stop_after=18)
    page, details = go(first, Training())
    assert details["is_partial"]
    assert {one["people"] for one in details["methods"].values()} == {1}
    assert "Stopped before everybody was done" in page.read_text()

    second = Diffusion()
    _, details = go(second, Training())

    assert not details["is_partial"]
    assert len(first.prompts) + len(second.prompts) == 24


def test_a_run_that_was_stopped_at_once_has_no_report(go):
    with pytest.raises(ValueError, match="Stopped before the first person"):
        go(Diffusion(stop_after=3), Training())


def test_an_adapter_that_cannot_be_trained_does_not_end_the_run(go):
    page, details = go(Diffusion(), Training(Refused()))

    assert details["failed"] == {"the adapter of person 0": "RESOURCE_EXHAUSTED: no room"}
    assert "lora" not in details["methods"]
    assert "no room" in page.read_text()


def test_steps_of_a_training_are_told_from_where_it_goes_on(capsys):
    steps = Steps("training")
    for done in (40, 49, 51, 100):
        steps(done, 100)

    lines = capsys.readouterr().out.splitlines()
    assert "40 of 100 done before" in lines[0]
    assert [line.split(":")[3].split(",")[0].strip() for line in lines[1:]] == ["50 of 100", "100 of 100"]
