"""A model for Triton that stands where a TensorRT plan would: the graph beside it, on ONNX Runtime."""

from pathlib import Path

import onnxruntime
import torch
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        graph = Path(args["model_repository"]) / args["model_version"] / "unet.onnx"
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def execute(self, requests: list) -> list:
        return [self._answer(request) for request in requests]

    def _answer(self, request) -> object:
        inputs = {
            entry.name: torch.from_dlpack(
                pb_utils.get_input_tensor_by_name(request, entry.name).to_dlpack()
            ).numpy()
            for entry in self._session.get_inputs()
        }
        [prediction] = self._session.run(["prediction"], inputs)
        tensor = pb_utils.Tensor.from_dlpack("prediction", torch.from_numpy(prediction))
        return pb_utils.InferenceResponse(output_tensors=[tensor])
