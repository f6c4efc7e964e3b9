"""What a portrait leaves on disk: the images, the acceptance report, and a contact sheet to look at."""

import json
from collections.abc import Callable
from pathlib import Path

from google.protobuf import json_format
from likeness.common.v1 import image_pb2
from likeness.orchestrator.v1 import resources_pb2

from cli.sheet import contact_sheet

Download = Callable[[image_pb2.ArtifactRef], bytes]


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
