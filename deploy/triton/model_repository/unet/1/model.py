"""The UNet as a Triton python-backend model: base weights, text conditioning, no adapters.

Tensors cross the border through DLPack with torch only: with numpy 2 the python backend of Triton 2.51 reads wrong
values through `as_numpy` and sends empty ones through `Tensor(name, ndarray)`, without an error. `initialize` sends a
known tensor through that idiom once and refuses to start where it does not come back.
"""

import json
import os

import torch
import triton_python_backend_utils as pb_utils  # provided by Triton

from shared.sdmodels import load_unet, open_model_folder


def to_torch(tensor: "pb_utils.Tensor") -> torch.Tensor:
    """Returns a Triton tensor as a torch tensor without a copy."""
    return torch.from_dlpack(tensor.to_dlpack())


class TritonPythonModel:
    """What Triton loads; one instance per device."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the weights and checks the tensor path."""
        config = json.loads(args["model_config"])
        folder = config["parameters"]["model_folder"]["string_value"]
        self.device = "cuda" if args["model_instance_kind"] == "GPU" and torch.cuda.is_available() else "cpu"
        self.unet = load_unet(open_model_folder(os.environ.get("LIKENESS_MODEL_FOLDER", folder))).to(self.device)
        known = torch.arange(8, dtype=torch.float32)
        if not torch.equal(to_torch(pb_utils.Tensor.from_dlpack("known", known)), known):
            raise pb_utils.TritonModelException("tensors do not survive DLPack in this build; refusing to start")

    def execute(self, requests: list["pb_utils.InferenceRequest"]) -> list["pb_utils.InferenceResponse"]:
        """Runs all requests of one batch that agree in shape in one UNet call; answers in their order."""
        inputs = [self._read(request) for request in requests]
        groups: dict[tuple[torch.Size, torch.Size], list[int]] = {}
        for index, (latent, _, context) in enumerate(inputs):
            groups.setdefault((latent.shape[1:], context.shape[1:]), []).append(index)
        answers: dict[int, torch.Tensor] = {}
        for members in groups.values():
            latent, timestep, context = (
                torch.cat([inputs[index][part] for index in members]) for part in range(3)
            )
            with torch.inference_mode():
                prediction = self.unet(latent, timestep, encoder_hidden_states=context).sample.float().cpu()
            sizes = [len(inputs[index][0]) for index in members]
            answers |= dict(zip(members, prediction.split(sizes), strict=True))
        return [self._response(answers[index]) for index in range(len(requests))]

    def _read(self, request: "pb_utils.InferenceRequest") -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        latent, timestep, context = (
            to_torch(pb_utils.get_input_tensor_by_name(request, name)).to(self.device)
            for name in ("latent", "timestep", "context")
        )
        return latent, timestep.reshape(-1), context

    def _response(self, prediction: torch.Tensor) -> "pb_utils.InferenceResponse":
        tensor = pb_utils.Tensor.from_dlpack("prediction", prediction.contiguous())
        return pb_utils.InferenceResponse(output_tensors=[tensor])
