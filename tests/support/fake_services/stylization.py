"""StylizationService, faked."""

from likeness.common.v1 import image_pb2
from likeness.stylization.v1 import stylization_pb2, stylization_pb2_grpc

from shared.images import encode_png
from tests.support.fake_services.fakes import Fakes


class FakeStylization(stylization_pb2_grpc.StylizationServiceServicer):
    """Inverts the colours."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes

    async def ListEffects(self, request, context):
        if (answer := self._fakes.script.take("ListEffects", request)) is not None:
            return answer
        await self._fakes.hold("ListEffects")
        return stylization_pb2.ListEffectsResponse(effects=[stylization_pb2.Effect(name="toon")])

    async def Stylize(self, request, context):
        if (answer := self._fakes.script.take("Stylize", request)) is not None:
            return answer
        await self._fakes.hold("Stylize")
        await self._fakes.pause()
        rgb = await self._fakes.rgb(request.image)
        return stylization_pb2.StylizeResponse(image=image_pb2.Image(data=encode_png(255 - rgb)))
