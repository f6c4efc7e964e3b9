"""Draws heads with OpenGL on a headless context: shadow map, surfaces, finish."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from starter.heads import gl, noise
from starter.heads.arrays import Floats, Image
from starter.heads.camera import Camera, aim
from starter.heads.head import Head
from starter.heads.identity import Identity
from starter.heads.looks import SHADERS_OF, Look, LookShaders
from starter.heads.mesh import ATTRIBUTES
from starter.heads.painting import paint
from starter.heads.regions import PAINT_MAP
from starter.heads.uniforms import finish_uniforms, set_uniforms, surface_uniforms
from starter.heads.view import View

SHADOW_PX = 1024
VERTEX_BYTES, INDEX_BYTES = 24 << 20, 12 << 20  # an afro, the largest head, takes 7 and 3 MB
_NAMES = ("in_position", "in_normal", "in_reference", "in_data", "in_material")


@dataclass(frozen=True)
class Picture:
    """One drawn view.

    rgb: uint8 (size, size, 3). parts: uint8 (size, size), numbers of parts.Part.
    depth: float32 (size, size), distance from the camera plane in decimetres, 0 where there is no head.
    """

    rgb: Image
    parts: Image
    depth: Floats
    camera: Camera


class Renderer:
    """Owns one OpenGL context; use it from the thread that made it, and close it when done.

    size_px: of the pictures. supersample: drawn this many times larger and averaged down.
    Equal input gives equal bytes on one machine. Raises: NoGraphicsError where there is no OpenGL.
    """

    def __init__(self, size_px: int = 256, supersample: float = 2.0) -> None:
        self.size_px = size_px
        self.drawn_px = int(size_px * supersample)
        self._context = gl.create_context()
        self._programs: dict[Look, tuple[Any, Any]] = {}
        self._make_targets()
        self._make_buffers()

    def close(self) -> None:
        """Free the context and all that it holds."""
        self._context.release()

    def draw(
        self, identity: Identity, view: View, head: Head, paint_map: Image, look: Look = "render"
    ) -> Picture:
        """Draw `head` (built for this identity and view) with its `paint_map` (painting.paint)."""
        camera = aim(head, view.scene.framing)
        uniforms = surface_uniforms(identity, view, camera)
        shaders, triangles = SHADERS_OF[look], len(head.triangles)
        with self._context:  # makes it current: another renderer of this process may have been at work
            self._upload(head, paint_map)
            surface, finish = self._look_programs(look)
            self._draw_shadow(uniforms, triangles)
            self._draw_surface(surface, uniforms, shaders, triangles)
            self._finish(finish, view, camera, shaders)
            return self._read(camera)

    def draw_looks(
        self, identity: Identity, view: View, head: Head, looks: tuple[Look, ...]
    ) -> dict[Look, Picture]:
        """Draw one head in several looks, pixel for pixel aligned."""
        paint_map = paint(identity)
        return {look: self.draw(identity, view, head, paint_map, look) for look in looks}

    def _make_targets(self) -> None:
        context, size = self._context, (self.drawn_px, self.drawn_px)
        self._color = context.texture(size, 4, dtype="f2")
        self._truth = context.texture(size, 4, dtype="f4")
        self._truth.filter = (self._gl.NEAREST, self._gl.NEAREST)
        self._truth.repeat_x = self._truth.repeat_y = False  # or the bottom would draw an outline at the top
        self._frame = context.framebuffer([self._color, self._truth], context.depth_renderbuffer(size))
        self._shadow = context.depth_texture((SHADOW_PX, SHADOW_PX))
        self._shadow.compare_func = "<="
        self._shadow.filter = (self._gl.LINEAR, self._gl.LINEAR)
        self._shadow_frame = context.framebuffer(depth_attachment=self._shadow)
        self._finished = context.texture(size, 4, dtype="f1")
        self._finished_frame = context.framebuffer([self._finished])
        self._paint = context.texture((PAINT_MAP.size, PAINT_MAP.size), 4)
        self._noise = context.texture((noise.SIZE, noise.SIZE), 2, noise.noise_map().tobytes(), dtype="f4")
        self._noise.repeat_x = self._noise.repeat_y = True

    def _make_buffers(self) -> None:
        context = self._context
        self._vertices = context.buffer(reserve=VERTEX_BYTES)
        self._indices = context.buffer(reserve=INDEX_BYTES)
        self._corners = context.buffer(np.array([-1, -1, 3, -1, -1, 3], "f4").tobytes())
        self._shadow_program = context.program(
            gl.shader("shadow.vert"), gl.shader("neckline.glsl", "shadow.frag")
        )
        layout = [(self._vertices, "3f 12x 3f 16x 1f", "in_position", "in_reference", "in_material")]
        self._shadow_mesh = context.vertex_array(self._shadow_program, layout, self._indices)

    @cached_property
    def _gl(self) -> Any:
        import moderngl

        return moderngl

    def _look_programs(self, look: Look) -> tuple[Any, Any]:
        """Surface and finish program, each with its vertex array, compiled at first use."""
        if look not in self._programs:
            shaders, context = SHADERS_OF[look], self._context
            fragment = gl.shader("neckline.glsl", "material.glsl", "light.glsl", shaders.surface)
            surface = context.program(gl.shader("surface.vert"), fragment)
            finish = context.program(gl.shader("screen.vert"), gl.shader(shaders.finish))
            mesh = context.vertex_array(surface, [(self._vertices, ATTRIBUTES, *_NAMES)], self._indices)
            screen = context.vertex_array(finish, [(self._corners, "2f", "corner")])
            self._programs[look] = ((surface, mesh), (finish, screen))
        return self._programs[look]

    def _upload(self, head: Head, paint_map: Image) -> None:
        self._vertices.write(np.ascontiguousarray(head.vertices, dtype=np.float32).tobytes())
        self._indices.write(np.ascontiguousarray(head.triangles, dtype=np.int32).tobytes())
        self._paint.write(paint_map.tobytes())

    def _draw_shadow(self, uniforms: dict[str, Any], triangles: int) -> None:
        self._shadow_frame.use()
        self._shadow_frame.clear(depth=1.0)
        self._context.enable(self._gl.DEPTH_TEST)
        self._context.disable(self._gl.CULL_FACE)
        set_uniforms(self._shadow_program, uniforms)
        self._shadow_mesh.render(self._gl.TRIANGLES, triangles * 3)

    def _draw_surface(
        self, program: Any, uniforms: dict[str, Any], look: LookShaders, triangles: int
    ) -> None:
        self._frame.use()
        self._frame.clear(0, 0, 0, 0)
        for unit, texture in enumerate((self._paint, self._shadow, self._noise)):
            texture.use(unit)
        textures = {"paint_map": 0, "shadow_map": 1, "noise_map": 2}
        surface, mesh = program
        set_uniforms(surface, {**uniforms, **textures, "grain": look.grain})
        mesh.render(self._gl.TRIANGLES, triangles * 3)

    def _finish(self, program: Any, view: View, camera: Camera, look: LookShaders) -> None:
        self._finished_frame.use()
        self._context.disable(self._gl.DEPTH_TEST)
        self._color.use(0)
        self._truth.use(1)
        finish, screen = program
        sizes = {"pixel": 1 / self.drawn_px, "line_px": look.lines * self.drawn_px / 256}
        textures = {"color_map": 0, "truth_map": 1}
        set_uniforms(finish, {**finish_uniforms(view.scene, camera), **textures, **sizes})
        screen.render(self._gl.TRIANGLES, 3)

    def _read(self, camera: Camera) -> Picture:
        drawn, size = self.drawn_px, self.size_px
        rgb = np.frombuffer(self._finished.read(), np.uint8).reshape(drawn, drawn, 4)[::-1, :, :3]
        if drawn != size:
            rgb = np.asarray(cv2.resize(rgb, (size, size), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        truth = np.frombuffer(self._truth.read(), np.float32).reshape(drawn, drawn, 4)[::-1]
        centres = ((np.arange(size) + 0.5) * drawn / size).astype(int)
        truth = truth[np.ix_(centres, centres)]
        return Picture(
            rgb=np.ascontiguousarray(rgb),
            parts=truth[..., 0].round().astype(np.uint8),
            depth=np.ascontiguousarray(truth[..., 1]),
            camera=camera,
        )
