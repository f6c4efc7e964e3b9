"""Tensors in POSIX shared memory, for a server on the same host."""

import mmap
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import InferRequestedOutput
from tritonclient.utils import InferenceServerException

from services.diffusion.adapters.triton.connection import TritonConnection
from services.diffusion.adapters.triton.faults import fault_of, no_shared_memory
from services.diffusion.adapters.triton.tensor_paths import Arrays, Prediction, Shape, described

_FOLDER = Path("/dev/shm")
_ALIGNMENT, _LEAST_BYTES = 64, 1 << 20


@dataclass(frozen=True)
class Region:
    """Mapped memory that the server knows by `name`."""

    name: str
    content: NDArray[np.uint8]


class SystemMemory:
    """One region, reused by every call and grown when a call needs more.

    A region's file is unlinked as soon as the server has mapped it, so that nothing stays in /dev/shm,
    whoever is killed when. A region of a call that was given up is never used again.
    """

    def __init__(self, connection: TritonConnection) -> None:
        self._connection = connection
        self._region: Region | None = None
        # Of calls that were given up. The one instance of the model works in order, so once a later call has
        # been answered (`_later_answered`) the server is done with them.
        self._retired: list[Region] = []
        self._later_answered = False
        self._output_start = 0

    async def place(self, arrays: Arrays, output_shape: Shape | None) -> tuple[list[Any], list[Any]]:
        """See TensorPath."""
        if self._later_answered:
            await self._release_retired()
        sizes = [_aligned(array.nbytes) for array in arrays.values()]
        output_bytes = 4 * int(np.prod(output_shape)) if output_shape is not None else 0
        region = await self._with_room(sum(sizes) + output_bytes)
        inputs, start = [], 0
        for (name, array), size in zip(arrays.items(), sizes, strict=True):
            place = region.content[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
            np.copyto(place, array)
            tensor = described(name, array)
            tensor.set_shared_memory(region.name, array.nbytes, offset=start)
            inputs.append(tensor)
            start += size
        self._output_start = start
        if output_shape is None:
            return inputs, []
        output = InferRequestedOutput("prediction")
        output.set_shared_memory(region.name, output_bytes, offset=start)
        return inputs, [output]

    def read(self, answer: Any, output_shape: Shape) -> Prediction:
        """See TensorPath."""
        if self._region is None:
            raise RuntimeError("reading without a call")
        self._later_answered = True
        end = self._output_start + 4 * int(np.prod(output_shape))
        found = self._region.content[self._output_start : end].view(np.float32).reshape(output_shape)
        return found.copy()

    def abandon(self) -> None:
        """See TensorPath."""
        if self._region is not None:
            self._retired.append(self._region)
            self._region, self._later_answered = None, False

    async def renew(self) -> None:
        """See TensorPath."""
        self.abandon()
        await self._release_retired()

    async def close(self) -> None:
        """See TensorPath."""
        await self.renew()

    async def _with_room(self, size: int) -> Region:
        if self._region is None or len(self._region.content) < size:
            if self._region is not None:
                await self._release([self._region])
            self._region = await self._register(max(_LEAST_BYTES, 1 << (size - 1).bit_length()))
        return self._region

    async def _register(self, size: int) -> Region:
        name = f"likeness-{os.getpid()}-{secrets.token_hex(8)}"
        file = _FOLDER / name
        handle = os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            os.ftruncate(handle, size)
            content = np.frombuffer(mmap.mmap(handle, size), np.uint8)
            await self._connection.client.register_system_shared_memory(name, f"/{name}", size)
        except InferenceServerException as error:
            raise self._refusal(error) from error
        finally:
            os.close(handle)
            file.unlink()
        return Region(name, content)

    async def _release_retired(self) -> None:
        retired, self._retired = self._retired, []
        await self._release(retired)

    async def _release(self, regions: list[Region]) -> None:
        for region in regions:
            try:
                await self._connection.client.unregister_system_shared_memory(region.name)
            except InferenceServerException:
                continue  # a server that was restarted does not know it, which is as good

    def _refusal(self, error: InferenceServerException) -> Exception:
        text, connection = error.message() or "", self._connection
        if "open shared memory" in text or "map" in text:
            return no_shared_memory(connection.target, "system", text)
        return fault_of(error.status(), text, connection.model, connection.target)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
