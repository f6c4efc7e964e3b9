"""What a portrait leaves on disk: the images, the acceptance report, and a contact sheet to look at."""

import json
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from google.protobuf import json_format
from likeness.common.v1 import image_pb2
from likeness.orchestrator.v1 import resources_pb2

from cli.live import seconds, stage_name, verdict

Download = Callable[[image_pb2.ArtifactRef], bytes]

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
table { border-collapse: collapse; font-size: 13.5px }
td, th { text-align: left; padding: .2rem 1rem .2rem 0 }
code { background: #eee; padding: 0 .3em; border-radius: 4px }
"""


def write_results(
    folder: Path, identity: resources_pb2.Identity, portrait: resources_pb2.Portrait, download: Download
) -> list[Path]:
    """Writes winners, candidates, reports and index.html; returns the winners' paths, the best first.

    The folder gets: portrait-1.png ..., candidates/, references/, acceptance.json, portrait.json, index.html.
    """
    for name in ("candidates", "references"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    references = save_references(folder, identity, download)
    pictures = save_candidates(folder, portrait, download)
    write_json(folder / "acceptance.json", identity)
    write_json(folder / "portrait.json", portrait)
    page = contact_sheet(identity, portrait, references, pictures)
    (folder / "index.html").write_text(page, encoding="utf-8")
    winners = sorted(
        (known for known in portrait.candidates if known.is_winner), key=lambda known: known.rank
    )
    return [folder / f"portrait-{winner.rank}.png" for winner in winners]


def save_references(folder: Path, identity: resources_pb2.Identity, download: Download) -> list[str]:
    """Saves the photos; returns each one's path relative to the folder, "" for photos that were not kept."""
    paths: list[str] = []
    for index, photo in enumerate(identity.photos):
        if not photo.artifact.uri:
            paths.append("")
            continue
        suffix = "." + photo.artifact.media_type.rpartition("/")[2].replace("jpeg", "jpg")
        name = f"references/{index + 1:02d}{suffix}"
        (folder / name).write_bytes(download(photo.artifact))
        paths.append(name)
    return paths


def save_candidates(folder: Path, portrait: resources_pb2.Portrait, download: Download) -> dict[str, str]:
    """Saves every candidate, and the winners as portrait-N.png; returns relative paths by candidate."""
    paths: dict[str, str] = {}
    for stale in folder.glob("portrait-*.png"):
        stale.unlink()
    for candidate in portrait.candidates:
        if not candidate.artifact.uri:
            continue
        data = download(candidate.artifact)
        paths[candidate.candidate_id] = f"candidates/{candidate.candidate_id}.png"
        (folder / paths[candidate.candidate_id]).write_bytes(data)
        if candidate.is_winner:
            (folder / f"portrait-{candidate.rank}.png").write_bytes(data)
    return paths


def write_json(path: Path, message: resources_pb2.Identity | resources_pb2.Portrait) -> None:
    """Writes a message as JSON with the protos' field names."""
    content = json_format.MessageToDict(message, preserving_proto_field_name=True)
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def contact_sheet(
    identity: resources_pb2.Identity,
    portrait: resources_pb2.Portrait,
    references: Sequence[str],
    pictures: dict[str, str],
) -> str:
    """Returns the page: winners large, references with their verdict, the other candidates, the times."""
    winners = [known for known in portrait.candidates if known.is_winner]
    others = [known for known in portrait.candidates if not known.is_winner]
    title = escape(identity.display_name or identity.name)
    sections = [
        f"<h1>{title}</h1><p class=sub>{escape(portrait.spec.style)} · seed {portrait.spec.seed} · "
        f"{'with' if portrait.used_adapter else 'without'} a trained adapter · "
        f"identity gate {portrait.identity_gate:.3f}<br><code>{escape(portrait.prompt)}</code></p>",
        *(f"<p class=no>{escape(notice)}</p>" for notice in portrait.notices),
        row("Portraits", [figure(known, pictures, "large") for known in winners]),
        row("Reference photos", [reference(*pair) for pair in zip(identity.photos, references, strict=True)]),
        row("Other candidates", [figure(known, pictures) for known in others]),
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


def figure(candidate: resources_pb2.Candidate, pictures: dict[str, str], kind: str = "") -> str:
    """Returns one candidate with its similarity, score and verdict."""
    is_rejected = candidate.HasField("rejection")
    picture = pictures.get(candidate.candidate_id, "")
    image = f"<img src='{escape(picture)}' alt='{escape(candidate.candidate_id)}'>" if picture else ""
    share = max(0.0, min(1.0, candidate.best_similarity)) * 100
    color = "no" if is_rejected else "yes"
    why = f"<br>{escape(candidate.rejection.message)}" if is_rejected else ""
    return (
        f"<figure class='{kind}{' rejected' if is_rejected else ''}'>{image}<figcaption>"
        f"<b>{escape(candidate.candidate_id)}</b> "
        f"<span class={color}>{escape(verdict(candidate))}</span>{why}<br>"
        f"similarity {candidate.best_similarity:.3f} (mean {candidate.mean_similarity:.3f}) · "
        f"score {candidate.score:.3f}"
        f"<div class=bar><i style='width:{share:.0f}%'></i></div></figcaption></figure>"
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
