"""Every backend, opened once for this folder and handed out as `case`, `model` or `graph`."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tests.support.tiny_sd import make_tiny_sd
from tests.support.triton_server import needs_triton
from tests.support.unet_cases import FAKE, MODELS, Case, Opened, triton_case

TRITON = pytest.param("triton", marks=needs_triton)


@pytest.fixture(scope="package")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_sd(tmp_path_factory.mktemp("unet") / "tiny")


@pytest.fixture(scope="package")
def opened(tiny: Path) -> Iterator[Opened]:
    """Opens each backend once, by name."""
    with ExitStack() as stack:
        served = {"triton": lambda tiny: stack.enter_context(triton_case(tiny))}
        yield cache(lambda name: (FAKE | MODELS | served)[name](tiny))


@pytest.fixture(scope="module", params=[*FAKE, *MODELS, TRITON])
def case(request: pytest.FixtureRequest, opened: Opened) -> Case:
    """Every backend, also the fake one that has no network behind it."""
    return opened(request.param)


@pytest.fixture(scope="module", params=[*MODELS, TRITON])
def model(request: pytest.FixtureRequest, opened: Opened) -> Case:
    """Every backend that runs the network."""
    return opened(request.param)


@pytest.fixture(scope="module", params=[*(name for name in MODELS if "torch" not in name), TRITON])
def graph(request: pytest.FixtureRequest, opened: Opened) -> Case:
    """Every backend that runs an exported graph, where adapters are data."""
    return opened(request.param)
