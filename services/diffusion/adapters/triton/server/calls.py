"""Requests and answers of the model as torch tensors.

Tensors cross the border through DLPack with torch only: with numpy 2 the python backend of Triton 2.51 reads
wrong values through `as_numpy` and sends empty ones through `Tensor(name, ndarray)`, without an error.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import torch
import torch.utils.dlpack
import triton_python_backend_utils as pb_utils  # type: ignore[import-not-found] # provided by Triton

from .adapter_bank import Use


class Fault(Exception):
    """An answer to one request: a word for clients, the fact, and the name of Triton's status code."""

    def __init__(self, word: str, fact: str, code: str = "INVALID_ARG") -> None:
        super().__init__(f"{word}: {fact}")
        self.code = code


class Call:
    """One request, read.

    Attributes:
        kind: "predict", "upload", "forget" or "describe"; Triton's own warm-up, without parameters, predicts.
        model_digest: The model that the client means; "" does not care.
        row_count: Rows in it.
        uses: Adapters of each row with their strengths.
        tensors: The graph's inputs that it carries, on the model's device.
    """

    def __init__(self, request: Any, inputs: Iterable[str], device: torch.device) -> None:
        parameters = json.loads(request.parameters() or "{}")
        self.kind: str = parameters.get("call", "predict")
        self.model_digest: str = parameters.get("model_digest", "")
        self.tensors: dict[str, torch.Tensor] = {}
        for name in inputs:
            tensor = pb_utils.get_input_tensor_by_name(request, name)
            if tensor is not None:
                self.tensors[name] = to_torch(tensor).to(device)
        keys = to_torch(pb_utils.get_input_tensor_by_name(request, "adapters")).tolist()
        strengths = pb_utils.get_input_tensor_by_name(request, "strengths")
        weights = [[1.0] * len(row) for row in keys] if strengths is None else to_torch(strengths).tolist()
        self.row_count = len(keys)
        self.uses: list[tuple[Use, ...]] = [
            tuple((tuple(key), weight) for key, weight in zip(row, given, strict=True) if any(key))
            for row, given in zip(keys, weights, strict=True)
        ]

    @property
    def signature(self) -> tuple[Any, ...]:
        """Predictions with the same one can be joined."""
        return tuple((name, tuple(tensor.shape[1:])) for name, tensor in self.tensors.items())


def answer(tensors: Mapping[str, torch.Tensor]) -> Any:
    """A response with these outputs."""
    outputs = [pb_utils.Tensor.from_dlpack(name, tensor.contiguous()) for name, tensor in tensors.items()]
    return pb_utils.InferenceResponse(output_tensors=outputs)


def failure(error: Exception) -> Any:
    """The response to a request that failed."""
    code = error.code if isinstance(error, Fault) else "INTERNAL"
    text = str(error) if isinstance(error, Fault) else f"PREDICTION_FAILED: {error!r}"
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(text, getattr(pb_utils.TritonError, code)))


def to_torch(tensor: Any) -> torch.Tensor:
    """A Triton tensor as a torch tensor, without a copy."""
    return torch.utils.dlpack.from_dlpack(tensor.to_dlpack())


def check_tensor_path() -> None:
    """Send a known tensor through the idiom of this file; refuse to start where it does not come back."""
    known = torch.arange(8, dtype=torch.float32)
    if not torch.equal(to_torch(pb_utils.Tensor.from_dlpack("known", known)), known):
        raise pb_utils.TritonModelException("tensors do not survive DLPack in this build")
