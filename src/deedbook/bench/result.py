"""What every bench answers with: one shape, so that results of different days and machines compare."""

import math
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Round:
    """One stretch of load of one kind. `offered_per_s` is `None` when all was sent at once."""

    name: str
    count: int
    failed: int
    offered_per_s: float | None
    rate: float
    p50_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(
        cls,
        name: str,
        latencies_s: Sequence[float],
        *,
        elapsed_s: float,
        failed: int = 0,
        offered_per_s: float | None = None,
    ) -> "Round":
        """From the latency of each answer that came, and the time from the first request to the last answer."""
        return cls(
            name=name,
            count=len(latencies_s),
            failed=failed,
            offered_per_s=offered_per_s,
            rate=round(len(latencies_s) / elapsed_s, 2) if elapsed_s > 0 else 0.0,
            p50_ms=milliseconds(percentile(latencies_s, 50)),
            p99_ms=milliseconds(percentile(latencies_s, 99)),
            max_ms=milliseconds(max(latencies_s, default=0.0)),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "count": self.count,
            "failed": self.failed,
            "offeredPerS": self.offered_per_s,
            "rate": self.rate,
            "p50Ms": self.p50_ms,
            "p99Ms": self.p99_ms,
            "maxMs": self.max_ms,
        }


@dataclass(frozen=True)
class BenchResult:
    """`rate`, `p50_ms` and `p99_ms` are those of the round that the bench is named after; `rounds` are all of
    them. `cpu_us_per_unit` is by process. `truths` is true only when all held afterwards."""

    name: str
    rate: float
    unit: str
    p50_ms: float
    p99_ms: float
    cpu_us_per_unit: dict[str, int]
    rounds: tuple[Round, ...]
    truths: bool
    machine: dict[str, Any] = field(default_factory=lambda: machine())
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the numbers mean anything: no request failed, and all truths held."""
        return self.truths and all(entry.failed == 0 for entry in self.rounds)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "rate": self.rate,
            "unit": self.unit,
            "p50Ms": self.p50_ms,
            "p99Ms": self.p99_ms,
            "cpuUsPerUnit": self.cpu_us_per_unit,
            "rounds": [entry.as_json() for entry in self.rounds],
            "machine": self.machine,
            "truths": self.truths,
            "notes": list(self.notes),
        }


def percentile(values: Sequence[float], percent: int) -> float:
    """By nearest rank: a value that was measured, never one between two. 0 when nothing was measured."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def middle_of(rounds: Sequence[T], by: Callable[[T], float]) -> T:
    """The median round: one that was measured. Of an even number the upper of the two."""
    return sorted(rounds, key=by)[len(rounds) // 2]


def milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2 if seconds > 0.001 else 4)


def machine() -> dict[str, Any]:
    """What the numbers were measured on. It names no host."""
    return {
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "cpu": _cpu_name(),
        "memoryMb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        # Of the last minute: what else the machine was doing, as far as it was more than the bench.
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
