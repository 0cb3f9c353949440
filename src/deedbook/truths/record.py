"""INV-11: what was written down stays as it was. Guards and rights stand, and the seals verify."""

from deedbook.infra import audit
from deedbook.infra.database import APPLICATION_ROLE, Database
from deedbook.truths.proof import MAX_FINDINGS, Truth

NEWEST_SEALS = 40
"""So much content is verified here; `deedbook audit verify` reads all of it."""

_WRITTEN_DOWN = (
    "(VALUES ('events'), ('ledger_lines'), ('ledger_checkpoints'), ('audit_seals')) AS t (relation)"
)
_MAY = f"""
    SELECT '{APPLICATION_ROLE} may ' || wanted || ' ' || relation FROM {_WRITTEN_DOWN}
    CROSS JOIN (VALUES ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('TRIGGER')) AS r (wanted)
    WHERE has_table_privilege('{APPLICATION_ROLE}', relation, wanted)
"""

QUERIES = {
    "INV-11 what was written down cannot be changed": f"""
        SELECT guard || ' does not stand on ' || relation FROM (
            SELECT relation, relation || '_' || guard FROM {_WRITTEN_DOWN}
            CROSS JOIN (VALUES ('append_only'), ('never_truncated')) AS g (guard)
            UNION ALL VALUES ('markets', 'markets_move')) AS g (relation, guard)
        WHERE NOT EXISTS (SELECT 1 FROM pg_trigger
                          WHERE tgrelid = to_regclass(relation) AND tgname = guard AND tgenabled IN ('O', 'A'))
        UNION ALL {_MAY}
        UNION ALL
        SELECT '{APPLICATION_ROLE} is ' || property FROM pg_roles
        CROSS JOIN LATERAL (VALUES ('a superuser', rolsuper), ('a role that replicates', rolreplication),
                                   ('allowed to log in', rolcanlogin)) AS p (property, has_it)
        WHERE rolname = '{APPLICATION_ROLE}' AND has_it
        UNION ALL
        SELECT 'the platform works as ' || current_user WHERE current_user <> '{APPLICATION_ROLE}'
    """,
}


async def seals_verify(db: Database) -> Truth:
    """Every seal follows the one before it, and the newest ones have the hash of their rows.

    Raises:
        DatabaseUnavailable: no proof either way.
    """
    reports = await audit.verify(db, newest_seals=NEWEST_SEALS)
    findings = [finding for report in reports for finding in report.findings]
    return Truth("INV-11 the seals verify", tuple(findings[:MAX_FINDINGS]))
