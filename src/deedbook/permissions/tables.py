"""The tables, created at start. A file of another version is refused, never guessed at."""

import sqlite3

SCHEMA_VERSION = 1

_STATEMENTS = (
    """CREATE TABLE entities (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        status TEXT NOT NULL,
        parent_id TEXT REFERENCES entities (id),
        attributes TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE (name, type)
    )""",
    "CREATE INDEX entities_parent ON entities (parent_id)",
    """CREATE TABLE roles (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        description TEXT,
        is_system INTEGER NOT NULL DEFAULT 0,
        scope_types TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )""",
    """CREATE TABLE role_permissions (
        role_id TEXT NOT NULL REFERENCES roles (id),
        action TEXT NOT NULL,
        PRIMARY KEY (role_id, action)
    ) WITHOUT ROWID""",
    """CREATE TABLE assignments (
        id TEXT PRIMARY KEY,
        principal_id TEXT NOT NULL,
        principal_type TEXT NOT NULL,
        role_id TEXT NOT NULL REFERENCES roles (id),
        entity_id TEXT REFERENCES entities (id),
        effective_at TEXT NOT NULL,
        expires_at TEXT,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )""",
    # Two global assignments of one role are one: NULL would be distinct from NULL in a plain UNIQUE.
    """CREATE UNIQUE INDEX assignments_once
        ON assignments (principal_id, principal_type, role_id, ifnull(entity_id, ''))""",
    "CREATE INDEX assignments_entity ON assignments (entity_id)",
    """CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        event_id TEXT NOT NULL UNIQUE,
        event_type TEXT NOT NULL,
        source TEXT NOT NULL,
        occurred_at TEXT NOT NULL,
        correlation_id TEXT,
        schema_version TEXT NOT NULL,
        payload TEXT NOT NULL,
        context TEXT NOT NULL,
        market_id TEXT,
        delivery_state TEXT NOT NULL,
        delivery_attempts INTEGER NOT NULL,
        last_error TEXT,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )""",
    """CREATE UNIQUE INDEX events_once ON events (source, correlation_id)
        WHERE correlation_id IS NOT NULL AND correlation_id <> ''""",
    "CREATE INDEX events_newest ON events (occurred_at DESC, seq DESC)",
    "CREATE INDEX events_type ON events (event_type, occurred_at DESC, seq DESC)",
    "CREATE INDEX events_source ON events (source, occurred_at DESC, seq DESC)",
    "CREATE INDEX events_market ON events (market_id) WHERE market_id IS NOT NULL",
    """CREATE TABLE approvals (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        market_id TEXT NOT NULL UNIQUE,
        entity_id TEXT NOT NULL,
        status TEXT NOT NULL,
        name TEXT,
        request_event_id TEXT NOT NULL REFERENCES events (event_id),
        decision_event_id TEXT REFERENCES events (event_id),
        decision_reason TEXT,
        decision_actor_id TEXT,
        decided_at TEXT
    )""",
    "CREATE INDEX approvals_status ON approvals (status, seq)",
    """CREATE TABLE subscriptions (
        url TEXT PRIMARY KEY,
        subscription_id TEXT NOT NULL,
        token TEXT NOT NULL,
        created_at TEXT NOT NULL
    )""",
    """CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        message_id TEXT NOT NULL UNIQUE,
        url TEXT NOT NULL REFERENCES subscriptions (url),
        event_id TEXT REFERENCES events (event_id),
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        due_at TEXT NOT NULL,
        leased_until TEXT NOT NULL DEFAULT '',
        last_error TEXT,
        created_at TEXT NOT NULL,
        UNIQUE (event_id, url)
    )""",
    "CREATE INDEX outbox_due ON outbox (url, due_at) WHERE state = 'pending'",
    "CREATE INDEX outbox_age ON outbox (state, created_at)",
)


class UnknownSchema(RuntimeError):
    """The database file was written by another version of this service."""


def create_schema(db: sqlite3.Connection) -> None:
    """Call inside a write transaction; a second process then finds the tables made."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == SCHEMA_VERSION:
        return
    if version != 0:
        raise UnknownSchema(
            f"the permission database has schema {version}, this service knows {SCHEMA_VERSION}"
        )
    for statement in _STATEMENTS:
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
