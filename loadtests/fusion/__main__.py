"""`make eval-fusion`: what fusion, restoration and ranking do to a likeness, in figures and pictures.

Characters whom no net was trained on are drawn (a minute or two), portraits of each are generated without
training, and everything that follows goes through the services' public stubs: fuse, texture, marks, enhance,
rank, gate. The likeness is judged by an embedder that took no part in any of it. Each person's result is kept
in out/eval-fusion/people/, renders and generated pictures beside it; --resume goes on from there, also after
Ctrl-C, which still writes the report of what was done.

    python -m loadtests.fusion --quick           3 people, 8 candidates: does everything work?
    python -m loadtests.fusion                   12 people, 20 candidates
    python -m loadtests.fusion --identities 60   narrow intervals
    python -m loadtests.fusion --prepare         only draw and generate, the slow part, to be taken later

Leaves out/reports/eval-fusion.html to look at, .json and .md, and contact sheets in eval-fusion/ beside them.
"""

import sys
from contextlib import nullcontext

import grpc
from rich.console import Console

from cli.embedded import ServerDied, embedded_server
from loadtests.common.services import open_services
from loadtests.fusion.options import command_of, parser_of, scale_of, style_of
from services.orchestrator.errors import UnknownStyle
from shared.threads import apply_thread_defaults


def main() -> None:
    """Runs the evaluation."""
    options = parser_of(__doc__ or "").parse_args()
    apply_thread_defaults()
    # Only now: these load libraries that read the variables just set.
    from loadtests.fusion.run import Run
    from starter.heads.gl import NoGraphicsError
    from starter.heads.workers import WorkerFailedError

    try:
        scale, style = scale_of(options), style_of(options.style)
        run = Run(scale, style, options.judge, command_of(options), is_resumed=options.resume)
        photos = run.photos(options.workers)
        server = nullcontext(options.server) if options.server else embedded_server(Console())
        with server as target, open_services(target) as services:
            run.go(services, photos, only_prepare=options.prepare)
    except KeyboardInterrupt:
        sys.exit("Stopped before anything could be measured; what was drawn is kept.")
    except grpc.RpcError as error:
        known = "--resume goes on after the last person that is done"
        sys.exit(f"A service failed: {error.code().name}: {error.details()}; {known}.")
    except (ValueError, OSError, ServerDied, NoGraphicsError, WorkerFailedError, UnknownStyle) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
