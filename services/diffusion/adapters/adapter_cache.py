"""Adapters of one model: found by name or artifact, checked, read once, kept up to a number of bytes."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from services.diffusion.adapters.lora_files import LoraRules, LoraUnreadable, read_lora
from services.diffusion.domain.adapters import Adapter, AdapterInfo
from services.diffusion.errors import AdapterIncompatible, UnknownAdapter
from shared.artifacts import ArtifactStore, UnknownArtifact

# A shipped adapter belongs to no tenant; no tenant's name can be empty.
_SHIPPED = ""
_Key = tuple[str, str]


class AdapterCache:
    """Least recently used, bounded by the bytes of the files; adapters of one tenant are its own.

    An artifact that was deleted from the store is gone from here too at its next use, so that a deleted
    identity cannot be drawn from memory. An adapter larger than the budget works but is not kept.
    """

    def __init__(self, folder: Path, store: ArtifactStore, rules: LoraRules, budget_bytes: int) -> None:
        self._folder = folder
        self._store = store
        self._rules = rules
        self._budget_bytes = budget_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, Adapter] = OrderedDict()
        self._loading: dict[_Key, Future[Adapter]] = {}

    @property
    def kept_bytes(self) -> int:
        """Bytes of the files whose adapters are in memory."""
        with self._lock:
            return sum(adapter.size_bytes for adapter in self._kept.values())

    def shipped(self) -> Sequence[AdapterInfo]:
        """Usable adapters in the model's adapters/ folder, by name; unusable ones are left out."""
        infos = []
        for file in sorted(self._folder.glob("*.safetensors")):
            try:
                adapter = self.by_name(file.stem)
            except AdapterIncompatible:
                continue
            infos.append(AdapterInfo(adapter.name, adapter.rank, adapter.size_bytes, adapter.sha256))
        return infos

    def by_name(self, name: str) -> Adapter:
        """A shipped adapter. Raises: UnknownAdapter, AdapterIncompatible."""
        # Looked up in a listing, never joined into a path: the name comes from a caller.
        file = {file.stem: file for file in self._folder.glob("*.safetensors")}.get(name)
        if file is None:
            raise UnknownAdapter(adapter=name)
        return self._get((_SHIPPED, name), lambda: self._read(name, file.read_bytes()))

    def by_artifact(self, uri: str, sha256: str, *, tenant: str) -> Adapter:
        """An adapter of *tenant*. Raises: UnknownAdapter, AdapterIncompatible."""
        key = (tenant, uri)
        if not self._store.exists(uri, tenant=tenant):
            with self._lock:
                self._kept.pop(key, None)
            raise UnknownAdapter(adapter=uri)
        if sha256 and not uri.endswith(f"/{sha256}"):
            raise AdapterIncompatible(adapter=uri, cause="the digest in the request is not the file's")
        return self._get(key, lambda: self._fetch(uri, tenant))

    def _get(self, key: _Key, load: Callable[[], Adapter]) -> Adapter:
        """The kept adapter, or the result of one load that all callers of this moment share."""
        with self._lock:
            if (adapter := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return adapter
            shared = self._loading.get(key)
            if shared is None:
                mine: Future[Adapter] = Future()
                self._loading[key] = mine
        if shared is not None:
            return shared.result()
        try:
            adapter = load()
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            self._keep(key, adapter)
            mine.set_result(adapter)
            return adapter
        finally:
            with self._lock:
                del self._loading[key]

    def _keep(self, key: _Key, adapter: Adapter) -> None:
        with self._lock:
            if adapter.size_bytes > self._budget_bytes:
                return
            self._kept[key] = adapter
            total = sum(kept.size_bytes for kept in self._kept.values())
            while total > self._budget_bytes:
                _, evicted = self._kept.popitem(last=False)
                total -= evicted.size_bytes

    def _fetch(self, uri: str, tenant: str) -> Adapter:
        try:
            data = self._store.get(uri, tenant=tenant)
        except UnknownArtifact as error:
            raise UnknownAdapter(adapter=uri) from error
        return self._read(uri, data)

    def _read(self, name: str, data: bytes) -> Adapter:
        try:
            layers = read_lora(data, self._rules)
        except LoraUnreadable as error:
            raise AdapterIncompatible(adapter=name, cause=str(error)) from error
        return Adapter(name, hashlib.sha256(data).hexdigest(), len(data), layers)
