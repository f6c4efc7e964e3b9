"""The port `Stylization` over likeness.stylization.v1."""

from likeness.stylization.v1 import stylization_pb2 as pb
from likeness.stylization.v1 import stylization_pb2_grpc as pb_grpc

from services.orchestrator.adapters.clients import wire
from services.orchestrator.adapters.clients.connection import Connection, OpenChannel
from services.orchestrator.domain.faces import Picture
from services.orchestrator.domain.ports import Caller
from shared.artifacts import ArtifactStore

_LIMIT_S = 120.0
_LIST_LIMIT_S = 30.0


class GrpcStylization:
    """Calls the stylization service."""

    def __init__(self, open_channel: OpenChannel, store: ArtifactStore, patience_s: float = 60.0) -> None:
        self._connection = Connection(open_channel, pb_grpc.StylizationServiceStub, patience_s)
        self._store = store

    async def effects(self, caller: Caller) -> list[str]:
        """See the port."""
        response = await self._connection.unary("ListEffects", pb.ListEffectsRequest(), caller, _LIST_LIMIT_S)
        return [effect.name for effect in response.effects]

    async def stylize(self, picture: Picture, effect: str, strength: float, caller: Caller) -> bytes:
        """See the port."""
        request = pb.StylizeRequest(image=wire.to_image(picture), effect=effect, strength=strength)
        response = await self._connection.unary("Stylize", request, caller, _LIMIT_S)
        return await wire.read(response.image, self._store, caller.tenant)
