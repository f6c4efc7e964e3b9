"""Pictures of the diffusion service, kept on disk by what they were asked of."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from hashlib import sha256
from pathlib import Path

from likeness.diffusion.v1 import diffusion_pb2 as pb

from loadtests.common.services import CALL_TIMEOUT_S, Services

# As many as the engine fills a batch with; more would only wait.
_IN_FLIGHT = 8


class Drawings:
    """Generates pictures, or takes them from disk where model, request and seed are the same.

    Args:
        services: the services under test.
        folder: where pictures lie, each named by the digest of model and request.
        model: the model that is asked.
        parser: digest of the face parser in the model's folder, which late injection goes by.
    """

    def __init__(self, services: Services, folder: Path, model: pb.Model, parser: str = "") -> None:
        self._services, self._folder, self.model, self._parser = services, folder, model, parser

    def missing(self, requests: Sequence[pb.GenerateRequest]) -> list[pb.GenerateRequest]:
        """Returns those that are not on disk yet, each once."""
        by_file = {self.file(request): request for request in requests}
        return [request for file, request in by_file.items() if not file.exists()]

    def draw(self, requests: Sequence[pb.GenerateRequest], tell: Callable[[], None] = lambda: None) -> None:
        """Generates what is missing; *tell* is called after each picture.

        What is done when it is interrupted is kept, and nothing more is begun.
        """
        with ThreadPoolExecutor(_IN_FLIGHT) as pool:
            try:
                work = [pool.submit(self._generate, request) for request in self.missing(requests)]
                for done in as_completed(work):
                    done.result()
                    tell()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def file(self, request: pb.GenerateRequest) -> Path:
        """Returns where a request's picture lies, or will lie."""
        digest = sha256(self.model.digest.encode() + request.SerializeToString(deterministic=True))
        if request.HasField("late_injection"):
            digest.update(self._parser.encode())
        return self._folder / f"{digest.hexdigest()[:32]}.png"

    def _generate(self, request: pb.GenerateRequest) -> None:
        for response in self._services.diffusion.Generate(request, timeout=CALL_TIMEOUT_S):
            if response.WhichOneof("event") == "image":
                _write(self.file(request), response.image.image.data)
                return
        raise RuntimeError("the diffusion service ended its stream without a picture")


def default_model(services: Services) -> pb.Model:
    """Returns the model that the server takes by itself. Raises: ValueError if it takes no identity."""
    models = services.diffusion.ListModels(pb.ListModelsRequest(), timeout=CALL_TIMEOUT_S).models
    for model in models:
        if model.is_default and model.supports_identity:
            return model
    names = json.dumps([model.name for model in models])
    raise ValueError(f"the server's default model makes no portraits without training; it has {names}")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_bytes(data)
    draft.replace(path)
