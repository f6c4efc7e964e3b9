"""Where and how a Triton server is called."""

from dataclasses import dataclass, replace
from typing import Literal

SharedMemory = Literal["none", "system", "cuda"]


@dataclass(frozen=True)
class TritonOptions:
    """`target` is the host:port of its gRPC; `deadline_s` bounds a call, with the wait for a restart."""

    target: str = "127.0.0.1:18001"
    model: str = "unet"
    deadline_s: float = 60.0
    shared_memory: SharedMemory = "none"

    def for_model(self, name: str) -> "TritonOptions":
        """The same with {model} in `model` replaced by *name*: several models, each one on Triton."""
        return replace(self, model=self.model.replace("{model}", name))
