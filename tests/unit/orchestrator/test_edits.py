"""The rule of keep or undo: its laws, and each of its reasons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.domain.edits import (
    Edit,
    KeepRules,
    Look,
    PlacedMark,
    Step,
    cosine,
    look_at,
    objection,
)
from services.orchestrator.domain.faces import AnalyzedPicture, Embedding, Face, Quality

RULES = KeepRules()
cosines = st.floats(-1, 1)
qualities = st.floats(0, 1)
steps = st.sampled_from(Step)
rules = st.builds(
    KeepRules,
    fuse_min_gain=qualities,
    restore_max_loss=qualities,
    enhance_max_loss=qualities,
    max_quality_loss=qualities,
    enhance_max_quality_loss=qualities,
)


def face(*values: float, model: str = "m", judged: float | None = None) -> Face:
    points = ((1.0, 1.0),) * 5
    embedding = Embedding(values=values, model=model)
    return Face(
        box_px=(0, 0, 9, 9),
        landmarks_px=points,
        comparison_embedding=embedding,
        quality=Quality(judged=judged),
    )


@given(steps, cosines, qualities)
def test_a_step_that_changes_nothing_is_kept_unless_it_is_fusion(step, similarity, quality):
    same = Look(similarity, quality)
    assert bool(objection(step, same, same, RULES)) == (step is Step.FUSE)


@given(steps, rules, cosines, cosines, qualities, qualities, st.floats(0, 0.5))
def test_a_better_result_is_never_objected_to_where_a_worse_one_is_kept(
    step, rules, before, after, quality_before, quality_after, more
):
    start = Look(before, quality_before)
    if not objection(step, start, Look(after, quality_after), rules):
        assert not objection(step, start, Look(min(1, after + more), min(1, quality_after + more)), rules)


@given(steps, cosines, st.none() | cosines, st.none() | qualities)
def test_a_result_without_a_single_face_is_always_undone(step, before, _, quality):
    assert objection(step, Look(before, quality), Look(None), RULES) == "it left no single face"


@given(steps, cosines, cosines)
def test_without_a_quality_net_likeness_decides_alone(step, before, after):
    reasons = {
        bool(objection(step, Look(before, one), Look(after, other), RULES))
        for one, other in ((None, None), (None, 0.1), (0.9, None))
    }
    assert len(reasons) == 1


@pytest.mark.parametrize(
    "step, gain, quality, reason",
    [
        (Step.FUSE, 0.05, 0.8, ""),
        (Step.FUSE, 0.0, 0.8, "raise the likeness"),
        (Step.FUSE, 0.05, 0.765, ""),
        (Step.FUSE, 0.05, 0.75, "quality"),
        (Step.RESTORE_MARKS, -0.029, 0.8, ""),
        (Step.RESTORE_MARKS, -0.031, 0.8, "lowered the likeness (-0.031)"),
        (Step.RESTORE_TEXTURE, 0.0, 0.75, "from 0.80 to 0.75"),
        (Step.ENHANCE, -0.029, 0.8, ""),
        (Step.ENHANCE, -0.031, 0.9, "lowered the likeness"),
        (Step.ENHANCE, 0.0, 0.78, "quality"),
        (Step.UPSCALE, -0.05, 0.8, "lowered the likeness"),
    ],
)
def test_the_default_bounds(step, gain, quality, reason):
    found = objection(step, Look(0.9, 0.8), Look(0.9 + gain, quality), RULES)
    assert (reason in found) if reason else found == ""


def test_a_picture_is_measured_by_its_best_reference_of_the_same_model():
    references = [
        Embedding(values=(1.0, 0.0), model="m"),
        Embedding(values=(0.6, 0.8), model="m"),
        Embedding(values=(0.0, 1.0), model="other"),
    ]
    look = look_at(AnalyzedPicture((face(0.0, 1.0, judged=0.7),)), references)
    assert look == Look(pytest.approx(0.8), 0.7)


def test_a_picture_of_several_faces_or_of_another_model_has_no_similarity():
    references = [Embedding(values=(1.0, 0.0), model="m")]
    one = face(1.0, 0.0)
    assert look_at(AnalyzedPicture((one, one)), references).similarity is None
    assert look_at(AnalyzedPicture(()), references).similarity is None
    assert look_at(AnalyzedPicture((face(1.0, 0.0, model="other"),)), references).similarity is None


vectors = st.lists(st.floats(-10, 10).map(lambda value: round(value, 3)), min_size=3, max_size=3)


@given(vectors, vectors, st.floats(0.01, 100))
def test_a_cosine_is_symmetric_bounded_and_blind_to_length(first, second, factor):
    value = cosine(first, second)
    assert -1 <= value <= 1
    assert value == pytest.approx(cosine(second, first))
    assert value == pytest.approx(cosine([factor * item for item in first], second), abs=1e-6)


@given(st.floats(0, 255), st.floats(0, 255), st.floats(0.5, 9), st.sampled_from([1, 2]))
def test_a_mark_keeps_its_place_where_the_picture_is_enlarged(x, y, radius, scale):
    mark = PlacedMark(kind="mole", x_px=x, y_px=y, radius_px=radius, confidence=1).scaled(scale)
    assert (mark.x_px + 0.5) / scale == pytest.approx(x + 0.5)
    assert (mark.y_px + 0.5) / scale == pytest.approx(y + 0.5)
    assert mark.radius_px == pytest.approx(scale * radius)


def test_an_edit_survives_json():
    edit = Edit(step=Step.FUSE, is_kept=True, detail="a.png at 0.7").measured(Look(0.9), Look(0.95, 0.5))
    assert Edit.model_validate(edit.to_json()) == edit
    assert (edit.similarity_after, edit.quality_before) == (0.95, None)
