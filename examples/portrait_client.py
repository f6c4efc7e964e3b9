"""A whole client in 20 lines; needs `pip install ./protos` alone. Usage: client HOST:PORT PHOTO..."""

import pathlib
import sys

import grpc
from likeness.common.v1 import image_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as api
from likeness.orchestrator.v1 import orchestrator_pb2_grpc, resources_pb2

target, *photos = sys.argv[1:]
likeness = orchestrator_pb2_grpc.OrchestratorServiceStub(grpc.insecure_channel(target))
images = [image_pb2.Image(data=pathlib.Path(photo).read_bytes(), name=photo) for photo in photos]
person = likeness.CreateIdentity(api.CreateIdentityRequest(display_name="Ada", photos=images))
spec = resources_pb2.PortraitSpec(
    identity=person.name, style="styles/studio", portrait_count=2, mode=resources_pb2.IDENTITY_MODE_TRAIN_FREE
)
job = likeness.CreatePortrait(api.CreatePortraitRequest(spec=spec))
for event in likeness.WatchPortrait(api.WatchPortraitRequest(name=job.name)):
    print(event.sequence, event.WhichOneof("event"))
done = likeness.GetPortrait(api.GetPortraitRequest(name=job.name))
for best in filter(lambda candidate: candidate.is_winner, done.candidates):
    chunks = likeness.DownloadArtifact(api.DownloadArtifactRequest(uri=best.artifact.uri))
    pathlib.Path(f"portrait-{best.rank}.png").write_bytes(b"".join(chunk.chunk for chunk in chunks))
