"""What can go wrong on the way to Triton, from its words to our errors."""

from services.diffusion.adapters.triton.server.content_key import Key
from services.diffusion.errors import CapabilityUnavailable, DeadlineExceeded, ModelMissing, QueueFull

# The words of server/model.py.
_MISSING, _DIFFERS = "ADAPTERS_MISSING: ", "MODEL_DIFFERS: "
# Triton's own words: for states that pass, for memory that a restarted server does not know, and for a model
# process that died.
_PASSING = ("unknown model", "stopping", "not ready")
_UNKNOWN_MEMORY = ("unable to find shared memory region", "unable to find system shared memory")
_DIED = "stub process"
_RETRY_AFTER_S = 1.0


class AdaptersMissing(Exception):
    """The server has not (or no longer) got some adapters of the batch."""

    def __init__(self, keys: frozenset[Key]) -> None:
        super().__init__(f"{len(keys)} adapters")
        self.keys = keys


class ServerGone(Exception):
    """The server or its model went away, or does not know what we set up there: set up again, then retry."""


class ModelDied(ServerGone):
    """The model's process is gone. Triton 2.51 keeps calling it ready and never starts it again by itself."""


def fault_of(status: str | None, text: str, model: str, target: str) -> Exception:
    """The error that an InferenceServerException's *status* ("StatusCode.X") and *text* mean."""
    code = (status or "").removeprefix("StatusCode.")
    if text.startswith(_MISSING):
        return AdaptersMissing(frozenset(map(_key, text.removeprefix(_MISSING).split())))
    if text.startswith(_DIFFERS):
        return other_model(model, target)
    if code == "DEADLINE_EXCEEDED":
        return DeadlineExceeded()
    if "maximum queue size" in text:
        queue = f"The model {model} of Triton"
        return QueueFull(queue=queue, limit="the most", retry_after_s=_RETRY_AFTER_S)
    if _DIED in text.lower():
        return ModelDied(text)
    if code == "UNAVAILABLE" or any(word in text.lower() for word in _PASSING + _UNKNOWN_MEMORY):
        return ServerGone(text)
    return RuntimeError(f"Triton at {target}, model {model}: {code} {text}")


def other_model(model: str, target: str) -> ModelMissing:
    """Triton serves other weights than those of the folder, or a graph of another format."""
    return no_model(f"{model} with this folder's weights", target, "it serves others")


def no_model(model: str, target: str, cause: str) -> ModelMissing:
    """Triton has no such model, or could not load it."""
    return ModelMissing(
        file=f"{model} on Triton at {target} ({cause})",
        licence="that of the model's folder",
        command="likeness export --model FOLDER --target triton --out REPOSITORY, then restart Triton",
    )


def no_shared_memory(target: str, kind: str, cause: str) -> CapabilityUnavailable:
    """Triton cannot map our memory: it runs on another host or in a container of its own."""
    return CapabilityUnavailable(
        capability=f"share {kind} memory with Triton at {target} ({cause})",
        needed="a Triton server on this host that sees the same /dev/shm, or "
        "LIKENESS_DIFFUSION_TRITON_SHARED_MEMORY=none",
    )


def _key(word: str) -> Key:
    first, second, third, fourth = map(int, word.split(","))
    return (first, second, third, fourth)
