"""The service over the real transport, with the fake backend and with dlib."""

import time

import grpc
import pytest
from likeness.common.v1 import image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2_grpc

from services.face_analysis.adapters.dlib_backend import DlibBackend
from services.face_analysis.adapters.fake import FakeBackend
from services.face_analysis.bootstrap import build
from services.face_analysis.settings import FaceAnalysisSettings
from shared.artifacts import open_store
from shared.errors.rpc import ReceivedError, from_rpc_error

Stub = face_analysis_pb2_grpc.FaceAnalysisServiceStub


@pytest.fixture(scope="session")
def dlib_backend() -> DlibBackend:
    """Loaded once for all tests: they run one after the other, with one worker each."""
    return DlibBackend()


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "artifacts"))


@pytest.fixture
async def dlib_stub(serve, store, dlib_backend) -> Stub:
    service = build(FaceAnalysisSettings(), store=store, backend_factory=lambda: dlib_backend)
    return Stub(await serve([service], tenant="acme"))


@pytest.fixture
async def fake_stub(serve, store) -> Stub:
    service = build(FaceAnalysisSettings(worker_count=2), store=store, backend_factory=FakeBackend)
    return Stub(await serve([service], tenant="acme"))


class CountingBackend(FakeBackend):
    """Counts the pictures it was given and takes its time over each."""

    def __init__(self, delay_s: float = 0.0) -> None:
        super().__init__()
        self.seen, self.delay_s = 0, delay_s

    def detect(self, rgb):
        self.seen += 1
        time.sleep(self.delay_s)
        return super().detect(rgb)


@pytest.fixture
async def slow_stub(serve, store) -> tuple[Stub, CountingBackend]:
    """A service that needs 50 ms for a picture, and its backend."""
    backend = CountingBackend(0.05)
    service = build(FaceAnalysisSettings(), store=store, backend_factory=lambda: backend)
    stub = Stub(await serve([service]))
    backend.seen = 0
    return stub, backend


def image(data: bytes, name: str = "") -> image_pb2.Image:
    return image_pb2.Image(data=data, name=name)


async def refused(call) -> ReceivedError:
    """The typed error that a call ends with."""
    with pytest.raises(grpc.RpcError) as caught:
        await call
    return from_rpc_error(caught.value)
