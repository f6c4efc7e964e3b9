"""Where the person is: by a parser of the decoded estimate, or by the difference that the person makes."""

import json
from pathlib import Path

import numpy as np
import pytest

from services.diffusion.adapters.face_parser import FaceParser, ParsedRegion
from services.diffusion.adapters.fake import FakeCodec
from services.diffusion.adapters.latent_difference import LatentDifference
from services.diffusion.adapters.model_folders import AdapterLimits, load_model
from shared.artifacts import open_store
from shared.sdmodels import ModelFileMissing, ModelUnsupported, open_model_folder
from tests.support.tiny_onnx import save_colour_parser
from tests.support.tiny_sd import make_tiny_sd

_LABELS = ["background", "clothes", "skin", "hair"]  # black, red, green, blue


@pytest.fixture
def parser(tmp_path: Path) -> FaceParser:
    return FaceParser(save_colour_parser(tmp_path / "parser", _LABELS))


def _scene() -> np.ndarray:
    """64 x 64: hair at the top of the middle, a face below it, clothes at the bottom, black elsewhere."""
    image = np.zeros((64, 64, 3), np.uint8)
    image[8:24, 16:48, 2] = 255
    image[24:40, 16:48, 1] = 255
    image[40:, 8:56, 0] = 255
    return image


def test_the_head_is_face_and_hair_and_nothing_else(parser: FaceParser) -> None:
    head = parser.head(_scene())

    expected = np.zeros((64, 64), np.float32)
    expected[8:40, 16:48] = 1
    np.testing.assert_array_equal(head, expected)


@pytest.mark.parametrize(("side", "given"), [(256, 256), ("side", 128)])
def test_a_picture_is_parsed_at_the_size_that_the_file_names(
    tmp_path: Path, side: int | str, given: int
) -> None:
    parser = FaceParser(save_colour_parser(tmp_path / "parser", _LABELS, side=side))
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = (0, 255, 0)  # skin and background, a pixel each

    head = parser.head(stripes)

    assert (head.mean() == 0.5) == (given == 256), "at half the size the stripes are gone"


def test_parser_json_may_say_what_the_head_is(tmp_path: Path) -> None:
    folder = save_colour_parser(tmp_path / "parser", ["a", "b", "c", "d"], head=["b"])

    head = FaceParser(folder).head(_scene())

    assert head[50, 30] == 1
    assert head[30, 30] == 0


def test_a_region_is_the_share_of_each_cell_that_the_head_covers(parser: FaceParser) -> None:
    codec = FakeCodec()
    latents = codec.encode(_scene()).mean

    region = ParsedRegion(parser, codec, LatentDifference()).find(latents, latents)

    expected = np.zeros((8, 8), np.float32)
    expected[1:5, 2:6] = 1
    np.testing.assert_array_equal(region, expected)
    assert region.dtype == np.float32


def test_an_estimate_without_a_head_falls_back_to_the_difference(parser: FaceParser) -> None:
    codec = FakeCodec()
    empty = codec.encode(np.zeros((64, 64, 3), np.uint8)).mean
    changed = empty.copy()
    changed[3, :, :4] += 1  # a channel that the fake's picture does not show

    region = ParsedRegion(parser, codec, LatentDifference()).find(changed, empty)

    np.testing.assert_array_equal(region, LatentDifference().find(changed, empty))
    assert region[:, :4].all()
    assert not region[:, 5:].any()


def test_the_difference_is_where_the_person_changes_the_estimate() -> None:
    random = np.random.default_rng(0)
    without = random.standard_normal((4, 32, 32), dtype=np.float32)
    # Faint changes all over, as guidance makes them, and strong ones in an ellipse.
    rows, columns = np.mgrid[:32, :32]
    inside = ((rows - 14) / 9) ** 2 + ((columns - 17) / 7) ** 2 < 1
    change = random.standard_normal((4, 32, 32)) * np.where(inside, 1.0, 0.1)

    region = LatentDifference().find((without + change).astype(np.float32), without)

    assert set(np.unique(region)) <= {0.0, 1.0}
    found = region.astype(bool)
    assert (found & inside).sum() / (found | inside).sum() > 0.75


def test_the_difference_knows_no_direction() -> None:
    first, second = np.random.default_rng(1).standard_normal((2, 4, 16, 24), dtype=np.float32)
    finder = LatentDifference()

    region = finder.find(first, second)

    turned = finder.find(first.transpose(0, 2, 1), second.transpose(0, 2, 1))
    np.testing.assert_array_equal(turned, region.T)
    assert 0 < region.mean() <= 1


def test_no_difference_is_no_region() -> None:
    latents = np.ones((4, 8, 8), np.float32)

    assert not LatentDifference().find(latents, latents).any()


def test_a_model_folder_with_a_parser_uses_it(tmp_path: Path) -> None:
    path = make_tiny_sd(tmp_path / "tiny")
    limits = AdapterLimits(max_rank=8, cache_bytes=0)

    def finder() -> str:
        model = load_model("tiny", open_model_folder(path), open_store("memory://regions"), limits)
        return model.regions.description

    assert finder() == "difference"
    save_colour_parser(path / "parser", _LABELS)
    assert finder() == "parser"


def test_a_parser_that_cannot_work_says_why(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing, match=r"parser\.onnx"):
        FaceParser(tmp_path)
    folder = save_colour_parser(tmp_path / "parser", ["sea", "sky", "sand", "rock"])
    with pytest.raises(ModelUnsupported, match="none of its labels"):
        FaceParser(folder)
    (folder / "parser.json").write_text(json.dumps({"names": []}))
    with pytest.raises(ModelUnsupported, match="no list of labels"):
        FaceParser(folder)
