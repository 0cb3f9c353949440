"""What we tell operators: JSON logs with secrets taken out, and Prometheus metrics."""

import logging
import re
import sys
import time
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from deedbook.infra.database import CORRELATION_ID

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
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
WATCHER_BLOCK = Gauge(
    "deedbook_watcher_block", "Block up to which the vault's events were read", registry=REGISTRY
)
WATCHER_STOPPED = Gauge(
    "deedbook_watcher_stopped", "1 while the chain has taken back what had its effect", registry=REGISTRY
)
VAULT_EVENTS_WAITING = Gauge(
    "deedbook_vault_events_waiting", "Events of the vault by what they wait for", ["why"], registry=REGISTRY
)
RECONCILIATION_BREAKS = Gauge(
    "deedbook_reconciliation_breaks",
    "Differences between ledger and vault that nothing explains",
    registry=REGISTRY,
)
RECONCILIATION_AGE = Gauge(
    "deedbook_reconciliation_age_seconds", "Time since ledger and vault were last compared", registry=REGISTRY
)
SETTLEMENTS = Gauge(
    "deedbook_settlements", "Trades by where their settlement stands", ["status"], registry=REGISTRY
)
SETTLEMENT_AGE = Gauge(
    "deedbook_settlement_oldest_seconds", "Time since the oldest trade that is not settled", registry=REGISTRY
)
SETTLEMENT_LAG = Gauge(
    "deedbook_settlement_lag_seconds",
    "From match to final, of the trades in the last batches",
    ["quantile"],
    registry=REGISTRY,
)
SETTLEMENT_GAS = Gauge(
    "deedbook_settlement_gas_per_trade", "Gas a trade has cost in the last batches", registry=REGISTRY
)
SETTLEMENT_FAILURES = Gauge(
    "deedbook_settlement_failures", "Trades that will never settle, by reason", ["reason"], registry=REGISTRY
)
SETTLEMENT_WAITING = Gauge(
    "deedbook_settlement_waiting",
    "Trades that the contract refuses for now, by reason",
    ["reason"],
    registry=REGISTRY,
)
LANE_DEPTH = Gauge(
    "deedbook_lane_transactions",
    "Transactions of the platform's key that are not in the chain for good, by where they are",
    ["status"],
    registry=REGISTRY,
)
STUCK = Gauge(
    "deedbook_stuck",
    "Orders, and cancels and other commands, that no matcher has taken up within ten seconds",
    ["what"],
    registry=REGISTRY,
)
MATCHING_KEY = "deedbook:matching"
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
MATCHING_BUCKETS: dict[str, tuple[float, ...]] = {
    "match_s": _SECONDS,
    "settle_s": _SECONDS,
    "drained": (1, 2, 5, 10, 20, 50, 100, 200, 500),
    "failed": (),
}
MATCHING = Gauge(
    "deedbook_matching_bucket",
    "Batches of the matchers by what was measured, cumulative: match_s, settle_s, drained, failed",
    ["measure", "le"],
    registry=REGISTRY,
)
MATCHING_SUM = Gauge("deedbook_matching_sum", "Sum of what was measured", ["measure"], registry=REGISTRY)
MARKET_DATA_READS = Counter(
    "deedbook_market_data_reads_total",
    "Market data read, from its copy in Redis or, where there was none, from PostgreSQL",
    ["source"],
    registry=REGISTRY,
)
FEED_CLIENTS = Gauge("deedbook_feed_clients", "Open WebSockets of this process", registry=REGISTRY)
FEED_SUBSCRIPTIONS = Gauge(
    "deedbook_feed_subscriptions", "What the WebSockets of this process hear", ["channel"], registry=REGISTRY
)
FEED_LAG = Histogram(
    "deedbook_feed_lag_seconds",
    "Time from a batch of a matcher to its arrival at the feeds of this process",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
    registry=REGISTRY,
)
FEED_CONFLATED = Counter(
    "deedbook_feed_conflated_total", "Messages left out, since a whole one follows", registry=REGISTRY
)
FEED_CLOSED = Counter("deedbook_feed_closed_total", "WebSockets that ended", ["reason"], registry=REGISTRY)
FEED_RELOADS = Counter(
    "deedbook_feed_reloads_total", "Books read anew from PostgreSQL by the feeds", registry=REGISTRY
)
NOTIFICATION_OUTCOMES_KEY = "deedbook:notification-outcomes"
NOTIFICATIONS = Gauge(
    "deedbook_notification_attempts",
    "Attempts to send messages by channel: delivered, later (tried again) or never",
    ["channel", "outcome"],
    registry=REGISTRY,
)
NOTIFICATION_AGE = Gauge(
    "deedbook_notification_oldest_seconds",
    "Time since the oldest message of a channel that has not arrived was written down",
    ["channel"],
    registry=REGISTRY,
)
PERMISSION_CHECKS = Counter(
    "deedbook_permission_checks_total", "Answers of the permission service", ["outcome"], registry=REGISTRY
)

_SECRET_NAME = (
    r"(?:[\w-]*(?:password|passwd|secret|private|signature|authorization|mnemonic|api_?key)[\w-]*"
    r"|\w*token|raw_tx)"
)
_SECRET_NAMES = re.compile(_SECRET_NAME, re.I)
_HASH_NAMES = re.compile(r"(hash|digest|sha256)$", re.I)
_HASH = re.compile(r"(0x)?[0-9a-fA-F]{64}")
_LOOKS_SECRET = re.compile(
    r"(?:0x)?[0-9a-fA-F]{64,}"  # keys, signatures, signed bytes; a hash stands in a field named so
    r"|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # JWTs
    r"|dbk_[0-9a-f]{8,}(?:_[0-9a-f]*)?"  # API keys
    r"|(?<=://)[^/\s:@'\"]*:[^\s'\"]*@"  # user and password in a URL, up to its last @
    r"|(?i:(?<=bearer )|(?<=basic ))[\w+/=.~-]{8,}"
)
# `password=…` as in connection strings, and `"password": "…"` as in JSON and in what Python shows.
_SAID = re.compile(rf"(?i)(\b{_SECRET_NAME}(?:\s?=\s?|['\"]\s?:\s?)b?['\"]?)[^\s'\",;&}})]+")
HIDDEN = "[redacted]"
MAX_DEPTH = 6


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets out of a log line: by the field's name, and by what a value looks like."""
    for key, value in event.items():
        event[key] = _without_secrets(key, value, 0)
    return event


def _without_secrets(name: str, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if _SECRET_NAMES.fullmatch(name):
        return HIDDEN
    if isinstance(value, str):
        return value if _HASH_NAMES.search(name) and _HASH.fullmatch(value) else scrub(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"[{len(value)} bytes]"
    if depth < MAX_DEPTH and isinstance(value, Mapping):
        return {scrub(str(key)): _without_secrets(str(key), inner, depth + 1) for key, inner in value.items()}
    if depth < MAX_DEPTH and isinstance(value, (list, tuple, set, frozenset)):
        return [_without_secrets(name, inner, depth + 1) for inner in value]
    return scrub(str(value))


def scrub(text: str) -> str:
    """The text without keys, signatures, JWTs, passwords in URLs, and values that are called secret."""
    return _SAID.sub(rf"\g<1>{HIDDEN}", _LOOKS_SECRET.sub(HIDDEN, text))


_told: dict[str, float] = {}
MAX_TOLD = 1000


def told_lately(what: str, every_s: float) -> bool:
    """Whether this process said so within the time; if not, it counts as said now. For loops that would
    otherwise repeat themselves ten times a second."""
    now = time.monotonic()
    if now - _told.get(what, -every_s) < every_s:
        return True
    if len(_told) >= MAX_TOLD:
        _told.clear()
    _told[what] = now
    return False


def _correlate(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if request_id := REQUEST_ID.get():
        event.setdefault("request_id", request_id)
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
        more = {"exc_info": record.exc_info} if record.exc_info else {}
        getattr(log, record.levelname.lower(), log.info)(record.getMessage(), logger=record.name, **more)
