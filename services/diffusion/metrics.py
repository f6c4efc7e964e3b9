"""Prometheus metrics of the diffusion service, besides those that every service has."""

from prometheus_client import Counter, Gauge, Histogram

from shared.telemetry.metrics import REGISTRY

_ROWS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64)
# From a hit in memory (0.1 ms) to a large file from a remote store.
_LOAD_SECONDS = (0.0001, 0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_PICTURE_SECONDS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600)

# call: unet (rows), text (prompts), decode and encode (images).
BATCH_SIZE = Histogram(
    "likeness_diffusion_batch_size",
    "Entries that shared one call.",
    ("model", "call"),
    buckets=_ROWS,
    registry=REGISTRY,
)
# part: prepare (adapters, prompts), queue (until the first UNet call), batch_wait (between calls of its own
# rows), compute (in calls of its own rows), decode.
PICTURE_SECONDS = Histogram(
    "likeness_diffusion_picture_seconds",
    "Where the time of finished pictures went.",
    ("model", "part"),
    buckets=_PICTURE_SECONDS,
    registry=REGISTRY,
)

CACHE_BYTES = Gauge(
    "likeness_diffusion_adapter_cache_bytes",
    "Bytes of adapters in memory, packed forms included.",
    ("model",),
    registry=REGISTRY,
)
# outcome: hit, miss (a load begins), joined (waits for a load that others began).
CACHE_LOOKUPS = Counter(
    "likeness_diffusion_adapter_cache_lookups",
    "Look-ups of adapters.",
    ("model", "outcome"),
    registry=REGISTRY,
)
# reason: budget (least recently used), deleted (evicted by request, or gone from the store).
CACHE_EVICTIONS = Counter(
    "likeness_diffusion_adapter_cache_evictions",
    "Adapters dropped from memory.",
    ("model", "reason"),
    registry=REGISTRY,
)
LOAD_SECONDS = Histogram(
    "likeness_diffusion_adapter_load_seconds",
    "Wall time to fetch, check and read one adapter.",
    ("model", "outcome"),
    buckets=_LOAD_SECONDS,
    registry=REGISTRY,
)
# outcome: hit, miss.
PROMPT_LOOKUPS = Counter(
    "likeness_diffusion_prompt_lookups",
    "Look-ups of encoded prompts.",
    ("model", "outcome"),
    registry=REGISTRY,
)
