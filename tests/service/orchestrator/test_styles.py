"""Styles over the real transport: the gallery, what cannot be drawn, and the words of a prompt."""

import io
import json
from pathlib import Path

import pytest
import yaml
from likeness.common.v1 import job_pb2
from likeness.diffusion.v1 import diffusion_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as pb
from likeness.orchestrator.v1 import resources_pb2 as res
from likeness.stylization.v1 import stylization_pb2
from PIL import Image

from shared.errors.common import InternalError
from tests.support.fake_services.diffusion import MODEL_DIGEST
from tests.support.fake_services.pictures import picture
from tests.support.orchestra import Orchestra, orchestra
from tests.support.refused_calls import refused

AVAILABLE = res.STYLE_AVAILABILITY_AVAILABLE
UNAVAILABLE = res.STYLE_AVAILABILITY_UNAVAILABLE


async def listed(stage: Orchestra, **request: bool) -> dict[str, res.Style]:
    response = await stage.client.stub.ListStyles(pb.ListStylesRequest(**request))
    return {style.name: style for style in response.styles}


def with_adapters(*names: str, has_tokens: bool = True) -> diffusion_pb2.ListModelsResponse:
    adapters = [diffusion_pb2.AdapterInfo(name=name, rank=8) for name in names]
    model = diffusion_pb2.Model(
        name="fake", digest=MODEL_DIGEST, width_px=256, identity_dimension=8 if has_tokens else 0,
        supports_identity=has_tokens, is_default=True, adapters=adapters,
    )  # fmt: skip
    return diffusion_pb2.ListModelsResponse(models=[model])


async def test_the_gallery_has_what_a_page_shows(stage: Orchestra):
    styles = await listed(stage)

    assert len(styles) >= 50
    assert all(style.version >= 1 and len(style.sha256) == 64 and style.licence for style in styles.values())
    assert all(style.display_name and style.group_title and style.tags for style in styles.values())
    groups = [style.group for style in styles.values()]
    assert sorted(groups, key=list(dict.fromkeys(groups)).index) == groups, "group by group"
    forest = await stage.client.stub.GetStyle(pb.GetStyleRequest(name="styles/forest"))
    assert forest == styles["styles/forest"]
    assert (forest.group, forest.group_title, forest.tags[0]) == ("places", "Places", "outdoors")


async def test_a_style_whose_adapter_is_missing_is_listed_with_the_remedy(stage: Orchestra):
    ink = (await listed(stage))["styles/ink"]

    assert ink.availability == UNAVAILABLE
    assert "adapters/ink.safetensors" in ink.unavailable_reason and "model fake" in ink.unavailable_reason

    stage.fakes.script.queue("ListModels", lambda _: with_adapters("ink"))
    styles = await listed(stage)
    assert styles["styles/ink"].availability == AVAILABLE
    assert styles["styles/ink"].unavailable_reason == ""
    assert styles["styles/comic"].availability == UNAVAILABLE


async def test_a_style_whose_effect_is_missing_is_unavailable(stage: Orchestra):
    assert (await listed(stage))["styles/toon"].availability == AVAILABLE

    stage.fakes.script.queue("ListEffects", lambda _: stylization_pb2.ListEffectsResponse())
    toon = await stage.client.stub.GetStyle(pb.GetStyleRequest(name="styles/toon"))
    assert toon.availability == UNAVAILABLE
    assert "effect toon" in toon.unavailable_reason


async def test_while_diffusion_does_not_answer_the_question_stays_open(stage: Orchestra):
    stage.fakes.script.queue("ListModels", InternalError(error_id="x"))

    styles = await listed(stage)

    assert {style.availability for style in styles.values()} == {res.STYLE_AVAILABILITY_UNSPECIFIED}
    assert (await listed(stage))["styles/studio"].availability == AVAILABLE


async def test_a_style_without_its_adapter_is_refused_and_never_drawn_without_it(stage: Orchestra):
    identity = await stage.client.identity()

    created = await stage.client.create(identity, style="styles/ink")
    portrait = await stage.client.finished(created.name)

    assert portrait.state == job_pb2.JOB_STATE_FAILED
    assert portrait.error.reason == "CAPABILITY_UNAVAILABLE"
    assert "adapters/ink.safetensors" in portrait.error.message
    assert not stage.fakes.script.calls["Generate"]


async def test_a_style_with_its_adapter_is_drawn_with_it(stage: Orchestra):
    identity = await stage.client.identity()
    stage.fakes.script.queue("ListModels", lambda _: with_adapters("ink"))

    created = await stage.client.create(identity, style="styles/ink")
    portrait = await stage.client.finished(created.name)

    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED, portrait.error
    sent = stage.fakes.script.calls["Generate"][0]
    assert [use.name for use in sent.adapters] == ["ink"]
    assert not stage.fakes.script.calls["Fuse"], "no photo's face in a drawing"
    rank = stage.fakes.script.calls["Rank"][0]
    assert rank.identity_gate == -1, "ranked by likeness, not refused for it"


async def test_where_a_style_says_so_portraits_without_a_findable_face_win(stage: Orchestra):
    identity = await stage.client.identity()
    stage.fakes.script.queue("ListModels", lambda _: with_adapters("blueprint"))
    for _ in range(4):
        stage.fakes.script.queue("Generate", lambda request: picture(1, faces=0, size_px=256))

    created = await stage.client.create(identity, style="styles/blueprint", size_px=512)
    portrait = await stage.client.finished(created.name)

    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED, portrait.error
    assert stage.fakes.script.calls["Rank"][0].face_optional
    [first, _] = await stage.client.winners(portrait)
    assert Image.open(io.BytesIO(first)).size == (512, 512)
    assert {edit.step for candidate in portrait.candidates for edit in candidate.edits} == {"upscale"}
    assert all(candidate.manifest.sha256 for candidate in portrait.candidates)


@pytest.mark.parametrize("has_tokens", [True, False])
@pytest.mark.parametrize("is_apart", [True, False])
async def test_a_style_may_give_the_persons_adapter_to_the_rows_that_show_the_person(
    tmp_path: Path, is_apart: bool, has_tokens: bool
):
    said = {
        "schema_version": 1, "name": "studio", "version": 1, "title": "S", "description": "",
        "prompt": "portrait of a {person}", "licence": "CC0-1.0", "adapter": {"name": "ink"},
        "identity": {"adapter_apart": is_apart, "guidance_scale": 4.0, "late_from": 0.25},
    }  # fmt: skip
    folder = tmp_path / "styles"
    folder.mkdir()
    (folder / "studio.yaml").write_text(yaml.safe_dump(said))
    async with orchestra(tmp_path, styles_folder=folder) as stage:
        stage.fakes.script.queue("ListModels", lambda _: with_adapters("ink", has_tokens=has_tokens))
        identity = await stage.client.identity()
        created = await stage.client.create(identity, mode=res.IDENTITY_MODE_TRAIN)
        portrait = await stage.client.finished(created.name)

        # Without tokens the fake draws somebody else, who does not pass; what was sent is the same.
        assert (portrait.state == job_pb2.JOB_STATE_SUCCEEDED) == has_tokens, portrait.error
        sent = stage.fakes.script.calls["Generate"][0]
        person, look = sent.adapters
        shows_person = is_apart or has_tokens
        assert sent.HasField("identity") == has_tokens
        assert sent.identity_guidance_scale == (4.0 if shows_person else 0)
        assert sent.late_injection.start_share == (0.25 if shows_person else 0)
        assert (person.of_person, look.of_person) == (is_apart, False)
        manifest = json.loads(await stage.client.download(portrait.candidates[0].manifest))
        assert [use["of_person"] for use in manifest["adapters"]] == [is_apart, False]
        assert manifest["identity_late_from"] == (0.25 if shows_person else None)


async def test_previews_are_sent_unless_they_are_left_out(tmp_path: Path):
    said = {
        "schema_version": 1, "name": "studio", "version": 1, "title": "S", "description": "",
        "prompt": "portrait of a {person}", "licence": "CC0-1.0", "preview": "studio.png",
    }  # fmt: skip
    folder = tmp_path / "styles"
    folder.mkdir()
    (folder / "studio.yaml").write_text(yaml.safe_dump(said))
    (folder / "studio.png").write_bytes(picture(1))
    async with orchestra(tmp_path, styles_folder=folder) as stage:
        assert (await listed(stage))["styles/studio"].preview.data == picture(1)
        assert not (await listed(stage, omit_previews=True))["styles/studio"].HasField("preview")


async def test_weights_reach_diffusion_phrase_by_phrase(stage: Orchestra):
    identity = await stage.client.identity()
    created = await stage.client.create(
        identity,
        style="styles/sunset",
        prompt="(green background, a medal:1.3), :)",
        negative_prompt="[hat, cap]",
    )

    portrait = await stage.client.finished(created.name)

    sent = stage.fakes.script.calls["Generate"][0]
    assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED, portrait.error
    assert "(a medal:1.3), :\\), (green background:1.3), white shirt" in sent.prompt
    assert sent.negative_prompt == "(hat:0.9091), (cap:0.9091)"


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
async def test_a_weight_out_of_range_is_refused_before_anything_is_kept(stage: Orchestra, field: str):
    identity = await stage.client.identity()

    _, error = await refused(stage.client.create(identity, **{field: "(red hair:4)"}))

    assert error.reason == "VALUE_OUT_OF_RANGE"
    assert error.metadata["field"] == f"spec.{field}"
    assert "backslash" in error.message
    assert not (await stage.client.stub.ListPortraits(pb.ListPortraitsRequest())).portraits


async def test_words_that_the_model_does_not_know_become_a_notice(stage: Orchestra):
    stage.fakes.unfamiliar_words = ("cyberpunk",)
    identity = await stage.client.identity()

    created = await stage.client.create(identity, prompt="cyberpunk")
    portrait = await stage.client.finished(created.name)

    [notice] = [line for line in portrait.notices if "cyberpunk" in line]
    assert notice.count("cyberpunk") == 1, "once, however many candidates"


async def test_the_manifest_names_the_style_as_it_was(stage: Orchestra):
    identity = await stage.client.identity()
    portrait = await stage.client.finished((await stage.client.create(identity, style="styles/forest")).name)

    manifest = json.loads(await stage.client.download(portrait.candidates[0].manifest))

    forest = (await listed(stage))["styles/forest"]
    assert manifest["style"] == {"name": "styles/forest", "version": 1, "sha256": forest.sha256}
