"""The shipped sample people: dlib finds each of them, and tells them apart."""

from itertools import combinations

import cv2
import numpy as np
import pytest

from starter.heads.faces import FaceReader
from starter.heads.renderer import Renderer
from starter.heads.samples import PEOPLE, SAMPLES_FOLDER, SAMPLES_SEED, draw_person

SAME_PERSON, OTHER_PERSON = 0.46, 0.55
"""Distances of dlib's embedding on renders; its customary 0.6 is for photos."""


@pytest.fixture(scope="module")
def embeddings() -> dict[str, np.ndarray]:
    reader, found = FaceReader(), {}
    for name in PEOPLE:
        faces = []
        for shot in range(5):
            rgb = np.ascontiguousarray(cv2.imread(str(SAMPLES_FOLDER / name / f"{shot}.png"))[:, :, ::-1])
            assert rgb.shape == (256, 256, 3)
            seen = reader.read(rgb)
            assert len(seen) == 1, f"{name}/{shot}.png: {len(seen)} faces"
            faces.append(seen[0].embedding)
        found[name] = np.array(faces)
    return found


def test_pictures_of_one_person_are_near(embeddings: dict[str, np.ndarray]) -> None:
    for name, faces in embeddings.items():
        for a, b in combinations(range(5), 2):
            assert np.linalg.norm(faces[a] - faces[b]) < SAME_PERSON, (name, a, b)


def test_pictures_of_different_people_are_far(embeddings: dict[str, np.ndarray]) -> None:
    for one, other in combinations(embeddings, 2):
        distances = np.linalg.norm(embeddings[one][:, None] - embeddings[other][None], axis=2)
        assert distances.min() > OTHER_PERSON, (one, other)


def test_the_code_still_draws_the_shipped_people(renderer: Renderer) -> None:
    name, number = next(iter(PEOPLE.items()))
    drawn = next(draw_person(renderer, SAMPLES_SEED, number))
    shipped = cv2.imread(str(SAMPLES_FOLDER / name / "0.png"))[:, :, ::-1]
    small = cv2.resize(shipped, drawn.shape[:2], interpolation=cv2.INTER_AREA)
    # Another driver or another resolution moves edges, not people.
    assert np.abs(drawn.astype(float) - small).mean() < 6
