"""What the shaders need to know about a character, its view and the camera."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from starter.heads import palette
from starter.heads.arrays import Floats, normalised
from starter.heads.camera import Camera, shadow_projection
from starter.heads.identity import Identity
from starter.heads.regions import PAINT_MAP
from starter.heads.scene import Clothes, Scene
from starter.heads.view import View

Uniforms = dict[str, Any]


def set_uniforms(program: Any, values: Mapping[str, Any]) -> None:
    """Set those values that the program uses; a compiler drops the others from it."""
    for name, value in values.items():
        if name in program:
            program[name].value = value


def matrix(values: Floats) -> tuple[float, ...]:
    """Column-major, as OpenGL reads it."""
    return tuple(float(x) for x in values.T.ravel())


def surface_uniforms(identity: Identity, view: View, camera: Camera) -> Uniforms:
    """Everything for the shadow pass and the surface pass but textures and grain."""
    skin = identity.skin
    return {
        "view_projection": matrix(camera.view_projection),
        "shadow_projection": matrix(shadow_projection(view.scene.lighting, camera.target)),
        "camera": palette.rgb(camera.position),
        "skin_color": palette.skin_rgb(skin),
        "hair_color": view.hair.rgb,
        "brow_color": identity.brows.color,
        "iris_color": palette.EYES[identity.eye_color],
        "frame_color": view.scene.frame_rgb,
        "redness": skin.redness,
        "melanin": skin.melanin,
        "lip_color": skin.lip_color,
        "lip_hue": skin.lip_hue,
        "makeup": skin.makeup,
        "map_half_angle": PAINT_MAP.half_angle,
        "map_bottom": PAINT_MAP.bottom,
        "map_top": PAINT_MAP.top,
        "map_axis_z": PAINT_MAP.axis_z,
        **_clothes_uniforms(view.scene.clothes),
        **_light_uniforms(view.scene),
    }


def finish_uniforms(scene: Scene, camera: Camera) -> Uniforms:
    """Everything for the last pass but textures and pixel sizes."""
    return {
        "focal": camera.focal,
        "background_top": scene.background_top,
        "background_bottom": scene.background_bottom,
    }


def _clothes_uniforms(clothes: Clothes) -> Uniforms:
    return {
        "cloth_color": clothes.rgb,
        "is_striped": clothes.is_striped,
        "neckline": clothes.neckline,
        "v_neck": clothes.v_neck,
    }


def _light_uniforms(scene: Scene) -> Uniforms:
    light = scene.lighting
    directions = {"key": light.key_direction, "fill": light.fill_direction, "rim": light.rim_direction}
    colors = {
        "key": light.key,
        "fill": light.fill,
        "rim": light.rim,
        "sky": light.sky,
        "ground": light.ground,
    }
    return {
        **{f"{name}_direction": palette.rgb(_unit(value)) for name, value in directions.items()},
        **{f"{name}_color": value for name, value in colors.items()},
    }


def _unit(direction: tuple[float, float, float]) -> Floats:
    return normalised(np.array(direction))
