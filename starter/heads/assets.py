"""The shipped head asset: base mesh, shape targets, region masks. Data CC0 1.0, see LICENSE-assets.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from starter.heads.arrays import Floats, Ints
from starter.heads.subdivision import Subdivision, catmull_clark

ASSETS_FILE = Path(__file__).with_name("assets.npz")

OFFSET_STEP = 0.001
"""MakeHuman targets are written with three decimals, so offsets stored in steps of 0.001 dm lose nothing."""

REGIONS = ("lips", "eyelids", "ears", "inside-mouth", "face")
PARTS = (
    *("helper-l-eye", "helper-r-eye", "helper-upper-teeth", "helper-lower-teeth", "helper-tongue"),
    *("helper-l-eyelashes-1", "helper-l-eyelashes-2", "helper-r-eyelashes-1", "helper-r-eyelashes-2"),
)


@dataclass(frozen=True)
class Target:
    """A sparse blend shape: vertex `index` (k,) moves by `offset` (k, 3) decimetres at weight one."""

    index: Ints
    offset: Floats


@dataclass(frozen=True)
class HeadAssets:
    """Everything that is the same for all heads.

    vertices: (n, 3) float32, decimetres, y up, the face looks along +z, the person's left is +x.
    skin: (b,) indices of the vertices that `subdivision` smooths into the skin mesh.
    regions: name -> (m,) float32 weight in [0, 1] for each smoothed skin vertex.
    parts: name -> (k, 4) quads over `vertices` of an eyeball, teeth, tongue or lash.
    neck_joint: indices whose mean is the pivot of the head.
    targets: "macro/...", "proportions/...", "local/..." and "unit/..." (facial actions) -> blend shape.
    """

    vertices: Floats
    skin: Ints
    subdivision: Subdivision
    regions: Mapping[str, Floats]
    parts: Mapping[str, Ints]
    neck_joint: Ints
    targets: Mapping[str, Target]


@cache
def load_assets(path: Path = ASSETS_FILE) -> HeadAssets:
    """Read the asset file (once per process). Raises FileNotFoundError if the checkout lacks it."""
    with np.load(path, allow_pickle=False) as file:
        stored = {name: file[name] for name in file.files}
    skin = stored["skin"].astype(np.int64)
    return HeadAssets(
        vertices=stored["vertices"],
        skin=skin,
        subdivision=catmull_clark(stored["skin_quads"].astype(np.int64), len(skin)),
        regions={name: stored[f"region/{name}"].astype(np.float32) / 255 for name in REGIONS},
        parts={name: stored[f"part/{name}"].astype(np.int64) for name in PARTS},
        neck_joint=stored["neck_joint"].astype(np.int64),
        targets=_unpack_targets(stored),
    )


def pack_targets(targets: Mapping[str, Target]) -> dict[str, Floats | Ints]:
    """Targets as a few integer arrays that compress well: index differences and bytes of 0.001 dm steps."""
    names = sorted(targets)
    counts = np.array([len(targets[name].index) for name in names], dtype=np.uint32)
    index_steps = [np.diff(targets[name].index, prepend=0).astype(np.int16) for name in names]
    offsets = np.concatenate([targets[name].offset for name in names])
    steps = np.round(offsets / OFFSET_STEP).astype(np.int16)
    low, high = (steps & 0xFF).astype(np.uint8), (steps >> 8).astype(np.int8)
    return {
        "target_names": np.frombuffer("\n".join(names).encode(), dtype=np.uint8),
        "target_counts": counts,
        "target_index_steps": np.concatenate(index_steps),
        "target_offset_low": np.ascontiguousarray(low.T),
        "target_offset_high": np.ascontiguousarray(high.T),
    }


def _unpack_targets(stored: Mapping[str, Floats | Ints]) -> dict[str, Target]:
    names = bytes(stored["target_names"].astype(np.uint8)).decode().split("\n")
    ends = np.cumsum(stored["target_counts"]).astype(int)
    steps = (stored["target_offset_high"].astype(np.int32).T << 8) | stored["target_offset_low"].T.astype(
        np.int32
    )
    offsets = (steps * OFFSET_STEP).astype(np.float32)
    targets = {}
    for name, start, end in zip(names, [0, *ends[:-1]], ends, strict=True):
        index = np.cumsum(stored["target_index_steps"][start:end], dtype=np.int64)
        targets[name] = Target(index, offsets[start:end])
    return targets
