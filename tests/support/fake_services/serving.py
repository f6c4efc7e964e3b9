"""The fakes as services of a server."""

from likeness.diffusion.v1 import diffusion_pb2, diffusion_pb2_grpc
from likeness.face_analysis.v1 import face_analysis_pb2, face_analysis_pb2_grpc
from likeness.fusion.v1 import fusion_pb2, fusion_pb2_grpc
from likeness.lora_training.v1 import lora_training_pb2, lora_training_pb2_grpc
from likeness.stylization.v1 import stylization_pb2, stylization_pb2_grpc

from shared.server import Service
from tests.support.fake_services.diffusion import FakeDiffusion
from tests.support.fake_services.face_analysis import FakeFaceAnalysis
from tests.support.fake_services.fakes import Fakes
from tests.support.fake_services.fusion import FakeFusion
from tests.support.fake_services.lora_training import FakeTraining
from tests.support.fake_services.stylization import FakeStylization


def services_of(fakes: Fakes) -> list[Service]:
    """All five, ready for a server."""
    pairs = [
        (face_analysis_pb2, "FaceAnalysisService", face_analysis_pb2_grpc, FakeFaceAnalysis(fakes)),
        (diffusion_pb2, "DiffusionService", diffusion_pb2_grpc, FakeDiffusion(fakes)),
        (fusion_pb2, "FusionService", fusion_pb2_grpc, FakeFusion(fakes)),
        (stylization_pb2, "StylizationService", stylization_pb2_grpc, FakeStylization(fakes)),
        (lora_training_pb2, "LoraTrainingService", lora_training_pb2_grpc, FakeTraining(fakes)),
    ]
    return [
        Service(
            name=messages.DESCRIPTOR.services_by_name[name].full_name,
            add_to=lambda server, g=stubs, n=name, s=servicer: getattr(g, f"add_{n}Servicer_to_server")(
                s, server
            ),
        )
        for messages, name, stubs, servicer in pairs
    ]
