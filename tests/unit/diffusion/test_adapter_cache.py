"""The adapter cache: one read per adapter, bounded by bytes, closed between tenants, empty after deletion."""

import threading
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from services.diffusion.adapters.adapter_cache import AdapterCache
from services.diffusion.adapters.lora_files import LoraRules
from services.diffusion.errors import AdapterIncompatible, UnknownAdapter
from shared.artifacts import ArtifactRef, ArtifactStore, open_store
from shared.telemetry.metrics import REGISTRY

_RULES = LoraRules({"unet.a": (8, 8)}, base_model_sha256="", max_rank=8)


def _lora(value: float) -> bytes:
    return save({"unet.a.lora_A.weight": torch.full((2, 8), value), "unet.a.lora_B.weight": torch.ones(8, 2)})


_SHAPES = {"A": (2, 8), "B": (8, 2)}
_SIZE = (2 * 8 + 8 * 2) * 4  # float32 matrices in memory, whatever the file takes


class Packer:
    """A backend that keeps packed forms of adapters."""

    def __init__(self) -> None:
        self.packed: dict[str, int] = {}

    @property
    def held_adapter_bytes(self) -> int:
        return sum(self.packed.values())

    def forget_adapters(self, names: Collection[str]) -> None:
        for name in names:
            self.packed.pop(name, None)


class CountingStore:
    """Counts reads, and lets the test hold back what they have read."""

    def __init__(self, inner: ArtifactStore) -> None:
        self._inner = inner
        self.reads = 0
        self.swapped = b""
        self.go = threading.Event()
        self.go.set()

    def put(self, value: float, tenant: str = "alice") -> ArtifactRef:
        return self._inner.put(_lora(value), tenant=tenant, media_type="application/x-safetensors")

    def get(self, uri: str, *, tenant: str) -> bytes:
        data = self.swapped or self._inner.get(uri, tenant=tenant)
        self.reads += 1
        assert self.go.wait(timeout=10)
        return data

    def exists(self, uri: str, *, tenant: str) -> bool:
        return self._inner.exists(uri, tenant=tenant)

    def delete(self, uri: str, *, tenant: str) -> bool:
        return self._inner.delete(uri, tenant=tenant)


@pytest.fixture
def store(tmp_path: Path) -> CountingStore:
    return CountingStore(open_store(str(tmp_path / "artifacts")))


@pytest.fixture
def packer() -> Packer:
    return Packer()


@pytest.fixture
def cache(tmp_path: Path, store: CountingStore, packer: Packer) -> AdapterCache:
    (tmp_path / "adapters").mkdir()
    return AdapterCache(
        tmp_path / "adapters", store, _RULES, 2 * _SIZE, model="cache-test", holders=(packer,)
    )


def _metric(name: str, **labels: str) -> float:
    return (
        REGISTRY.get_sample_value(f"likeness_diffusion_adapter_{name}", {"model": "cache-test"} | labels) or 0
    )


def test_a_kept_adapter_is_not_read_again(cache: AdapterCache, store: CountingStore) -> None:
    ref = store.put(1)

    first = cache.by_artifact(ref.uri, ref.sha256, tenant="alice")

    assert first is cache.by_artifact(ref.uri, "", tenant="alice")
    assert (1, ref.sha256, _SIZE) == (store.reads, first.sha256, cache.held_bytes)


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
    assert (store.reads, cache.held_bytes) == (3, 2 * _SIZE)

    cache.by_artifact(second.uri, "", tenant="alice")

    assert store.reads == 4, "the second was evicted, the first was not"


def test_a_half_precision_file_counts_with_what_it_takes_in_memory(
    cache: AdapterCache, store: CountingStore
) -> None:
    half = save(
        {f"unet.a.lora_{side}.weight": torch.ones(shape).bfloat16() for side, shape in _SHAPES.items()}
    )
    ref = store._inner.put(half, tenant="alice", media_type="x")

    adapter = cache.by_artifact(ref.uri, "", tenant="alice")

    assert (adapter.held_bytes, cache.held_bytes) == (_SIZE, _SIZE)
    assert adapter.size_bytes == len(half)


def test_what_backends_packed_counts_and_goes_with_its_adapter(
    cache: AdapterCache, store: CountingStore, packer: Packer
) -> None:
    first, second = store.put(1), store.put(2)
    cache.by_artifact(first.uri, "", tenant="alice")
    packer.packed[first.uri] = _SIZE
    assert cache.held_bytes == 2 * _SIZE == _metric("cache_bytes")

    cache.by_artifact(second.uri, "", tenant="alice")

    assert packer.packed == {}, "the first went, and its packed form too"
    assert cache.held_bytes == _SIZE


def test_what_a_picture_in_flight_packs_of_an_evicted_adapter_goes_later(
    cache: AdapterCache, store: CountingStore, packer: Packer
) -> None:
    refs = [store.put(value) for value in (1, 2, 3, 4)]
    for ref in refs[:3]:
        cache.by_artifact(ref.uri, "", tenant="alice")
    packer.packed[refs[0].uri] = _SIZE  # it was evicted by the third, and a picture still uses it

    cache.by_artifact(refs[3].uri, "", tenant="alice")

    assert packer.packed == {}
    assert cache.held_bytes == 2 * _SIZE


def test_an_adapter_over_the_budget_works_and_is_not_kept(tmp_path: Path, store: CountingStore) -> None:
    small = AdapterCache(tmp_path, store, _RULES, budget_bytes=_SIZE - 1)
    ref = store.put(1)
    for _ in range(2):
        assert small.by_artifact(ref.uri, "", tenant="alice").rank == 2

    assert (store.reads, small.held_bytes) == (2, 0)


def test_eviction_drops_an_adapter_with_all_forms_of_it(
    cache: AdapterCache, store: CountingStore, packer: Packer
) -> None:
    ref, other = store.put(1), store.put(2)
    for each in (ref, other):
        cache.by_artifact(each.uri, "", tenant="alice")
        packer.packed[each.uri] = 0

    assert cache.evict([ref.uri], tenant="bob") == 0, "another tenant's word does not count"
    assert cache.evict([ref.uri, "artifacts/alice/unknown"], tenant="alice") == 1

    assert (list(packer.packed), cache.held_bytes) == ([other.uri], _SIZE)
    cache.by_artifact(ref.uri, "", tenant="alice")
    assert store.reads == 3, "its artifact still exists, so it is read again"


def test_who_loads_an_adapter_while_it_is_evicted_does_not_get_it(
    cache: AdapterCache, store: CountingStore
) -> None:
    ref = store.put(1)
    store.go.clear()
    # One has read before the deletion; the other waits for it, or comes after, as the machine has it.
    with ThreadPoolExecutor(2) as pool:
        loading = [pool.submit(cache.by_artifact, ref.uri, "", tenant="alice") for _ in range(2)]
        while not store.reads:
            time.sleep(0.001)
        store.delete(ref.uri, tenant="alice")
        cache.evict([ref.uri], tenant="alice")
        store.go.set()
        for each in loading:
            with pytest.raises(UnknownAdapter):
                each.result(timeout=10)

    assert cache.held_bytes == 0


def test_adapters_whose_artifacts_were_deleted_are_found(cache: AdapterCache, store: CountingStore) -> None:
    ref, other = store.put(1), store.put(2)
    for each in (ref, other):
        cache.by_artifact(each.uri, "", tenant="alice")
    store.delete(ref.uri, tenant="alice")

    assert cache.gone() == [("alice", ref.uri)]


def test_bytes_that_are_not_the_addressed_ones_are_refused(cache: AdapterCache, store: CountingStore) -> None:
    ref = store.put(1)
    store.swapped = _lora(2)

    with pytest.raises(AdapterIncompatible, match="not the one that its address names"):
        cache.by_artifact(ref.uri, ref.sha256, tenant="alice")
    assert cache.held_bytes == 0


def test_lookups_loads_and_evictions_are_counted(cache: AdapterCache, store: CountingStore) -> None:
    names = [("cache_lookups_total", {"outcome": "hit"}), ("cache_lookups_total", {"outcome": "miss"})]
    names += [("cache_evictions_total", {"reason": "budget"}), ("load_seconds_count", {"outcome": "ok"})]
    before = [_metric(name, **labels) for name, labels in names]
    refs = [store.put(value) for value in (1, 2, 3)]
    for ref in (refs[0], *refs):
        cache.by_artifact(ref.uri, "", tenant="alice")

    after = [_metric(name, **labels) for name, labels in names]

    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 3, 1, 3]


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
    assert cache.held_bytes == 0


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
