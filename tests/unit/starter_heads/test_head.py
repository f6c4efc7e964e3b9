from dataclasses import replace

import numpy as np
import pytest

from starter.heads.camera import aim
from starter.heads.expressions import action_weights
from starter.heads.eyes import find_eyes
from starter.heads.glasses import GLASSES
from starter.heads.hair import ALL_STYLES, add_hair
from starter.heads.hair.strands import cut_at
from starter.heads.head import Head, build_head
from starter.heads.identity import Identity, Mark, MarkKind
from starter.heads.landmarks import landmarks_px
from starter.heads.mesh import MATERIAL, POSITION, Material, MeshBuilder, sphere, tubes, vertex_normals
from starter.heads.painting import paint
from starter.heads.regions import PAINT_MAP, above_hairline, face_pixels, reference, scalp
from starter.heads.scene import Framing
from starter.heads.shape import shape_head
from starter.heads.surface import HeadSurface
from starter.heads.view import Pose, View


@pytest.fixture(scope="module")
def surface(identity: Identity) -> HeadSurface:
    return HeadSurface.of(shape_head(identity, action_weights("neutral")))


def facing(identity: Identity, view: View, pose: Pose) -> Head:
    return build_head(
        identity, replace(view, pose=pose, glasses="none", hair=replace(view.hair, style="bald"))
    )


def hair_of(surface: HeadSurface, style: str, seed: int = 8) -> np.ndarray:
    mesh = MeshBuilder()
    add_hair(mesh, surface, style, seed, float(find_eyes(surface).left.centre[1]))
    return mesh.pack()[0]


def test_equal_arguments_give_equal_bytes(identity: Identity, view: View, head: Head) -> None:
    again = build_head(identity, view)
    assert again.vertices.tobytes() == head.vertices.tobytes()
    assert again.triangles.tobytes() == head.triangles.tobytes()


def test_the_mesh_is_sound(head: Head) -> None:
    assert np.isfinite(head.vertices).all()
    assert head.triangles.min() == 0
    assert head.triangles.max() == len(head.vertices) - 1
    materials = set(np.unique(head.vertices[:, MATERIAL]).astype(int))
    assert {Material.SKIN, Material.EYE, Material.TEETH, Material.LASH, Material.CLOTH} <= materials


def test_positive_yaw_turns_the_nose_to_the_viewers_right(identity: Identity, view: View) -> None:
    places = {}
    for yaw in (-20, 0, 20):
        turned = facing(identity, view, Pose(yaw=yaw))
        camera = aim(turned, Framing())
        marks = landmarks_px(turned, camera, 256)
        places[yaw] = marks["nose"][0] - (marks["left_eye"][0] + marks["right_eye"][0]) / 2
    assert places[-20] < places[0] - 5
    assert places[20] > places[0] + 5


def test_positive_pitch_looks_down_and_positive_roll_leans_left(identity: Identity, view: View) -> None:
    upright = facing(identity, view, Pose())
    down = facing(identity, view, Pose(pitch=15))
    left = facing(identity, view, Pose(roll=15))
    top = np.argmax(upright.skin[:, 1])
    assert down.skin[top, 2] > upright.skin[top, 2]
    assert left.skin[top, 0] < upright.skin[top, 0]


def test_portraits_are_framed_on_the_eyes(head: Head) -> None:
    marks = landmarks_px(head, aim(head, Framing()), 256)
    eyes = np.mean([marks["left_eye"], marks["right_eye"]], axis=0)
    assert eyes == pytest.approx([128, 112], abs=8)
    assert marks["left_eye"][0] < marks["right_eye"][0]
    assert marks["mouth_left"][0] < marks["nose"][0] < marks["mouth_right"][0]
    assert marks["nose"][1] < marks["mouth_left"][1] < marks["chin"][1]


@pytest.mark.parametrize("style", [style for style in ALL_STYLES if style != "bald"])
def test_every_haircut_covers_the_crown(surface: HeadSurface, style: str) -> None:
    hair = hair_of(surface, style)
    assert np.isfinite(hair).all()
    assert hair[:, 1].max() > surface.crown_y


def test_bald_adds_nothing(surface: HeadSurface) -> None:
    mesh = MeshBuilder()
    add_hair(mesh, surface, "bald", 1, 0.0)
    with pytest.raises(ValueError, match="concatenate"):
        mesh.pack()


def test_unknown_haircut_is_an_error(surface: HeadSurface) -> None:
    with pytest.raises(KeyError):
        add_hair(MeshBuilder(), surface, "tonsure", 1, 0.0)


def test_long_hair_reaches_lower_than_a_bob_and_a_bob_lower_than_short_hair(surface: HeadSurface) -> None:
    sides = {style: hair_of(surface, style) for style in ("short", "bob", "long")}
    ends = {style: np.quantile(hair[hair[:, 2] > 0.3, 1], 0.02) for style, hair in sides.items()}
    assert ends["long"] < ends["bob"] < ends["short"]


def test_cut_lines_end_at_the_cut() -> None:
    line = np.stack([np.zeros(11), np.linspace(1, 0, 11), np.zeros(11)], axis=1)[None]
    cut = cut_at(line, np.array([0.35]), points=5)
    assert cut.shape == (1, 5, 3)
    assert cut[0, 0, 1] == pytest.approx(1)
    assert cut[0, -1, 1] == pytest.approx(0.3)


def test_normals_of_a_sphere_point_outwards() -> None:
    points, triangles = sphere()
    normals = vertex_normals(points, triangles)
    inner = np.abs(points[:, 2]) < 0.95  # the poles and the seam have triangles without area
    cosine = (normals * points).sum(axis=1)[inner]
    assert len(set(np.sign(cosine))) == 1
    assert np.abs(cosine).min() > 0.95


def test_tubes_keep_their_distance_from_the_line() -> None:
    line = np.stack([np.zeros(4), np.linspace(0, 3, 4), np.zeros(4)], axis=1)[None]
    outward = np.broadcast_to([0, 0, 1.0], line.shape)
    tube = tubes(line, np.full((1, 4), 0.2), np.full((1, 4), 0.2), outward, sides=6)
    assert np.hypot(tube.points[:, 0], tube.points[:, 2]) == pytest.approx(np.full(24, 0.2))
    assert len(tube.triangles) == 3 * 6 * 2


def test_lifting_pushes_points_out_of_the_skin(surface: HeadSurface) -> None:
    on_skin = surface.skin[scalp()[::50]]
    lifted = surface.lifted(on_skin, 0.1)
    tree, *_ = surface.touchable
    assert np.median(tree.query(lifted)[0]) == pytest.approx(0.1, abs=0.02)


def test_hairline_is_over_the_forehead_and_the_paint_map_knows_the_front() -> None:
    ref = reference()
    nose = ref.points[np.argmax(np.where(np.abs(ref.points[:, 0]) < 0.05, ref.points[:, 2], -9))]
    assert above_hairline(nose[None])[0] < -0.5
    assert face_pixels(0.0, 7.0)[0, 0] == pytest.approx(PAINT_MAP.size / 2, abs=2)
    assert face_pixels(0.3, 7.0)[0, 0] > PAINT_MAP.size / 2


def test_paint_belongs_to_the_identity(identity: Identity) -> None:
    painted, again = paint(identity), paint(identity)
    for texture, same in ((painted.color, again.color), (painted.relief, again.relief)):
        assert texture.shape == (PAINT_MAP.size, PAINT_MAP.size, 4)
        assert np.array_equal(texture, same)
    assert painted.color[..., 0].max() > 200  # brows
    bearded = replace(identity, beard="full", body=replace(identity.body, gender=0.95))
    assert paint(bearded).color[..., 1].mean() > paint(replace(bearded, beard="none")).color[..., 1].mean()


@pytest.mark.parametrize("kind", ["mole", "freckle", "scar"])
def test_marks_are_painted_where_they_are(identity: Identity, kind: MarkKind) -> None:
    mark = Mark(kind, 0.3, 6.9, 0.02)
    layer = paint(replace(identity, skin=replace(identity.skin, marks=(mark,)))).color[..., 2]
    y, x = np.unravel_index(np.argmax(layer), layer.shape)
    assert (x, y) == pytest.approx(face_pixels(0.3, 6.9)[0], abs=8)
    clear = paint(replace(identity, skin=replace(identity.skin, marks=()))).color[..., 2]
    assert clear.max() == 0


def test_wrinkles_grow_with_age(identity: Identity) -> None:
    young, grown, old = (
        paint(replace(identity, skin=replace(identity.skin, lines=lines))).relief[..., 2].astype(float).sum()
        for lines in (0.0, 0.4, 1.0)
    )
    assert young == 0 < grown < old


def test_glasses_add_a_frame_in_front_of_the_eyes(identity: Identity, view: View) -> None:
    straight = replace(view, pose=Pose(), hair=replace(view.hair, style="bald"))
    bare = build_head(identity, replace(straight, glasses="none"))
    assert not (bare.vertices[:, MATERIAL] == Material.GLASSES).any()
    for glasses in GLASSES[1:]:
        dressed = build_head(identity, replace(straight, glasses=glasses))
        frame = dressed.vertices[dressed.vertices[:, MATERIAL] == Material.GLASSES][:, POSITION]
        assert frame[:, 2].max() > dressed.eye_midpoint[2]
