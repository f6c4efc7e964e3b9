"""Which adapter a training starts from, over the wire."""

import shutil
from pathlib import Path

import pytest
from likeness.lora_training.v1 import lora_training_pb2 as pb

from tests.service.lora_training.conftest import Start, finished, order, photo, reason_of, state
from tests.support.shipped_adapter import metadata_of, ship_adapter


@pytest.fixture
def tiny_model(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy that this test may put adapters into."""
    return shutil.copytree(tiny_model, tmp_path / "tiny")


def options(**fields: object) -> pb.TrainingOptions:
    return pb.TrainingOptions(step_count=2, batch_size=1, rank=2, **fields)


async def started_from(start_from: object, **fields: object) -> str:
    job = await start_from.stub.CreateTrainingJob(order(**fields))  # type: ignore[attr-defined]
    return str(job.options.initial_adapter)


async def test_identities_of_few_photos_start_from_the_common_face_if_the_service_says_so(
    start: Start, tiny_model: Path
) -> None:
    ship_adapter(tiny_model)
    harness = await start(initial_adapter_photos=1)
    one, two = [photo(0)], [photo(0), photo(1)]
    assert await started_from(harness, photos=one) == "common-face"
    assert await started_from(harness, photos=two) == ""
    assert await started_from(harness, photos=one, subject="styles/ink") == ""
    assert await started_from(harness, photos=one, options=options(initial_adapter="")) == ""
    assert (
        await started_from(harness, photos=two, options=options(initial_adapter="common-face"))
        == "common-face"
    )


async def test_the_rule_takes_no_adapter_that_does_not_fit(start: Start, tiny_model: Path) -> None:
    harness = await start(initial_adapter_photos=1)
    assert await started_from(harness, photos=[photo(0)]) == ""
    ship_adapter(tiny_model, rank=4)
    assert await started_from(harness, photos=[photo(0)]) == ""
    ship_adapter(tiny_model, base="0" * 64)
    assert await started_from(harness, photos=[photo(0)]) == ""


async def test_by_default_no_training_starts_from_it(start: Start, tiny_model: Path) -> None:
    ship_adapter(tiny_model)
    assert await started_from(await start(), photos=[photo(0)]) == ""


async def test_an_order_for_one_that_does_not_fit_is_refused_at_once(start: Start, tiny_model: Path) -> None:
    harness = await start()
    call = harness.stub.CreateTrainingJob
    wanted = order(options=options(initial_adapter="common-face"))
    assert await reason_of(call(wanted)) == ("NOT_FOUND", "UNKNOWN_ADAPTER")
    ship_adapter(tiny_model, rank=4)
    assert await reason_of(call(wanted)) == ("FAILED_PRECONDITION", "ADAPTER_INCOMPATIBLE")
    ship_adapter(tiny_model, base="0" * 64)
    assert await reason_of(call(wanted)) == ("FAILED_PRECONDITION", "ADAPTER_INCOMPATIBLE")
    outside = order(options=options(initial_adapter="../unet/diffusion_pytorch_model"))
    assert await reason_of(call(outside)) == ("NOT_FOUND", "UNKNOWN_ADAPTER")


async def test_the_worker_process_starts_from_it(start: Start, tiny_model: Path) -> None:
    ship_adapter(tiny_model)
    harness = await start(launcher=None)
    job = await harness.stub.CreateTrainingJob(order(options=options(initial_adapter="common-face")))
    job = await finished(harness.stub, job.name)
    assert state(job) == "JOB_STATE_SUCCEEDED", job.error
    assert metadata_of(harness.artifacts()[0].read_bytes())["initial_adapter"] == "common-face"


async def test_an_adapter_that_was_exchanged_meanwhile_fails_its_job_with_the_reason(
    start: Start, tiny_model: Path
) -> None:
    ship_adapter(tiny_model)
    harness = await start(launcher=None)
    job = await harness.stub.CreateTrainingJob(order(options=options(initial_adapter="common-face")))
    ship_adapter(tiny_model, base="0" * 64)
    job = await finished(harness.stub, job.name)
    assert state(job) == "JOB_STATE_FAILED"
    assert job.error.reason == "ADAPTER_INCOMPATIBLE"
