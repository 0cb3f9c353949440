"""What the work cost: processor time by process of the stack, before and after. Linux only; elsewhere nothing."""

import os
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from deedbook.infra.embedded import Home
from deedbook.infra.embedded.pidfile import pid_file_of, read_holder

PROC = Path("/proc")
# Fields of /proc/PID/stat, counted after the name: parent; own user and system time; those of ended children.
_PARENT, _TIMES = 1, slice(11, 15)


def cpu_us(home: Home) -> dict[str, int]:
    """Processor time so far of each process that was started in this home, its children included, and ours."""
    if not PROC.joinpath("self/stat").exists():
        return {}
    times, children = _processes()
    found = {name: _of_tree(pid, times, children) for name, pid in _pids(home).items()}
    # Our own time without that of children: where we started the stack, its processes are ours.
    found["bench"] = int(sum(os.times()[:2]) * 1_000_000)
    return found


def memory_mb(home: Home) -> dict[str, int]:
    """Resident memory of each process that was started in this home, without its children."""
    if not PROC.joinpath("self/stat").exists():
        return {}
    found: dict[str, int] = {}
    for name, pid in _pids(home).items():
        with suppress(OSError):  # it may end while we look
            pages = int((PROC / str(pid) / "statm").read_text().split()[1])
            found[name] = pages * os.sysconf("SC_PAGE_SIZE") // 2**20
    return found


def cpu_of(pid: int) -> int:
    """Processor time so far of one process and its children, in microseconds; 0 where that cannot be seen."""
    if not PROC.joinpath("self/stat").exists():
        return 0
    return _of_tree(pid, *_processes())


def per_unit(before: Mapping[str, int], after: Mapping[str, int], units: int) -> dict[str, int]:
    """What each process spent on one unit. One that was started again meanwhile is left out: its count began anew."""
    spent = {name: after[name] - before[name] for name in sorted(before.keys() & after.keys())}
    return {name: used // max(units, 1) for name, used in spent.items() if used >= 0}


def _pids(home: Home) -> dict[str, int]:
    files = {file.stem: file for file in (home.path / "run").glob("*.pid")}
    files["postgres"] = pid_file_of(home.postgres_data())
    files["valkey"] = pid_file_of(home.valkey_data)
    files["chain"] = pid_file_of(home.anvil_state)
    holders = {name: read_holder(file) for name, file in files.items()}
    return {
        name: holder.server.pid for name, holder in holders.items() if holder and holder.server.is_alive()
    }


def _processes() -> tuple[dict[int, int], dict[int, list[int]]]:
    """The time of each process in microseconds, and the children of each."""
    times: dict[int, int] = {}
    children: dict[int, list[int]] = defaultdict(list)
    tick_us = 1_000_000 // os.sysconf("SC_CLK_TCK")
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError, IndexError):  # it may end while we look
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            times[int(entry.name)] = sum(map(int, fields[_TIMES])) * tick_us
            children[int(fields[_PARENT])].append(int(entry.name))
    return times, children


def _of_tree(pid: int, times: Mapping[int, int], children: Mapping[int, list[int]]) -> int:
    """A tree of processes has an end, and none is its own ancestor."""
    return times.get(pid, 0) + sum(_of_tree(child, times, children) for child in children.get(pid, ()))
