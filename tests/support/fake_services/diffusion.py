"""DiffusionService, faked."""

import asyncio
import hashlib

import numpy as np
from likeness.common.v1 import image_pb2
from likeness.diffusion.v1 import diffusion_pb2, diffusion_pb2_grpc

from shared.context import current_request
from shared.images import encode_png
from tests.support.fake_services.faces import DIMENSION
from tests.support.fake_services.fakes import Fakes
from tests.support.fake_services.pictures import DRAWN_LIKENESS, marked, noise

# Of the only model there is; the fake training says that its adapters are for it.
MODEL_DIGEST = hashlib.sha256(b"fake model").hexdigest()


class FakeDiffusion(diffusion_pb2_grpc.DiffusionServiceServicer):
    """Draws noise by seed, of the person that the embeddings or the adapter stand for."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes

    async def Generate(self, request, context):
        answer = self._fakes.script.take("Generate", request)
        try:
            yield diffusion_pb2.GenerateResponse(queued=diffusion_pb2.Queued(ahead_count=0))
            await self._fakes.hold("Generate")
            for step in range(1, request.step_count + 1):
                await self._fakes.pause()
                done = diffusion_pb2.StepDone(step=step, step_count=request.step_count, batch_row_count=1)
                yield diffusion_pb2.GenerateResponse(step=done)
        except (asyncio.CancelledError, GeneratorExit):
            self._fakes.cancelled.append("Generate")
            raise
        digests = [await self._digest(use) for use in request.adapters]
        data = answer if answer is not None else self._draw(request, digests)
        yield diffusion_pb2.GenerateResponse(
            image=diffusion_pb2.GeneratedImage(
                image=image_pb2.Image(data=data),
                seed=request.seed,
                model_digest=MODEL_DIGEST,
                adapter_digests=digests,
                unfamiliar_words=self._fakes.unfamiliar_words,
            )
        )

    def _draw(self, request, digests) -> bytes:
        vectors = [np.array(item.values) for item in request.identity.embeddings]
        person = int(np.mean(vectors, axis=0).argmax()) if vectors else 0
        side = request.width_px or 64
        words = hashlib.sha256("".join([request.prompt, *digests]).encode()).digest()
        drawn = noise([request.seed, *words[:8]], side)
        return encode_png(marked(drawn, person, 1, likeness=DRAWN_LIKENESS))

    async def _digest(self, use) -> str:
        if use.WhichOneof("source") == "name":
            return hashlib.sha256(use.name.encode()).hexdigest()
        tenant = current_request().tenant
        data = await asyncio.to_thread(self._fakes.store.get, use.artifact.uri, tenant=tenant)
        return hashlib.sha256(data).hexdigest()

    async def ListModels(self, request, context):
        if (answer := self._fakes.script.take("ListModels", request)) is not None:
            return answer
        model = diffusion_pb2.Model(
            name="fake",
            digest=MODEL_DIGEST,
            width_px=256,
            height_px=256,
            max_prompt_tokens=75,
            supports_identity=True,
            identity_dimension=DIMENSION,
            is_default=True,
        )
        return diffusion_pb2.ListModelsResponse(models=[model])

    async def EvictAdapters(self, request, context):
        answer = self._fakes.script.take("EvictAdapters", request)
        return answer or diffusion_pb2.EvictAdaptersResponse(adapter_count=len(request.uris))
