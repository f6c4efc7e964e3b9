"""Messages and domain agree, for any request that the proto's rules allow."""

from datetime import timedelta

import numpy as np
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from likeness.common.v1 import image_pb2
from likeness.diffusion.v1 import diffusion_pb2 as pb

from services.diffusion import convert
from services.diffusion.adapters.fake import FakeModels
from services.diffusion.domain.events import Decoded, Generated, Preview, Queued, StepDone
from services.diffusion.domain.request import GenerationRequest

_f32 = st.floats(-2, 2, width=32)
_texts = st.text(max_size=20)
_adapters = st.builds(
    lambda source, weight, of_person: pb.AdapterUse(
        **source, **({} if weight is None else {"weight": weight}), of_person=of_person
    ),
    st.one_of(
        st.text(min_size=1, max_size=8).map(lambda name: {"name": name}),
        st.text(min_size=1, max_size=8).map(lambda uri: {"artifact": image_pb2.ArtifactRef(uri=uri)}),
    ),
    st.none() | _f32,
    st.booleans(),
)
_embeddings = st.lists(_f32, min_size=1, max_size=4).map(lambda values: {"values": values})
_identities = st.lists(_embeddings, min_size=1, max_size=3).map(
    lambda embeddings: pb.IdentityConditioning(embeddings=embeddings)
)
_optional = st.fixed_dictionaries(
    {},
    optional={
        "width_px": st.integers(64, 1024),
        "height_px": st.integers(64, 1024),
        "step_count": st.integers(1, 150),
        "guidance_scale": st.floats(0, 30, width=32),
        "identity": _identities,
    },
)
_plain = st.fixed_dictionaries(
    {
        "model": _texts,
        "prompt": _texts,
        "negative_prompt": _texts,
        "seed": st.integers(0, 2**63 - 1),
        "sampler": _texts,
        "technique": _texts,
        "preview_interval_steps": st.integers(0, 150),
        "adapters": st.lists(_adapters, max_size=3),
    }
)


def _back(request: GenerationRequest) -> Message:
    """The inverse of from_proto, with every default written out."""
    adapters = [
        pb.AdapterUse(
            weight=choice.weight,
            of_person=choice.of_person,
            **({"name": choice.name} if choice.name else {"artifact": {"uri": choice.uri}}),
        )
        for choice in request.adapters
    ]
    identity = request.identity and pb.IdentityConditioning(
        embeddings=[{"values": embedding.tolist()} for embedding in request.identity.embeddings],
        scale=request.identity.scale,
    )
    given = {
        field: getattr(request, field)
        for field in ("model", "prompt", "negative_prompt", "seed", "sampler", "technique")
    }
    numbers = {
        field: getattr(request, field)
        for field in ("width_px", "height_px", "step_count", "guidance_scale", "preview_interval_steps")
    }
    return pb.GenerateRequest(**given, **numbers, adapters=adapters, identity=identity)


@settings(max_examples=100, deadline=None)
@given(plain=_plain, optional=_optional)
def test_from_proto_loses_nothing_and_fills_in_the_defaults(plain: dict, optional: dict) -> None:
    message = pb.GenerateRequest(**plain, **optional)
    expected = pb.GenerateRequest()
    expected.CopyFrom(message)
    if not message.HasField("step_count"):
        expected.step_count = 20
    if not message.HasField("guidance_scale"):
        expected.guidance_scale = 3
    for use in expected.adapters:
        use.weight = use.weight if use.HasField("weight") else 1
    if expected.HasField("identity"):
        expected.identity.scale = 1

    assert expected == _back(convert.from_proto(message))


def test_events_keep_their_numbers() -> None:
    image = np.zeros((2, 2, 3), np.uint8)

    assert convert.progress_to_proto(Queued(3)).queued.ahead_count == 3
    step = convert.progress_to_proto(StepDone(2, 20, 7)).step
    assert (step.step, step.step_count, step.batch_row_count) == (2, 20, 7)
    preview = convert.progress_to_proto(Preview(4, image)).preview
    assert (preview.step, preview.image.data[:4]) == (4, b"\x89PNG")


def test_the_result_says_what_it_was_made_from() -> None:
    picture = Decoded(np.zeros((2, 2, 3), np.uint8), 0.25, 0.5, 1.0, 0.125)
    event = Generated(
        picture,
        seed=9,
        model_sha256="ab",
        adapter_sha256s=("cd", "ef"),
        adapter_first_steps=(1, 3),
        prepare_time_s=2.0,
    )

    message = convert.generated_to_proto(event, image_pb2.Image(data=b"png")).image

    assert (message.seed, message.model_digest, list(message.adapter_digests)) == (9, "ab", ["cd", "ef"])
    assert list(message.adapter_first_steps) == [1, 3]
    names = ("prepare", "queue", "batch_wait", "compute", "denoise", "decode")
    times = [getattr(message, f"{name}_time").ToTimedelta() for name in names]
    assert times == [timedelta(seconds=s) for s in (2.0, 0.25, 0.5, 1.0, 1.5, 0.125)]


def test_listing_marks_the_first_model_as_default() -> None:
    model = FakeModels().load("")

    listing = convert.models_to_proto([model, model])

    assert [message.is_default for message in listing.models] == [True, False]
    assert list(listing.techniques) == ["text_to_image", "image_to_image", "inpaint", "late_injection"]
    assert (listing.models[0].supports_control, listing.models[0].region_finder) == (True, "fake")
    assert listing.models[0].identity_dimension == 128
