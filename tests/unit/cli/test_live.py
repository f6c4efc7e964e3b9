"""The live display takes events in any order and says what a pipe needs to know."""

import io

from likeness.common.v1 import face_pb2, job_pb2
from likeness.orchestrator.v1 import orchestrator_pb2 as api
from likeness.orchestrator.v1 import resources_pb2
from rich.console import Console

from cli.live import follow, verdict


def plain_console() -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=100)


def portrait_event(sequence: int, state: int, stage: int) -> api.PortraitEvent:
    portrait = resources_pb2.Portrait(name="portraits/p1", state=state, stage=stage)
    return api.PortraitEvent(sequence=sequence, portrait=portrait)


def test_follow_returns_the_last_portrait_and_prints_each_stage_once() -> None:
    console = plain_console()
    running, done = job_pb2.JOB_STATE_RUNNING, job_pb2.JOB_STATE_SUCCEEDED
    events = [
        portrait_event(1, running, resources_pb2.STAGE_ANALYSE),
        portrait_event(2, running, resources_pb2.STAGE_GENERATE),
        portrait_event(2, running, resources_pb2.STAGE_GENERATE),
        portrait_event(3, done, resources_pb2.STAGE_STORE),
    ]
    last = follow(events, console)
    printed = console.file.getvalue()
    assert last.state == done
    assert printed.count("stage generate") == 1
    assert "stage analyse" in printed


def test_step_without_a_known_total_does_no_harm() -> None:
    step = api.StepProgress(stage=resources_pb2.STAGE_TRAIN, steps_done=3, step_count=0)
    follow([api.PortraitEvent(sequence=1, step=step)], plain_console())


def test_candidates_are_shown_with_their_verdict() -> None:
    console = plain_console()
    refused = resources_pb2.Candidate(
        candidate_id="candidate-2", rejection=face_pb2.Refusal(reason="NO_FACE_FOUND", message="No face.")
    )
    news = api.CandidateProgress(candidate=refused, stage=resources_pb2.STAGE_RANK)
    follow([api.PortraitEvent(sequence=1, candidate=news)], console)
    assert "candidate-2: rejected: NO_FACE_FOUND" in console.file.getvalue()


def test_verdict_words() -> None:
    assert verdict(resources_pb2.Candidate(rank=2, is_winner=True)) == "winner 2"
    assert verdict(resources_pb2.Candidate(rank=5)) == "rank 5"
    assert verdict(resources_pb2.Candidate()) == "made"
