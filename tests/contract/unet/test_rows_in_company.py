"""A row is predicted as if it were alone, whatever else is in the call."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.diffusion.domain.rows import RowBatch
from tests.support.unet_cases import Case, predict, strangers
from tests.support.unet_rows import plain_row, stranger

STARTER = Path(__file__).parents[3] / "starter" / "weights"


def test_a_row_alone_equals_the_same_row_among_strangers(case: Case) -> None:
    rows = strangers(case)

    together = predict(case, *rows)

    alone = np.concatenate([predict(case, row) for row in rows])
    assert together.shape == (8, 4, 8, 8)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, rtol=0, atol=case.backend.batch_tolerance)


def test_any_company_gives_the_same_row(case: Case) -> None:
    """Other companions, other places, other numbers of rows: with them go the ranks that a call pads to."""
    rows = strangers(case)
    alone = [predict(case, row)[0] for row in rows]
    random = np.random.default_rng(0)

    for _ in range(12):
        chosen = random.choice(len(rows), random.integers(2, len(rows)), replace=False)
        together = predict(case, *(rows[index] for index in chosen))
        expected = [alone[index] for index in chosen]
        np.testing.assert_allclose(together, expected, rtol=0, atol=case.backend.batch_tolerance)


def test_a_third_image_like_the_first_has_its_bits(case: Case) -> None:
    a, b, *_ = strangers(case)[1:]

    first = predict(case, a, b, a)
    predict(case, b)
    predict(case, b, a)

    np.testing.assert_array_equal(first, predict(case, a, b, a))


def test_adapters_leave_the_base_as_it_was(case: Case) -> None:
    before = predict(case, plain_row(1))

    predict(case, *strangers(case))

    np.testing.assert_array_equal(before, predict(case, plain_row(1)))


def test_rows_of_different_shapes_are_no_batch() -> None:
    with pytest.raises(ValueError, match="one shape"):
        RowBatch.of([plain_row(1), plain_row(2, (4, 16, 16))])


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("backend", "precision"), [("onnxruntime", "f32"), ("openvino", "f32"), ("openvino", "bf16")]
)
def test_rows_of_the_starter_pack_have_the_same_bits_in_any_company(
    backend: Any, precision: Any, threads: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Kernels choose their blocks by size: what holds for a tiny network need not hold for a real one."""
    from services.diffusion.adapters.unet_backends import UNetOptions, open_unet
    from shared.sdmodels import open_model_folder

    folder = open_model_folder(STARTER)
    place = tmp_path_factory.getbasetemp() / "starter-graphs"
    options = UNetOptions(backend, precision=precision, thread_count=threads, graph_cache=place)
    opened = open_unet(folder, options)
    latents = (folder.latent_channels, 16, 16)
    context = (48, folder.unet_config["cross_attention_dim"])
    rows = [stranger(seed, opened.layer_shapes, latents, context) for seed in range(1, 9)]
    alone = [opened.backend.predict(RowBatch.of([row]))[0] for row in rows]
    random = np.random.default_rng(0)

    for _ in range(8):
        chosen = random.choice(len(rows), random.integers(2, len(rows)), replace=False)
        together = opened.backend.predict(RowBatch.of([rows[index] for index in chosen]))
        np.testing.assert_array_equal(together, [alone[index] for index in chosen])
