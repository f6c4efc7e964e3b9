"""The UNet as a Triton python-backend model: base weights, text conditioning, no adapters.

LIKENESS_MODEL_FOLDER names a Stable Diffusion folder. Tensors cross the border through DLPack with torch
only: with numpy 2 the python backend of Triton 2.51 reads wrong values through `as_numpy` and sends empty
ones through `Tensor(name, ndarray)`, without an error. `initialize` sends a known tensor through that idiom
once and refuses to start where it does not come back.
"""

import json
import os
from typing import TYPE_CHECKING

import triton_python_backend_utils as pb_utils  # provided by Triton

from shared.sdmodels import ModelFolder, SdModelError, load_unet, open_model_folder
from shared.threads import apply_thread_defaults

if TYPE_CHECKING:
    import torch

apply_thread_defaults()
# torch is imported where it is used: Triton loads this file twice, the first time for the dims only.


def model_folder() -> ModelFolder:
    """Opens the folder that the environment names; refuses SDXL, which conditions on more than text."""
    path = os.environ.get("LIKENESS_MODEL_FOLDER")
    if not path:
        raise pb_utils.TritonModelException("set LIKENESS_MODEL_FOLDER to a Stable Diffusion folder")
    try:
        folder = open_model_folder(path)
    except SdModelError as error:
        raise pb_utils.TritonModelException(str(error)) from error
    if folder.family != "sd":
        raise pb_utils.TritonModelException(
            f"{path}: {folder.family} is not served here, only Stable Diffusion 1 and 2"
        )
    return folder


def to_torch(tensor: "pb_utils.Tensor") -> "torch.Tensor":
    """Returns a Triton tensor as a torch tensor without a copy."""
    import torch

    return torch.from_dlpack(tensor.to_dlpack())


class TritonPythonModel:
    """What Triton loads; one instance per device."""

    @staticmethod
    def auto_complete_config(config: "pb_utils.ModelConfig") -> "pb_utils.ModelConfig":
        """Adds the tensors' dims, without the batch, as the UNet in the model folder has them."""
        unet = json.loads((model_folder().path / "unet" / "config.json").read_text())
        fp32 = {"data_type": "TYPE_FP32"}
        config.add_input({"name": "latent", "dims": [unet["in_channels"], -1, -1], **fp32})
        config.add_input({"name": "timestep", "dims": [1], **fp32})
        config.add_input({"name": "context", "dims": [-1, unet["cross_attention_dim"]], **fp32})
        config.add_output({"name": "prediction", "dims": [unet["out_channels"], -1, -1], **fp32})
        return config

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the weights and checks the tensor path."""
        import torch

        self.device = "cuda" if args["model_instance_kind"] == "GPU" and torch.cuda.is_available() else "cpu"
        self.unet = load_unet(model_folder()).to(self.device)
        known = torch.arange(8, dtype=torch.float32)
        if not torch.equal(to_torch(pb_utils.Tensor.from_dlpack("known", known)), known):
            raise pb_utils.TritonModelException("tensors do not survive DLPack in this build")

    def execute(self, requests: list["pb_utils.InferenceRequest"]) -> list["pb_utils.InferenceResponse"]:
        """Runs one batch in one UNet call; the batcher only joins requests of equal shapes."""
        import torch

        inputs = [self._read(request) for request in requests]
        latent, timestep, context = (torch.cat(parts) for parts in zip(*inputs, strict=True))
        with torch.inference_mode():
            prediction = self.unet(latent, timestep, encoder_hidden_states=context).sample.float().cpu()
        row_counts = [len(rows) for rows, _, _ in inputs]
        return [self._response(rows) for rows in prediction.split(row_counts)]

    def _read(
        self, request: "pb_utils.InferenceRequest"
    ) -> tuple["torch.Tensor", "torch.Tensor", "torch.Tensor"]:
        latent, timestep, context = (
            to_torch(pb_utils.get_input_tensor_by_name(request, name)).to(self.device)
            for name in ("latent", "timestep", "context")
        )
        return latent, timestep.reshape(-1), context

    def _response(self, prediction: "torch.Tensor") -> "pb_utils.InferenceResponse":
        tensor = pb_utils.Tensor.from_dlpack("prediction", prediction.contiguous())
        return pb_utils.InferenceResponse(output_tensors=[tensor])
