"""The UNet's graph on OpenVINO."""

from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ml_dtypes import bfloat16
from numpy.typing import NDArray

from services.diffusion.adapters.graph.backend import GraphBackend, Session
from services.diffusion.adapters.graph.openvino_parts import lift_parts
from services.diffusion.adapters.graph.sidecar import UNetGraph
from services.diffusion.adapters.lora_stack import Arrays, LoraStack
from shared.threads import operator_threads

Array = NDArray[np.float32]
Precision = Literal["f32", "bf16"]


class OpenvinoUNet(GraphBackend):
    """OpenVINO's CPU plugin. A row's prediction has the same bits alone and in any company."""

    batch_tolerance = 0.0

    def __init__(
        self,
        graph: UNetGraph,
        precision: Precision = "f32",
        threads: int | None = None,
        max_rank: int = 512,
    ) -> None:
        self._precision = precision
        self._threads = threads
        # Adapters in the type that the graph computes with: half the bytes, rounded once, not in each call.
        dtype = bfloat16 if precision == "bf16" else np.float32
        super().__init__(graph, self._open, max_rank, partial(LoraStack, dtype=dtype, is_split=True))

    @property
    def description(self) -> str:
        """Runtime and precision."""
        return f"openvino {'bfloat16' if self._precision == 'bf16' else 'float32'} on cpu"

    def _open(self, file: Path) -> Session:
        import openvino

        config = {
            # Explicit: by itself OpenVINO computes in bfloat16 wherever the processor can, so that results
            # would depend on the host.
            "INFERENCE_PRECISION_HINT": self._precision,
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(operator_threads(self._threads)),
        }
        core = openvino.Core()
        model = core.read_model(file)
        lift_parts(model, self._graph.layout, openvino.Type.bf16 if self._precision == "bf16" else None)
        request = core.compile_model(model, "CPU", config).create_infer_request()
        last: Arrays = {}

        def run(rows: dict[str, Array], adapters: Arrays) -> Array:
            nonlocal last
            if adapters is not last:
                # The request reads this memory in every call from now on, whatever is written there.
                for name, array in adapters.items():
                    request.set_tensor(name, _tensor(array))
                last = adapters
            # A view of the request's own memory, which the next call overwrites: copied once, here.
            outputs = request.infer(rows, share_inputs=True, share_outputs=True)
            result: Array = outputs[0].copy()
            return result

        return run


def _tensor(array: NDArray[Any]) -> Any:
    """A tensor over the array's own memory; OpenVINO's know bfloat16, numpy does not."""
    import openvino

    if array.dtype == bfloat16:
        return openvino.Tensor(array.view(np.uint16), list(array.shape), openvino.Type.bf16)
    return openvino.Tensor(array, shared_memory=True)


def native_precision() -> Precision:
    """bf16 where this processor multiplies in bfloat16 (AVX-512 BF16, AMX), else f32."""
    import openvino

    capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "bf16" if "BF16" in capabilities else "f32"
