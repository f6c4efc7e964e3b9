"""Tables of the documentation come from reports; a report of the engine makes a whole section."""

import pytest

from loadtests.engine.report import bars, details_of, markdown, winner_of
from loadtests.markdown import bar_table, insert, publishable, section, table

FIGURES = {"p50": 1.0, "p95": 2.0, "p99": 3.0, "mean": 1.0}
RUN = {"images_per_s": 1.0, "latency_s": FIGURES, "first_progress_s": FIGURES}
SPLIT = dict.fromkeys(("prepare_s", "queue_s", "batch_wait_s", "compute_s", "decode_s"), 0.25)


def likeness(images_per_s: float) -> dict:
    return {
        **RUN,
        "backend": f"b{images_per_s}",
        "description": "torch bfloat16 on cpu",
        "images_per_s": images_per_s,
        "profile": {
            "unet_ms": 100.0,
            "unet_share": 0.9,
            "sampler_ms": 1.0,
            "between_calls_ms": 3.0,
            "beside_ms": {"decode": 5.0},
            "rows_per_call": {"16": 3},
            "mean_rows": 16.0,
        },
        "split": SPLIT,
    }


def known() -> dict:
    point = {**RUN, "load": 0.7, "rate_per_s": 2.8, "split": SPLIT}
    slow = {**RUN, "rate_per_s": 2.8, "latency_s": {**FIGURES, "p95": 20.0}}
    return {
        "machine": {
            "unet_gflop_per_row": 2.0,
            "gemm_gflops": {"float32": 100.0, "bfloat16": 640.0},
        },
        "likeness-a": likeness(2.0),
        "likeness-b": likeness(4.0),
        "eager": {**RUN, "description": "e", "common_rate_per_s": 2.8, "points": [slow], "switch_s": 0.06},
        "best": {**RUN, "description": "b", "images_per_s": 2.0, "points": [], "tried": []},
        "sweep": {"points": [point]},
        "costs-b4.0": {
            "backend": "b4.0",
            "join": {"step_time_s": 0.1, "p50_steps": 1.5, "p95_steps": 1.9},
            "lora": {
                "as_data_ms": 104.0,
                "identity_alone_ms": 102.0,
                "no_adapters_ms": 101.0,
                "merged_ms": 100.0,
                "overhead_percent": 4.0,
                "identity_alone_percent": 2.0,
            },
            "swap": {"lookup_ms": 0.2, "again_ms": 1.0, "first_ms": 2.0, "total_ms": 1.2},
        },
        "memory": {
            "image_count": 2000,
            "size_px": 64,
            "step_count": 2,
            "percent": 0.5,
            "samples_mib": [400.0] * 8,
            "early_mib": 400.0,
            "late_mib": 402.0,
        },
    }


def test_all_bars_are_judged_by_the_fastest_backend() -> None:
    found = bars(known())
    assert [bar.value for bar in found] == pytest.approx([4.0, 2.0, 0.1, 1.9, 4.0, 1.2, 0.5])
    assert all(bar.met for bar in found)


def test_parts_that_are_missing_leave_their_bars_out() -> None:
    some = {name: part for name, part in known().items() if name in ("machine", "likeness-a", "best")}
    assert [bar.value for bar in bars(some)] == pytest.approx([1.0])
    assert bars({}) == []
    assert winner_of({}) is None


def test_the_section_has_every_table_and_the_share_of_the_gemm_peak() -> None:
    text = markdown(details_of(known(), {"memory-x": 1}))
    # 16 rows of 2 GFLOP in 0.1 s are 320 of 640 GFLOP/s.
    assert "| 320 | 50 % |" in text
    assert "diffusers as people run it" in text
    assert "70% of capacity" in text
    assert "Failed, so missing above: memory-x" in text
    assert markdown(details_of({}, {})) == "Nothing was measured."


def test_only_missed_bars_are_explained_each_with_its_own_figures() -> None:
    assert "what would move them" not in markdown(details_of(known(), {}))
    slow = known()
    slow["eager"]["images_per_s"] = 3.0
    slow["costs-b4.0"]["lora"]["overhead_percent"] = 12.5
    slow["memory"]["percent"] = 9.0
    reasons = markdown(details_of(slow, {})).split("what would move them:")[1].strip().splitlines()
    assert len(reasons) == 3
    assert "90% of the time with 16.0 rows" in reasons[0]
    assert "alone cost +1.0 %, with one adapter +2.0 %, with two +12.5 %" in reasons[1]
    assert "400, 400" in reasons[2]


def test_table_aligns_figures() -> None:
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"
    with pytest.raises(ValueError, match="2 cells"):
        table(["a", "b"], [["x"]])


def test_section_says_what_ran_where_and_which_bars_are_missed() -> None:
    report = {
        "command": "make x",
        "date": "2026-01-02T03:04:05+00:00",
        "commit": "abc",
        "machine": {"cpu": "CPU", "cores": 2, "memory_gib": 24.0, "python": "3.11.7"},
        "bars": [{"name": "n", "value": 1.0, "goal": 2.0, "op": ">=", "met": False}],
    }
    text = section(report, "body")
    assert text.startswith("`make x`, 2026-01-02, commit abc, CPU, 2 cores, 24 GiB")
    assert "| n | 1 | >= 2 | **no** |" in bar_table(report)
    assert text.endswith("body")


def test_insert_replaces_what_is_between_the_markers() -> None:
    document = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb"
    assert insert(document, "x", "new \\1") == "a\n<!-- x: begin -->\nnew \\1\n<!-- x: end -->\nb"
    with pytest.raises(ValueError, match="markers"):
        insert(document, "y", "new")


def test_a_quick_run_is_not_published(tmp_path) -> None:
    assert publishable(tmp_path, "x") is None
    (tmp_path / "x.md").write_text("text")
    (tmp_path / "x.json").write_text('{"command": "python -m x --quick"}')
    assert publishable(tmp_path, "x") is None
    (tmp_path / "x.json").write_text('{"command": "python -m x", "details": {"is_partial": true}}')
    assert publishable(tmp_path, "x") is None
    (tmp_path / "x.json").write_text('{"command": "python -m x"}')
    assert publishable(tmp_path, "x") == "text"
