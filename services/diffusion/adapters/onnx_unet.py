"""The UNet's graph on ONNX Runtime."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.diffusion.adapters.graph.backend import GraphBackend, Session
from services.diffusion.adapters.graph.sidecar import UNetGraph
from services.diffusion.adapters.lora_stack import Arrays
from shared.threads import operator_threads, ort_session_options

Array = NDArray[np.float32]


class OnnxUNet(GraphBackend):
    """Float32 on the CPU. A row's prediction has the same bits alone and in any company.

    Threads share the rows of a batch, never one operator: with two threads in a product ONNX Runtime 1.31
    blocks the sum by what is left for each of them, so that bits follow from the number of rows. Sharing rows
    is also the faster way; a lone row takes one thread.
    """

    batch_tolerance = 0.0
    description = "onnxruntime float32 on cpu"

    def __init__(self, graph: UNetGraph, threads: int | None = None, max_rank: int = 512) -> None:
        self._threads = operator_threads(threads)
        self._pool = ThreadPoolExecutor(self._threads, "diffusion-rows")
        super().__init__(graph, self._open, max_rank)

    def _open(self, file: Path) -> Session:
        import onnxruntime

        options = ort_session_options(1)
        options.log_severity_level = 3  # it warns of initializers that no node uses
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

        def run_part(inputs: Arrays) -> Array:
            result: Array = session.run(["prediction"], inputs)[0]
            return result

        def run(rows: dict[str, Array], adapters: Arrays) -> Array:
            inputs, count = rows | adapters, min(self._threads, len(rows["latents"]))
            if count == 1:
                return run_part(inputs)
            split = {name: np.array_split(array, count) for name, array in inputs.items()}
            parts = [{name: arrays[part] for name, arrays in split.items()} for part in range(count)]
            return np.concatenate(list(self._pool.map(run_part, parts)))

        return run
