"""A fusion service for each test, over the real transport with all interceptors."""

import pytest
from likeness.fusion.v1 import fusion_pb2_grpc

from services.fusion.bootstrap import build
from services.fusion.settings import FusionSettings
from shared.artifacts import open_store
from tests.support.fusion_wire import MODEL


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path))


@pytest.fixture
async def stub(serve, store):
    settings = FusionSettings(worker_count=1, identity_gates={MODEL: 0.95})
    return fusion_pb2_grpc.FusionServiceStub(await serve([build(settings, store=store)]))
