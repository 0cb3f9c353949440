"""The scheduler of `pytest-xdist` by which processes share the tests. See `workers`."""

from xdist.scheduler import LoadFileScheduling

JOURNEYS = "tests/journeys/"


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file is one piece of work; so is the folder of journeys."""

    def _split_scope(self, nodeid: str) -> str:
        return JOURNEYS if nodeid.startswith(JOURNEYS) else nodeid.split("::", 1)[0]
