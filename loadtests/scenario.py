"""The Locust scenario: users who make portraits of the sample identities, and look at what they have.

    locust -f loadtests/scenario.py --headless --users 4 --spawn-rate 2 --run-time 60s --host 127.0.0.1:50051

`make load` does that against an embedded server and writes the report. One user is one client: it creates an
identity once, then makes train-free portraits of it and watches them to the end, with lighter calls between.
Every call of the stubs is reported to Locust by an interceptor, with its duration and its failure.
"""

import random
import time
import uuid
from pathlib import Path
from typing import Any

import grpc
import grpc.experimental.gevent as grpc_gevent
from likeness.common.v1 import image_pb2, job_pb2
from likeness.face_analysis.v1 import face_analysis_pb2, face_analysis_pb2_grpc
from likeness.orchestrator.v1 import orchestrator_pb2 as api
from likeness.orchestrator.v1 import orchestrator_pb2_grpc, resources_pb2
from locust import User, between, task

# Locust runs its users as greenlets; without this, one blocked call would stop them all.
grpc_gevent.init_gevent()

SAMPLES = Path(__file__).resolve().parent.parent / "starter" / "samples"
STYLES = ("studio", "sunset")
CALL_TIMEOUT_S = 60.0
PORTRAIT_TIMEOUT_S = 600.0


class ReportingInterceptor(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]
    """Tells Locust of each unary call."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """Runs the call and reports its duration and its failure."""
        began = time.perf_counter()
        call = continuation(client_call_details, request)
        error = call.exception()
        self._environment.events.request.fire(
            request_type="grpc",
            name=client_call_details.method.rpartition("/")[2],
            response_time=(time.perf_counter() - began) * 1000,
            response_length=0 if error else call.result().ByteSize(),
            exception=error,
        )
        return call


class PortraitUser(User):
    """A client team's backend: one identity, several portraits."""

    wait_time = between(0.2, 1.0)

    def on_start(self) -> None:
        """Opens a channel as a tenant of its own and creates an identity."""
        channel = grpc.insecure_channel(self.host, options=[("grpc.max_receive_message_length", 16 * 2**20)])
        self.channel = grpc.intercept_channel(channel, ReportingInterceptor(self.environment))
        self.stub = orchestrator_pb2_grpc.OrchestratorServiceStub(self.channel)
        self.faces = face_analysis_pb2_grpc.FaceAnalysisServiceStub(self.channel)
        self.metadata = (("x-likeness-tenant", f"load-{uuid.uuid4().hex[:8]}"),)
        folder = random.choice(sorted(path for path in SAMPLES.iterdir() if path.is_dir()))
        self.photos = [
            image_pb2.Image(data=path.read_bytes(), name=path.name) for path in sorted(folder.glob("*.png"))
        ]
        request = api.CreateIdentityRequest(display_name=folder.name, photos=self.photos)
        self.identity = self.stub.CreateIdentity(request, timeout=CALL_TIMEOUT_S, metadata=self.metadata)

    def on_stop(self) -> None:
        """Deletes what the user has made."""
        request = api.DeleteIdentityRequest(name=self.identity.name)
        self.stub.DeleteIdentity(request, timeout=CALL_TIMEOUT_S, metadata=self.metadata)

    @task(4)
    def make_portrait(self) -> None:
        """Makes one train-free portrait and watches it to the end; reported as one request."""
        spec = resources_pb2.PortraitSpec(
            identity=self.identity.name,
            style=f"styles/{random.choice(STYLES)}",
            portrait_count=1,
            candidate_count=2,
            mode=resources_pb2.IDENTITY_MODE_TRAIN_FREE,
            seed=random.randrange(2**31),
        )
        began, first_event_s, last, failure = time.perf_counter(), None, None, None
        try:
            create = api.CreatePortraitRequest(spec=spec, request_id=str(uuid.uuid4()))
            job = self.stub.CreatePortrait(create, timeout=CALL_TIMEOUT_S, metadata=self.metadata)
            watch = api.WatchPortraitRequest(name=job.name)
            for event in self.stub.WatchPortrait(watch, timeout=PORTRAIT_TIMEOUT_S, metadata=self.metadata):
                first_event_s = first_event_s or time.perf_counter() - began
                last = event.portrait if event.WhichOneof("event") == "portrait" else last
        except grpc.RpcError as error:
            failure = error
        if failure is None and (last is None or last.state != job_pb2.JOB_STATE_SUCCEEDED):
            failure = RuntimeError(last.error.message if last else "the watch ended without an event")
        self._report("portrait", "portrait", time.perf_counter() - began, failure)
        if first_event_s is not None:
            self._report("portrait", "first event", first_event_s, None)

    @task(2)
    def analyse(self) -> None:
        """Analyses one photo."""
        request = face_analysis_pb2.AnalyzeRequest(images=self.photos[:1])
        self.faces.Analyze(request, timeout=CALL_TIMEOUT_S, metadata=self.metadata)

    @task(1)
    def look_around(self) -> None:
        """Lists styles and portraits."""
        self.stub.ListStyles(api.ListStylesRequest(), timeout=CALL_TIMEOUT_S, metadata=self.metadata)
        self.stub.ListPortraits(api.ListPortraitsRequest(), timeout=CALL_TIMEOUT_S, metadata=self.metadata)

    def _report(self, kind: str, name: str, wall_s: float, failure: BaseException | None) -> None:
        self.environment.events.request.fire(
            request_type=kind, name=name, response_time=wall_s * 1000, response_length=0, exception=failure
        )
