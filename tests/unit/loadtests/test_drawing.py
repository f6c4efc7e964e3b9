"""What decides whether a kept picture is taken again."""

from pathlib import Path

from likeness.diffusion.v1 import diffusion_pb2 as pb

from loadtests.common.drawing import Drawings
from loadtests.common.services import Services


def test_another_parser_redraws_what_late_injection_made_and_nothing_else(tmp_path: Path) -> None:
    services, model = Services(None, None, None), pb.Model(name="toy", digest="1")
    plain, late = pb.GenerateRequest(prompt="a man"), pb.GenerateRequest(prompt="a man")
    late.late_injection.start_share = 0.2
    one, other = (Drawings(services, tmp_path, model, parser) for parser in ("1", "2"))
    assert one.file(plain) == other.file(plain)
    assert one.file(late) != other.file(late)
    assert one.file(late) == Drawings(services, tmp_path, model, "1").file(late)
