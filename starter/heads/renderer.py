"""Draws heads with OpenGL on a headless context.

Three steps: a shadow map, a geometry buffer (colour, normal, detail, part and depth of every pixel), and one
full-screen pass for each look. Looks of one scene share the first two.
"""

from collections.abc import Sequence
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
from starter.heads.looks import RECIPES, Look
from starter.heads.mesh import ATTRIBUTES
from starter.heads.painting import FacePaint
from starter.heads.regions import PAINT_MAP
from starter.heads.uniforms import scene_uniforms, set_uniforms, surface_uniforms
from starter.heads.view import View

SHADOW_PX = 768
VERTEX_BYTES, INDEX_BYTES = 24 << 20, 12 << 20  # an afro, the largest head, takes 7 and 3 MB
_NAMES = ("in_position", "in_normal", "in_reference", "in_data", "in_material")
_BUFFERS = ("albedo_map", "normal_map", "detail_map", "truth_map", "shadow_map")


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
        self._looks: dict[Look, tuple[Any, Any]] = {}
        self._painted: FacePaint | None = None
        self._make_targets()
        self._make_textures()
        self._make_geometry()

    def close(self) -> None:
        """Free the context and all that it holds."""
        self._context.release()

    def draw(
        self, identity: Identity, view: View, head: Head, face_paint: FacePaint, look: Look = "render"
    ) -> Picture:
        """Draw `head` (built for this identity and view) with its paint (painting.paint)."""
        return self.draw_looks(identity, view, head, face_paint, (look,))[look]

    def draw_looks(
        self, identity: Identity, view: View, head: Head, face_paint: FacePaint, looks: Sequence[Look]
    ) -> dict[Look, Picture]:
        """Draw one head in several looks, pixel for pixel aligned."""
        camera = aim(head, view.scene.framing)
        surface = surface_uniforms(identity, view, camera)
        scene = scene_uniforms(identity, view, camera)
        with self._context:  # makes it current: another renderer of this process may have been at work
            self._upload(head, face_paint)
            self._draw_shadow(surface, head)
            self._draw_geometry(surface, head)
            parts, depth = self._read_truth()
            drawn = {look: self._finish(look, scene) for look in looks}
        return {
            look: Picture(_filtered(look, rgb, parts), parts, depth, camera) for look, rgb in drawn.items()
        }

    def _make_targets(self) -> None:
        context, size = self._context, (self.drawn_px, self.drawn_px)
        nearest = (self._gl.NEAREST, self._gl.NEAREST)
        self._buffers = [context.texture(size, 4, dtype="f2") for _ in range(3)]
        self._truth = context.texture(size, 2, dtype="f4")
        for texture in (*self._buffers, self._truth):
            texture.filter = nearest
            texture.repeat_x = texture.repeat_y = False  # or the bottom would draw an outline at the top
        self._frame = context.framebuffer([*self._buffers, self._truth], context.depth_renderbuffer(size))
        self._shadow = context.depth_texture((SHADOW_PX, SHADOW_PX))
        self._shadow.compare_func = "<="
        self._shadow.filter = (self._gl.LINEAR, self._gl.LINEAR)
        self._shadow_frame = context.framebuffer(depth_attachment=self._shadow)
        self._finished = context.texture(size, 4, dtype="f1")
        self._finished_frame = context.framebuffer([self._finished])

    def _make_textures(self) -> None:
        context, size = self._context, (PAINT_MAP.size, PAINT_MAP.size)
        self._paint, self._relief = context.texture(size, 4), context.texture(size, 4)
        self._noise = context.texture((noise.SIZE, noise.SIZE), 2, noise.noise_bytes().tobytes())
        self._noise.repeat_x = self._noise.repeat_y = True

    def _make_geometry(self) -> None:
        context = self._context
        self._vertices = context.buffer(reserve=VERTEX_BYTES)
        self._indices = context.buffer(reserve=INDEX_BYTES)
        self._corners = context.buffer(np.array([-1, -1, 3, -1, -1, 3], "f4").tobytes())
        self._shadow_program = context.program(
            gl.shader("shadow.vert"), gl.shader("clothes.glsl", "shadow.frag")
        )
        names = ("in_position", "in_reference", "in_data", "in_material")
        layout = [(self._vertices, "3f 12x 3f 4f 1f", *names)]
        self._shadow_mesh = context.vertex_array(self._shadow_program, layout, self._indices)
        self._surfaces = []
        for fragment in (gl.shader("gbuffer.frag"), gl.shader("clothes.glsl", "gbuffer.frag", define="CUT")):
            program = context.program(gl.shader("surface.vert"), fragment)
            mesh = context.vertex_array(program, [(self._vertices, ATTRIBUTES, *_NAMES)], self._indices)
            self._surfaces.append((program, mesh))

    @cached_property
    def _gl(self) -> Any:
        import moderngl

        return moderngl

    def _look(self, look: Look) -> tuple[Any, Any]:
        """Program of a look with its vertex array, compiled at first use."""
        if look not in self._looks:
            fragment = gl.shader("scene.glsl", "background.glsl", *RECIPES[look].parts)
            program = self._context.program(gl.shader("screen.vert"), fragment)
            screen = self._context.vertex_array(program, [(self._corners, "2f", "corner")])
            self._looks[look] = (program, screen)
        return self._looks[look]

    def _upload(self, head: Head, face_paint: FacePaint) -> None:
        self._vertices.write(np.ascontiguousarray(head.vertices, dtype=np.float32))
        self._indices.write(np.ascontiguousarray(head.triangles, dtype=np.int32))
        if face_paint is not self._painted:
            self._paint.write(face_paint.color.tobytes())
            self._relief.write(face_paint.relief.tobytes())
            self._painted = face_paint

    def _draw_shadow(self, uniforms: dict[str, Any], head: Head) -> None:
        self._shadow_frame.use()
        self._shadow_frame.clear(depth=1.0)
        self._context.enable(self._gl.DEPTH_TEST)
        self._context.disable(self._gl.CULL_FACE)
        set_uniforms(self._shadow_program, uniforms)
        self._shadow_mesh.render(self._gl.TRIANGLES, len(head.triangles) * 3)

    def _draw_geometry(self, uniforms: dict[str, Any], head: Head) -> None:
        self._frame.use()
        self._frame.clear(0, 0, 0, 0)
        for unit, texture in enumerate((self._paint, self._relief, self._noise)):
            texture.use(unit)
        textures = {"paint_map": 0, "relief_map": 1, "noise_map": 2}
        ranges = ((0, head.solid_triangles), (head.solid_triangles, len(head.triangles)))
        for (program, mesh), (start, end) in zip(self._surfaces, ranges, strict=True):
            set_uniforms(program, {**uniforms, **textures})
            mesh.render(self._gl.TRIANGLES, (end - start) * 3, first=start * 3)

    def _finish(self, look: Look, uniforms: dict[str, Any]) -> Image:
        self._finished_frame.use()
        self._context.disable(self._gl.DEPTH_TEST)
        for unit, texture in enumerate((*self._buffers, self._truth, self._shadow)):
            texture.use(unit)
        program, screen = self._look(look)
        units = {name: unit for unit, name in enumerate(_BUFFERS)}
        sizes = {"pixel": 1 / self.drawn_px, "line_px": RECIPES[look].lines * self.drawn_px / 256}
        set_uniforms(program, {**uniforms, **units, **sizes})
        screen.render(self._gl.TRIANGLES, 3)
        drawn, size = self.drawn_px, self.size_px
        rgb = np.frombuffer(self._finished.read(), np.uint8).reshape(drawn, drawn, 4)
        if drawn != size:
            rgb = np.asarray(cv2.resize(rgb, (size, size), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        return np.ascontiguousarray(rgb[::-1, :, :3])

    def _read_truth(self) -> tuple[Image, Floats]:
        """Part numbers and depths at the pixels' centres, top row first."""
        drawn, size = self.drawn_px, self.size_px
        truth = np.frombuffer(self._truth.read(), np.float32).reshape(drawn, drawn, 2)
        centres = ((np.arange(size) + 0.5) * drawn / size).astype(int)
        picked = truth[np.ix_(drawn - 1 - centres, centres)]
        return picked[..., 0].round().astype(np.uint8), np.ascontiguousarray(picked[..., 1])


def _filtered(look: Look, rgb: Image, parts: Image) -> Image:
    finish = RECIPES[look].finish
    return rgb if finish is None else finish(rgb, parts)
