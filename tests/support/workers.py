"""How several processes share the tests: by file, so that what a module starts is started once, and all journeys in
one of them, since they share a stack; so do the console's. What takes longest begins first, so that no process is left
with it alone."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
UNKNOWN_ID = "5f1b7c1e-9d0a-4c55-8d8e-3f6f0a1b2c3d"
"""Nothing has it. For lists of cases: the names that they give to tests must be the same in every process."""
LONGEST_FIRST = (
    "journeys/",
    "console/",
    "stack/",
    "workers/",
    "api/test_schemathesis.py",
    "trading/engine/test_compiled.py",
)


def longest_first(item: pytest.Item) -> int:
    """The place of a test's folder or file; what is not named stays where the shuffle has put it."""
    file = item.path.relative_to(TESTS).as_posix()
    places = (place for place, name in enumerate(LONGEST_FIRST) if file.startswith(name))
    return next(places, len(LONGEST_FIRST))
