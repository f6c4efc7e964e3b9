"""A headless OpenGL context, and the one error that says how to get it."""

from pathlib import Path
from typing import Any

SHADERS = Path(__file__).with_name("shaders")
PACKAGES = ("libegl1", "libegl-mesa0", "libgl1-mesa-dri", "libgl1")


class NoGraphicsError(RuntimeError):
    """No OpenGL context can be created here; the text names the packages that give a software renderer."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(
            f"No headless OpenGL (EGL) context: {cause}. "
            f"On Debian or Ubuntu: apt-get install {' '.join(PACKAGES)}; and: pip install moderngl."
        )


def create_context() -> Any:
    """A standalone moderngl.Context over EGL; Mesa's llvmpipe needs no GPU. Raises: NoGraphicsError."""
    settings: dict[str, Any] = {"standalone": True, "backend": "egl", "require": 330}
    try:
        import moderngl

        return moderngl.create_context(**settings)
    except Exception as error:  # moderngl raises bare Exception, and ImportError where it is absent
        raise NoGraphicsError(error) from error


def shader(*names: str, define: str = "") -> str:
    """Source of a GLSL program: the named files in order under one version line, with one macro defined."""
    head = "#version 330\n" + (f"#define {define}\n" if define else "")
    return head + "\n".join((SHADERS / name).read_text() for name in names)
