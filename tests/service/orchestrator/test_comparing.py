"""By what candidates are compared with a person: wishes, the rate of errors, and models that change."""

import pytest
from likeness.common.v1 import job_pb2

from tests.support.finished_portraits import ONE, made
from tests.support.orchestra import orchestra


async def test_ranking_gets_what_the_words_ask_for_and_the_rate_of_the_server(tmp_path):
    async with orchestra(tmp_path, false_accept_rate=0.01) as stage:
        await made(stage, prompt="round glasses, black long hair")

        [request] = stage.fakes.script.calls["Rank"]
    wanted = {item.name: item.value for item in request.wanted_attributes}
    assert wanted == {"hair_color": "black", "hair_style": "long", "glasses": "round"}
    assert request.false_accept_rate == pytest.approx(0.01)
    assert not request.HasField("identity_gate")


async def test_where_only_the_metric_has_changed_faces_are_compared_anew(tmp_path):
    async with orchestra(tmp_path) as stage:
        identity = await stage.client.identity()
    before = stage.fakes
    async with orchestra(tmp_path) as stage:
        stage.fakes.comparison = "fake-refitted"
        first = await stage.client.finished((await stage.client.create(identity, **ONE)).name)
        again = await stage.client.finished((await stage.client.create(identity, **ONE)).name)

        assert first.state == again.state == job_pb2.JOB_STATE_SUCCEEDED, first.error
        assert not stage.fakes.script.calls["CuratePhotos"], "the verdicts stay"
        plain = [call for call in stage.fakes.script.calls["Analyze"] if not call.features]
        assert [len(call.images) for call in plain] == [1, 3, 1], "and once is enough"
        drawn = stage.fakes.script.calls["Generate"][0].identity.embeddings
    assert {item.model for item in drawn} == {before.embedder}, "a generator takes the raw ones"


async def test_where_the_embedder_has_changed_photos_are_judged_anew(tmp_path):
    async with orchestra(tmp_path) as stage:
        identity = await stage.client.identity()
    async with orchestra(tmp_path) as stage:
        stage.fakes.embedder, stage.fakes.comparison = "new", "new-fitted"
        portrait = await stage.client.finished((await stage.client.create(identity, **ONE)).name)

        assert portrait.state == job_pb2.JOB_STATE_SUCCEEDED, portrait.error
        assert len(stage.fakes.script.calls["CuratePhotos"]) == 1
