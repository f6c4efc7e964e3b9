"""The trainer of the toon stylizer, on drawn faces and a few steps."""

import cv2
import numpy as np
import pytest
import torch

from starter.train_stylizer.backgrounds import find_backdrop, random_scene
from starter.train_stylizer.evaluate import evaluate
from starter.train_stylizer.export import export_onnx, write_card
from starter.train_stylizer.losses import drawing_loss
from starter.train_stylizer.net import MULTIPLE, ToonNet, parameter_count
from starter.train_stylizer.pairs import Pair, PairSampler, load_pairs, split
from starter.train_stylizer.train import Recipe, rate_at, train

RECIPE = Recipe(step_count=6, batch_size=2, crop_px=64, warm_up_steps=2)


def drawn_pair(number):
    render, _ = draw(number)
    drawing = (render // 64) * 64 + 32
    return Pair(f"{number:05d}", render, np.ascontiguousarray(drawing))


def draw(number):
    from tests.support.drawn_face import draw_face

    return draw_face((96, 96), centre=(48, 50), scale=0.55, angle_deg=number * 3, wall=(40, 90, 200))


@pytest.fixture(scope="module")
def pairs():
    return [drawn_pair(n) for n in range(3)]


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def test_net_is_small_and_begins_as_the_identity():
    net = ToonNet()
    image = torch.rand(1, 3, 3 * MULTIPLE, 2 * MULTIPLE)

    assert parameter_count(net) < 1_500_000
    assert torch.equal(image, net(image))


def test_killed_run_that_goes_on_ends_with_the_same_weights(pairs, tmp_path):
    whole = train(pairs, tmp_path / "whole", RECIPE)

    class Killed(Exception):
        pass

    from starter.train_stylizer import train as module

    steps = module._batches

    def dies_after_three(pairs, recipe, start):
        for step, batch in steps(pairs, recipe, start):
            if step == 3 and start == 0:
                raise Killed
            yield step, batch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_batches", dies_after_three)
        with pytest.raises(Killed):
            train(pairs, tmp_path / "parts", RECIPE, save_every_s=0.0)
        resumed = train(pairs, tmp_path / "parts", RECIPE, save_every_s=0.0)

    assert torch.equal(weights(whole), weights(resumed))


def test_exported_file_draws_what_the_net_draws(tmp_path, pairs):
    import onnxruntime

    torch.manual_seed(0)
    net = ToonNet()
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.03)
    export_onnx(net, tmp_path / "toon.onnx")
    image = torch.rand(1, 3, 5 * MULTIPLE, 3 * MULTIPLE)
    session = onnxruntime.InferenceSession(str(tmp_path / "toon.onnx"), providers=["CPUExecutionProvider"])

    (drawn,) = session.run(None, {"image": image.numpy()})

    # Half-precision weights: within two 8-bit levels of the float32 net.
    np.testing.assert_allclose(net(image).clamp(0, 1).detach().numpy(), drawn, atol=2 / 255)
    assert (tmp_path / "toon.onnx").stat().st_size < 2.2 * parameter_count(net) + 100_000


def test_service_opens_what_the_trainer_writes(tmp_path, pairs):
    from services.stylization.adapters.onnx_translator import OnnxTranslator

    path = tmp_path / "toon.onnx"
    export_onnx(ToonNet(), path)
    write_card(path.with_suffix(".json"), {"seed": 7}, evaluate(path, pairs))

    translator = OnnxTranslator(path)

    assert (translator.effect.name, translator.effect.licence) == ("toon", "Apache-2.0")
    # An untrained net is the identity, up to half-precision weights that are all but zero.
    image = draw(1)[0]
    assert (
        np.abs(translator.translate(np.tile(image, (3, 3, 1))).astype(int) - np.tile(image, (3, 3, 1))).max()
        <= 1
    )


def test_loss_is_zero_at_the_target_and_edges_count():
    target = torch.zeros(1, 3, 16, 16)
    target[..., 8:] = 1
    blurred = torch.nn.functional.avg_pool2d(target, 5, 1, 2, count_include_pad=False)

    assert drawing_loss(target, target) == 0
    even = torch.full_like(target, float((blurred - target).abs().mean()))
    assert drawing_loss(blurred, target) > (blurred - target).abs().mean()
    assert drawing_loss(target + even, target) < drawing_loss(blurred, target) * 2


def test_rate_warms_up_and_falls():
    rates = [rate_at(step, Recipe(step_count=100, warm_up_steps=10)) for step in range(100)]

    assert rates[9] == max(rates) == Recipe().learning_rate
    assert rates[:10] == sorted(rates[:10])
    assert rates[9:] == sorted(rates[9:], reverse=True)


def test_crops_are_a_function_of_the_seed_and_pairs_stay_aligned(pairs):
    one, other = (PairSampler(pairs, crop_px=64, seed=3).batch(6) for _ in range(2))

    assert all((a == b).all() for a, b in zip(one, other, strict=True))
    render, drawing = (images.astype(float).mean(-1) for images in one)
    for r, d in zip(render, drawing, strict=True):
        assert np.corrcoef(r.ravel(), d.ravel())[0, 1] > 0.7


def test_backdrop_is_the_wall_and_not_the_figure(pairs):
    backdrop = find_backdrop(pairs[0].render, pairs[0].drawing)

    for mask in (backdrop.in_render, backdrop.in_drawing):
        assert mask[2:10, 2:10].min() > 0.95
        assert mask[46:56, 42:56].max() < 0.05


def test_scene_as_seen_is_not_the_scene_as_drawn():
    seen, drawn = random_scene(np.random.default_rng(1), 64, 64)

    assert seen.shape == drawn.shape == (64, 64, 3)
    assert 0.3 < np.abs(seen.astype(int) - drawn).mean() < 60


def test_characters_that_judge_are_not_trained_on(tmp_path):
    for look in ("render", "toon"):
        (tmp_path / look).mkdir()
        for number in range(0, 60, 3):
            cv2.imwrite(str(tmp_path / look / f"{number:05d}.jpg"), np.zeros((16, 16, 3), np.uint8))

    training, judged = split(load_pairs(tmp_path))

    assert [p.name for p in judged] == ["00021", "00051"]
    assert len(training) == 18 and not {p.name for p in training} & {p.name for p in judged}
    with pytest.raises(FileNotFoundError, match="render/N"):
        load_pairs(tmp_path / "nowhere")
