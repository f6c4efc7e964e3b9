"""A least-recently-used cache of adapters, bounded by what they take in memory; each is loaded once."""

import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from services.diffusion.domain.adapters import Adapter
from services.diffusion.domain.ports import AdapterHolder
from services.diffusion.errors import UnknownAdapter
from services.diffusion.metrics import CACHE_BYTES, CACHE_EVICTIONS, CACHE_LOOKUPS

CacheKey = tuple[str, str]  # (tenant, name or address)
_MOST_ORPHANS = 256


@dataclass(eq=False)
class _Load:
    result: "Future[Adapter]" = field(default_factory=Future)
    is_dropped: bool = False


class ByteCache:
    """Thread-safe. Concurrent gets of a key share one load; a failed load is tried again by the next get."""

    def __init__(self, budget_bytes: int, model: str, holders: Sequence[AdapterHolder]) -> None:
        self._budget_bytes = budget_bytes
        self._model = model
        self._holders = holders
        self._lock = threading.Lock()
        self._kept: OrderedDict[CacheKey, Adapter] = OrderedDict()
        self._loading: dict[CacheKey, _Load] = {}
        # Pictures in flight pack adapters again that were evicted meanwhile; when those end nobody says so.
        self._orphans: deque[str] = deque(maxlen=_MOST_ORPHANS)
        # Read when asked for: packed forms come and go without this cache. Weakly: the registry is for ever.
        this = weakref.ref(self)
        CACHE_BYTES.labels(model).set_function(lambda: cache.held_bytes if (cache := this()) else 0)

    @property
    def held_bytes(self) -> int:
        """Bytes of the kept adapters and of all that the holders packed."""
        with self._lock:
            return self._held_bytes()

    def held_keys(self) -> list[CacheKey]:
        """What is kept, the least recently used first."""
        with self._lock:
            return list(self._kept)

    def get(self, key: CacheKey, load: Callable[[], Adapter]) -> Adapter:
        """The kept adapter, or the result of one load that all callers of this moment share.

        Raises: what *load* raises; UnknownAdapter if the key was dropped while it was loaded.
        """
        with self._lock:
            if (adapter := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return self._found("hit", adapter)
            if (shared := self._loading.get(key)) is None:
                mine = self._loading[key] = _Load()
        if shared is not None:
            return self._found("joined", shared.result.result())
        CACHE_LOOKUPS.labels(self._model, "miss").inc()
        return self._load(key, mine, load)

    def drop(self, keys: Collection[CacheKey]) -> int:
        """Forget these keys, those that are being loaded too; how many were kept or being loaded."""
        with self._lock:
            dropped = [key for key in keys if self._kept.pop(key, None) is not None]
            for key in keys:
                if (load := self._loading.pop(key, None)) is not None:
                    load.is_dropped = True
                    dropped.append(key)
        self._forget([name for _, name in keys])
        CACHE_EVICTIONS.labels(self._model, "deleted").inc(len(dropped))
        return len(dropped)

    def _load(self, key: CacheKey, mine: _Load, load: Callable[[], Adapter]) -> Adapter:
        try:
            adapter = load()
            self._keep(key, mine, adapter)
        except BaseException as error:
            mine.result.set_exception(error)
            raise
        else:
            mine.result.set_result(adapter)
            return adapter
        finally:
            with self._lock:
                if self._loading.get(key) is mine:
                    del self._loading[key]

    def _keep(self, key: CacheKey, mine: _Load, adapter: Adapter) -> None:
        with self._lock:
            # Dropped while it was read: whoever waits for it must not get it either.
            if mine.is_dropped:
                raise UnknownAdapter(adapter=adapter.name)
            if adapter.held_bytes > self._budget_bytes:
                return
            self._kept[key] = adapter
            if self._held_bytes() > self._budget_bytes:
                self._forget(self._orphans)
            while self._held_bytes() > self._budget_bytes and len(self._kept) > 1:
                (_, name), _ = self._kept.popitem(last=False)
                self._forget([name])
                self._orphans.append(name)
                CACHE_EVICTIONS.labels(self._model, "budget").inc()

    def _forget(self, names: Collection[str]) -> None:
        """Packed forms go with their adapters."""
        for holder in self._holders:
            holder.forget_adapters(names)

    def _held_bytes(self) -> int:
        packed = sum(holder.held_adapter_bytes for holder in self._holders)
        return packed + sum(adapter.held_bytes for adapter in self._kept.values())

    def _found(self, outcome: str, adapter: Adapter) -> Adapter:
        CACHE_LOOKUPS.labels(self._model, outcome).inc()
        return adapter
