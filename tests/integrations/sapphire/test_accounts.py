"""Loading the Ethereum libraries leaves the interpreter's recursion limit alone."""

import subprocess
import sys

import pytest

CODE = """
import json, sys
before = sys.getrecursionlimit()
import deedbook.integrations.sapphire.keys, deedbook.stack.wallet
assert sys.getrecursionlimit() == before, sys.getrecursionlimit()
try:
    json.loads("[" * 100_000)
except RecursionError:
    print("refused")
"""


def test_deep_json_is_refused_when_the_ethereum_libraries_are_loaded() -> None:
    ended = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60)
    if ended.returncode:
        pytest.fail(ended.stderr[-2000:])
    assert ended.stdout.strip() == "refused"
