"""`make eval-starter`: how good is the starter pack? In figures with intervals, and in pictures.

The protocol is that of published work (PuLID, arXiv 2404.16022): characters whom no net was trained on, a
fixed prompt for likeness and twenty that edit, four pictures of each, the same seeds for every method: text
to image, IP-Adapter, late injection, LoRA. Likeness is judged by an embedder that took no part; whether
prompts are followed by nets that were trained on renders, with their own accuracy beside it. Then: what the
person disrupts, diversity, Fréchet distance, faces found, the autoencoder, landmarks; and photographs in,
characters out.

    python -m loadtests.starter --quick                      3 people, 3 prompts: does everything work?
    python -m loadtests.starter                              12 people, 2 of them trained
    python -m loadtests.starter --identities 60 --trained 8  narrow intervals; hours
    python -m loadtests.starter --prompts "cap,sad" --methods late --images 1     only some of it
    python -m loadtests.starter --gate                       CI's gate: exit code 1 below its floors
    python -m loadtests.starter --gate --write               new floors, after an intended change

Pictures and what was read off them are kept in out/eval-starter, by model, request and seed: the same
command again goes on where it was stopped, also after Ctrl-C, which still writes the report of what was
done. Leaves out/reports/eval-starter.html to look at, .json and .md, and contact sheets in eval-starter/
beside them.
"""

import os
import sys
from contextlib import nullcontext

import grpc
from rich.console import Console

from cli.embedded import ServerDied, embedded_server
from loadtests.common.services import open_services
from loadtests.starter.options import command_of, environment_of, parser_of, scale_of
from shared.threads import apply_thread_defaults

_SERVICES = ("face_analysis", "diffusion", "lora_training")


def main() -> None:
    """Runs the evaluation."""
    options = parser_of(__doc__ or "").parse_args()
    apply_thread_defaults()
    # Only now: these load libraries that read the variables just set.
    from loadtests.starter.gate import hold
    from loadtests.starter.people import photos_of
    from loadtests.starter.run import Run
    from starter.heads.gl import NoGraphicsError
    from starter.heads.workers import WorkerFailedError

    try:
        scale = scale_of(options)
        os.environ.update(environment_of(scale.weights))
        photos = {} if options.gate else photos_of(scale, options.workers)
        server = nullcontext(options.server) if options.server else embedded_server(Console(), _SERVICES)
        with server as target, open_services(target) as services:
            if options.gate:
                sys.exit(hold(scale, services, is_writing=options.write))
            Run(scale, services, options.judge, command_of(options)).go(photos)
    except KeyboardInterrupt:
        sys.exit("Stopped before anything could be measured; what was drawn is kept.")
    except grpc.RpcError as error:
        known = "the same command goes on after the last picture that is done"
        sys.exit(f"A service failed: {error.code().name}: {error.details()}; {known}.")
    except (ValueError, OSError, ServerDied, NoGraphicsError, WorkerFailedError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
