"""What the Triton backend believes and understands of its server, without a server."""

import gc

import numpy as np
import pytest

from services.diffusion.adapters.triton.faults import AdaptersMissing, ModelDied, ServerGone, fault_of
from services.diffusion.adapters.triton.options import TritonOptions
from services.diffusion.adapters.triton.residents import Parts, Residents
from services.diffusion.domain.adapters import Adapter, AdapterUse
from services.diffusion.errors import DeadlineExceeded, ModelMissing, QueueFull


def pack(adapter: Adapter) -> Parts:
    """Content follows from the digest; an adapter called "text" changes nothing in the UNet."""
    value = np.float32(int(adapter.sha256, 16))
    rank = 0 if adapter.name == "text" else 2
    return {"lora_a": np.full((rank, 3), value, np.float32), "lora_b": np.zeros((0, 3), np.float32)}


def adapter(name: str, content: int = 1) -> Adapter:
    return Adapter(name, f"{content:064x}", 0, {})


@pytest.fixture
def residents() -> Residents:
    return Residents(pack)


def test_equal_content_has_one_key_and_other_content_another(residents: Residents) -> None:
    a, again, b = adapter("a", 1), adapter("again", 1), adapter("b", 2)

    assert residents.key_of(a) == residents.key_of(again) != residents.key_of(b)
    assert residents.parts_of(a).keys() == {"lora_a"}


def test_what_changes_nothing_is_neither_sent_nor_named(residents: Residents) -> None:
    text, muted = AdapterUse(adapter("text"), 1.0), AdapterUse(adapter("a"), 0.0)

    assert residents.uses_of((text, muted)) == []
    assert residents.absent([(text, muted)]) == {}


def test_an_adapter_is_absent_until_it_was_given_and_after_it_was_missed(residents: Residents) -> None:
    one = adapter("a")
    mixes = [(AdapterUse(one, 0.5),), (AdapterUse(one, 0.7),)]
    [key] = residents.absent(mixes)

    residents.believe(key)
    assert residents.absent(mixes) == {}
    residents.doubt({key})
    assert residents.absent(mixes) == {key: one}


def test_another_epoch_means_that_all_is_gone(residents: Residents) -> None:
    one = adapter("a")
    mix = (AdapterUse(one, 1.0),)
    [key] = residents.absent([mix])

    assert not residents.see_epoch(7)
    residents.believe(key)
    assert not residents.see_epoch(7)
    assert residents.absent([mix]) == {}
    assert residents.see_epoch(8)
    assert residents.absent([mix]) == {key: one}


def test_forgetting_is_by_name_and_keeps_no_adapter_alive(residents: Residents) -> None:
    one, other = adapter("a", 1), adapter("b", 2)
    keys = [residents.key_of(each) for each in (one, other)]
    for key in keys:
        assert key is not None
        residents.believe(key)

    assert residents.forget(["a", "unknown"]) == keys[:1]
    assert residents.absent([(AdapterUse(one, 1.0), AdapterUse(other, 1.0))]) == {keys[0]: one}
    del one
    gc.collect()
    assert residents.forget(["a"]) == []


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        ("StatusCode.NOT_FOUND", "ADAPTERS_MISSING: 1,-2,3,4 5,6,7,8", AdaptersMissing),
        ("StatusCode.INVALID_ARGUMENT", "MODEL_DIFFERS: this server has the model ab", ModelMissing),
        ("StatusCode.DEADLINE_EXCEEDED", "Deadline Exceeded", DeadlineExceeded),
        ("StatusCode.UNAVAILABLE", "failed to connect to all addresses", ServerGone),
        ("StatusCode.UNAVAILABLE", "Exceeds maximum queue size", QueueFull),
        ("StatusCode.NOT_FOUND", "Request for unknown model: 'unet' is not found", ServerGone),
        ("StatusCode.NOT_FOUND", "Unable to find shared memory region: 'x'", ServerGone),
        ("StatusCode.INTERNAL", "Stub process 'unet_0_0' is not healthy.", ModelDied),
        ("StatusCode.INTERNAL", "PREDICTION_FAILED: RuntimeError('x')", RuntimeError),
        (None, "", RuntimeError),
    ],
)
def test_words_of_the_server_become_errors(status: str | None, text: str, kind: type[Exception]) -> None:
    assert type(fault_of(status, text, "unet", "host:1")) is kind


def test_missing_adapters_are_named_by_key() -> None:
    fault = fault_of("StatusCode.NOT_FOUND", "ADAPTERS_MISSING: 1,-2,3,4 5,6,7,8", "unet", "host:1")

    assert isinstance(fault, AdaptersMissing)
    assert fault.keys == {(1, -2, 3, 4), (5, 6, 7, 8)}


def test_each_model_may_have_its_own_name_on_the_server() -> None:
    assert TritonOptions(model="unet_{model}").for_model("sd15").model == "unet_sd15"
    assert TritonOptions().for_model("sd15").model == "unet"
