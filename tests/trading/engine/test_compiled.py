"""The engine compiled by mypyc is the same engine: the same source, the same outcomes, the same state hash."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RUN = """
import json
import os
from deedbook.bench.engine import _hash_after, _is_compiled, stream
from deedbook.trading.live import LiveOrder
print(json.dumps({"compiled": _is_compiled(), "hash": _hash_after(stream(20_000, 7))}))
"""


def told(source: Path) -> dict[str, object]:
    ended = subprocess.run(
        [sys.executable, "-c", RUN],
        env={"PYTHONPATH": str(source), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(ended.stdout)
    return found


@pytest.mark.skipif(shutil.which("cc") is None, reason="compiling needs a C compiler")
@pytest.mark.timeout(300)
def test_the_compiled_engine_says_what_the_plain_one_says(tmp_path: Path) -> None:
    source = tmp_path / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    plain = told(source)
    subprocess.run(
        [sys.executable, str(ROOT / "tools" / "compile_engine.py"), "--into", str(source)],
        env={
            **os.environ,
            "MYPYC_OPT_LEVEL": "0",
            "MYPYC_DEBUG_LEVEL": "0",
        },  # to say the same takes no speed
        check=True,
        capture_output=True,
    )

    compiled = told(source)

    assert (plain["compiled"], compiled["compiled"]) == (False, True)
    assert plain["hash"] == compiled["hash"]
