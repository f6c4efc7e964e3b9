"""Generates the Python stubs from the protos, and checks what is committed.

    python protos/tools/generate.py            write protos/gen and protos/api.txtpb
    python protos/tools/generate.py --check    fail if that would change a file
    python protos/tools/generate.py --release  also make the present API the one to compare with

The protos carry protovalidate rules (`buf/validate/validate.proto`). The validator reads them from the raw
descriptor bytes, so the stubs need no `buf` package: the dependency is dropped from the descriptor set before
code is generated. That keeps `pip install ./protos` to one top-level name.
"""

import argparse
import filecmp
import importlib.resources
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2
from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb

PROTOS = Path(__file__).resolve().parent.parent
RULES = "buf/validate/validate.proto"


def compile_api(work: Path) -> Path:
    """Compiles every proto with its imports; returns the descriptor set, rules included."""
    rules = descriptor_pb2.FileDescriptorProto.FromString(validate_pb.desc().proto.to_binary())
    rules_set = work / "validate.binpb"
    rules_set.write_bytes(descriptor_pb2.FileDescriptorSet(file=[rules]).SerializeToString())
    api = work / "api.binpb"
    run_protoc(
        f"-I{PROTOS}",
        f"-I{importlib.resources.files('grpc_tools') / '_proto'}",
        f"--descriptor_set_in={rules_set}",
        "--include_imports",
        "--include_source_info",
        f"-o{api}",
    )
    return api


def run_protoc(*arguments: str) -> None:
    """Runs protoc over all our protos; exits with its messages where it fails."""
    files = sorted(str(path.relative_to(PROTOS)) for path in (PROTOS / "likeness").rglob("*.proto"))
    if protoc.main(["protoc", *arguments, *files]) != 0:
        sys.exit("protoc failed; see above")


def strip_rules(api: Path, work: Path) -> Path:
    """Drops the import of the rules (not the rules themselves) from the descriptor set."""
    descriptors = descriptor_pb2.FileDescriptorSet.FromString(api.read_bytes())
    for file in descriptors.file:
        kept = [name for name in file.dependency if name != RULES]
        del file.dependency[:]
        file.dependency.extend(kept)
    files = [file for file in descriptors.file if file.name != RULES]
    stripped = work / "stripped.binpb"
    stripped.write_bytes(descriptor_pb2.FileDescriptorSet(file=files).SerializeToString())
    return stripped


def generate(out: Path, work: Path) -> Path:
    """Writes the stubs into `out`; returns the descriptor set of the API."""
    api = compile_api(work)
    out.mkdir(parents=True, exist_ok=True)
    run_protoc(
        f"--descriptor_set_in={strip_rules(api, work)}",
        f"--python_out={out}",
        f"--pyi_out={out}",
        f"--grpc_python_out={out}",
    )
    for folder in [out / "likeness", *(path for path in (out / "likeness").rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    (out / "likeness" / "py.typed").touch()
    # The wheel carries the protos beside the stubs, for clients that generate their own.
    for proto in (PROTOS / "likeness").rglob("*.proto"):
        shutil.copyfile(proto, out / proto.relative_to(PROTOS))
    return api


def write_text_form(api: Path, target: Path) -> None:
    """Writes the API as text, so that every change of it shows in a diff."""
    subprocess.run(
        ["buf", "build", str(api), "--path", "likeness", "--exclude-source-info", "-o", str(target)],
        check=True,
    )


def files_below(folder: Path) -> set[str]:
    """Returns the files below a folder, relative, caches left out."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".egg-info" not in str(path)
    }


def differences(fresh: Path, committed: Path) -> list[str]:
    """Names the files that differ between two folders."""
    names = files_below(fresh) | files_below(committed)
    return sorted(
        name
        for name in names
        if not (fresh / name).is_file()
        or not (committed / name).is_file()
        or not filecmp.cmp(fresh / name, committed / name, shallow=False)
    )


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="fail if a committed file is not up to date")
    parser.add_argument(
        "--release", action="store_true", help="make the present API the reference for breaking changes"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        api = generate(work / "gen", work)
        write_text_form(api, work / "api.txtpb")
        if options.check:
            stale = [f"gen/{name}" for name in differences(work / "gen", PROTOS / "gen")]
            if (work / "api.txtpb").read_text() != (PROTOS / "api.txtpb").read_text():
                stale.append("api.txtpb")
            if stale:
                sys.exit("not up to date, run `make protos`: " + ", ".join(stale))
            check_rules(api)
            return
        shutil.rmtree(PROTOS / "gen", ignore_errors=True)
        shutil.copytree(work / "gen", PROTOS / "gen")
        shutil.copy(work / "api.txtpb", PROTOS / "api.txtpb")
        if options.release:
            shutil.copy(api, PROTOS / "released.binpb")
        check_rules(api)


def check_rules(api: Path) -> None:
    """Runs buf lint, and buf breaking against the released API."""
    config = str(PROTOS / "buf.yaml")
    released = PROTOS / "released.binpb"
    lint = ["buf", "lint", str(api), "--path", "likeness", "--config", config]
    breaking = [
        "buf",
        "breaking",
        str(api),
        "--against",
        str(released),
        "--path",
        "likeness",
        "--config",
        config,
    ]
    for command in [lint] + ([breaking] if released.exists() else []):
        if subprocess.run(command, check=False).returncode != 0:
            sys.exit(f"failed: {' '.join(command[:2])}")


if __name__ == "__main__":
    main()
