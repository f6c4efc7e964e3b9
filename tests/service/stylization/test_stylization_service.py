"""StylizationService over the real transport, with all interceptors."""

import asyncio

import grpc
import numpy as np
import pytest
from likeness.common.v1 import image_pb2
from likeness.stylization.v1 import stylization_pb2 as pb
from likeness.stylization.v1 import stylization_pb2_grpc

from services.stylization.adapters.fake import FakeTranslator
from services.stylization.bootstrap import NAME, build, build_translators
from services.stylization.settings import StylizationSettings
from shared.artifacts import open_store
from shared.errors import ErrorReason
from shared.errors.common import ModelMissing
from shared.errors.rpc import from_rpc_error
from shared.images import decode_image, encode_png
from shared.telemetry.metrics import REGISTRY
from tests.support.drawn_face import draw_face
from tests.support.gated_unet import until

FACE = draw_face((64, 48), centre=(24, 32), scale=0.4)[0]


class Slow(FakeTranslator):
    """Notes how many drawings were begun; each takes a while."""

    def __init__(self):
        super().__init__("slow")
        self.begun = 0

    def translate(self, image):
        import time

        self.begun += 1
        time.sleep(0.03)
        return super().translate(image)


class Inverter(FakeTranslator):
    """Draws the negative."""

    def __init__(self):
        super().__init__("negative")

    def translate(self, image):
        return 255 - image


@pytest.fixture
async def start(serve, tmp_path):
    async def start(*translators, **settings):
        service = build(
            StylizationSettings(worker_count=1, **settings),
            translators=translators or [FakeTranslator("toon"), FakeTranslator("ink")],
            store=open_store(str(tmp_path)),
        )
        return stylization_pb2_grpc.StylizationServiceStub(await serve([service]))

    return start


def image(rgb=FACE, name=""):
    return image_pb2.Image(data=encode_png(rgb), name=name)


def frame(sequence, data=None, effect="", **more):
    picture = image_pb2.Image(data=data) if data else image()
    return pb.StylizeStreamRequest(sequence=sequence, frame=picture, effect=effect, **more)


def pixels(message):
    return decode_image(message.data, name="answer")


async def refused(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), from_rpc_error(caught.value)


async def test_picture_is_drawn_at_its_size_and_strength_blends(start):
    stub = await start()
    drawn = [
        pixels((await stub.Stylize(pb.StylizeRequest(image=image(), strength=s))).image)
        for s in (None, 0.0, 1.0)
    ]

    assert (FakeTranslator().translate(FACE) == drawn[0]).all()
    assert (drawn[1] == FACE).all() and (drawn[2] == drawn[0]).all()


async def test_effects_are_listed_the_default_first(start):
    answer = await (await start()).ListEffects(pb.ListEffectsRequest())

    assert [e.name for e in answer.effects] == ["toon", "ink"]
    assert all(e.description and e.licence for e in answer.effects)


async def test_unknown_effect_is_not_found_and_lists_the_known(start):
    code, error = await refused((await start()).Stylize(pb.StylizeRequest(image=image(), effect="oil")))

    assert (code, error.reason) == (grpc.StatusCode.NOT_FOUND, ErrorReason.UNKNOWN_STYLE)
    assert "toon, ink" in error.message


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (pb.StylizeRequest(), ErrorReason.FIELD_INVALID),
        (pb.StylizeRequest(image=image(), strength=1.5), ErrorReason.FIELD_INVALID),
        (pb.StylizeRequest(image=image_pb2.Image(data=b"no picture")), ErrorReason.IMAGE_UNREADABLE),
        (pb.StylizeRequest(image=image_pb2.Image(data=encode_png(FACE)[:200])), ErrorReason.IMAGE_TRUNCATED),
    ],
)
async def test_bad_input_gets_a_typed_error(start, request_, reason):
    code, error = await refused((await start()).Stylize(request_))

    assert (grpc.StatusCode.INVALID_ARGUMENT, reason) == (code, error.reason)


async def test_frames_come_back_in_order_with_their_numbers(start):
    call = (await start()).StylizeStream(iter([frame(n) for n in (0, 1, 5, 9)]))

    answers = [answer async for answer in call]

    assert [a.sequence for a in answers] == [0, 1, 5, 9]
    assert all((pixels(a.frame) == FakeTranslator().translate(FACE)).all() for a in answers)


async def test_bad_frame_gets_its_error_and_the_next_ones_their_pictures(start):
    frames = [frame(0), frame(1, b"no picture"), frame(2), frame(2), frame(3, strength=0.0)]

    answers = [answer async for answer in (await start()).StylizeStream(iter(frames))]

    assert [a.sequence for a in answers] == [0, 1, 2, 2, 3]
    assert [a.WhichOneof("result") for a in answers] == ["frame", "error", "frame", "error", "frame"]
    assert [answers[i].error.reason for i in (1, 3)] == ["IMAGE_UNREADABLE", "FIELD_INVALID"]
    assert "frame 1" in answers[1].error.message
    assert (pixels(answers[4].frame) == FACE).all()


async def test_unknown_effect_is_told_at_every_frame(start):
    call = (await start()).StylizeStream(iter([frame(0, effect="oil"), frame(1), frame(2, effect="toon")]))

    answers = [answer async for answer in call]

    assert [a.sequence for a in answers] == [0, 1, 2]
    assert [a.error.reason for a in answers] == ["UNKNOWN_STYLE"] * 3


async def test_effect_of_the_first_frame_holds_for_the_stream(start):
    stub = await start(FakeTranslator("toon"), Inverter())
    call = stub.StylizeStream(iter([frame(0, effect="negative"), frame(1)]))

    assert all([(pixels(a.frame) == 255 - FACE).all() async for a in call])


async def test_stream_without_frames_ends_well(start):
    assert [a async for a in (await start()).StylizeStream(iter([]))] == []


async def test_frame_is_answered_before_the_next_one_is_sent(start):
    call = (await start()).StylizeStream()
    for number in range(3):
        await call.write(frame(number))
        answer = await asyncio.wait_for(call.read(), 10)
        assert number == answer.sequence
    await call.done_writing()


def cancelled_count():
    """How many streams ended because their client left."""
    labels = {"service": NAME, "method": "StylizeStream", "code": "CANCELLED"}
    return REGISTRY.get_sample_value("likeness_rpc_total", labels) or 0.0


async def test_client_that_leaves_stops_the_drawing(start):
    slow, before = Slow(), cancelled_count()
    call = (await start(slow)).StylizeStream(iter([frame(n) for n in range(200)]))
    await call.read()
    call.cancel()
    await until(lambda: cancelled_count() > before)
    # A thread that had a frame in hand may still begin to draw it.
    await asyncio.sleep(0.3)
    begun = slow.begun
    await asyncio.sleep(0.3)

    assert begun == slow.begun < 100


async def test_two_streams_do_not_share_their_memory(start):
    """Steadiness keeps the last drawing of a stream; another stream must not see it."""
    stub = await start(steadiness=0.9)
    black, white = np.zeros_like(FACE), np.full_like(FACE, 255)

    async def first_of(rgb):
        call = stub.StylizeStream(iter([frame(0, encode_png(rgb))]))
        (answer,) = [a async for a in call]
        return pixels(answer.frame)

    await first_of(black)
    assert (FakeTranslator().translate(white) == await first_of(white)).all()


def test_folder_without_effects_names_the_missing_file(tmp_path):
    with pytest.raises(ModelMissing, match=r"toon\.onnx"):
        build_translators(StylizationSettings(effects_folder=tmp_path))
