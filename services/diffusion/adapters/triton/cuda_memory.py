"""Tensors in CUDA shared memory, for a server on the same GPU. Not run where this was written (no GPU)."""

import os
import secrets
from typing import Any

import numpy as np
from tritonclient.grpc import InferRequestedOutput
from tritonclient.utils import InferenceServerException

from services.diffusion.adapters.triton.connection import TritonConnection
from services.diffusion.adapters.triton.faults import fault_of, no_shared_memory
from services.diffusion.adapters.triton.tensor_paths import Arrays, Prediction, Shape, described

_LEAST_BYTES = 1 << 20


class CudaMemory:
    """One region for inputs and one for the prediction, reused and grown; see SystemMemory.

    Needs `tritonclient[cuda]`. The copies to and from the GPU happen here instead of in the server, so the
    server's `FORCE_CPU_ONLY_INPUT_TENSORS` has to be "no", as the exported repository for a GPU says.
    """

    def __init__(self, connection: TritonConnection, device: int = 0) -> None:
        import tritonclient.utils.cuda_shared_memory as cuda

        self._cuda: Any = cuda
        self._connection = connection
        self._device = device
        self._regions: dict[str, tuple[str, int, Any]] = {}
        self._retired: list[tuple[str, int, Any]] = []
        self._later_answered = False

    async def place(self, arrays: Arrays, output_shape: Shape | None) -> tuple[list[Any], list[Any]]:
        """See TensorPath."""
        if self._later_answered:
            await self._release_retired()
        # Keys of 8 bytes an element go first: the library packs the arrays without gaps.
        ordered = sorted(arrays.items(), key=lambda item: -item[1].itemsize)
        name, _, handle = await self._with_room("in", sum(array.nbytes for _, array in ordered))
        self._cuda.set_shared_memory_region(handle, [np.ascontiguousarray(array) for _, array in ordered])
        inputs, start = [], 0
        for input_name, array in ordered:
            tensor = described(input_name, array)
            tensor.set_shared_memory(name, array.nbytes, offset=start)
            inputs.append(tensor)
            start += array.nbytes
        if output_shape is None:
            return inputs, []
        output_bytes = 4 * int(np.prod(output_shape))
        name, _, _ = await self._with_room("out", output_bytes)
        output = InferRequestedOutput("prediction")
        output.set_shared_memory(name, output_bytes)
        return inputs, [output]

    def read(self, answer: Any, output_shape: Shape) -> Prediction:
        """See TensorPath."""
        self._later_answered = True
        found: Prediction = self._cuda.get_contents_as_numpy(
            self._regions["out"][2], np.float32, output_shape
        )
        return found.copy()

    def abandon(self) -> None:
        """See TensorPath."""
        self._retired += self._regions.values()
        self._regions, self._later_answered = {}, False

    async def renew(self) -> None:
        """See TensorPath."""
        self.abandon()
        await self._release_retired()

    async def close(self) -> None:
        """See TensorPath."""
        await self.renew()

    async def _with_room(self, use: str, size: int) -> tuple[str, int, Any]:
        found = self._regions.pop(use, None)
        if found is not None and found[1] >= size:
            self._regions[use] = found
            return found
        if found is not None:
            await self._release(found)
        capacity = max(_LEAST_BYTES, 1 << (size - 1).bit_length())
        name = f"likeness-{os.getpid()}-{secrets.token_hex(8)}"
        handle = self._cuda.create_shared_memory_region(name, capacity, self._device)
        raw = self._cuda.get_raw_handle(handle)
        try:
            await self._connection.client.register_cuda_shared_memory(name, raw, self._device, capacity)
        except InferenceServerException as error:
            self._cuda.destroy_shared_memory_region(handle)
            text, connection = error.message() or "", self._connection
            if error.status() == "StatusCode.UNAVAILABLE":
                raise fault_of(error.status(), text, connection.model, connection.target) from error
            raise no_shared_memory(connection.target, "CUDA", text) from error
        self._regions[use] = name, capacity, handle
        return self._regions[use]

    async def _release_retired(self) -> None:
        retired, self._retired = self._retired, []
        for region in retired:
            await self._release(region)

    async def _release(self, region: tuple[str, int, Any]) -> None:
        try:
            await self._connection.client.unregister_cuda_shared_memory(region[0])
        except InferenceServerException:
            pass  # a server that was restarted does not know it, which is as good
        finally:
            self._cuda.destroy_shared_memory_region(region[2])
