"""LoraTrainingService, faked."""

import asyncio
import hashlib
import json

from likeness.common.v1 import image_pb2, job_pb2
from likeness.lora_training.v1 import lora_training_pb2, lora_training_pb2_grpc

from shared.context import current_request
from tests.support.fake_services.diffusion import MODEL_DIGEST
from tests.support.fake_services.fakes import Fakes


class FakeTraining(lora_training_pb2_grpc.LoraTrainingServiceServicer):
    """Jobs that advance while they are watched; kept in ``jobs_folder`` where a test kills the process."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes
        self._jobs: dict[str, lora_training_pb2.TrainingJob] = {}
        self._seeds: dict[str, str] = {}
        for file in sorted(fakes.jobs_folder.glob("*.json")) if fakes.jobs_folder else []:
            kept = json.loads(file.read_text())
            self._jobs[kept["name"]] = lora_training_pb2.TrainingJob.FromString(bytes.fromhex(kept["job"]))
            self._seeds[kept["name"]] = kept["content"]

    async def CreateTrainingJob(self, request, context):
        if (answer := self._fakes.script.take("CreateTrainingJob", request)) is not None:
            return answer
        name = f"trainingJobs/{hashlib.sha256(request.request_id.encode()).hexdigest()[:16]}"
        if name not in self._jobs:
            options = lora_training_pb2.TrainingOptions(step_count=self._fakes.step_count_trained)
            self._jobs[name] = lora_training_pb2.TrainingJob(
                name=name, subject=request.subject, state=job_pb2.JOB_STATE_RUNNING, options=options
            )
            photos = [await self._fakes.rgb(photo.image) for photo in request.photos]
            content = hashlib.sha256(b"".join(photo.tobytes() for photo in photos))
            content.update(f"{request.options.seed} {request.caption}".encode())
            self._seeds[name] = content.hexdigest()
            self._keep(name)
        return self._jobs[name]

    async def WatchTrainingJob(self, request, context):
        self._fakes.script.take("WatchTrainingJob", request)
        job = self._jobs[request.name]
        yield self._event(job)
        await self._fakes.hold("WatchTrainingJob")
        while job.state == job_pb2.JOB_STATE_RUNNING:
            await self._fakes.pause()
            job.steps_done += 1
            job.loss = 1 / job.steps_done
            if job.steps_done == job.options.step_count:
                await self._finish(job)
            self._keep(request.name)
            yield self._event(job)

    async def _finish(self, job) -> None:
        data = f"adapter of {self._seeds[job.name]}".encode()
        media_type = "application/x-safetensors"
        ref = await asyncio.to_thread(
            self._fakes.store.put, data, tenant=current_request().tenant, media_type=media_type
        )
        job.state = job_pb2.JOB_STATE_SUCCEEDED
        job.adapter.base_model_digest = MODEL_DIGEST
        job.adapter.artifact.CopyFrom(
            image_pb2.ArtifactRef(
                uri=ref.uri, sha256=ref.sha256, size_bytes=ref.size_bytes, media_type=media_type
            )
        )

    async def CancelTrainingJob(self, request, context):
        self._fakes.script.take("CancelTrainingJob", request)
        self._jobs[request.name].state = job_pb2.JOB_STATE_CANCELLED
        self._fakes.cancelled.append("CancelTrainingJob")
        return self._jobs[request.name]

    async def DeleteTrainingJob(self, request, context):
        self._fakes.script.take("DeleteTrainingJob", request)
        job = self._jobs.pop(request.name)
        count = 0
        if job.HasField("adapter"):
            tenant = current_request().tenant
            uri = job.adapter.artifact.uri
            count = int(await asyncio.to_thread(self._fakes.store.delete, uri, tenant=tenant))
        return lora_training_pb2.DeleteTrainingJobResponse(artifact_count=count)

    def _event(self, job):
        return lora_training_pb2.TrainingJobEvent(
            sequence=job.steps_done + 1, resume_token=str(job.steps_done), training_job=job
        )

    def _keep(self, name: str) -> None:
        if self._fakes.jobs_folder is not None:
            self._fakes.jobs_folder.mkdir(parents=True, exist_ok=True)
            kept = {
                "name": name,
                "job": self._jobs[name].SerializeToString().hex(),
                "content": self._seeds[name],
            }
            file = self._fakes.jobs_folder / f"{name.split('/')[1]}.json"
            file.write_text(json.dumps(kept))
