"""Adapters of people, trained by the training service as the orchestrator has them trained."""

from collections.abc import Callable
from hashlib import sha256

from likeness.common.v1 import image_pb2, job_pb2
from likeness.lora_training.v1 import lora_training_pb2 as pb

from loadtests.common.progress import Progress
from loadtests.common.services import CALL_TIMEOUT_S, Services
from loadtests.common.strangers import SEED
from loadtests.starter.people import Person
from services.orchestrator.domain.prompts import build_prompt
from services.orchestrator.engine.stages.train import CAPTION

_TRAINING_TIMEOUT_S = 7200.0
Tell = Callable[[int, int], None]
"""Called with steps that are done, and steps in all."""


class Steps:
    """Prints how far a training is, from the steps that its events tell."""

    def __init__(self, task: str) -> None:
        self._task, self._done = task, 0
        self._progress: Progress | None = None

    def __call__(self, done: int, total: int) -> None:
        """Goes on to *done* of *total* steps; those of the first event were done before."""
        if self._progress is None:
            self._progress, self._done = Progress(self._task, total, done, every=50), done
        for _ in range(self._done, done):
            self._progress.advance()
        self._done = max(self._done, done)


def train(services: Services, person: Person, model_digest: str, tell: Tell) -> image_pb2.ArtifactRef:
    """Returns the adapter of a person; see `carry_out`."""
    return carry_out(services, order(person, model_digest), tell)


def carry_out(services: Services, request: pb.CreateTrainingJobRequest, tell: Tell) -> image_pb2.ArtifactRef:
    """Returns the adapter of an order; the same order again gives the job that was done before.

    Raises: RuntimeError: the training failed. grpc.RpcError: the order was refused.
    """
    if services.training is None:
        raise RuntimeError("no training service: adapters cannot be measured")
    job = services.training.CreateTrainingJob(request, timeout=CALL_TIMEOUT_S)
    events = services.training.WatchTrainingJob(
        pb.WatchTrainingJobRequest(name=job.name), timeout=_TRAINING_TIMEOUT_S
    )
    for event in events:
        job = event.training_job
        if event.is_heartbeat:
            continue
        tell(job.steps_done, job.options.step_count)
        if job.state == job_pb2.JOB_STATE_SUCCEEDED:
            return job.adapter.artifact
        if job.state in (job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED):
            break
    raise RuntimeError(f"training {job.name} did not end well: {job.error.message or job.error.reason}")


def order(person: Person, model_digest: str) -> pb.CreateTrainingJobRequest:
    """Returns the order of an adapter: recipe and steps are the service's own."""
    request = pb.CreateTrainingJobRequest(
        subject=f"evaluation/{person.number}",
        photos=[
            pb.TrainingPhoto(
                image=image_pb2.Image(data=data), landmarks=face.landmarks, embedding=face.embedding
            )
            for data, face in zip(person.photos, person.faces, strict=True)
        ],
        caption=build_prompt(CAPTION, person.attributes),
        options=pb.TrainingOptions(seed=SEED),
    )
    digest = sha256(model_digest.encode() + request.SerializeToString(deterministic=True)).hexdigest()
    request.request_id = f"eval-starter-{digest[:40]}"
    return request
