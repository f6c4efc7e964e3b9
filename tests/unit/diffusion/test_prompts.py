"""Encoding prompts for many pictures: shared calls, remembered results, one failing prompt alone."""

import asyncio
import gc
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from services.diffusion.adapters.fake import FakeText
from services.diffusion.domain.adapters import Adapter, AdapterMix, AdapterUse, LoraLayer
from services.diffusion.domain.rows import Prompt, TextCondition
from services.diffusion.engine.prompts import PromptEncoder
from services.diffusion.errors import PromptTooLong

_SIZE = (64, 64)
_LAYER = LoraLayer(np.ones((1, 2), np.float32), np.ones((2, 1), np.float32))


class CountingText(FakeText):
    def __init__(self) -> None:
        self.calls: list[tuple[list[str], list[str]]] = []

    def encode(self, prompts: Sequence[Prompt], adapters: AdapterMix) -> list[TextCondition]:
        names = [use.adapter.name for use in adapters]
        self.calls.append(([prompt.text for prompt in prompts], names))
        return super().encode(prompts, adapters)


@pytest.fixture
def text() -> CountingText:
    return CountingText()


@pytest.fixture
def encoder(text: CountingText) -> Iterator[PromptEncoder]:
    with ThreadPoolExecutor(1) as executor:
        yield PromptEncoder("prompts-test", text, executor)


def _use(name: str, component: str, weight: float = 1.0) -> AdapterUse:
    return AdapterUse(Adapter(name, name, 0, {f"{component}.a": _LAYER}), weight)


def _prompt(text: str, field: str = "prompt") -> Prompt:
    return Prompt(field, text, _SIZE)


async def test_prompts_that_come_together_share_a_call_and_equal_ones_are_encoded_once(
    encoder: PromptEncoder, text: CountingText
) -> None:
    conditions = await asyncio.gather(*(encoder.encode(_prompt(t), ()) for t in ("a", "b", "a", "")))

    assert [sorted(texts) for texts, _ in text.calls] == [["", "a", "b"]]
    assert conditions[0] is conditions[2]
    alone = FakeText().encode([_prompt("b")], ())[0]
    np.testing.assert_array_equal(conditions[1].context, alone.context)


async def test_what_was_encoded_is_remembered_by_text_field_size_and_adapters(
    encoder: PromptEncoder, text: CountingText
) -> None:
    person = _use("person", "text_encoder")
    for _ in range(2):
        for prompt in (_prompt("a"), _prompt("a", "negative_prompt"), Prompt("prompt", "a", (64, 128))):
            await encoder.encode(prompt, ())
        await encoder.encode(_prompt("a"), (person,))
        await encoder.encode(_prompt("a"), (AdapterUse(person.adapter, 0.5),))

    assert len(text.calls) == 5, "five different ones, each once"


async def test_adapters_that_leave_the_text_alone_share_with_everybody(
    encoder: PromptEncoder, text: CountingText
) -> None:
    mixes: list[AdapterMix] = [
        (),
        (_use("style", "unet"),),
        (_use("person", "unet"), _use("muted", "text_encoder", 0.0)),
        (_use("voice", "text_encoder"),),
    ]

    await asyncio.gather(*(encoder.encode(_prompt(str(i)), mix) for i, mix in enumerate(mixes)))

    assert text.calls == [(["0", "1", "2"], []), (["3"], ["voice"])]


async def test_a_prompt_that_is_too_long_fails_alone(encoder: PromptEncoder) -> None:
    long = _prompt("a " * 78, "negative_prompt")

    fine, failed = await asyncio.gather(
        encoder.encode(_prompt("b"), ()), encoder.encode(long, ()), return_exceptions=True
    )

    assert isinstance(fine, TextCondition)
    assert isinstance(failed, PromptTooLong)
    assert failed.metadata["field"] == "negative_prompt"


async def test_a_deleted_adapter_leaves_no_condition_behind(
    encoder: PromptEncoder, text: CountingText
) -> None:
    mix = (_use("gone", "text_encoder"),)
    await encoder.encode(_prompt("a"), mix)
    await encoder.encode(_prompt("a"), ())

    encoder.forget_adapters(["gone"])
    await encoder.encode(_prompt("a"), mix)
    await encoder.encode(_prompt("a"), ())

    assert len(text.calls) == 3, "the one without the adapter is still remembered"


async def test_an_adapter_deleted_while_its_prompt_waits_leaves_no_condition_behind(
    encoder: PromptEncoder, text: CountingText
) -> None:
    mix = (_use("gone", "text_encoder"),)
    waiting = [asyncio.create_task(encoder.encode(_prompt("a"), each)) for each in (mix, ())]
    await asyncio.sleep(0)
    encoder.forget_adapters(["gone"])
    await asyncio.gather(*waiting)

    await encoder.encode(_prompt("a"), mix)
    await encoder.encode(_prompt("a"), ())

    assert sorted(names for _, names in text.calls) == [[], ["gone"], ["gone"]]


async def test_memory_is_bounded_and_the_least_recently_used_goes(
    encoder: PromptEncoder, text: CountingText, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (await encoder.encode(_prompt("a"), ())).size_bytes
    monkeypatch.setattr("services.diffusion.engine.prompts._KEPT_BYTES", 2 * size)
    for word in ("b", "a", "c", "a"):
        await encoder.encode(_prompt(word), ())

    assert [texts for texts, _ in text.calls] == [["a"], ["b"], ["c"]]
    await encoder.encode(_prompt("b"), ())
    assert text.calls[-1][0] == ["b"]


async def test_what_is_remembered_does_not_keep_adapters_in_memory(encoder: PromptEncoder) -> None:
    use = _use("voice", "text_encoder")
    adapter = weakref.ref(use.adapter)
    await encoder.encode(_prompt("a"), (use,))

    del use
    gc.collect()

    assert adapter() is None
