"""What was done to a candidate after it was generated, in words."""

from collections import Counter

from likeness.orchestrator.v1 import resources_pb2


def change(edit: resources_pb2.Edit) -> str:
    """Returns what a step did to likeness and quality, such as " (likeness +0.041, quality -0.02)"."""
    parts = []
    for name, before, after, digits in (
        ("likeness", "similarity_before", "similarity_after", 3),
        ("quality", "quality_before", "quality_after", 2),
    ):
        if edit.HasField(before) and edit.HasField(after):
            parts.append(f"{name} {getattr(edit, after) - getattr(edit, before):+.{digits}f}")
    return f" ({', '.join(parts)})" if parts else ""


def mark_words(mark: resources_pb2.PlacedMark) -> str:
    """Returns a mark in words, such as "mole, 93 % sure"."""
    return f"{mark.kind}, {mark.confidence:.0%} sure".replace("%", " %")


def summary(candidate: resources_pb2.Candidate) -> str:
    """Returns a candidate's edits in a few words, such as "fuse +0.041, 2 moles; undone: enhance"."""
    kept = [_kept(edit, candidate) for edit in candidate.edits if edit.is_kept]
    undone = [_short(edit.step) for edit in candidate.edits if not edit.is_kept and _was_done(edit)]
    parts = [", ".join(kept), f"undone: {', '.join(undone)}" if undone else ""]
    return "; ".join(part for part in parts if part)


def _kept(edit: resources_pb2.Edit, candidate: resources_pb2.Candidate) -> str:
    if edit.step == "restore_marks":
        counts = Counter(mark.kind for mark in candidate.restored_marks)
        return ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items())
    if edit.step == "fuse" and edit.HasField("similarity_before"):
        return f"fuse {edit.similarity_after - edit.similarity_before:+.3f}"
    return _short(edit.step)


def _was_done(edit: resources_pb2.Edit) -> bool:
    """Tells a step that was undone from one that had nothing to do."""
    return edit.HasField("similarity_before")


def _short(step: str) -> str:
    return step.removeprefix("restore_")
