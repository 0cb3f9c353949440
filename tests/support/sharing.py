"""The scheduler of `pytest-xdist` by which processes share the tests. See `workers`."""

from xdist.scheduler import LoadFileScheduling

TOGETHER = ("tests/journeys/", "tests/console/")
"""Folders whose tests share a stack."""


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file is one piece of work; so is a folder that shares a stack."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.split("::", 1)[0])
