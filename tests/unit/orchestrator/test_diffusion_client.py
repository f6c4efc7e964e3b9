"""What the diffusion service is asked for."""

from dataclasses import replace

from services.orchestrator.adapters.clients.diffusion import _to_request
from services.orchestrator.domain.faces import Embedding
from services.orchestrator.domain.ports import GenerationRequest

PLAIN = GenerationRequest(
    model="",
    prompt="a man",
    negative_prompt="",
    size_px=None,
    step_count=20,
    guidance_scale=3.0,
    sampler="",
    seed=1,
    adapters=(),
    embeddings=(Embedding(values=(0.6, 0.8), model="dlib"),),
    identity_scale=1.0,
    preview_interval_steps=0,
)


def test_a_style_that_says_nothing_of_them_asks_for_neither_guidance_nor_late_injection() -> None:
    message = _to_request(PLAIN)
    assert not message.HasField("identity_guidance_scale")
    assert not message.HasField("late_injection")


def test_guidance_towards_the_person_and_late_injection_are_passed_on() -> None:
    message = _to_request(replace(PLAIN, identity_guidance_scale=4.0, late_from=0.25))
    assert message.identity_guidance_scale == 4.0
    assert message.late_injection.start_share == 0.25


def test_without_tokens_the_person_is_not_mentioned() -> None:
    message = _to_request(replace(PLAIN, embeddings=(), identity_guidance_scale=4.0, late_from=0.25))
    assert not message.HasField("identity")
    assert not message.HasField("identity_guidance_scale")
    assert not message.HasField("late_injection")
