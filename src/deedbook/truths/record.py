"""Truths of the record: what was written down stays as it was."""

QUERIES = {
    "INV-11 what was written down cannot be changed": """
        SELECT guard || ' does not stand on ' || relation
        FROM (VALUES ('events', 'events_append_only'), ('events', 'events_never_truncated'),
                     ('markets', 'markets_move')) AS g (relation, guard)
        WHERE NOT EXISTS (SELECT 1 FROM pg_trigger
                          WHERE tgrelid = to_regclass(relation) AND tgname = guard AND tgenabled IN ('O', 'A'))
    """,
}
