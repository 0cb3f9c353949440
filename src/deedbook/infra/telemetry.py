"""What we tell operators: JSON logs with secrets taken out, and Prometheus metrics."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from deedbook.infra.database import CORRELATION_ID

REGISTRY = CollectorRegistry()
HTTP_LATENCY = Histogram(
    "deedbook_http_request_seconds",
    "Time from request to answer",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=REGISTRY,
)
QUEUE_DEPTH = Gauge("deedbook_queue_jobs", "Jobs by queue and state", ["queue", "state"], registry=REGISTRY)
QUEUE_AGE = Gauge(
    "deedbook_queue_oldest_seconds", "Age of the oldest unfinished job", ["queue"], registry=REGISTRY
)
JOB_OUTCOMES = Gauge(
    "deedbook_job_outcomes", "Jobs by outcome since Redis started", ["queue", "outcome"], registry=REGISTRY
)
RELAY_LAG = Gauge(
    "deedbook_relay_lag_seconds", "Age of the oldest undelivered row", ["sink"], registry=REGISTRY
)
POOL = Gauge("deedbook_database_pool", "Connections of this process", ["state"], registry=REGISTRY)
FAILED_EVENTS = Gauge(
    "deedbook_processed_events_failed", "Events from outside that await an operator", registry=REGISTRY
)
FAILED_JOBS = Gauge(
    "deedbook_jobs_failed", "Jobs that failed for good and await an operator", ["queue"], registry=REGISTRY
)
PERMISSION_CHECKS = Counter(
    "deedbook_permission_checks_total", "Answers of the permission service", ["outcome"], registry=REGISTRY
)

_SECRET_NAMES = re.compile(
    r"(password|secret|private|signature|authorization|token$|_token|raw_tx|mnemonic|api_?key)", re.I
)
_LOOKS_SECRET = re.compile(r"(0x)?[0-9a-fA-F]{130}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]+|://[^/\s:@]*:[^/\s@]+@")
_PRIVATE_KEY = re.compile(r"(?<![0-9a-fA-Fx])[0-9a-fA-F]{64}(?![0-9a-fA-F])")


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets out of a log line: by the field's name, and by what a value looks like."""
    for key, value in event.items():
        if _SECRET_NAMES.search(key):
            event[key] = "[redacted]"
        elif isinstance(value, str):
            event[key] = scrub(value)
        elif not isinstance(value, (int, float, bool, type(None))):
            event[key] = scrub(str(value))
    return event


def scrub(text: str) -> str:
    """The text without signatures, JWTs, passwords in URLs and bare 64-digit hex (keys; hashes carry 0x)."""
    return _PRIVATE_KEY.sub("[redacted]", _LOOKS_SECRET.sub("[redacted]", text))


def _correlate(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if correlation_id := CORRELATION_ID.get():
        event.setdefault("correlation_id", correlation_id)
    return event


def _to_json(event: Any, **_: Any) -> bytes:
    return orjson.dumps(event, default=str)


def configure_logging(process: str, level: str = "info") -> None:
    """One JSON object per line on standard error, also for what libraries log."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _correlate,
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    root = logging.getLogger()
    root.handlers = [_ToStructlog()]
    root.setLevel(logging.WARNING)


class _ToStructlog(logging.Handler):
    """Carries the standard library's log records into ours."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        getattr(log, record.levelname.lower(), log.info)(record.getMessage(), logger=record.name)
