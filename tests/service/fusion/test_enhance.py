"""Enhance: sizes, and who has enhanced."""

import pytest
from likeness.fusion.v1 import fusion_pb2 as pb

from shared.errors import ErrorReason
from tests.support.fusion_wire import faced, pixels
from tests.support.refused_calls import refused


@pytest.mark.parametrize("scale", [None, 1, 2])
async def test_enhance_multiplies_the_size(stub, scale):
    request = pb.EnhanceRequest(image=faced(size=(96, 80), centre=(40, 48), scale=0.6).image, scale=scale)

    answer = await stub.Enhance(request)

    factor = scale or 1
    assert (96 * factor, 80 * factor, 3) == pixels(answer.image).shape
    assert answer.enhancer in ("starter", "classical")
    assert answer.upscaler in ({"starter", "classical"} if factor == 2 else {""})


async def test_scale_three_is_refused(stub):
    _, error = await refused(stub.Enhance(pb.EnhanceRequest(image=faced().image, scale=3)))

    assert error.reason == ErrorReason.FIELD_INVALID
