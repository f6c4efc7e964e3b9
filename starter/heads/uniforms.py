"""What the shaders need to know about a character, its view and the camera."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from starter.heads import palette
from starter.heads.arrays import Floats, normalised
from starter.heads.camera import Camera, shadow_projection
from starter.heads.clothes import CUTS
from starter.heads.headwear import PATTERNS
from starter.heads.identity import Identity
from starter.heads.regions import PAINT_MAP
from starter.heads.scene import BACKDROPS, Clothes, Scene
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
    """Everything for the shadow pass and the geometry pass but textures."""
    skin = identity.skin
    return {
        **_camera_uniforms(view, camera),
        "view_projection": matrix(camera.view_projection),
        "skin_color": palette.skin_rgb(skin),
        "hair_color": view.hair.rgb,
        "hair_tips": view.hair.tips,
        "scalp_cover": 0.85 if view.hair.style in ("buzzcut", "mohawk", "undercut") else 1.0,
        "brow_color": identity.brows.color,
        "iris_color": palette.EYES[identity.eye_color],
        "frame_color": view.scene.frame_rgb,
        "lens_color": view.scene.lens_rgb,
        "metal_color": view.earrings.rgb,
        "hat_color": view.hat.rgb,
        "hat_second": view.hat.second,
        "hat_pattern": PATTERNS[view.hat.kind],
        "redness": skin.redness,
        "melanin": skin.melanin,
        "lip_color": skin.lip_color,
        "lipstick": skin.lipstick,
        "makeup": skin.makeup,
        "eyeshadow": skin.eyeshadow,
        "pores": skin.pores,
        "map_half_angle": PAINT_MAP.half_angle,
        "map_bottom": PAINT_MAP.bottom,
        "map_top": PAINT_MAP.top,
        "map_axis_z": PAINT_MAP.axis_z,
        **_clothes_uniforms(view.scene.clothes),
    }


def scene_uniforms(identity: Identity, view: View, camera: Camera) -> Uniforms:
    """Everything for the passes of the looks but textures and pixel sizes."""
    scene = view.scene
    return {
        **_camera_uniforms(view, camera),
        "camera_right": palette.rgb(camera.axes[0]),
        "camera_up": palette.rgb(camera.axes[1]),
        "camera_forward": palette.rgb(-camera.axes[2]),
        "focal": camera.focal,
        "melanin": identity.skin.melanin,
        "skin_color": palette.skin_rgb(identity.skin),
        "iris_color": palette.EYES[identity.eye_color],
        "background_top": scene.background_top,
        "background_bottom": scene.background_bottom,
        "backdrop": BACKDROPS.index(scene.backdrop),
        "backdrop_seed": scene.backdrop_seed,
        **_light_uniforms(scene),
    }


def _camera_uniforms(view: View, camera: Camera) -> Uniforms:
    shadow = shadow_projection(view.scene.lighting, camera.target)
    return {"camera": palette.rgb(camera.position), "shadow_projection": matrix(shadow)}


def _clothes_uniforms(clothes: Clothes) -> Uniforms:
    return {
        "cloth_color": clothes.rgb,
        "cloth_second": clothes.second,
        "is_striped": clothes.is_striped,
        "neckline": clothes.neckline,
        "v_neck": clothes.v_neck,
        "cut": CUTS.index(clothes.cut),
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
