"""The experiment on where a person's adapter acts: what each way asks for, and what its figures say."""

from types import SimpleNamespace

import pytest
from likeness.common.v1 import image_pb2
from likeness.diffusion.v1 import diffusion_pb2 as pb

from loadtests.adapters.acting import ACTS, bars_of, figures_of, tables_of
from tests.unit.loadtests.kept_figures import kept_by_all

_PERSON = SimpleNamespace(number=7)
_ADAPTERS = {7: image_pb2.ArtifactRef(uri="a")}


def _requests() -> dict[str, pb.GenerateRequest]:
    found = {}
    for act in ACTS:
        found[act.key] = pb.GenerateRequest()
        act.fill(_ADAPTERS, found[act.key], _PERSON)  # type: ignore[arg-type]
    return found


def test_the_ways_differ_in_where_the_adapter_acts() -> None:
    requests = _requests()
    assert len({request.SerializeToString(deterministic=True) for request in requests.values()}) == len(ACTS)
    assert not requests["tokens"].adapters
    used = {key: request.adapters[0] for key, request in requests.items() if key != "tokens"}
    assert {use.artifact.uri for use in used.values()} == {"a"}
    assert {key for key, use in used.items() if use.of_person} == {
        "apart", "apart_2", "late_apart", "late_apart_2",
    }  # fmt: skip
    late = {key for key, request in requests.items() if request.HasField("late_injection")}
    assert late == {"late", "late_apart", "late_apart_2"}
    assert len({(r.step_count, r.sampler, r.guidance_scale) for r in requests.values()}) == 1


def test_a_way_is_better_where_the_lower_ends_of_both_gains_are() -> None:
    found = {act.key: kept_by_all(0.5, 0.8) for act in ACTS} | {"apart": kept_by_all(0.6, 0.9)}
    details = {"ways": figures_of(found)}
    bars = {bar.name: bar for bar in bars_of(details)}
    assert len(bars) == 2 * sum(act.of_person for act in ACTS)
    gained = bars["both in the person's rows: likeness gained, lower end"]
    assert gained.met and gained.value == pytest.approx(0.1)
    found["apart"] = kept_by_all(0.4, 0.9)
    bars = {bar.name: bar for bar in bars_of({"ways": figures_of(found)})}
    assert not bars["both in the person's rows: likeness gained, lower end"].met
    assert bars["both in the person's rows: adherence gained, lower end"].met
    assert len(tables_of(details)[0].rows) == len(ACTS)
