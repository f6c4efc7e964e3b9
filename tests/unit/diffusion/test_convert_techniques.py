"""What a request says of techniques arrives in the domain: fields, defaults, decimals as sent."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from likeness.diffusion.v1 import diffusion_pb2 as pb

from services.diffusion.convert import Pictures, from_proto
from services.diffusion.domain.request import ControlChoice, Injection, SourceChoice

_IMAGE = np.zeros((64, 64, 3), np.uint8)
_MASK = np.full((64, 64, 3), 255, np.uint8)


def test_a_bare_request_has_the_defaults_of_the_proto() -> None:
    request = from_proto(pb.GenerateRequest())

    assert (request.guidance_scale, request.identity_guidance_scale) == (3.0, None)
    assert request.guidance_interval == (0.0, 1.0)
    assert (request.source, request.control, request.injection) == (None, None, None)
    assert request.technique == ""
    assert not request.may_start_without_adapters


@pytest.mark.parametrize(
    ("message", "pictures", "technique"),
    [
        ({}, Pictures(), ""),
        ({"source": {}}, Pictures(source=_IMAGE), "image_to_image"),
        ({"source": {"mask": {}}}, Pictures(source=_IMAGE, mask=_MASK), "inpaint"),
        ({"late_injection": {}}, Pictures(), "late_injection"),
        ({"technique": "text_to_image", "source": {}}, Pictures(source=_IMAGE), "text_to_image"),
    ],
)
def test_the_technique_follows_from_the_request(message: dict, pictures: Pictures, technique: str) -> None:
    assert from_proto(pb.GenerateRequest(**message), pictures).technique == technique


def test_strength_is_full_under_a_mask_and_less_without_one() -> None:
    plain = from_proto(pb.GenerateRequest(source={}), Pictures(source=_IMAGE)).source
    masked = from_proto(pb.GenerateRequest(source={"mask": {}}), Pictures(_IMAGE, _MASK)).source

    assert (plain.strength, plain.feather_px, plain.mask) == (0.8, 16, None)
    assert (masked.strength, masked.feather_px) == (1.0, 16)
    assert masked.mask is _MASK


def test_stated_values_arrive() -> None:
    message = pb.GenerateRequest(
        source={"strength": 0.3, "mask": {}, "feather_px": 0},
        control={"scale": 0.0},
        identity_guidance_scale=0.0,
        guidance_interval={"start_share": 0.1, "end_share": 0.9},
        late_injection={"start_share": 0.0, "strength": 0.5, "feather_px": 7},
        start_without_adapters=True,
    )

    request = from_proto(message, Pictures(_IMAGE, _MASK, _IMAGE))

    source, control = request.source, request.control
    assert isinstance(source, SourceChoice)
    assert isinstance(control, ControlChoice)
    assert (source.strength, source.feather_px) == (0.3, 0)
    assert (control.scale, control.image is _IMAGE) == (0.0, True)
    assert request.identity_guidance_scale == 0.0
    assert request.guidance_interval == (0.1, 0.9)
    assert request.injection == Injection(0.0, 0.5, 7)
    assert request.may_start_without_adapters


def test_unset_parameters_of_late_injection_are_the_defaults_that_the_proto_states() -> None:
    assert from_proto(pb.GenerateRequest(late_injection={})).injection == Injection(0.2, 1.0, 32)


@given(hundredths=st.integers(1, 100))
def test_shares_are_the_decimals_that_the_sender_wrote(hundredths: int) -> None:
    share = hundredths / 100
    message = pb.GenerateRequest(
        source={"strength": share},
        guidance_interval={"start_share": share, "end_share": share},
        late_injection={"start_share": share},
    )

    request = from_proto(message, Pictures(source=_IMAGE))

    assert request.source.strength == share
    assert request.guidance_interval == (share, share)
    assert request.injection.start_share == share
