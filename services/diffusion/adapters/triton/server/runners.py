"""Evaluates the graph: ONNX Runtime in this process, or a TensorRT plan that Triton serves beside us."""

import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.utils.dlpack

Tensors = Mapping[str, torch.Tensor]
# Names of packed inputs, and the rows that are evaluated with these.
Division = list[tuple[tuple[str, ...], list[int]]]


class Runner(Protocol):
    """Blocking; called from one thread."""

    @property
    def description(self) -> str:
        """Runtime, precision, device."""

    @property
    def batch_tolerance(self) -> float:
        """Largest absolute difference between a row's prediction alone and in company; 0 = same bits."""

    def prepare(self, packed: Collection[str]) -> None:
        """Rows with these packed inputs will come."""

    def divide(self, touched: Sequence[frozenset[str]]) -> Division:
        """Which rows share a call of the graph, given the packed inputs that each row needs."""

    def run(self, inputs: Tensors) -> torch.Tensor:
        """Predictions float32 [B, C, h, w] of contiguous float32 inputs on the runner's device."""


class OnnxRunner:
    """ONNX Runtime on the CPU or, not run where this was written, on CUDA.

    The folder holds variants of the graph, each with some of the packed inputs. On the CPU a row goes to the
    least one that has what its own adapters need, so its prediction has the same bits alone and in company,
    and a split batch costs next to nothing. On a GPU all rows go to the least that has what any row needs.
    """

    def __init__(self, folder: Path, variants: str, out_channels: int, device: torch.device) -> None:
        """Open the least variant.

        Args:
            folder: Where the files are.
            variants: "FILE INPUT INPUT...; FILE INPUT...", from the least to the whole.
            out_channels: Channels of the prediction.
            device: Where the tensors are.
        """
        entries = [entry.split() for entry in variants.split(";")]
        self._files = {tuple(packed): folder / name for name, *packed in entries}
        self._out_channels = out_channels
        self._sessions: dict[tuple[str, ...], Any] = {}
        self._device = device
        # Threads of a CPU share the rows, never one operator: ONNX Runtime blocks a sum by what is left for
        # each thread, so that bits would follow from the number of rows.
        wanted = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))
        self._thread_count = wanted if device.type == "cpu" else 1
        self._pool = ThreadPoolExecutor(self._thread_count, "rows")
        self.description = f"onnxruntime float32 on {device}"
        # On a GPU the kernels differ by batch size, as torch's do.
        self.batch_tolerance = 0.0 if device.type == "cpu" else 1e-3
        self.prepare(())

    def prepare(self, packed: Collection[str]) -> None:
        """Open the variant now rather than under a prediction."""
        self._session(self._least(packed))

    def divide(self, touched: Sequence[frozenset[str]]) -> Division:
        """See the class."""
        if self._device.type != "cpu":
            return [(self._least(frozenset().union(*touched)), list(range(len(touched))))]
        parts: dict[tuple[str, ...], list[int]] = {}
        for row, packed in enumerate(touched):
            parts.setdefault(self._least(packed), []).append(row)
        return list(parts.items())

    def run(self, inputs: Tensors) -> torch.Tensor:
        """See Runner."""
        variant = next(packed for packed in reversed(self._files) if set(packed) <= inputs.keys())
        session = self._session(variant)
        rows, _, height, width = inputs["latents"].shape
        prediction = torch.empty(rows, self._out_channels, height, width, device=self._device)
        if self._device.type == "cuda":
            # The inputs were made on torch's stream, the session has its own.
            torch.cuda.current_stream(self._device).synchronize()
        count = min(self._thread_count, rows)
        targets = torch.tensor_split(prediction, count)
        split = {name: torch.tensor_split(tensor, count) for name, tensor in inputs.items()}
        parts = [{name: tensors[part] for name, tensors in split.items()} for part in range(count)]
        # The list waits for all of them.
        list(self._pool.map(self._run_part, [session] * count, parts, targets))
        return prediction

    def _run_part(self, session: Any, inputs: Tensors, target: torch.Tensor) -> None:
        import numpy as np

        binding = session.io_binding()
        place = (self._device.type, self._device.index or 0, np.float32)
        for name, tensor in inputs.items():
            binding.bind_input(name, *place, tuple(tensor.shape), tensor.data_ptr())
        binding.bind_output("prediction", *place, tuple(target.shape), target.data_ptr())
        session.run_with_iobinding(binding)

    def _least(self, packed: Collection[str]) -> tuple[str, ...]:
        return next(variant for variant in self._files if set(packed) <= set(variant))

    def _session(self, variant: tuple[str, ...]) -> Any:
        if variant not in self._sessions:
            self._sessions[variant] = _open(self._files[variant], self._device)
        return self._sessions[variant]


class PlanRunner:
    """Another model of this server, such as a `tensorrt_plan`; tensors stay on the device on their way."""

    def __init__(
        self, backend_utils: Any, model_name: str, packed: Sequence[str], device: torch.device
    ) -> None:
        self._utils = backend_utils
        self._model_name = model_name
        self._packed = tuple(packed)
        self.description = f"{model_name} on {device}"
        # A plan in float16, relative to predictions of variance 1.
        self.batch_tolerance = 0.02
        kind = "TRITONSERVER_MEMORY_GPU" if device.type == "cuda" else "TRITONSERVER_MEMORY_CPU"
        self._memory = backend_utils.PreferredMemory(getattr(backend_utils, kind), device.index or 0)

    def prepare(self, packed: Collection[str]) -> None:
        """The plan is there."""

    def divide(self, touched: Sequence[frozenset[str]]) -> Division:
        """One call with all packed inputs."""
        return [(self._packed, list(range(len(touched))))]

    def run(self, inputs: Tensors) -> torch.Tensor:
        """See Runner. Raises: RuntimeError with the other model's words."""
        tensors = [self._utils.Tensor.from_dlpack(name, _batched(tensor)) for name, tensor in inputs.items()]
        request = self._utils.InferenceRequest(
            model_name=self._model_name,
            requested_output_names=["prediction"],
            inputs=tensors,
            preferred_memory=self._memory,
        )
        response = request.exec()
        if response.has_error():
            raise RuntimeError(f"{self._model_name}: {response.error().message()}")
        output = self._utils.get_output_tensor_by_name(response, "prediction")
        prediction: torch.Tensor = torch.utils.dlpack.from_dlpack(output.to_dlpack())
        return prediction


def _open(file: Path, device: torch.device) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning threads starve the others of a busy host.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    cuda = [("CUDAExecutionProvider", {"device_id": device.index or 0})] if device.type == "cuda" else []
    session = onnxruntime.InferenceSession(str(file), options, providers=[*cuda, "CPUExecutionProvider"])
    # ONNX Runtime falls back to the CPU with no more than a warning.
    if cuda and session.get_providers()[0] != "CUDAExecutionProvider":
        raise RuntimeError("onnxruntime has no CUDA here; install onnxruntime-gpu")
    return session


def _batched(tensor: torch.Tensor) -> torch.Tensor:
    """Triton knows no input without dims behind the batch: [B] travels as [B, 1]."""
    return tensor.reshape(-1, 1) if tensor.dim() == 1 else tensor
