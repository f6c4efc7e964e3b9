"""The gRPC face of training jobs: from proto, one call, to proto."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import TypeAlias

import grpc
from likeness.lora_training.v1 import lora_training_pb2 as pb
from likeness.lora_training.v1 import lora_training_pb2_grpc as pb_grpc

from services.lora_training import convert
from services.lora_training.engine.training_jobs import TrainingJobs
from shared.context import current_request

_DEFAULT_PAGE_SIZE = 50

Context: TypeAlias = grpc.aio.ServicerContext


class LoraTrainingServicer(pb_grpc.LoraTrainingServiceServicer):
    """LoraTrainingService over the use cases; the tenant comes from the request's context."""

    def __init__(self, jobs: TrainingJobs) -> None:
        """Args: jobs: started."""
        self._jobs = jobs

    async def CreateTrainingJob(
        self, request: pb.CreateTrainingJobRequest, context: Context
    ) -> pb.TrainingJob:
        """See the proto."""
        order = convert.order_from_proto(request)
        return convert.job_to_proto(await self._jobs.create(order, current_request().tenant))

    async def GetTrainingJob(self, request: pb.GetTrainingJobRequest, context: Context) -> pb.TrainingJob:
        """See the proto."""
        return convert.job_to_proto(self._jobs.get(request.name, current_request().tenant))

    async def ListTrainingJobs(
        self, request: pb.ListTrainingJobsRequest, context: Context
    ) -> pb.ListTrainingJobsResponse:
        """See the proto."""
        page = self._jobs.list(
            current_request().tenant,
            request.subject,
            request.page_size or _DEFAULT_PAGE_SIZE,
            request.page_token,
        )
        return pb.ListTrainingJobsResponse(
            training_jobs=[convert.job_to_proto(job) for job in page.jobs],
            next_page_token=page.next_page_token,
        )

    async def CancelTrainingJob(
        self, request: pb.CancelTrainingJobRequest, context: Context
    ) -> pb.TrainingJob:
        """See the proto."""
        return convert.job_to_proto(await self._jobs.cancel(request.name, current_request().tenant))

    async def DeleteTrainingJob(
        self, request: pb.DeleteTrainingJobRequest, context: Context
    ) -> pb.DeleteTrainingJobResponse:
        """See the proto."""
        deleted = await self._jobs.delete(request.name, current_request().tenant)
        return pb.DeleteTrainingJobResponse(
            checkpoint_count=deleted.checkpoint_count, artifact_count=deleted.artifact_count
        )

    async def WatchTrainingJob(
        self, request: pb.WatchTrainingJobRequest, context: Context
    ) -> AsyncIterator[pb.TrainingJobEvent]:
        """See the proto."""
        tenant = current_request().tenant
        job = self._jobs.get(request.name, tenant)
        async for event in self._jobs.watch(request.name, tenant, request.resume_token):
            job = event.payload.job if event.payload else job
            yield convert.event_to_proto(event, job, time.time())
