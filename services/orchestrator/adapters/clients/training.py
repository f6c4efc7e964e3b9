"""The port `Training` over likeness.lora_training.v1."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from likeness.common.v1 import job_pb2
from likeness.lora_training.v1 import lora_training_pb2 as pb
from likeness.lora_training.v1 import lora_training_pb2_grpc as pb_grpc

from services.orchestrator.adapters.clients import wire
from services.orchestrator.adapters.clients.connection import Connection, OpenChannel
from services.orchestrator.domain.faces import FacedPicture
from services.orchestrator.domain.ports import Caller, TrainingProgress, TrainingRequest
from services.orchestrator.errors import TrainingFailed
from shared.errors import ErrorReason, LikenessError

_LIMIT_S = 60.0


class GrpcTraining:
    """Calls the training service."""

    def __init__(self, open_channel: OpenChannel, patience_s: float = 60.0) -> None:
        self._connection = Connection(open_channel, pb_grpc.LoraTrainingServiceStub, patience_s)

    async def create(self, request: TrainingRequest, caller: Caller) -> str:
        """See the port."""
        message = pb.CreateTrainingJobRequest(
            subject=request.subject,
            photos=[_to_photo(photo) for photo in request.photos],
            base_model=request.base_model,
            caption=request.caption,
            options=pb.TrainingOptions(seed=request.seed),
            request_id=request.request_id,
        )
        job = await self._connection.unary("CreateTrainingJob", message, caller, _LIMIT_S)
        return str(job.name)

    async def watch(self, job: str, caller: Caller) -> AsyncIterator[TrainingProgress]:
        """See the port."""
        token = ""

        def request() -> pb.WatchTrainingJobRequest:
            # A repeated attempt goes on where the stream broke.
            return pb.WatchTrainingJobRequest(name=job, resume_token=token)

        stream = self._connection.stream("WatchTrainingJob", request, caller, None)
        async with aclosing(stream) as events:  # type: ignore[type-var]
            async for event in events:
                token = event.resume_token
                if event.is_heartbeat:
                    continue
                progress = _from_job(event.training_job)
                yield progress
                if progress.adapter is not None:
                    return
        raise TrainingFailed(training_job=job, cause="its progress ended before the job did")

    async def cancel(self, job: str, caller: Caller) -> None:
        """See the port."""
        message = pb.CancelTrainingJobRequest(name=job)
        try:
            await self._connection.unary("CancelTrainingJob", message, caller, _LIMIT_S)
        except LikenessError as error:
            if error.reason != ErrorReason.UNKNOWN_TRAINING_JOB:
                raise

    async def delete(self, job: str, caller: Caller) -> int:
        """See the port."""
        message = pb.DeleteTrainingJobRequest(name=job)
        try:
            response = await self._connection.unary("DeleteTrainingJob", message, caller, _LIMIT_S)
        except LikenessError as error:
            if error.reason != ErrorReason.UNKNOWN_TRAINING_JOB:
                raise
            return 0
        return int(response.artifact_count)


def _to_photo(photo: FacedPicture) -> pb.TrainingPhoto:
    face = photo.faces[0]
    message = pb.TrainingPhoto(image=wire.to_image(photo.picture), landmarks=wire.to_landmarks(face))
    if face.embedding is not None:
        message.embedding.CopyFrom(wire.to_embedding(face.embedding))
    return message


def _from_job(job: pb.TrainingJob) -> TrainingProgress:
    if job.state == job_pb2.JOB_STATE_FAILED:
        raise TrainingFailed(training_job=job.name, cause=job.error.message or job.error.reason)
    if job.state == job_pb2.JOB_STATE_CANCELLED:
        raise TrainingFailed(training_job=job.name, cause="it was cancelled")
    succeeded = job.state == job_pb2.JOB_STATE_SUCCEEDED
    return TrainingProgress(
        job=job.name,
        steps_done=job.steps_done,
        step_count=job.options.step_count,
        loss=job.loss if job.HasField("loss") else None,
        adapter=wire.from_ref(job.adapter.artifact) if succeeded else None,
        base_model_digest=job.adapter.base_model_digest,
        final_loss=job.adapter.final_loss,
    )
