import pytest

from loadtests.fusion.figures import (
    changes,
    delivered_figures,
    enhance_figures,
    fusion_figures,
    losing,
    restore_figures,
    shipped_changes,
    worst_loss,
)


def look(similarity, quality=0.8):
    return {"similarity": similarity, "best": similarity, "own_best": similarity, "quality": quality}


def step(name, before, after, problem="", marks=0):
    return {
        "step": name,
        "before": before,
        "after": after,
        "problem": problem,
        "is_kept": not problem,
        "marks": marks,
    }


def candidate(index, before, fused, problem="", **more):
    end = before if problem else fused
    looks = {"candidate": before, "fused": fused, "finished": end, **more}
    steps = [
        step("fuse", before, fused, problem),
        step("restore_texture", end, None, "refused: no structure"),
        step("restore_marks", end, look(end["similarity"]), marks=3),
        step("enhance", end, look(0.9, 0.9)),
    ]
    return {"index": index, "looks": looks, "steps": steps}


@pytest.fixture
def results():
    first = [
        candidate(0, look(0.5), look(0.7, 0.76), five_points=look(0.6), one_template=look(0.65)),
        candidate(1, look(0.6), look(0.5, 0.4), "it did not raise the likeness (-0.100)"),
    ]
    second = [candidate(0, look(None, None), look(None, None), "the picture does not show exactly one face")]
    degraded = {"blur": {"spoiled": 20.0, "enhanced": 22.0}}
    return {
        1: {"number": 1, "candidates": first, "degraded": degraded, "photos": [0.9, 0.8]},
        2: {"number": 2, "candidates": second, "degraded": degraded, "photos": [0.7]},
    }


def test_pictures_without_a_face_are_left_out_of_changes(results):
    assert changes(results, "candidate", "fused", "similarity") == {
        1: [pytest.approx(0.2), pytest.approx(-0.1)],
        2: [],
    }


def test_an_undone_step_changes_nothing_as_shipped(results):
    assert shipped_changes(results, "fuse", "similarity") == {1: [pytest.approx(0.2), 0.0], 2: []}


def test_the_worst_loss_is_a_share_of_the_quality_before(results):
    raw = changes(results, "candidate", "fused", "quality", relative=True)

    assert worst_loss(raw) == pytest.approx(0.5)
    assert worst_loss(shipped_changes(results, "fuse", "quality", relative=True)) == pytest.approx(0.05)
    assert worst_loss({1: [0.1, 0.2]}) == 0.0
    assert worst_loss({1: []}) is None
    assert losing(raw) == {1: [0.0, 1.0], 2: []}


def test_fusion_is_held_against_peers_on_the_same_candidates(results):
    found = fusion_figures(results)

    assert found["raise"]["value"] == pytest.approx(0.05)
    assert found["ours_on_the_same"]["value"] == pytest.approx(0.2)
    assert found["peers"]["five_points"]["value"] == pytest.approx(0.1)
    assert found["kept_share"]["value"] == pytest.approx(1 / 3)
    assert found["level"]["photos"]["value"] == pytest.approx(0.8)
    assert found["level"]["candidates"]["value"] == pytest.approx(0.55)
    assert found["undone"] == {
        "it did not raise the likeness": 1,
        "the picture does not show exactly one face": 1,
    }


def test_refused_steps_have_reasons_and_no_changes(results):
    found = restore_figures(results)

    assert found["restore_texture"]["similarity"] is None
    assert found["restore_texture"]["undone"] == {"refused: no structure": 3}
    assert found["restore_marks"]["marks"]["value"] == 3


def test_enhancing_is_measured_on_portraits_and_on_spoiled_photos(results):
    found = enhance_figures(results)

    assert found["similarity"]["value"] == pytest.approx((0.9 - 0.7 + 0.9 - 0.6) / 2)
    assert found["degraded_db"]["blur"]["enhanced"]["value"] == 22.0
    assert found["upscaled_similarity"] is None


def test_what_the_orchestrator_delivers_is_held_against_all_candidates(results):
    results[1]["delivered"] = {
        "looks": [look(0.7), look(0.75)],
        "asked": 4,
        "candidates": 40,
        "notices": ["2 portraits instead of 4"],
        "error": "",
        "wall_s": 30.0,
    }

    found = delivered_figures(results)

    assert found["people"] == 1
    assert found["returned_share"]["value"] == 0.5
    assert found["similarity"]["value"] == pytest.approx(0.725)
    assert found["similarity_of_candidates"]["value"] == pytest.approx(0.55)
    assert found["notices"] == ["1: 2 portraits instead of 4"]


def test_nothing_is_delivered_to_nobody(results):
    assert delivered_figures(results) is None
