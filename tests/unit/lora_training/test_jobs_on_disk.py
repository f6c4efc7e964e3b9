"""Recipes, orders and job records outside of memory."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lora_training.adapters import wire
from services.lora_training.adapters.file_job_store import FileJobStore, read_order
from services.lora_training.domain.job import JobFailure, JobResult, JobState, TrainingJob
from services.lora_training.domain.order import StoredPhoto, TrainingOrder
from services.lora_training.domain.ports import WorkerFinished
from services.lora_training.domain.progress import StepReport, final_loss, smoothed
from services.lora_training.domain.recipe import RANGES, Recipe
from services.lora_training.errors import HyperParameterOutOfRange, TrainingFailed
from shared.artifacts import ArtifactRef

PHOTO = StoredPhoto("photos/000", "a man", ((1.0, 2.0),) * 5, (0.5, 0.25))


def job(job_id: str = "a1", **fields: Any) -> TrainingJob:
    facts = dict(job_id=job_id, tenant="acme", subject="identities/ada", base_model="tiny")
    return TrainingJob(
        **{
            **facts,
            "recipe": Recipe(steps=5),
            "body_sha256": "0",
            "request_id": "",
            "created_at": 1.5,
            **fields,
        }
    )


def result() -> JobResult:
    return JobResult(ArtifactRef("artifacts/acme/0", "0" * 64, 3, "application/x-safetensors"), "1" * 64, 0.5)


VERSIONS = [
    job(),
    job().started(2.0).stepped(3, 0.25, 1.5),
    job().started(2.0).succeeded(result(), 9.0),
    job().failed(JobFailure.of(TrainingFailed(training_job="trainingJobs/a1", cause="why")), 9.0),
    job().cancelled(9.0),
]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.state)
def test_every_state_of_a_job_survives_a_restart(tmp_path: Path, version: TrainingJob) -> None:
    store = FileJobStore(tmp_path)
    store.save_photos(version, [(PHOTO, b"pixels")])
    store.save(version)
    assert FileJobStore(tmp_path).load_all() == [version]


def test_an_order_survives_in_the_job_folder(tmp_path: Path) -> None:
    store = FileJobStore(tmp_path)
    store.save_photos(job(), [(PHOTO, b"pixels"), (dataclasses.replace(PHOTO, file="photos/001"), b"more")])
    values, photos = read_order(store.folder(job()))
    assert Recipe.from_json(dict(values)) == job().recipe
    assert photos[0] == PHOTO and (store.folder(job()) / photos[1].file).read_bytes() == b"more"


def test_a_job_without_a_record_was_never_answered_and_is_cleared(tmp_path: Path) -> None:
    store = FileJobStore(tmp_path)
    store.save_photos(job(), [(PHOTO, b"pixels")])
    assert store.load_all() == [] and not store.folder(job()).exists()


def test_dropping_working_files_keeps_the_record_alone(tmp_path: Path) -> None:
    store = FileJobStore(tmp_path)
    store.save_photos(job(), [(PHOTO, b"pixels")])
    store.save(job())
    for step in (2, 4):
        (store.folder(job()) / "work" / "checkpoints" / f"{step:08d}").mkdir(parents=True)
    assert store.drop_working_files(job()) == 2
    assert [path.name for path in store.folder(job()).iterdir()] == ["job.json"]
    store.delete(job())
    assert store.load_all() == []


def test_a_new_attempt_takes_over_the_checkpoints_of_the_failed_one(tmp_path: Path) -> None:
    store, failed, again = FileJobStore(tmp_path), job("a1"), job("b2")
    for each in (failed, again):
        store.save_photos(each, [(PHOTO, b"pixels")])
    checkpoint = Path("work") / "checkpoints" / "00000002" / "state.json"
    (store.folder(failed) / checkpoint).parent.mkdir(parents=True)
    (store.folder(failed) / checkpoint).write_text("{}")
    store.adopt_checkpoints(again, failed)
    assert (store.folder(again) / checkpoint).read_text() == "{}"


@pytest.mark.parametrize(
    "event",
    [
        StepReport(1, 5, 0.5, 2.0),
        WorkerFinished(Path("/x/a.safetensors"), "1" * 64, 0.5),
        VERSIONS[3].failure,
    ],
)
def test_events_of_a_worker_pass_the_pipe(event: Any) -> None:
    line = wire.encode_event(event)
    assert "\n" not in line and wire.decode_event(line) == event


def test_anything_else_on_the_pipe_is_an_error() -> None:
    for line in ("", "hello", json.dumps({"event": "party"})):
        with pytest.raises(ValueError, match=r"."):
            wire.decode_event(line)


@given(st.sampled_from(sorted(RANGES)), st.booleans())
def test_each_hyper_parameter_is_bounded_on_both_sides(field: str, is_low: bool) -> None:
    low, high = RANGES[field]
    Recipe(**{field: low if is_low else high})
    with pytest.raises(HyperParameterOutOfRange, match=field):
        Recipe(**{field: low - 1 if is_low else high * 2 + 1})


def test_recipes_round_trip_and_refuse_unknown_names() -> None:
    recipe = Recipe(rank=3, seed=9, flips=False)
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    with pytest.raises(TypeError, match="momentum"):
        Recipe.from_json({"momentum": 1})


def test_an_order_overrides_the_installation_which_overrides_the_recipe() -> None:
    def recipe(**overrides: Any) -> Recipe:
        return TrainingOrder("styles/ink", "", "", (), overrides, "", "").recipe({"steps": 70, "rank": 4})

    assert (recipe().steps, recipe().rank, recipe().alpha) == (70, 4, 4.0)
    assert (recipe(rank=2).alpha, recipe(alpha=1.0).alpha, recipe(steps=9).steps) == (2.0, 1.0, 9)


def test_losses_are_summed_up_over_their_tails() -> None:
    losses = [float(value) for value in range(100)]
    assert (smoothed(losses), smoothed(losses[:2]), final_loss(losses), final_loss([3.0])) == (
        89.5,
        0.5,
        94.5,
        3.0,
    )


def test_states_know_whether_they_are_final() -> None:
    assert [state.name for state in JobState if not state.is_terminal] == ["QUEUED", "RUNNING"]


def test_the_server_process_loads_no_model_library() -> None:
    heavy = ("torch", "diffusers", "transformers", "peft", "dlib", "onnxruntime")
    code = (
        "import sys; import services.lora_training.bootstrap, services.lora_training.worker;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
