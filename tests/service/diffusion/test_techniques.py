"""Each technique over the real transport, on the fake backend: what comes out, what is refused."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import replace

import grpc
import numpy as np
import pytest
from likeness.diffusion.v1 import diffusion_pb2 as pb
from likeness.diffusion.v1.diffusion_pb2_grpc import DiffusionServiceStub
from PIL import Image

from services.diffusion.adapters.fake import FakeModels, FakeUNet
from services.diffusion.bootstrap import build
from services.diffusion.domain.model import Model
from services.diffusion.settings import DiffusionSettings
from shared.artifacts import ArtifactStore, open_store
from shared.errors import ErrorReason
from shared.errors.rpc import from_rpc_error
from shared.images import encode_png

Serve = Callable[..., Awaitable[grpc.aio.Channel]]


@pytest.fixture(scope="module")
def store() -> ArtifactStore:
    return open_store("memory://diffusion-techniques")


@pytest.fixture
async def stub(serve: Serve, store: ArtifactStore) -> DiffusionServiceStub:
    service = build(DiffusionSettings(), store=store, models=FakeModels())
    return DiffusionServiceStub(await serve([service], tenant="alice"))


class _Plain(FakeModels):
    """The fake model without a ControlNet."""

    def load(self, name: str) -> Model:
        return replace(super().load(name), supports_control=False)


def _picture(seed: int, side: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def _png(image: np.ndarray) -> dict[str, bytes]:
    return {"data": encode_png(image)}


def _half_mask() -> np.ndarray:
    mask = np.zeros((64, 64, 3), np.uint8)
    mask[:, :24] = 255
    return mask


def _person(value: float = 0.5) -> dict:
    return {"embeddings": [{"values": np.sin(1 + np.arange(128) * value).tolist()}]}


async def _drawn(stub: DiffusionServiceStub, **more: object) -> tuple[np.ndarray, list[int]]:
    """The picture and the rows of each step; the request is alone, so the rows are its own."""
    given = {"prompt": "a face", "step_count": 10, "seed": 5} | more
    responses = [r async for r in stub.Generate(pb.GenerateRequest(**given), timeout=60)]
    rows = [r.step.batch_row_count for r in responses if r.HasField("step")]
    return np.asarray(Image.open(io.BytesIO(responses[-1].image.image.data))), rows


async def _refused(stub: DiffusionServiceStub, **more: object) -> tuple[object, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _drawn(stub, **more)
    error = from_rpc_error(caught.value)
    return error.reason, error.message


async def test_listing_names_the_techniques_and_what_they_need(stub: DiffusionServiceStub) -> None:
    listing = await stub.ListModels(pb.ListModelsRequest(), timeout=60)

    assert list(listing.techniques) == ["text_to_image", "image_to_image", "inpaint", "late_injection"]
    assert (listing.models[0].supports_control, listing.models[0].region_finder) == (True, "fake")


async def test_a_source_is_redrawn_by_its_strength(stub: DiffusionServiceStub) -> None:
    image = np.kron(_picture(1, 8), np.ones((8, 8, 1), np.uint8))

    results = [
        await _drawn(stub, source={"image": _png(image), "strength": strength}) for strength in (0.2, 1.0)
    ]

    far = [np.abs(drawn.astype(int) - image).mean() for drawn, _ in results]
    assert far[0] < far[1]
    assert [len(rows) for _, rows in results] == [2, 10]


async def test_shares_mean_the_decimals_that_were_sent(stub: DiffusionServiceStub) -> None:
    """0.7 is less in float32 and 0.2 is more: neither may cost or add a step."""
    _, source_rows = await _drawn(stub, source={"image": _png(_picture(1)), "strength": 0.7})
    _, late_rows = await _drawn(stub, identity=_person(), late_injection={"start_share": 0.3})
    _, guided_rows = await _drawn(stub, guidance_interval={"start_share": 0.1, "end_share": 0.2})

    assert len(source_rows) == 7
    assert late_rows == [2] * 3 + [3] * 7
    assert guided_rows == [1, 2] + [1] * 8


async def test_a_masked_source_keeps_its_pixels_and_decides_the_size(
    stub: DiffusionServiceStub, store: ArtifactStore
) -> None:
    image = _picture(2, 96)
    mask = np.zeros_like(image)
    mask[32:64, 32:64] = 255
    stored = store.put(encode_png(image), tenant="alice", media_type="image/png")

    drawn, rows = await _drawn(
        stub,
        source={
            "image": {"artifact": {"uri": stored.uri, "sha256": stored.sha256}},
            "mask": _png(mask),
            "feather_px": 8,
        },
    )

    kept = np.ones(image.shape[:2], bool)
    kept[24:72, 24:72] = False
    np.testing.assert_array_equal(drawn[kept], image[kept])
    assert (drawn[32:64, 32:64] != image[32:64, 32:64]).mean() > 0.9
    assert len(rows) == 10, "a mask means full strength unless the request says otherwise"


async def test_late_injection_draws_the_person_in_the_region_alone(stub: DiffusionServiceStub) -> None:
    """The fake's region is the upper half, and its UNet looks at each cell by itself."""
    settings = {"late_injection": {"start_share": 0.5, "feather_px": 0}, "identity": _person(0.3)}

    drawn, rows = await _drawn(stub, **settings)
    other, _ = await _drawn(stub, **(settings | {"identity": _person(0.9)}))

    assert rows == [2] * 5 + [3] * 5
    np.testing.assert_array_equal(drawn[32:], other[32:])
    assert (drawn[:32] != other[:32]).any()


async def test_identity_guidance_needs_a_row_more(stub: DiffusionServiceStub) -> None:
    joint, joint_rows = await _drawn(stub, identity=_person())
    apart, rows = await _drawn(stub, identity=_person(), identity_guidance_scale=4.0)

    assert (set(joint_rows), set(rows)) == ({2}, {3})
    assert (joint != apart).any()


async def test_a_control_picture_changes_the_result_by_its_scale(stub: DiffusionServiceStub) -> None:
    results = [
        (await _drawn(stub, control={"image": _png(_picture(3, 50)), "scale": scale}))[0]
        for scale in (0.0, 0.5, 1.0)
    ]

    assert (results[0] != results[1]).any()
    assert (results[1] != results[2]).any()
    np.testing.assert_array_equal(results[0], (await _drawn(stub))[0])


async def test_techniques_in_flight_together_equal_themselves_alone(
    serve: Serve, store: ArtifactStore
) -> None:
    models = FakeModels(FakeUNet(call_s=0.005))
    stub = DiffusionServiceStub(await serve([build(DiffusionSettings(), store=store, models=models)]))
    requests: list[dict] = [
        {"seed": 1},
        {"source": {"image": _png(_picture(1))}, "guidance_interval": {"end_share": 0.5}},
        {"source": {"image": _png(_picture(2)), "mask": _png(_half_mask())}},
        {"identity": _person(), "late_injection": {}, "identity_guidance_scale": 4.0},
        {"identity": _person(0.9), "control": {"image": _png(_picture(4))}, "step_count": 13},
    ]
    alone = [(await _drawn(stub, **request))[0] for request in requests]

    together = await asyncio.gather(*(_drawn(stub, **request) for request in requests))

    assert max(max(rows) for _, rows in together) > 3, "they did share calls"
    for one, (other, _) in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("more", "reason", "fragment"),
    [
        ({"technique": "image_to_image"}, ErrorReason.FIELD_INVALID, "needs a picture to start from"),
        (
            {"technique": "inpaint", "source": {"image": _png(_picture(1))}},
            ErrorReason.FIELD_INVALID,
            "source.mask",
        ),
        (
            {"technique": "text_to_image", "source": {"image": _png(_picture(1))}},
            ErrorReason.FIELD_INVALID,
            "has no use for it",
        ),
        ({"late_injection": {}}, ErrorReason.FIELD_INVALID, "late_injection needs a person"),
        ({"source": {"image": _png(_picture(1, 100))}}, ErrorReason.VALUE_OUT_OF_RANGE, "100x100 px"),
        (
            {"source": {"image": _png(_picture(1)), "strength": 0.05}},
            ErrorReason.VALUE_OUT_OF_RANGE,
            "0.1..1 with 10 steps",
        ),
        ({"source": {"image": _png(_picture(1)), "strength": 0}}, ErrorReason.FIELD_INVALID, "strength"),
        ({"source": {"strength": 0.5}}, ErrorReason.FIELD_INVALID, "image"),
        (
            {"source": {"image": {"data": b"no picture"}}},
            ErrorReason.IMAGE_UNREADABLE,
            "the source picture",
        ),
        (
            {"source": {"image": _png(_picture(1)), "mask": {"data": encode_png(_half_mask())[:60]}}},
            ErrorReason.IMAGE_TRUNCATED,
            "the mask picture",
        ),
        (
            {"guidance_interval": {"start_share": 0.6, "end_share": 0.5}},
            ErrorReason.VALUE_OUT_OF_RANGE,
            "guidance_interval.start_share",
        ),
        ({"guidance_interval": {"end_share": 1.5}}, ErrorReason.FIELD_INVALID, "end_share"),
        ({"late_injection": {"strength": 3}}, ErrorReason.FIELD_INVALID, "strength"),
        ({"control": {"scale": 0.5}}, ErrorReason.FIELD_INVALID, "image"),
    ],
    ids=lambda value: value if isinstance(value, ErrorReason) else None,
)
async def test_what_cannot_be_done_is_refused_with_the_field(
    stub: DiffusionServiceStub, more: dict, reason: ErrorReason, fragment: str
) -> None:
    code, message = await _refused(stub, **more)

    assert code == reason
    assert fragment in message


async def test_control_without_a_control_net_is_an_unavailable_capability(
    serve: Serve, store: ArtifactStore
) -> None:
    service = build(DiffusionSettings(), store=store, models=_Plain())
    stub = DiffusionServiceStub(await serve([service]))

    reason, message = await _refused(stub, control={"image": _png(_picture(1))})

    assert reason == ErrorReason.CAPABILITY_UNAVAILABLE
    assert "controlnet/" in message


async def test_another_tenants_picture_is_unknown(stub: DiffusionServiceStub, store: ArtifactStore) -> None:
    stored = store.put(encode_png(_picture(7)), tenant="bob", media_type="image/png")

    reason, _ = await _refused(stub, source={"image": {"artifact": {"uri": stored.uri}}})

    assert reason == ErrorReason.UNKNOWN_ARTIFACT
