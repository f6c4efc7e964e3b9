"""Looks at the engine from its ports: every UNet call, and the time of the stages around it."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.diffusion.domain.model import Model, ModelStore
from services.diffusion.domain.rows import RowBatch, UNetRow


@dataclass(frozen=True)
class Call:
    """One UNet call: when, how many rows, how many pictures they belong to."""

    began_s: float
    ended_s: float
    row_count: int
    image_count: int


class StageClock:
    """Adds up seconds and calls by stage. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seconds: dict[str, float] = {}
        self.counts: dict[str, int] = {}

    def add(self, stage: str, seconds: float) -> None:
        """Notes one call."""
        with self._lock:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
            self.counts[stage] = self.counts.get(stage, 0) + 1


class Timed:
    """Stands in for any object and times the methods named in *stages* (method -> stage)."""

    def __init__(self, inner: Any, clock: StageClock, stages: Mapping[str, str]) -> None:
        self._inner = inner
        self._clock = clock
        self._stages = stages

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        return self._timing(value, self._stages[name]) if name in self._stages else value

    def _timing(self, call: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            began_s = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self._clock.add(stage, time.perf_counter() - began_s)

        return timed


class ObservedUNet(Timed):
    """Keeps a record of every call."""

    def __init__(self, inner: Any, calls: list[Call]) -> None:
        super().__init__(inner, StageClock(), {})
        self._calls = calls
        self.last: RowBatch | None = None

    def predict(self, batch: RowBatch) -> Any:
        """As the backend's."""
        began_s = time.perf_counter()
        predictions = self._inner.predict(batch)
        # Each picture has its own mix object; its rows share it.
        images = {id(row.adapters) for row in batch.rows}
        self.last = batch
        self._calls.append(Call(began_s, time.perf_counter(), len(batch.rows), len(images)))
        return predictions


class ObservedSamplers(Timed):
    """Times what runs between UNet calls."""

    def create(self, *args: Any, **kwargs: Any) -> Timed:
        """As the factory's."""
        methods = ("scale_input", "step", "estimate_clean", "initial_noise")
        return Timed(self._inner.create(*args, **kwargs), self._clock, dict.fromkeys(methods, "sampler"))


class ObservedModels:
    """A model store whose models are watched."""

    def __init__(self, models: ModelStore) -> None:
        self._models = models
        self._observed: dict[str, Model] = {}
        self.calls: list[Call] = []
        self.clock = StageClock()

    def names(self) -> Sequence[str]:
        """As the store's."""
        return self._models.names()

    def load(self, name: str) -> Model:
        """The model *name* with its ports watched."""
        name = name or self.names()[0]
        if name not in self._observed:
            self._observed[name] = self._watch(self._models.load(name))
        return self._observed[name]

    def last_row(self) -> UNetRow:
        """Returns a row of the last call. Raises: RuntimeError before the first call."""
        unet: Any = self.load(self.names()[0]).unet
        if unet.last is None:
            raise RuntimeError("no UNet call was seen yet")
        row: UNetRow = unet.last.rows[0]
        return row

    def forget(self) -> None:
        """Begins anew."""
        self.calls.clear()
        self.clock.seconds.clear()
        self.clock.counts.clear()

    def _watch(self, model: Model) -> Model:
        ports: dict[str, Any] = {
            "unet": ObservedUNet(model.unet, self.calls),
            "text": Timed(model.text, self.clock, {"encode": "text", "encode_batch": "text"}),
            "codec": Timed(model.codec, self.clock, {"decode": "decode", "decode_batch": "decode"}),
            "samplers": ObservedSamplers(model.samplers, self.clock, {}),
            "adapters": Timed(model.adapters, self.clock, {"by_artifact": "adapters"}),
        }
        return replace(model, **ports)
