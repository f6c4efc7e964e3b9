"""The contact sheet of a portrait: a page with every picture, what was done to it and what became of it."""

from collections.abc import Sequence
from html import escape

from likeness.orchestrator.v1 import resources_pb2

from cli.edits import change, mark_words
from cli.live import seconds, stage_name, verdict

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1180px; padding: 0 1rem;
       color: #1d1d1f; background: #fafafa }
h1 { font-size: 1.5rem; margin-bottom: 0 }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem }
p.sub { color: #6e6e73; margin-top: .2rem }
.row { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 14px }
figure { margin: 0; background: #fff; border-radius: 10px; overflow: hidden; box-shadow: 0 1px 4px #0002;
         width: 168px }
figure.large { width: 272px }
img { width: 100%; display: block }
figcaption { padding: .45rem .6rem; font-size: 12.5px }
.rejected img { filter: grayscale(.7); opacity: .75 }
.no { color: #b3261e }
.yes { color: #1b7f3b }
.bar { height: 5px; background: #e5e5ea; border-radius: 3px; margin-top: 4px }
.bar i { display: block; height: 5px; border-radius: 3px; background: #1b7f3b }
.rejected .bar i { background: #b3261e }
.picture { position: relative }
.picture svg { position: absolute; inset: 0; width: 100%; height: 100% }
.picture circle { fill: none; stroke: #0a84ff; stroke-width: .4%; filter: drop-shadow(0 0 .6px #fff) }
body:not(:has(#rings:checked)) .picture svg { display: none }
label { font-size: 13px; color: #6e6e73 }
summary { margin-top: .3rem; color: #48484a; font-size: 11.5px; cursor: pointer }
ul.edits { list-style: none; margin: .35rem 0 0; padding: 0; color: #48484a; font-size: 11.5px }
ul.edits li { padding-left: 1.1em; text-indent: -1.1em }
ul.edits li.undone { color: #8e8e93 }
table { border-collapse: collapse; font-size: 13.5px }
td, th { text-align: left; padding: .2rem 1rem .2rem 0 }
code { background: #eee; padding: 0 .3em; border-radius: 4px }
"""


def contact_sheet(
    identity: resources_pb2.Identity,
    portrait: resources_pb2.Portrait,
    references: Sequence[str],
    pictures: dict[str, str],
) -> str:
    """Returns the page: winners large, references with their verdict, the other candidates, the times.

    ``references`` and ``pictures`` are paths relative to the page, of each photo and by candidate.
    """
    size_px = portrait.spec.size_px
    winners = [known for known in portrait.candidates if known.is_winner]
    rejected = [known for known in portrait.candidates if known.HasField("rejection")]
    others = [known for known in portrait.candidates if known not in winners and known not in rejected]
    title = escape(identity.display_name or identity.name)
    sections = [
        f"<h1>{title}</h1><p class=sub>{escape(portrait.spec.style)} · seed {portrait.spec.seed} · "
        f"{'with' if portrait.used_adapter else 'without'} a trained adapter · "
        f"identity gate {portrait.identity_gate:.3f}<br><code>{escape(portrait.prompt)}</code></p>",
        *(f"<p class=no>{escape(notice)}</p>" for notice in portrait.notices),
        rings_switch(portrait),
        row("Portraits", [figure(known, pictures, size_px, "large") for known in winners]),
        row("Reference photos", [reference(*pair) for pair in zip(identity.photos, references, strict=True)]),
        row("Other candidates that passed", [figure(known, pictures, size_px) for known in others]),
        row("Rejected candidates", [figure(known, pictures, size_px) for known in rejected]),
        times(portrait),
    ]
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>{title}</title>"
    return html_page(head, "".join(sections))


def html_page(head: str, body: str) -> str:
    """Returns a whole page with the reports' style sheet."""
    return (
        f"<!doctype html><html lang=en><head>{head}<style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def row(heading: str, figures: Sequence[str]) -> str:
    """Returns a headed row of figures, or nothing where there are none."""
    return f"<h2>{heading}</h2><div class=row>{''.join(figures)}</div>" if figures else ""


def rings_switch(portrait: resources_pb2.Portrait) -> str:
    """Returns the switch of the rings around restored marks, or nothing where there is none."""
    if not any(known.restored_marks for known in portrait.candidates):
        return ""
    return "<p><label><input type=checkbox id=rings checked> ring the marks that were put back</label></p>"


def framed(candidate: resources_pb2.Candidate, path: str, size_px: int) -> str:
    """Returns a candidate's picture with a thin ring around each mark that was put back."""
    if not path:
        return ""
    image = f"<img src='{escape(path)}' alt='{escape(candidate.candidate_id)}'>"
    rings = "".join(
        f"<circle cx='{mark.center.x + 0.5:.1f}' cy='{mark.center.y + 0.5:.1f}' r='{mark.radius_px + 4:.1f}'>"
        f"<title>{escape(mark_words(mark))}</title></circle>"
        for mark in candidate.restored_marks
    )
    drawing = f"<svg viewBox='0 0 {size_px} {size_px}'>{rings}</svg>" if rings else ""
    return f"<div class=picture>{image}{drawing}</div>"


def edit_list(candidate: resources_pb2.Candidate, is_open: bool) -> str:
    """Returns what was done to a candidate, in order, and what was undone again and why."""
    if not candidate.edits:
        return ""
    lines = [edit_line(edit) for edit in candidate.edits]
    undone = sum(not edit.is_kept for edit in candidate.edits)
    heading = f"{len(lines) - undone} of {len(lines)} steps kept"
    return (
        f"<details{' open' if is_open else ''}><summary>{heading}</summary>"
        f"<ul class=edits>{''.join(lines)}</ul></details>"
    )


def edit_line(edit: resources_pb2.Edit) -> str:
    """Returns one step: what it did, or why it was undone."""
    step = edit.step.replace("_", " ")
    if not edit.is_kept:
        return f"<li class=undone>– {step}: {escape(edit.reason)}</li>"
    detail = f": {escape(edit.detail)}" if edit.detail else ""
    return f"<li>✓ {step}{detail}{escape(change(edit))}</li>"


def figure(candidate: resources_pb2.Candidate, pictures: dict[str, str], size_px: int, kind: str = "") -> str:
    """Returns one candidate with its similarity, score, verdict and edits."""
    is_rejected = candidate.HasField("rejection")
    image = framed(candidate, pictures.get(candidate.candidate_id, ""), size_px)
    color = "no" if is_rejected else "yes"
    why = f"<br>{escape(candidate.rejection.message)}" if is_rejected else ""
    return (
        f"<figure class='{kind}{' rejected' if is_rejected else ''}'>{image}<figcaption>"
        f"<b>{escape(candidate.candidate_id)}</b> "
        f"<span class={color}>{escape(verdict(candidate))}</span>{why}<br>"
        f"{likeness(candidate)}"
        f"{edit_list(candidate, is_open=kind == 'large')}</figcaption></figure>"
    )


def likeness(candidate: resources_pb2.Candidate) -> str:
    """Returns similarity and score with a bar, or that there is no single face to compare."""
    if candidate.best_similarity == 0:
        return "no single face to compare"
    share = max(0.0, min(1.0, candidate.best_similarity)) * 100
    return (
        f"similarity {candidate.best_similarity:.3f} (mean {candidate.mean_similarity:.3f}) · "
        f"score {candidate.score:.3f}<div class=bar><i style='width:{share:.0f}%'></i></div>"
    )


def reference(photo: resources_pb2.IdentityPhoto, path: str) -> str:
    """Returns one reference photo with its verdict."""
    image = f"<img src='{escape(path)}' alt='{escape(photo.display_name)}'>" if path else ""
    color, word = ("yes", "accepted") if photo.is_accepted else ("no", "refused")
    whys = "".join(f"<br>{escape(why.message)}" for why in [*photo.refusals, *photo.warnings])
    state = "" if photo.is_accepted else " rejected"
    return (
        f"<figure class='{state}'>{image}<figcaption><b>{escape(photo.display_name)}</b> "
        f"<span class={color}>{word}</span>{whys}</figcaption></figure>"
    )


def times(portrait: resources_pb2.Portrait) -> str:
    """Returns the table of stage times."""
    lines = "".join(
        f"<tr><td>{stage_name(known.stage)}</td><td>{seconds(known.duration):.1f} s</td></tr>"
        for known in portrait.stage_times
    )
    return f"<h2>Time by stage</h2><table>{lines}</table>" if lines else ""
