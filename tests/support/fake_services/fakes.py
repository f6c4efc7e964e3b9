"""What the fake services share, and what a test may change about them."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from likeness.common.v1 import image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2

from shared.artifacts import ArtifactStore
from shared.wire import read_image
from tests.support.fake_services.script import Script

ALL_FEATURES = (face_analysis_pb2.FACE_FEATURE_STRUCTURE, face_analysis_pb2.FACE_FEATURE_MARKS)


@dataclass
class Fakes:
    """What all five share; a test changes it to change what they do.

    Attributes:
        store: Where artifacts are, the same one that the orchestrator has.
        script: Calls that were made, and answers that are to be given instead of the usual ones.
        step_s: How long one step of any work takes.
        held: Name of an RPC of a portrait's stages whose calls do not go on while it is named here.
        step_count_trained: Steps of each training.
        jobs_folder: Where training jobs outlive the process; None keeps them in memory.
        cancelled: RPCs that were cancelled, in order.
        features: What face analysis says it can find beyond five points.
        embedder: Name of the model of the raw embeddings, which a generator takes.
        comparison: Name of the model of the embeddings by which faces are compared.
        unfamiliar_words: Words that the generator says it does not know.
    """

    store: ArtifactStore
    script: Script = field(default_factory=Script)
    step_s: float = 0.0
    held: str = ""
    step_count_trained: int = 4
    jobs_folder: Path | None = None
    cancelled: list[str] = field(default_factory=list)
    features: tuple[int, ...] = ALL_FEATURES
    embedder: str = "fake"
    comparison: str = "fake-fitted"
    unfamiliar_words: tuple[str, ...] = ()

    async def rgb(self, image: image_pb2.Image) -> np.ndarray:
        """Read a picture of a request."""
        return await read_image(image, position="image", store=self.store)

    async def hold(self, rpc: str) -> None:
        """Wait for as long as this RPC is held."""
        while self.held == rpc:
            await asyncio.sleep(0.01)

    async def pause(self) -> None:
        """Take as long as a step is told to take."""
        await asyncio.sleep(self.step_s)
