"""The sample people that ship with the repository; no model was trained on them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from starter.heads.arrays import Image
from starter.heads.dataset import identity_of
from starter.heads.expressions import Expression
from starter.heads.head import build_head
from starter.heads.painting import paint
from starter.heads.renderer import Renderer
from starter.heads.scene import Framing, sample_lighting, sample_scene
from starter.heads.view import Pose, View

SAMPLES_FOLDER = Path(__file__).parents[1] / "samples"
SAMPLES_SEED = 1815  # training data use other seeds
PEOPLE: Mapping[str, int] = {"ada": 7, "bruno": 16, "chioma": 31}
"""Name -> number under SAMPLES_SEED; chosen so that dlib tells them apart and finds them in every picture."""


@dataclass(frozen=True)
class _Shot:
    light: str
    expression: Expression
    pose: Pose


_SHOTS = (
    _Shot("soft light", "neutral", Pose()),
    _Shot("warm light", "smile", Pose(yaw=-11, pitch=2, roll=1, gaze=(8, 0))),
    _Shot("soft light", "neutral", Pose(yaw=10, pitch=-3, roll=-1, gaze=(-7, 1))),
    _Shot("cool light", "grin", Pose(yaw=5, pitch=1, roll=-2, gaze=(-4, 0))),
    _Shot("soft light", "smile", Pose(yaw=-5, pitch=-2, roll=2, gaze=(4, 1))),
)


def draw_samples(out: Path = SAMPLES_FOLDER, size_px: int = 256) -> Iterator[str]:
    """Write OUT/<name>/{0..4}.png and yield each name when done. Raises: NoGraphicsError."""
    renderer = Renderer(size_px)
    try:
        for name, number in PEOPLE.items():
            folder = out / name
            folder.mkdir(parents=True, exist_ok=True)
            for shot, picture in enumerate(draw_person(renderer, SAMPLES_SEED, number)):
                cv2.imwrite(str(folder / f"{shot}.png"), picture[:, :, ::-1])
            yield name
    finally:
        renderer.close()


def draw_person(renderer: Renderer, seed: int, number: int) -> Iterator[Image]:
    """Five pictures of one person with the usual hair and no glasses; the first one frontal and neutral."""
    identity = identity_of(seed, number)
    paint_map = paint(identity)
    for number_of_shot, shot in enumerate(_SHOTS):
        rng = np.random.default_rng([seed, number, 1 + number_of_shot])
        scene = replace(sample_scene(rng), lighting=sample_lighting(rng, shot.light))
        if number_of_shot == 0:
            scene = replace(scene, framing=Framing())
        view = View(identity.hair, "none", shot.expression, 1.0, shot.pose, scene)
        yield renderer.draw(identity, view, build_head(identity, view), paint_map).rgb
