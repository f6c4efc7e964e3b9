"""What a method changes of pictures: disruption by the person, diversity, distance to renders."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from loadtests.common.intervals import estimate
from loadtests.starter.looks import MASK_PX
from loadtests.starter.measured import Measured, by_person
from loadtests.starter.measures.distances import FeatureSpace, diversity, frechet_of_people, outside
from loadtests.starter.methods import TEXT, Method
from loadtests.starter.people import Character
from loadtests.starter.portraits import Shot
from shared.images import decode_image

Values = dict[int, list[float]]
Details = dict[str, Any]


def disruption(measured: Measured, method: Method, space: FeatureSpace) -> Details:
    """Returns what the identity changes of the picture with the same prompt and seed without it."""
    plain = {(s.person, s.slot.prompt.name, s.slot.index): s for s in measured.of(TEXT)}
    outer: Values = {}
    similar: Values = {}
    for shot in measured.of(method):
        other = plain.get((shot.person, shot.slot.prompt.name, shot.slot.index))
        if other is None:
            continue
        heads = (shot.look.mask(), other.look.mask())
        difference = outside(small(shot), small(other), heads)
        if difference is not None:
            outer.setdefault(shot.person, []).append(difference)
        similarity = space.similarity(shot.look.features, other.look.features)
        similar.setdefault(shot.person, []).append(similarity)
    return {"outside_percent": estimate(outer), "feature_similarity": estimate(similar)}


def diversities(shots: Sequence[Shot], space: FeatureSpace) -> Values:
    """Returns by person the diversity of the pictures of each prompt."""
    groups: dict[tuple[int, str], list[Sequence[float]]] = {}
    for shot in shots:
        groups.setdefault((shot.person, shot.slot.prompt.name), []).append(shot.look.features)
    found: Values = {}
    for (person, _), features in groups.items():
        value = diversity(space, features)
        if value is not None:
            found.setdefault(person, []).append(value)
    return found


def frechet_figure(measured: Measured, shots: Sequence[Shot], space: FeatureSpace) -> Details | None:
    """Returns the Fréchet distance of a method's portraits to renders; None for fewer than two people."""
    clouds = {
        number: space.project(np.array([shot.look.features for shot in own]))
        for number, own in by_person(shots).items()
    }
    if len(clouds) < 2:
        return None
    return frechet_of_people(clouds, space.project(measured.renders())).as_json()


def frechet_floor(measured: Measured, space: FeatureSpace) -> Details | None:
    """Returns the distance of every second character's renders to the others': what chance alone leaves."""
    halves = measured.everybody[::2], measured.everybody[1::2]
    if len(halves[0]) < 2 or not halves[1]:
        return None
    clouds = {one.number: _cloud(one, space) for one in halves[0]}
    return frechet_of_people(clouds, np.concatenate([_cloud(one, space) for one in halves[1]])).as_json()


def small(shot: Shot) -> NDArray[np.uint8]:
    """Returns a portrait made smaller by area averaging, RGB uint8 (MASK_PX, MASK_PX, 3)."""
    rgb = decode_image(shot.file.read_bytes(), name="portrait")
    return np.asarray(cv2.resize(rgb, (MASK_PX, MASK_PX), interpolation=cv2.INTER_AREA), np.uint8)


def _cloud(character: Character, space: FeatureSpace) -> NDArray[np.float64]:
    return space.project(np.array([look.features for look in character.looks], np.float64))
