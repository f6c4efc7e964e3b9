"""The diffusion service over the real transport: streams, errors, cancellation, tenants."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import numpy as np
import pytest
from likeness.common.v1 import image_pb2
from likeness.diffusion.v1 import diffusion_pb2 as pb
from likeness.diffusion.v1.diffusion_pb2_grpc import DiffusionServiceStub
from PIL import Image

from services.diffusion.adapters.fake import FakeModels, FakeUNet
from services.diffusion.bootstrap import build, build_models
from services.diffusion.domain.model import ModelStore
from services.diffusion.settings import DiffusionSettings
from shared.artifacts import ArtifactStore, open_store
from shared.errors import ErrorReason
from shared.errors.rpc import from_rpc_error
from shared.sdmodels import load_unet, open_model_folder
from shared.telemetry.metrics import REGISTRY
from tests.support.tiny_sd import make_tiny_sd, save_random_lora

Serve = Callable[..., Awaitable[grpc.aio.Channel]]

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def store() -> ArtifactStore:
    return open_store("memory://diffusion-service")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_tiny_sd(tmp_path_factory.mktemp("service") / "tiny")
    (path / "adapters").mkdir()
    save_random_lora(load_unet(open_model_folder(path)), path / "adapters" / "style.safetensors", seed=2)
    return path


@pytest.fixture(scope="module")
def tiny_models(tiny: Path, store: ArtifactStore) -> ModelStore:
    """Loaded once: each test has a server of its own, the weights never change."""
    return build_models(DiffusionSettings(models={"tiny": tiny}, backend="torch"), store)


@pytest.fixture
async def fake(serve: Serve, store: ArtifactStore) -> DiffusionServiceStub:
    models = FakeModels(FakeUNet(call_s=0.01))
    settings = DiffusionSettings(max_rows=4, max_active_images=1, max_waiting_images=1)
    return DiffusionServiceStub(await serve([build(settings, store=store, models=models)]))


@pytest.fixture
async def slow_fake(serve: Serve, store: ArtifactStore) -> DiffusionServiceStub:
    """A picture of 150 steps takes 15 s; one at a time."""
    models = FakeModels(FakeUNet(call_s=0.1))
    settings = DiffusionSettings(max_rows=4, max_active_images=1, max_waiting_images=1)
    return DiffusionServiceStub(await serve([build(settings, store=store, models=models)]))


@pytest.fixture
async def torch_stub(serve: Serve, store: ArtifactStore, tiny_models: ModelStore) -> DiffusionServiceStub:
    return DiffusionServiceStub(await serve([build(store=store, models=tiny_models)], tenant="alice"))


async def _responses(stub: DiffusionServiceStub, request: pb.GenerateRequest) -> list[pb.GenerateResponse]:
    return [response async for response in stub.Generate(request, timeout=60)]


async def _error(stub: DiffusionServiceStub, request: pb.GenerateRequest) -> tuple[grpc.StatusCode, object]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _responses(stub, request)
    return caught.value.code(), from_rpc_error(caught.value)


def _pixels(response: pb.GenerateResponse) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(response.image.image.data)))


def _request(**more: object) -> pb.GenerateRequest:
    given = {"prompt": "a face", "step_count": 4, "seed": 5, "width_px": 64, "height_px": 64} | more
    return pb.GenerateRequest(**given)


def _person(value: float = 0.5) -> pb.IdentityConditioning:
    embedding = np.sin(np.arange(128) * value)
    return pb.IdentityConditioning(embeddings=[{"values": embedding.tolist()}])


async def test_generate_streams_queue_steps_previews_and_the_picture(
    torch_stub: DiffusionServiceStub,
) -> None:
    responses = await _responses(torch_stub, _request(preview_interval_steps=2))

    kinds = [response.WhichOneof("event") for response in responses]
    assert kinds == ["queued", "step", "step", "preview", "step", "step", "image"]
    assert _pixels(responses[-1]).shape == (64, 64, 3)
    assert responses[-1].image.denoise_time.ToNanoseconds() > 0
    assert len(responses[-1].image.model_digest) == 64


async def test_identity_and_adapters_of_a_request_change_its_picture_and_no_others(
    torch_stub: DiffusionServiceStub, store: ArtifactStore, tiny: Path
) -> None:
    data = (tiny / "adapters" / "style.safetensors").read_bytes()
    ref = store.put(data, tenant="alice", media_type="application/x-safetensors")
    artifact = image_pb2.ArtifactRef(uri=ref.uri, sha256=ref.sha256, size_bytes=ref.size_bytes)
    plain = _request()
    rich = _request(adapters=[{"artifact": artifact, "weight": 0.7}], identity=_person())
    named = _request(adapters=[{"name": "style", "weight": 0.7}], identity=_person())

    first = _pixels((await _responses(torch_stub, plain))[-1])
    rich_responses = await _responses(torch_stub, rich)
    again = _pixels((await _responses(torch_stub, plain))[-1])
    same = await _responses(torch_stub, named)

    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(_pixels(rich_responses[-1]), _pixels(same[-1]))
    assert (first != _pixels(rich_responses[-1])).any()
    assert [ref.sha256] == rich_responses[-1].image.adapter_digests


async def test_pictures_in_flight_together_equal_themselves_alone(torch_stub: DiffusionServiceStub) -> None:
    requests = [
        _request(identity=_person(0.3)),
        _request(identity=_person(0.9), adapters=[{"name": "style"}], sampler="euler", step_count=7),
        _request(prompt="b", guidance_scale=0.5, sampler="dpmpp_2m"),
    ]
    alone = [_pixels((await _responses(torch_stub, request))[-1]) for request in requests]

    together = await asyncio.gather(*(_responses(torch_stub, request) for request in requests))

    rows = [r.step.batch_row_count for responses in together for r in responses if r.HasField("step")]
    assert max(rows) > 2, "they did share calls"
    for one, responses in zip(alone, together, strict=True):
        # torch's kernels differ by batch size in the last bits; a grey level may round the other way.
        assert np.abs(one.astype(int) - _pixels(responses[-1])).max() <= 1


async def test_another_tenants_adapter_is_unknown(
    torch_stub: DiffusionServiceStub, store: ArtifactStore
) -> None:
    ref = store.put(b"secret", tenant="bob", media_type="application/x-safetensors")

    code, error = await _error(torch_stub, _request(adapters=[{"artifact": {"uri": ref.uri}}]))

    assert (code, error.reason) == (grpc.StatusCode.NOT_FOUND, ErrorReason.UNKNOWN_ADAPTER)


@pytest.mark.parametrize(
    ("more", "reason", "fragment"),
    [
        ({"prompt": "a " * 15}, ErrorReason.PROMPT_TOO_LONG, "15 tokens; the model reads 14"),
        ({"negative_prompt": "a " * 15}, ErrorReason.PROMPT_TOO_LONG, "negative_prompt"),
        ({"prompt": "(a " * 15 + ":1.1)"}, ErrorReason.PROMPT_TOO_LONG, "the model reads 14"),
        ({"prompt": "a (face:4)"}, ErrorReason.VALUE_OUT_OF_RANGE, "weighting a word by 4"),
        ({"negative_prompt": "(a:-1)"}, ErrorReason.VALUE_OUT_OF_RANGE, "negative_prompt"),
        ({"model": "sd99"}, ErrorReason.UNKNOWN_MODEL, "tiny"),
        ({"sampler": "nosuch"}, ErrorReason.VALUE_OUT_OF_RANGE, "sampler"),
        ({"technique": "nosuch"}, ErrorReason.VALUE_OUT_OF_RANGE, "text_to_image"),
        ({"width_px": 100}, ErrorReason.VALUE_OUT_OF_RANGE, "multiples of 32"),
        ({"adapters": [{"name": "../style"}]}, ErrorReason.UNKNOWN_ADAPTER, "../style"),
        ({"identity": {"embeddings": [{"values": [1.0]}]}}, ErrorReason.VALUE_OUT_OF_RANGE, "128-D"),
        ({"step_count": 1000}, ErrorReason.FIELD_INVALID, "step_count"),
    ],
    ids=lambda value: value if isinstance(value, ErrorReason) else None,
)
async def test_bad_requests_get_a_typed_error_that_names_the_remedy(
    torch_stub: DiffusionServiceStub, more: dict[str, object], reason: ErrorReason, fragment: str
) -> None:
    _, error = await _error(torch_stub, _request(**more))

    assert reason == error.reason
    assert fragment in error.message


async def test_a_deleted_adapter_is_forgotten_and_pictures_in_flight_with_it_end(
    torch_stub: DiffusionServiceStub, store: ArtifactStore, tiny: Path
) -> None:
    data = (tiny / "adapters" / "style.safetensors").read_bytes()
    ref = store.put(data, tenant="alice", media_type="application/x-safetensors")
    doomed = torch_stub.Generate(
        _request(step_count=150, adapters=[{"artifact": {"uri": ref.uri}}]), timeout=60
    )
    async for response in doomed:
        if response.HasField("step"):
            break
    store.delete(ref.uri, tenant="alice")

    reply = await torch_stub.EvictAdapters(pb.EvictAdaptersRequest(uris=[ref.uri]), timeout=60)

    assert (reply.adapter_count, reply.generation_count) == (1, 1)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in doomed:
            pass
    assert from_rpc_error(caught.value).reason == ErrorReason.UNKNOWN_ADAPTER
    again = await torch_stub.EvictAdapters(pb.EvictAdaptersRequest(uris=[ref.uri]), timeout=60)
    assert (again.adapter_count, again.generation_count) == (0, 0)


async def test_the_result_and_the_metrics_say_where_the_time_went(fake: DiffusionServiceStub) -> None:
    def sample(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(f"likeness_diffusion_{name}", {"model": "fake", **labels}) or 0.0

    parts = ("prepare", "queue", "batch_wait", "compute", "decode")
    before = [sample("picture_seconds_count", part=part) for part in parts]
    calls = sample("batch_size_count", call="unet")

    image = (await _responses(fake, _request(step_count=5)))[-1].image

    times = {part: getattr(image, f"{part}_time").ToTimedelta().total_seconds() for part in parts}
    assert times["compute"] >= 5 * 0.01, "five calls of 10 ms"
    assert image.denoise_time.ToTimedelta().total_seconds() == pytest.approx(
        times["compute"] + times["batch_wait"], abs=1e-3
    )
    assert [sample("picture_seconds_count", part=part) for part in parts] == [count + 1 for count in before]
    assert sample("batch_size_count", call="unet") == calls + 5
    assert sample("batch_size_bucket", call="unet", le="2.0") >= 5


async def test_unusable_adapter_files_are_refused_with_the_cause(
    torch_stub: DiffusionServiceStub, store: ArtifactStore
) -> None:
    ref = store.put(b"not safetensors", tenant="alice", media_type="application/x-safetensors")

    code, error = await _error(torch_stub, _request(adapters=[{"artifact": {"uri": ref.uri}}]))

    assert (code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, ErrorReason.ADAPTER_INCOMPATIBLE)
    assert "not a readable safetensors file" in error.message


async def test_list_models_says_what_can_be_asked_for(torch_stub: DiffusionServiceStub) -> None:
    listing = await torch_stub.ListModels(pb.ListModelsRequest(), timeout=60)

    (model,) = listing.models
    assert (
        model.name,
        model.width_px,
        model.max_prompt_tokens,
        model.is_default,
        model.identity_dimension,
    ) == ("tiny", 16, 14, True, 128)
    assert [adapter.name for adapter in model.adapters] == ["style"]
    assert model.backend == "torch float32 on cpu"
    assert {"dpmpp_2m", "ddim", "euler", "unipc", "lcm"} <= set(listing.samplers)


async def test_a_full_line_answers_with_a_retry_delay(fake: DiffusionServiceStub) -> None:
    held = [fake.Generate(_request(step_count=150), timeout=60) for _ in range(2)]
    for call in held:
        assert (await anext(aiter(call))).HasField("queued")

    code, error = await _error(fake, _request())

    assert (code, error.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, ErrorReason.QUEUE_FULL)
    assert error.retry_after_s >= 0.5
    for call in held:
        assert [response async for response in call][-1].HasField("image")


async def test_client_cancel_frees_the_place_for_the_next(slow_fake: DiffusionServiceStub) -> None:
    call = slow_fake.Generate(_request(step_count=150), timeout=60)
    async for response in call:
        if response.HasField("step"):
            break
    call.cancel()

    async with asyncio.timeout(10):
        responses = await _responses(slow_fake, _request(step_count=1))

    assert responses[-1].WhichOneof("event") == "image"


async def test_deadline_ends_the_stream_with_its_own_status(slow_fake: DiffusionServiceStub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in slow_fake.Generate(_request(step_count=150), timeout=0.3):
            pass

    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    async with asyncio.timeout(10):
        await _responses(slow_fake, _request(step_count=1))


async def test_weights_of_words_change_the_picture_and_cost_no_tokens(
    torch_stub: DiffusionServiceStub,
) -> None:
    long = "a " * 13
    plain, same, strong, gone = [
        (await _responses(torch_stub, _request(prompt=long + word)))[-1]
        for word in ("b", "(b:1)", "(b:2.5)", "(((b)):0)")
    ]

    np.testing.assert_array_equal(_pixels(plain), _pixels(same))
    assert (_pixels(plain) != _pixels(strong)).any()
    assert (_pixels(plain) != _pixels(gone)).any()


async def test_words_in_pieces_are_named_with_the_picture(torch_stub: DiffusionServiceStub) -> None:
    request = _request(prompt="a (zz:1.2), b, zz", negative_prompt="qq")

    response = (await _responses(torch_stub, request))[-1]

    assert list(response.image.unfamiliar_words) == ["zz", "qq"]
    assert not (await _responses(torch_stub, _request(prompt="a b")))[-1].image.unfamiliar_words
