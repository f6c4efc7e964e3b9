"""The adapter cache: one read per adapter, bounded by bytes, closed between tenants, empty after deletion."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from services.diffusion.adapters.adapter_cache import AdapterCache
from services.diffusion.adapters.lora_files import LoraRules
from services.diffusion.errors import AdapterIncompatible, UnknownAdapter
from shared.artifacts import ArtifactRef, ArtifactStore, open_store

_RULES = LoraRules({"unet.a": (8, 8)}, base_model_sha256="", max_rank=8)


def _lora(value: float) -> bytes:
    return save({"unet.a.lora_A.weight": torch.full((2, 8), value), "unet.a.lora_B.weight": torch.ones(8, 2)})


_SIZE = len(_lora(0))


class CountingStore:
    """Counts reads, and lets the test hold them back."""

    def __init__(self, inner: ArtifactStore) -> None:
        self._inner = inner
        self.reads = 0
        self.go = threading.Event()
        self.go.set()

    def put(self, value: float, tenant: str = "alice") -> ArtifactRef:
        return self._inner.put(_lora(value), tenant=tenant, media_type="application/x-safetensors")

    def get(self, uri: str, *, tenant: str) -> bytes:
        self.reads += 1
        assert self.go.wait(timeout=10)
        return self._inner.get(uri, tenant=tenant)

    def exists(self, uri: str, *, tenant: str) -> bool:
        return self._inner.exists(uri, tenant=tenant)

    def delete(self, uri: str, *, tenant: str) -> bool:
        return self._inner.delete(uri, tenant=tenant)


@pytest.fixture
def store(tmp_path: Path) -> CountingStore:
    return CountingStore(open_store(str(tmp_path / "artifacts")))


@pytest.fixture
def cache(tmp_path: Path, store: CountingStore) -> AdapterCache:
    (tmp_path / "adapters").mkdir()
    return AdapterCache(tmp_path / "adapters", store, _RULES, budget_bytes=2 * _SIZE)


def test_a_kept_adapter_is_not_read_again(cache: AdapterCache, store: CountingStore) -> None:
    ref = store.put(1)

    first = cache.by_artifact(ref.uri, ref.sha256, tenant="alice")

    assert first is cache.by_artifact(ref.uri, "", tenant="alice")
    assert (1, ref.sha256, _SIZE) == (store.reads, first.sha256, cache.kept_bytes)


def test_concurrent_callers_share_one_read(cache: AdapterCache, store: CountingStore) -> None:
    ref = store.put(1)
    store.go.clear()
    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(cache.by_artifact, ref.uri, "", tenant="alice") for _ in range(8)]
        threading.Timer(0.1, store.go.set).start()
        adapters = {id(result.result()) for result in results}

    assert (len(adapters), store.reads) == (1, 1)


def test_least_recently_used_goes_first_and_the_budget_holds(
    cache: AdapterCache, store: CountingStore
) -> None:
    first, second, third = (store.put(value) for value in (1, 2, 3))
    for ref in (first, second, first, third, first):
        cache.by_artifact(ref.uri, "", tenant="alice")
    assert (store.reads, cache.kept_bytes) == (3, 2 * _SIZE)

    cache.by_artifact(second.uri, "", tenant="alice")

    assert store.reads == 4, "the second was evicted, the first was not"


def test_a_failed_load_fails_its_callers_and_is_tried_again(
    cache: AdapterCache, store: CountingStore
) -> None:
    ref = store._inner.put(b"junk", tenant="alice", media_type="x")
    for _ in range(2):
        with pytest.raises(AdapterIncompatible, match="not a readable"):
            cache.by_artifact(ref.uri, "", tenant="alice")

    assert store.reads == 2


def test_other_tenants_and_deleted_adapters_are_unknown(cache: AdapterCache, store: CountingStore) -> None:
    ref = store.put(1)
    cache.by_artifact(ref.uri, "", tenant="alice")
    with pytest.raises(UnknownAdapter):
        cache.by_artifact(ref.uri, "", tenant="bob")

    store.delete(ref.uri, tenant="alice")

    with pytest.raises(UnknownAdapter):
        cache.by_artifact(ref.uri, "", tenant="alice")
    assert cache.kept_bytes == 0


def test_a_digest_that_is_not_the_files_is_refused(cache: AdapterCache, store: CountingStore) -> None:
    ref = store.put(1)

    with pytest.raises(AdapterIncompatible, match="digest"):
        cache.by_artifact(ref.uri, "0" * 64, tenant="alice")


def test_shipped_adapters_are_found_by_file_name_only(cache: AdapterCache, tmp_path: Path) -> None:
    (tmp_path / "adapters" / "toon.safetensors").write_bytes(_lora(1))
    (tmp_path / "adapters" / "broken.safetensors").write_bytes(b"junk")
    (tmp_path / "outside.safetensors").write_bytes(_lora(2))

    assert [(info.name, info.rank) for info in cache.shipped()] == [("toon", 2)]
    with pytest.raises(UnknownAdapter):
        cache.by_name("../outside")
    with pytest.raises(AdapterIncompatible):
        cache.by_name("broken")
