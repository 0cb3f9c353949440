"""The failpoints of the source, by reading it: a point that is added is in the list from then on."""

import re
from pathlib import Path

from deedbook.workers.relay import FanOutSink, JobSink, PermissionsSink, RedisSink

SOURCE = Path(__file__).parents[2] / "src" / "deedbook"
_CALL = re.compile(r"""await failpoint\(f?(["'])(.+?)\1\)""")
_SINKS = (FanOutSink, JobSink, RedisSink, PermissionsSink)


def registered() -> set[str]:
    """Every name that some process may cross."""
    found: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        for _, name in _CALL.findall(file.read_text()):
            if "{self.name}" in name:
                found |= {name.replace("{self.name}", sink.name) for sink in _SINKS}
            else:
                found.add(name)
    return found
