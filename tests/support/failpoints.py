"""The failpoints of the source, by reading it: a point that is added is in the list from then on."""

import re
from pathlib import Path

from deedbook.custody.errands import RELAY, TRANSFER, WITHDRAW
from deedbook.workers.notification_sinks import NotificationsSink, TradingNotificationsSink
from deedbook.workers.relay import FanOutSink, JobSink, PermissionsSink, RedisSink
from deedbook.workers.trading_sinks import TradingActivitySink, TradingEventsSink

SOURCE = Path(__file__).parents[2] / "src" / "deedbook"
_CALL = re.compile(r"""await failpoint\(f?(["'])(.+?)\1\)""")
_NAMES = {
    "{self.name}": [
        sink.name
        for sink in (
            FanOutSink,
            JobSink,
            RedisSink,
            PermissionsSink,
            TradingEventsSink,
            TradingActivitySink,
            NotificationsSink,
            TradingNotificationsSink,
        )
    ],
    "{errand.name}": [errand.name for errand in (WITHDRAW, TRANSFER, RELAY)],
}
"""What stands for a part of a point's name."""


def registered() -> set[str]:
    """Every name that some process may cross."""
    found: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        for _, name in _CALL.findall(file.read_text()):
            found |= _spelled_out(name)
    return found


def _spelled_out(name: str) -> set[str]:
    for part, names in _NAMES.items():
        if part in name:
            return {name.replace(part, one) for one in names}
    assert "{" not in name, f"{name}: say in this file what its parts can be"
    return {name}
