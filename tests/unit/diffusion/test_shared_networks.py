"""The real text encoder and image autoencoder in batches: each row is what it would be alone."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from services.diffusion.adapters.clip_text import ClipText, XlText
from services.diffusion.adapters.torch_threads import bound_torch_threads
from services.diffusion.adapters.vae_codec import VaeCodec
from services.diffusion.domain.adapters import Adapter, AdapterUse, LoraLayer
from services.diffusion.domain.rows import Prompt
from services.diffusion.engine.codec import SharedCodec
from shared.sdmodels import load_text_encoder, load_tokenizer, load_vae, open_model_folder
from tests.support.tiny_sd import TinySd, make_tiny_sd


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_sd(tmp_path_factory.mktemp("shared") / "tiny", TinySd(xl=True, ip_adapter=False))


@pytest.fixture(scope="module")
def one_thread() -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """Runs something as the service does: on a thread of its own with one torch thread."""
    with ThreadPoolExecutor(1) as executor:
        bound_torch_threads({executor: 1})
        yield lambda work: executor.submit(work).result()


@pytest.fixture(scope="module", params=["sd", "sdxl"])
def text(request: pytest.FixtureRequest, tiny: Path) -> ClipText | XlText:
    folder = open_model_folder(tiny)
    first = ClipText(load_tokenizer(folder), load_text_encoder(folder))
    if request.param == "sd":
        return first
    second = load_text_encoder(folder, "text_encoder_2")
    return XlText(
        first,
        ClipText(load_tokenizer(folder, "tokenizer_2"), second, "text_encoder_2"),
        zeros_for_empty=True,
    )


_TEXTS = ("a face", "", "blur", "b c d", "e", "red hair", "x y")


def test_prompts_in_a_batch_equal_themselves_alone(
    text: ClipText | XlText, one_thread: Callable[[Callable[[], Any]], Any]
) -> None:
    prompts = [Prompt("prompt", each, (64, 32)) for each in _TEXTS]

    together = one_thread(lambda: text.encode(prompts, ()))

    alone = [one_thread(lambda p=prompt: text.encode([p], ()))[0] for prompt in prompts]
    for one, shared in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.context, shared.context)
        if isinstance(text, XlText):
            np.testing.assert_array_equal(one.pooled, shared.pooled)
            np.testing.assert_array_equal(shared.size_ids, [32, 64, 0, 0, 32, 64])
    assert np.abs(alone[0].context - alone[2].context).max() > 1e-3, "the prompts do differ"


def test_prompts_in_a_batch_all_get_the_adapter(text: ClipText | XlText) -> None:
    path = "text_encoder.encoder.layers.0.self_attn.q_proj"
    layer = LoraLayer(np.arange(16, dtype=np.float32)[None] / 8, np.ones((16, 1), np.float32))
    mix = (AdapterUse(Adapter("a", "00", 0, {path: layer}), 1.0),)
    prompts = [Prompt("prompt", each, (64, 64)) for each in _TEXTS]

    changed = text.encode(prompts, mix)
    assert text.held_adapter_bytes > 0
    text.forget_adapters(["a"])

    assert text.held_adapter_bytes == 0
    for plain, other in zip(text.encode(prompts, ()), changed, strict=True):
        assert np.abs(plain.context - other.context).max() > 1e-4


@pytest.fixture(scope="module")
def codec(tiny: Path) -> VaeCodec:
    return VaeCodec(load_vae(open_model_folder(tiny)))


def test_pictures_decoded_in_a_batch_equal_themselves_alone(
    codec: VaeCodec, one_thread: Callable[[Callable[[], Any]], Any]
) -> None:
    random = np.random.default_rng(0)
    latents = [random.standard_normal((4, 8, 12), dtype=np.float32) for _ in range(5)]

    together = one_thread(lambda: codec.decode_batch(latents))

    for one, shared in zip(latents, together, strict=True):
        np.testing.assert_array_equal(one_thread(lambda each=one: codec.decode(each)), shared)


def test_pictures_encoded_in_a_batch_equal_themselves_alone(
    codec: VaeCodec, one_thread: Callable[[Callable[[], Any]], Any]
) -> None:
    random = np.random.default_rng(0)
    images = [random.integers(0, 256, (16, 24, 3), dtype=np.uint8) for _ in range(5)]

    together = one_thread(lambda: codec.encode_batch(images))

    for one, shared in zip(images, together, strict=True):
        alone = one_thread(lambda each=one: codec.encode(each))
        np.testing.assert_array_equal(alone.mean, shared.mean)
        np.testing.assert_array_equal(alone.deviation, shared.deviation)


class Bounded:
    """Notes the batches that it is given."""

    pixels_per_latent = 8

    def __init__(self) -> None:
        self.batches: list[list[tuple[int, ...]]] = []

    def decode_batch(self, latents: Any) -> list[Any]:
        self.batches.append([each.shape for each in latents])
        return [np.zeros((1, 1, 3), np.uint8) for _ in latents]


async def test_decodes_share_calls_by_size_up_to_the_bound_of_pixels() -> None:
    import asyncio

    bounded: Any = Bounded()
    with ThreadPoolExecutor(1) as executor:
        shared = SharedCodec("codec-test", bounded, executor, max_images=3)
        sides = [32, 32, 64, 32, 96, 32, 64, 256]  # 64 x 64 cells are 512 x 512 px, 256 x 256 are 2048 x 2048
        await asyncio.gather(*(shared.decode(np.zeros((4, side, side), np.float32)) for side in sides))

    sizes = [[shape[1] for shape in batch] for batch in bounded.batches]
    assert sizes == [[32, 32, 32], [64, 64], [96], [32], [256]]


def test_each_thread_computes_with_its_own_number_of_torch_threads() -> None:
    before = torch.get_num_threads()
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second, ThreadPoolExecutor(1) as later:
        bound_torch_threads({first: 1, second: 3})

        numbers = [pool.submit(torch.get_num_threads).result() for pool in (first, second, later)]

    assert numbers == [1, 3, before]
    assert torch.get_num_threads() == before
