"""One renderer for all tests of this folder; they skip, and say why, where no OpenGL context can be made."""

from collections.abc import Iterator

import numpy as np
import pytest

from starter.heads.gl import NoGraphicsError
from starter.heads.head import Head, build_head
from starter.heads.identity import Identity
from starter.heads.renderer import Renderer
from starter.heads.sampling import sample_identity
from starter.heads.view import View, sample_view

SIZE_PX = 96


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    try:
        renderer = Renderer(SIZE_PX, supersample=1)
    except NoGraphicsError as error:
        pytest.skip(str(error))
    yield renderer
    renderer.close()


@pytest.fixture(scope="session")
def identity() -> Identity:
    return sample_identity(np.random.default_rng(11))


@pytest.fixture(scope="session")
def view(identity: Identity) -> View:
    return sample_view(np.random.default_rng(12), identity)


@pytest.fixture(scope="session")
def head(identity: Identity, view: View) -> Head:
    return build_head(identity, view)
