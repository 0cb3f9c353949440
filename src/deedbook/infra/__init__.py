"""Machinery that knows no business: settings, database, outbox, queues, HTTP, telemetry, embedded servers."""
