"""How tensors reach Triton: in the message, or through memory that both processes see."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferInput, InferRequestedOutput

Arrays = Mapping[str, NDArray[Any]]
Prediction = NDArray[np.float32]
Shape = tuple[int, ...]

_TYPES = {"float32": "FP32", "int64": "INT64"}


class TensorPath(Protocol):
    """Carries the tensors of one call at a time; used from one event loop."""

    async def place(self, arrays: Arrays, output_shape: Shape | None) -> tuple[list[Any], list[Any]]:
        """Inputs of a call, and the `prediction` it asks for (none without *output_shape*).

        The arrays are copied; the call MUST end, or `abandon` be called, before the next `place`.
        Raises: CapabilityUnavailable where the server cannot reach the memory.
        """

    def read(self, answer: Any, output_shape: Shape) -> Prediction:
        """The call's `prediction`, a copy."""

    def abandon(self) -> None:
        """The call was given up: the server may still read and write where its tensors lie."""

    async def renew(self) -> None:
        """The server forgot everything (or may have): start over."""

    async def close(self) -> None:
        """Release all that the server and we hold."""


class MessageTensors:
    """Tensors travel in the gRPC message: works with every server."""

    async def place(self, arrays: Arrays, output_shape: Shape | None) -> tuple[list[Any], list[Any]]:
        """See TensorPath."""
        inputs = [described(name, array) for name, array in arrays.items()]
        for tensor, array in zip(inputs, arrays.values(), strict=True):
            tensor.set_data_from_numpy(np.ascontiguousarray(array))
        return inputs, [] if output_shape is None else [InferRequestedOutput("prediction")]

    def read(self, answer: Any, output_shape: Shape) -> Prediction:
        """See TensorPath."""
        prediction: Prediction = answer.as_numpy("prediction").copy()
        return prediction

    def abandon(self) -> None:
        """Nothing is shared."""

    async def renew(self) -> None:
        """Nothing is set up."""

    async def close(self) -> None:
        """Nothing is held."""


def described(name: str, array: NDArray[Any]) -> InferInput:
    """The input without its content."""
    return InferInput(name, list(array.shape), _TYPES[array.dtype.name])
