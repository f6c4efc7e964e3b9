"""Prometheus metrics of the Triton backend; the server has its own on its metrics port."""

from prometheus_client import Counter, Histogram

from shared.telemetry.metrics import REGISTRY

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

# call: predict, upload, forget. outcome: ok, adapters_missing, gone (restarted, retried), deadline, error.
CALLS = Counter(
    "likeness_triton_calls", "Finished calls to Triton.", ("model", "call", "outcome"), registry=REGISTRY
)
CALL_SECONDS = Histogram(
    "likeness_triton_call_seconds",
    "Wall time of calls to Triton that succeeded; an upload happens once per adapter.",
    ("model", "call"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
# direction: sent, received. Tensors only, also those that travel by shared memory.
BYTES = Counter(
    "likeness_triton_bytes", "Bytes of tensors.", ("model", "call", "direction"), registry=REGISTRY
)
RESTARTS = Counter(
    "likeness_triton_restarts",
    "Times that the server's model was found to have started anew, without its adapters.",
    ("model",),
    registry=REGISTRY,
)
