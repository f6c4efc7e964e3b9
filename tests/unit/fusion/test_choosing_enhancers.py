"""Which enhancer and upscaler a service takes."""

import pytest

from services.fusion import bootstrap
from services.fusion.bootstrap import build_enhancer, build_upscaler
from services.fusion.settings import FusionSettings
from shared.errors.common import ModelMissing
from tests.support.tiny_onnx import save_folded_net, save_upscaler


@pytest.fixture
def empty_pack(monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "_STARTER_WEIGHTS", tmp_path / "weights")
    return tmp_path / "weights"


def chosen(**settings):
    settings = FusionSettings(**settings)
    found = build_enhancer(settings), build_upscaler(settings)
    assert [one.scale for one in found] == [1, 2]
    return [one.name for one in found]


def test_without_files_the_classical_ones_take_their_place_and_the_log_says_so(empty_pack, capsys):
    assert chosen() == ["classical", "classical"]
    assert capsys.readouterr().out.count("model.absent") == 2


def test_the_starters_net_is_taken_where_it_is_there(empty_pack):
    (empty_pack / "upscaler").mkdir(parents=True)
    save_folded_net(empty_pack / "upscaler" / "upscaler.onnx", 2)

    assert chosen() == ["classical", "starter"]


def test_a_folder_of_ones_own_comes_before_the_pack(empty_pack, tmp_path):
    save_folded_net(tmp_path / "enhancer.onnx")

    assert chosen(enhancer_folder=tmp_path)[0] == "starter"
    with pytest.raises(ModelMissing, match=r"upscaler\.onnx"):
        chosen(enhancer_folder=tmp_path, upscaler_folder=tmp_path)


def test_a_file_comes_first_and_gives_its_name(empty_pack, tmp_path):
    save_folded_net(tmp_path / "enhancer.onnx")
    file = save_upscaler(tmp_path / "esrgan-x2.onnx")

    names = chosen(enhancer_onnx=file, enhancer_folder=tmp_path, upscaler_onnx=file)

    assert names == ["esrgan-x2.onnx", "esrgan-x2.onnx"]
