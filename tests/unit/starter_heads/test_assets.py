import zipfile

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from starter.heads.assets import ASSETS_FILE, OFFSET_STEP, Target, _unpack_targets, load_assets, pack_targets
from starter.heads.build_assets import read_obj, read_target

OFFSETS = st.integers(-12_000, 12_000)
TARGETS = st.dictionaries(
    st.text("abc-/", min_size=1, max_size=6),
    st.dictionaries(st.integers(0, 6_000), st.tuples(OFFSETS, OFFSETS, OFFSETS), min_size=1, max_size=5),
    min_size=1,
    max_size=4,
)


@given(TARGETS)
def test_packed_targets_come_back_exactly(drawn: dict[str, dict[int, tuple[int, int, int]]]) -> None:
    targets = {
        name: Target(
            np.array(sorted(rows)), np.array([rows[i] for i in sorted(rows)]) * np.float32(OFFSET_STEP)
        )
        for name, rows in drawn.items()
    }
    unpacked = _unpack_targets(pack_targets(targets))
    assert unpacked.keys() == targets.keys()
    for name, target in targets.items():
        assert np.array_equal(unpacked[name].index, target.index)
        assert np.allclose(unpacked[name].offset, target.offset, atol=1e-5)


def test_file_is_small_and_holds_no_pickled_objects() -> None:
    assert ASSETS_FILE.stat().st_size < 3_000_000
    with zipfile.ZipFile(ASSETS_FILE) as archive:
        headers = [archive.read(name)[:128] for name in archive.namelist()]
    assert headers
    assert not any(b"'descr': '|O'" in header for header in headers)


def test_asset_is_complete() -> None:
    assets = load_assets()
    kinds = {name.split("/")[0] for name in assets.targets}
    assert kinds == {"macro", "proportions", "local", "unit"}
    assert len(assets.vertices) == 6387
    assert assets.subdivision.matrix.shape == (22383, len(assets.skin))
    for target in assets.targets.values():
        assert target.index.max() < len(assets.vertices)
        assert np.isfinite(target.offset).all()
    assert all(weight.max() > 0.9 for weight in assets.regions.values())


def test_obj_reader_keeps_groups_and_both_indices() -> None:
    text = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\ng body\nf 1/4 2/3 3/2 4/1\n"
    mesh = read_obj(text)
    assert mesh.quads.tolist() == [[0, 1, 2, 3]]
    assert mesh.uv_quads.tolist() == [[3, 2, 1, 0]]
    assert mesh.groups.tolist() == ["body"]


def test_target_reader_drops_vertices_that_were_cut_off() -> None:
    renumber = np.array([-1, 1, 0])
    target = read_target("# comment\n0 9 9 9\n1 .1 0 0\n2 0 .2 0\n", renumber)
    assert target.index.tolist() == [0, 1]
    assert np.allclose(target.offset, [[0, 0.2, 0], [0.1, 0, 0]])
