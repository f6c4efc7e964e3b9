#!/usr/bin/env bash
# Serves the UNet of the Stable Diffusion folder LIKENESS_MODEL_FOLDER with Triton on loopback ports, until SIGTERM:
#
#     LIKENESS_MODEL_FOLDER=starter/weights deploy/triton/run.sh [OPTION OF tritonserver]...
#
# gRPC 18001, HTTP 18000, metrics 18002; an option given here wins over the one below (`--grpc-port=9001`).
# SIGTERM lets requests in flight finish; after 120 s it ends the server anyway, with exit code 1.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
triton=$root/.triton/pytriton/tritonserver
: "${LIKENESS_MODEL_FOLDER:?names the Stable Diffusion folder to serve}"
LIKENESS_MODEL_FOLDER=$(realpath "$LIKENESS_MODEL_FOLDER")
export LIKENESS_MODEL_FOLDER
if [[ ! -x $triton/backends/python/triton_python_backend_stub ]]; then
    echo "no Triton server in $root/.triton; install it with: make triton-setup" >&2
    exit 1
fi

# The python backend runs models in the environment whose bin comes first in PATH, but links the libpython that the loader
# finds: without this it may be another patch release's.
export PATH=$root/.venv/bin:$PATH
LD_LIBRARY_PATH=$(python -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
export PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH}

exec "$triton/bin/tritonserver" \
    --model-repository="$root/deploy/triton/model_repository" --backend-directory="$triton/backends" \
    --http-address=127.0.0.1 --http-port=18000 \
    --grpc-address=127.0.0.1 --grpc-port=18001 \
    --metrics-address=127.0.0.1 --metrics-port=18002 \
    --exit-timeout-secs=120 \
    "$@"
