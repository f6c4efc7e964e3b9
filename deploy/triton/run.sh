#!/usr/bin/env bash
# Serves a model repository that `likeness export --target triton` wrote, on loopback ports, until SIGTERM:
#
#     deploy/triton/run.sh REPOSITORY [OPTION OF tritonserver]...
#
# gRPC 18001, HTTP 18000, metrics 18002; an option given here wins over the one below (`--grpc-port=9001`).
# SIGTERM lets requests in flight finish; after 120 s it ends the server anyway, with exit code 1.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
triton=$root/.triton/pytriton/tritonserver
repository=${1:?names the model repository to serve}
shift
if [[ ! -x $triton/backends/python/triton_python_backend_stub ]]; then
    echo "no Triton server in $root/.triton; install it with: make triton-setup" >&2
    exit 1
fi

# The python backend runs models in the environment whose bin comes first in PATH, but links the libpython that the loader
# finds: without this it may be another patch release's.
export PATH=$root/.venv/bin:$PATH
LD_LIBRARY_PATH=$(python -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE} GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-0}

# A model process that is killed leaves its region in /dev/shm. Ours carry the server's process id (exec keeps it), so
# that those of servers that are gone can be told apart and removed.
for region in /dev/shm/likeness_triton_*; do
    owner=${region#/dev/shm/likeness_triton_}
    [[ -e $region ]] && ! kill -0 "${owner%%_*}" 2>/dev/null && rm -f "$region"
done

# Explicit control, with everything loaded at the start: so a client can have a model whose process died loaded anew,
# which Triton does not do by itself.
exec "$triton/bin/tritonserver" \
    --model-repository="$repository" --backend-directory="$triton/backends" --disable-auto-complete-config \
    --model-control-mode=explicit --load-model="*" \
    --backend-config=python,shm-region-prefix-name="likeness_triton_$$_" \
    --http-address=127.0.0.1 --http-port=18000 \
    --grpc-address=127.0.0.1 --grpc-port=18001 \
    --metrics-address=127.0.0.1 --metrics-port=18002 \
    --exit-timeout-secs=120 \
    "$@"
