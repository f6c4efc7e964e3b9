"""Dependencies point down only: checked on the syntax trees, so that nothing has to be importable."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SERVICES = sorted({path.relative_to(REPOSITORY).parts[1] for path in REPOSITORY.glob("services/*/**/*.py")})
# The one place that composes all services in one process.
LAUNCHER = "services/launcher"
MODEL_LIBRARIES = {
    "torch", "torchvision", "diffusers", "transformers", "peft", "accelerate", "safetensors",
    "onnxruntime", "onnx", "openvino", "dlib", "insightface", "face_recognition_models", "tritonclient",
}  # fmt: skip


@dataclass(frozen=True)
class Import:
    """One import statement: who imports which module, and whether it runs when the file is loaded."""

    file: str
    line: int
    module: str
    is_top_level: bool

    def is_of(self, *packages: str) -> bool:
        return any(self.module == package or self.module.startswith(package + ".") for package in packages)

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def imports(folder: str) -> list[Import]:
    files = sorted((REPOSITORY / folder).rglob("*.py"))
    return [entry for path in files for entry in _imports_of(path)]


def _imports_of(path: Path) -> Iterator[Import]:
    file = str(path.relative_to(REPOSITORY))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from _walk(tree, file, is_top_level=True)


def _walk(node: ast.AST, file: str, *, is_top_level: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(file, child.lineno, alias.name, is_top_level)
        elif isinstance(child, ast.ImportFrom):
            base = _absolute(child, file)
            yield Import(file, child.lineno, base, is_top_level)
            # `from services import fusion` names the module only in its second half.
            for alias in child.names:
                yield Import(file, child.lineno, f"{base}.{alias.name}", is_top_level)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, file, is_top_level=is_top_level and not inside and not _is_typing(child))


def _absolute(node: ast.ImportFrom, file: str) -> str:
    if not node.level:
        return node.module or ""
    package = list(Path(file).with_suffix("").parts[: -node.level])
    return ".".join([*package, *([node.module] if node.module else [])])


def _is_typing(node: ast.AST) -> bool:
    """`if TYPE_CHECKING:` never runs."""
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def offences(entries: list[Import], *forbidden: str) -> list[str]:
    return sorted({str(entry) for entry in entries if entry.is_of(*forbidden)})


def test_the_walker_sees_all_kinds_of_imports():
    source = """
import a.b
from services import fusion
from . import sibling
from ..domain import rules
if TYPE_CHECKING:
    import typing_only
try:
    import optional
except ImportError:
    pass
def later():
    import lazy
class Body:
    import in_class
"""
    entries = list(_walk(ast.parse(source), "services/x/engine/y.py", is_top_level=True))
    top = {entry.module for entry in entries if entry.is_top_level}
    lazy = {entry.module for entry in entries if not entry.is_top_level}

    assert {"a.b", "services.fusion", "services.x.engine.sibling", "services.x.domain.rules"} <= top
    assert {"optional", "in_class"} <= top
    assert lazy == {"typing_only", "lazy"}


def test_there_are_services_to_check():
    assert {"diffusion", "fusion", "face_analysis", "orchestrator"} <= set(SERVICES)


def test_shared_knows_nobody():
    assert offences(imports("shared"), "services", "starter", "cli", "loadtests", "tests") == []


def test_shared_speaks_of_common_messages_only():
    """shared/wire translates the messages that all services have in common; no other part knows a proto."""
    entries = [entry for entry in imports("shared") if entry.is_of("likeness")]

    assert {entry.file.split("/")[1] for entry in entries} <= {"wire"}
    assert [str(entry) for entry in entries if not entry.is_of("likeness.common")] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_knows_no_other_service(service):
    if f"services/{service}" == LAUNCHER:
        pytest.skip("the launcher composes the services")
    others = [f"services.{other}" for other in SERVICES if other != service]
    entries = imports(f"services/{service}")

    assert offences(entries, *others, "starter", "cli", "tests") == []


def test_the_launcher_uses_bootstraps_and_settings_only():
    allowed = tuple(f"services.{s}.{part}" for s in SERVICES for part in ("bootstrap", "settings"))
    entries = [entry for entry in imports(LAUNCHER) if entry.is_of(*(f"services.{s}" for s in SERVICES))]
    inner = [e for e in entries if not e.is_of(*allowed) and not e.is_of("services.launcher")]

    assert sorted({str(e) for e in inner if e.module.count(".") > 1}) == []


def test_starter_knows_only_the_services_whose_models_it_makes():
    others = [f"services.{s}" for s in SERVICES if s not in {"lora_training", "diffusion"}]

    assert offences(imports("starter"), *others, "cli", "tests") == []


def test_the_command_line_is_a_client_like_any_other():
    """It may start the embedded server, and nothing else of the services."""
    inner = [f"services.{s}" for s in SERVICES if s != "launcher"]

    assert offences(imports("cli"), *inner, "starter", "tests") == []


@pytest.mark.parametrize("service", SERVICES)
def test_domain_knows_neither_transport_nor_adapters_nor_models(service):
    folder = REPOSITORY / "services" / service
    entries = imports(f"services/{service}/domain")
    if (folder / "domain.py").exists():
        entries += list(_imports_of(folder / "domain.py"))
    package = f"services.{service}"
    upper = [
        f"{package}.{part}" for part in ("adapters", "engine", "servicer", "convert", "bootstrap", "settings")
    ]

    assert offences(entries, "grpc", "google", "likeness", *upper, *MODEL_LIBRARIES) == []


@pytest.mark.parametrize("service", SERVICES)
def test_engine_knows_the_domain_only(service):
    package = f"services.{service}"
    upper = [f"{package}.{part}" for part in ("adapters", "servicer", "convert", "bootstrap")]

    assert offences(imports(f"services/{service}/engine"), "grpc", "likeness", *upper) == []


@pytest.mark.parametrize("service", SERVICES)
def test_adapters_know_the_domain_only(service):
    package = f"services.{service}"
    upper = [f"{package}.{part}" for part in ("engine", "servicer", "bootstrap")]

    assert offences(imports(f"services/{service}/adapters"), *upper) == []


@pytest.mark.parametrize("service", SERVICES)
def test_servicers_do_not_reach_around_the_engine(service):
    folder = REPOSITORY / "services" / service
    files = [folder / name for name in ("servicer.py", "convert.py") if (folder / name).exists()]
    entries = [entry for file in files for entry in _imports_of(file)]

    assert offences(entries, f"services.{service}.adapters", *MODEL_LIBRARIES) == []


@pytest.mark.parametrize(
    "folder", ["services/fusion", "services/face_analysis", "services/orchestrator", "cli"]
)
def test_light_parts_load_without_torch(folder):
    entries = [entry for entry in imports(folder) if entry.is_top_level]

    assert offences(entries, "torch", "diffusers", "transformers", "peft") == []


@pytest.mark.parametrize("folder", ["services/orchestrator", "cli"])
def test_orchestrator_and_command_line_never_import_a_model_library(folder):
    assert offences(imports(folder), *MODEL_LIBRARIES) == []
