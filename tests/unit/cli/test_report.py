"""The contact sheet shows winners, refusals and rejections, and is safe against hostile names."""

import json
from pathlib import Path

from likeness.common.v1 import face_pb2, image_pb2, job_pb2
from likeness.orchestrator.v1 import resources_pb2

from cli.edits import summary
from cli.report import write_results

PIXELS = b"\x89PNG not looked into"


def ref(name: str) -> image_pb2.ArtifactRef:
    return image_pb2.ArtifactRef(uri=f"artifacts/default/{name}", media_type="image/png")


def sample() -> tuple[resources_pb2.Identity, resources_pb2.Portrait]:
    refusal = face_pb2.Refusal(reason="NO_FACE_FOUND", message="No face in b.png.")
    identity = resources_pb2.Identity(
        name="identities/i1",
        display_name="<script>alert(1)</script>",
        photos=[
            resources_pb2.IdentityPhoto(display_name="a.png", artifact=ref("a"), is_accepted=True),
            resources_pb2.IdentityPhoto(display_name="b.png", refusals=[refusal]),
        ],
    )
    rejection = face_pb2.Refusal(reason="BELOW_IDENTITY_GATE", message="Not alike enough.")
    edits = [
        resources_pb2.Edit(
            step="fuse", is_kept=True, detail="<a>.png at 0.7", similarity_before=0.9, similarity_after=0.941
        ),
        resources_pb2.Edit(step="restore_marks", is_kept=True, detail="1 mole"),
        resources_pb2.Edit(
            step="enhance",
            reason="it lowered the quality",
            similarity_before=0.941,
            similarity_after=0.94,
            quality_before=0.8,
            quality_after=0.6,
        ),
        resources_pb2.Edit(step="upscale", reason="nothing to do"),
    ]
    mark = resources_pb2.PlacedMark(
        kind="mole", center=image_pb2.Point(x=100, y=120), radius_px=2, confidence=0.93
    )
    candidates = [
        resources_pb2.Candidate(
            candidate_id="candidate-1",
            artifact=ref("c1"),
            rank=1,
            is_winner=True,
            best_similarity=0.97,
            edits=edits,
            restored_marks=[mark],
        ),
        resources_pb2.Candidate(candidate_id="candidate-2", artifact=ref("c2"), rejection=rejection),
    ]
    portrait = resources_pb2.Portrait(
        name="portraits/p1",
        state=job_pb2.JOB_STATE_SUCCEEDED,
        candidates=candidates,
        spec=resources_pb2.PortraitSpec(size_px=256),
        notices=["Only 1 of 4 passed."],
    )
    return identity, portrait


def test_results_hold_winners_reports_and_page(tmp_path: Path) -> None:
    identity, portrait = sample()
    winners = write_results(tmp_path, identity, portrait, lambda artifact: PIXELS)
    assert [path.name for path in winners] == ["portrait-1.png"]
    assert winners[0].read_bytes() == PIXELS
    page = (tmp_path / "index.html").read_text()
    for words in ("0.970", "Not alike enough.", "No face in b.png.", "Only 1 of 4 passed."):
        assert words in page
    assert json.loads((tmp_path / "acceptance.json").read_text())["photos"][1]["refusals"]
    assert (tmp_path / "references" / "01.png").is_file()


def test_edits_are_told_with_what_they_did(tmp_path: Path) -> None:
    identity, portrait = sample()
    write_results(tmp_path, identity, portrait, lambda artifact: PIXELS)
    page = (tmp_path / "index.html").read_text()
    assert "✓ fuse: &lt;a&gt;.png at 0.7 (likeness +0.041)" in page
    assert "– enhance: it lowered the quality" in page
    assert "2 of 4 steps kept" in page
    assert "<h2>Rejected candidates</h2>" in page


def test_marks_are_ringed_where_they_were_put(tmp_path: Path) -> None:
    identity, portrait = sample()
    write_results(tmp_path, identity, portrait, lambda artifact: PIXELS)
    page = (tmp_path / "index.html").read_text()
    assert "<svg viewBox='0 0 256 256'><circle cx='100.5' cy='120.5' r='6.0'>" in page
    assert "mole, 93 % sure" in page
    assert page.count("<svg") == 1 and "id=rings" in page


def test_a_portrait_without_marks_has_no_switch_for_them(tmp_path: Path) -> None:
    identity, portrait = sample()
    del portrait.candidates[0].restored_marks[:]
    write_results(tmp_path, identity, portrait, lambda artifact: PIXELS)
    assert "id=rings" not in (tmp_path / "index.html").read_text().split("</head>")[1]


def test_a_summary_says_what_was_kept_and_what_was_undone() -> None:
    _, portrait = sample()
    assert summary(portrait.candidates[0]) == "fuse +0.041, 1 mole; undone: enhance"
    assert summary(portrait.candidates[1]) == ""


def test_names_are_escaped(tmp_path: Path) -> None:
    identity, portrait = sample()
    write_results(tmp_path, identity, portrait, lambda artifact: PIXELS)
    assert "<script>" not in (tmp_path / "index.html").read_text()


def test_a_second_run_with_fewer_winners_leaves_no_stale_portrait(tmp_path: Path) -> None:
    identity, portrait = sample()
    (tmp_path / "portrait-7.png").write_bytes(b"old")
    write_results(tmp_path, identity, portrait, lambda artifact: PIXELS)
    assert not (tmp_path / "portrait-7.png").exists()
