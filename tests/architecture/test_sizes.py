"""Files stay small enough to read in one go: split by concept before they grow."""

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ["services", "shared", "cli", "starter"]
MEDIAN_LINES, MOST_LINES = 120, 400
FUNCTION_LINES, LONG_FUNCTION_SHARE = 40, 0.03


def sources() -> list[Path]:
    return [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if path.stat().st_size > 0]


def test_median_file_is_under_the_limit() -> None:
    assert statistics.median(len(path.read_text().splitlines()) for path in sources()) <= MEDIAN_LINES


def test_no_file_is_two_things() -> None:
    large = {str(path): len(path.read_text().splitlines()) for path in sources()}
    assert {path: lines for path, lines in large.items() if lines > MOST_LINES} == {}


def test_nearly_all_functions_fit_on_a_screen() -> None:
    lengths = [
        (node.end_lineno or 0) - node.lineno + 1
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert sum(length > FUNCTION_LINES for length in lengths) <= LONG_FUNCTION_SHARE * len(lengths)
