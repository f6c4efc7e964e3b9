"""Encodes prompts for many pictures: known ones from memory, new ones together in one call."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from services.diffusion.domain.adapters import AdapterMix, text_part
from services.diffusion.domain.ports import TextEncoder
from services.diffusion.domain.rows import Prompt, TextCondition
from services.diffusion.engine.coalescer import Coalescer
from services.diffusion.metrics import BATCH_SIZE, PROMPT_LOOKUPS
from shared.telemetry import stage

# Of a CLIP-L prompt (236 kB) it keeps about 140, of an SDXL one (630 kB) about 50.
_KEPT_BYTES = 32 * 2**20
_MAX_PROMPTS = 16


@dataclass(frozen=True, eq=False)
class _Task:
    prompt: Prompt
    adapters: AdapterMix
    key: Hashable
    # Deletions before it was asked for; after another one its result is not remembered.
    deletions: int


class PromptEncoder:
    """The text encoder of one model, shared by its pictures.

    Prompts that wait while a call runs share the next one where the same adapters (or none) change the text
    encoder; each comes out as it would alone, to the encoder's `batch_tolerance`. What was encoded is kept,
    least recently used first out: styles repeat their texts, and most negative prompts are empty.
    """

    def __init__(self, name: str, encoder: TextEncoder, executor: Executor) -> None:
        self._name = name
        self._encoder = encoder
        self._shared = Coalescer[_Task, TextCondition](
            self._encode, executor, max_items=lambda _: _MAX_PROMPTS
        )
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[frozenset[str], TextCondition]] = OrderedDict()
        self._kept_bytes = 0
        self._deletions = 0

    async def encode(self, prompt: Prompt, adapters: AdapterMix) -> TextCondition:
        """The condition of *prompt*. Raises: PromptTooLong, Draining."""
        changed_by = text_part(adapters)
        # Not the adapters themselves: what is remembered must not keep them in memory.
        mix_key = tuple((use.adapter.name, use.adapter.sha256, use.weight) for use in changed_by)
        # A digest: nothing here needs to remember what people asked for.
        digest = hashlib.sha256(prompt.text.encode()).digest()
        key = (prompt.field, digest, prompt.size_px, mix_key)
        known = self._known(key)
        PROMPT_LOOKUPS.labels(self._name, "miss" if known is None else "hit").inc()
        if known is not None:
            return known
        return await self._shared.submit(_Task(prompt, changed_by, key, self._deletions), mix_key)

    def forget_adapters(self, names: Collection[str]) -> None:
        """Drop what adapters of these names took part in, what still waits to be encoded too. Thread-safe."""
        with self._lock:
            self._deletions += 1
            for key, (used, condition) in list(self._kept.items()):
                if not used.isdisjoint(names):
                    del self._kept[key]
                    self._kept_bytes -= condition.size_bytes

    async def close(self) -> None:
        """Fail what waits as draining."""
        await self._shared.close()

    def _encode(self, tasks: Sequence[_Task]) -> list[TextCondition]:
        """In the executor. Equal prompts of one call are encoded once."""
        unique = {task.key: task for task in tasks}
        BATCH_SIZE.labels(self._name, "text").observe(len(unique))
        with stage("diffusion", "encode"):
            conditions = self._encoder.encode([task.prompt for task in unique.values()], tasks[0].adapters)
        found = dict(zip(unique, conditions, strict=True))
        for key, condition in found.items():
            self._keep(unique[key], condition)
        return [found[task.key] for task in tasks]

    def _known(self, key: Hashable) -> TextCondition | None:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][1]

    def _keep(self, task: _Task, condition: TextCondition) -> None:
        used = frozenset(use.adapter.name for use in task.adapters)
        with self._lock:
            if used and task.deletions != self._deletions:
                return
            if task.key not in self._kept:
                self._kept[task.key] = (used, condition)
                self._kept_bytes += condition.size_bytes
            while self._kept_bytes > _KEPT_BYTES:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._kept_bytes -= dropped.size_bytes
