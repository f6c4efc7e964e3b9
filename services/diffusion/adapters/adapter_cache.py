"""Adapters of one model: found by name or artifact, checked, read once, kept up to a number of bytes."""

import hashlib
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from services.diffusion.adapters.byte_cache import ByteCache, CacheKey
from services.diffusion.adapters.lora_files import LoraRules, LoraUnreadable, read_lora
from services.diffusion.domain.adapters import Adapter, AdapterInfo
from services.diffusion.domain.ports import AdapterHolder
from services.diffusion.errors import AdapterIncompatible, UnknownAdapter
from services.diffusion.metrics import LOAD_SECONDS
from shared.artifacts import ArtifactStore, UnknownArtifact

# A shipped adapter belongs to no tenant; no tenant's name can be empty.
_SHIPPED = ""


class AdapterCache:
    """Least recently used, bounded by bytes in memory; adapters of one tenant are its own.

    The bytes are those of the float32 matrices and of the forms that *holders* (the model's backends) packed
    of them. An adapter larger than the budget works but is not kept; pictures in flight keep theirs.

    An artifact that was deleted from the store is unknown at its next use, so that a deleted identity cannot
    be drawn from memory; `evict` takes it out of memory at once, `gone` finds those that nobody evicted.
    """

    def __init__(
        self,
        folder: Path,
        store: ArtifactStore,
        rules: LoraRules,
        budget_bytes: int,
        *,
        model: str = "",
        holders: Sequence[AdapterHolder] = (),
    ) -> None:
        self._folder = folder
        self._store = store
        self._rules = rules
        self._model = model
        self._cache = ByteCache(budget_bytes, model, holders)

    @property
    def held_bytes(self) -> int:
        """Bytes in memory: matrices and what the holders packed of them."""
        return self._cache.held_bytes

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
        if not self._store.exists(uri, tenant=tenant):
            self.evict([uri], tenant=tenant)
            raise UnknownAdapter(adapter=uri)
        if sha256 and not uri.endswith(f"/{sha256}"):
            raise AdapterIncompatible(adapter=uri, cause="the digest in the request is not the file's")
        return self._get((tenant, uri), lambda: self._fetch(uri, tenant))

    def evict(self, uris: Collection[str], *, tenant: str) -> int:
        """See AdapterStore."""
        return self._cache.drop([(tenant, uri) for uri in uris])

    def gone(self) -> list[tuple[str, str]]:
        """See AdapterStore. Blocking: asks the store for each."""
        stored = [(tenant, uri) for tenant, uri in self._cache.held_keys() if tenant != _SHIPPED]
        return [(tenant, uri) for tenant, uri in stored if not self._store.exists(uri, tenant=tenant)]

    def _get(self, key: CacheKey, load: Callable[[], Adapter]) -> Adapter:
        def timed() -> Adapter:
            began_s, outcome = time.perf_counter(), "error"
            try:
                adapter = load()
                outcome = "ok"
                return adapter
            finally:
                LOAD_SECONDS.labels(self._model, outcome).observe(time.perf_counter() - began_s)

        return self._cache.get(key, timed)

    def _fetch(self, uri: str, tenant: str) -> Adapter:
        try:
            data = self._store.get(uri, tenant=tenant)
        except UnknownArtifact as error:
            raise UnknownAdapter(adapter=uri) from error
        adapter = self._read(uri, data)
        # The store promises this; a picture of the wrong person is worth a second look.
        if not uri.endswith(f"/{adapter.sha256}"):
            raise AdapterIncompatible(
                adapter=uri, cause="the stored file is not the one that its address names"
            )
        return adapter

    def _read(self, name: str, data: bytes) -> Adapter:
        try:
            layers = read_lora(data, self._rules)
        except LoraUnreadable as error:
            raise AdapterIncompatible(adapter=name, cause=str(error)) from error
        return Adapter(name, hashlib.sha256(data).hexdigest(), len(data), layers)
