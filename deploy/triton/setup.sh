#!/usr/bin/env bash
# Installs a Triton server for CPU into .triton and its client into .venv. No container, no root. The server lies apart from
# the virtual environment, as its package asks for numpy 1. Does nothing where both are in place.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=$root/.venv/bin
bundle=$root/.triton
triton=$bundle/pytriton/tritonserver
stub=$triton/backends/python/triton_python_backend_stub

"$bin/pip" install --quiet "tritonclient[grpc]==2.73.0"
"$bin/pip" check

if [[ ! -x $stub ]]; then
    rm -rf "$bundle"
    "$bin/pip" install --quiet --no-deps --target "$bundle" nvidia-pytriton==0.7.0
    version=$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    # The server looks for the stub here. It comes last: where it is, the bundle is complete.
    cp "$triton/python_backend_stubs/$version/triton_python_backend_stub" "$stub"
fi
echo "Triton is in $bundle; start it with deploy/triton/run.sh REPOSITORY, or try make triton-serve"
