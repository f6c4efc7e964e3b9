from dataclasses import replace

import numpy as np
import pytest

from starter.heads.dome import fit_dome
from starter.heads.earrings import Earrings
from starter.heads.expressions import action_weights
from starter.heads.head import Head, build_head
from starter.heads.headwear import HATS, Headwear, add_headwear, tuck
from starter.heads.identity import Identity
from starter.heads.mesh import MATERIAL, POSITION, Material, MeshBuilder
from starter.heads.regions import scalp
from starter.heads.shape import shape_head
from starter.heads.surface import HeadSurface
from starter.heads.view import Pose, View

DOMED = ("cap", "beanie", "wide-brim")


@pytest.fixture(scope="module")
def surface(identity: Identity) -> HeadSurface:
    return HeadSurface.of(shape_head(identity, action_weights("neutral")))


def materials(head: Head) -> set[int]:
    return set(head.vertices[:, MATERIAL].astype(int))


@pytest.mark.parametrize("kind", DOMED)
def test_the_skull_fits_under_the_dome(surface: HeadSurface, kind: str) -> None:
    local = fit_dome(surface, kind).local(surface.skin[scalp()])
    over = local[local[:, 2] > 0]
    reach = np.hypot(over[:, 0], over[:, 1]) ** 2.4 + over[:, 2] ** 2.4
    assert reach.max() < 1.02
    assert reach.max() > 0.7  # and the hat is not much too large


@pytest.mark.parametrize("kind", HATS)
def test_every_hat_is_a_sound_mesh(surface: HeadSurface, kind: str) -> None:
    mesh = MeshBuilder()
    dome = add_headwear(mesh, surface, kind)
    assert (dome is not None) == (kind in DOMED)
    for block in mesh.parts:
        assert np.isfinite(block).all()
    assert bool(mesh.parts) == (kind != "none")


def test_hair_is_tucked_under_the_dome(surface: HeadSurface) -> None:
    dome = fit_dome(surface, "cap")
    mesh = MeshBuilder()
    wild = dome.world(np.array([[0, 0, 1.6], [1.4, 0, 0.3], [0.2, 0.1, -2.0]]))
    mesh.add(Material.HAIR, wild, np.zeros_like(wild), np.array([[0, 1, 2]]))
    tuck(mesh, 0, dome)
    local = dome.local(mesh.parts[0][:, POSITION])
    assert local[0, 2] < 1
    assert np.hypot(local[1, 0], local[1, 1]) < 1
    assert local[2] == pytest.approx([0.2, 0.1, -2.0], abs=1e-4)  # far below the rim hair falls as it likes


def test_a_headscarf_leaves_no_hair_and_no_earrings(identity: Identity, view: View) -> None:
    dressed = replace(view, hat=Headwear("headscarf"), earrings=Earrings("hoops"), pose=Pose())
    found = materials(build_head(identity, dressed))
    assert Material.HAT in found
    assert not {Material.HAIR, Material.METAL} & found


@pytest.mark.parametrize("kind", ["studs", "hoops"])
def test_earrings_hang_at_both_sides(identity: Identity, view: View, kind: str) -> None:
    dressed = replace(view, hat=Headwear(), earrings=Earrings(kind), pose=Pose())
    head = build_head(identity, dressed)
    metal = head.vertices[head.vertices[:, MATERIAL] == Material.METAL, POSITION]
    assert metal[:, 0].min() < -0.5
    assert metal[:, 0].max() > 0.5
    assert metal[:, 1].max() < head.eye_midpoint[1]
